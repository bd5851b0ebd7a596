/* What authd, store, key and the launcher send to httpd: answers to what it asked, and to what it did not. */
#include <assert.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asks.h"
#include "base/log.h"
#include "httpd.h"
#include "ipc/wire.h"
#include "present/present.h"
#include "receiver.h"
#include "tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct httpd h;
static FILE *chain;

/* Whoever waits relies on what serve.c has looked at. */
static bool
on_answer(void *ctx, enum ask_end end, const void *body, size_t len)
{
	enum proc proc = *(const enum proc *)ctx;
	struct answer a;
	struct row r;
	int rc;

	assert((body == NULL) == (end == ASK_LATE || end == ASK_LOST));
	if (body == NULL || proc != PROC_STORE)
		return true;
	assert(answer_open(&a, body, len) && (a.head.more == 0) == (end == ASK_LAST));
	while ((rc = answer_next(&a, &r)) == 1)
		;
	assert(rc == 0);
	return true;
}

/* An answer that is waited for comes to a question that was just asked: all that answer begin with its
 * number, but ANSWER and SIGNED have it elsewhere or their own. */
static void
ask_before(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory)
{
	static const enum proc authd = PROC_AUTHD, store = PROC_STORE;
	uint64_t number = 0;

	(void)from;
	(void)memory;
	if (len < sizeof(number) || body[0] % 4 == 3)
		return;
	switch (id) {
	case MSG_AUTH_ANSWER:
	case MSG_ADMIN_ANSWER:
	case MSG_OIDC_GONE:
		number = asks_add(h.asks, PROC_AUTHD, ASK_QUICK, on_answer, (void *)(uintptr_t)&authd);
		break;
	case MSG_ANSWER:
		number = asks_add(h.asks, PROC_STORE, ASK_STORE, on_answer, (void *)(uintptr_t)&store);
		break;
	case MSG_SIGNED:
		h.key_late = true;
		number = h.sign_ticket;
		break;
	default:
		return;
	}
	memcpy(body, &number, sizeof(number));
}

/* OpenSSL sets itself up anew for each certificate. */
static bool
comes(enum msg_id id)
{
	static unsigned n;

	return id != MSG_CERTIFICATE || n++ % 64 == 0;
}

static int
hand(enum msg_id id)
{
	(void)id;
	return fcntl(fileno(chain), F_DUPFD_CLOEXEC, 0);
}

static FILE *
make_chain(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *f = tmpfile();

	assert(x != NULL && key != NULL && f != NULL && X509_set_pubkey(x, key) == 1);
	assert(X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL && X509_sign(x, key, EVP_sha256()) > 0);
	assert(PEM_write_X509(f, x) == 1 && fflush(f) == 0);
	X509_free(x);
	EVP_PKEY_free(key);
	return f;
}

static bool
never_sign(void *ctx, const uint8_t certificate[CERTIFICATE_ID_BYTES], uint32_t scheme, const void *content,
	   size_t content_len, uint8_t *signature, size_t *len)
{
	(void)ctx;
	(void)certificate;
	(void)scheme;
	(void)content;
	(void)content_len;
	(void)signature;
	(void)len;
	return false;
}

static void
nobody(void *owner)
{
	(void)owner;
}

static void
ignore(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
open_httpd(void)
{
	h.boot = receiver_boot(PROC_HTTPD);
	h.base = event_base_new();
	h.rotation = h.base == NULL ? NULL : event_new(h.base, -1, 0, ignore, NULL);
	if (h.rotation == NULL)
		fatalx("no event loop");
	chain = make_chain();
	h.tls = tls_new(hand(MSG_CERTIFICATE), never_sign, NULL, nobody);
	h.asks = asks_new(h.base, INT64_C(60000000000));
	h.sign_ticket = 7;
	serve_open(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks hooks = { .comes = comes, .before = ask_before, .hand = hand };

	if (h.base == NULL)
		open_httpd();
	receiver_run(&hooks, data, size);
	h.key_late = false;
	return 0;
}
