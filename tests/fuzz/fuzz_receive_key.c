/* What workers of httpd ask key to sign, and pairs that the launcher hands over. */
#include <assert.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "content.h"
#include "ipc/wire.h"
#include "key.h"
#include "pair.h"
#include "receiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIGNED_BYTES 70 /* of P-256, in DER */

static FILE *files[2]; /* two pairs */
static uint8_t id[CERTIFICATE_ID_BYTES];
static bool is_open; /* before, pairs are made, and nobody asks */

static FILE *
make_pair(uint8_t digest[static CERTIFICATE_ID_BYTES])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *f = tmpfile();
	unsigned n = 0;

	assert(x != NULL && key != NULL && f != NULL && X509_set_pubkey(x, key) == 1);
	assert(X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL && X509_sign(x, key, EVP_sha256()) > 0);
	assert(PEM_write_X509(f, x) == 1 &&
	       PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0);
	assert(X509_digest(x, EVP_sha256(), digest, &n) == 1 && n == CERTIFICATE_ID_BYTES);
	X509_free(x);
	EVP_PKEY_free(key);
	return f;
}

/* What TLS has a server sign: context and hash (RFC 8446 section 4.4.3), or randoms and a point (RFC 8422
 * section 5.4). The bytes between stay the input's. */
static void
be_content(struct wire_sign *w, uint8_t kind)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";
	static const struct {
		uint8_t group, point;
	} groups[] = { { 23, 65 }, { 24, 97 }, { 29, 32 } };
	size_t i = kind / 2 % ARRAY_LEN(groups);

	if (kind % 2 == 0) {
		memset(w->content, ' ', 64);
		memcpy(w->content + 64, context, sizeof(context));
		w->len = (uint32_t)(64 + sizeof(context) + (kind / 2 % 2 == 0 ? 32 : 48));
		return;
	}
	w->content[64] = 3;
	w->content[65] = 0;
	w->content[66] = groups[i].group;
	w->content[67] = groups[i].point;
	if (groups[i].point != 32)
		w->content[68] = 4;
	w->len = 68u + groups[i].point;
}

/* The input alone would find neither the name of a certificate that key has nor what it signs: every third
 * request names the certificate, and half of them ask for what TLS signs, with a scheme that there is or
 * nearly is. */
static void
be_request(const struct channel *from, enum msg_id message, uint8_t *body, size_t len, size_t memory)
{
	static const uint16_t schemes[] = { 0x0403, 0x0503, 0x0603, 0x0804, 0x0401, 0x0807 };
	struct wire_sign w;

	(void)from;
	(void)memory;
	if (message != MSG_SIGN)
		return;
	assert(len == sizeof(w));
	memcpy(&w, body, sizeof(w));
	if (w.certificate[1] % 2 == 0) {
		be_content(&w, w.certificate[2]);
		w.len += w.certificate[3] == 1; /* and one byte too many */
	}
	if (w.certificate[4] % 2 == 0)
		w.scheme = schemes[w.scheme % ARRAY_LEN(schemes)];
	if (w.certificate[0] % 3 == 0)
		memcpy(w.certificate, id, sizeof(w.certificate));
	memcpy(body, &w, sizeof(w));
}

/* OpenSSL looks through all its decoders for each key. */
static bool
comes(enum msg_id message)
{
	static unsigned n;

	return message != MSG_KEY_PAIR || n++ % 64 == 0;
}

/* In place of OpenSSL's, which takes as long as a thousand messages: what is signed is there, and there is
 * room for what comes of it. */
int
EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *signature, size_t *len, const unsigned char *content,
	       size_t content_len)
{
	(void)ctx;
	/* One byte: the key that is tried when it comes. */
	assert(!is_open || content_len == 1 || content_of(content, content_len) != CONTENT_NONE);
	if (signature != NULL) {
		memset(signature, 0x30, *len);
		for (size_t i = 0; i < content_len; i++)
			signature[0] ^= content[i];
	}
	*len = SIGNED_BYTES;
	return 1;
}

static int
hand(enum msg_id message)
{
	static unsigned n;

	(void)message;
	return fcntl(fileno(files[n++ % 2]), F_DUPFD_CLOEXEC, 0);
}

static void
open_key(void)
{
	static struct key k;
	uint8_t other[CERTIFICATE_ID_BYTES];

	pair_memory();
	files[0] = make_pair(id);
	files[1] = make_pair(other);
	/* serve_open closes them. */
	if (dup2(fileno(files[0]), BOOT_FD_CERTIFICATE) == -1 || dup2(fileno(files[0]), BOOT_FD_KEY) == -1)
		fatal("no descriptors for a pair");
	k.boot = receiver_boot(PROC_KEY);
	k.base = event_base_new();
	if (k.base == NULL)
		fatalx("no event loop");
	serve_open(&k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks hooks = { .comes = comes, .before = be_request, .hand = hand };

	if (!is_open)
		open_key();
	is_open = true;
	receiver_run(&hooks, data, size);
	return 0;
}
