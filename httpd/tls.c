#include "tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/wire.h"
#include "pem/pem.h"
#include "read_ahead.h"

#define TICKET_NAME 16 /* bytes; behind it the key of the HMAC and that of the cipher */
#define TICKET_HMAC 32
#define INPUT_MAX   (96u << 10) /* bytes that wait of requests: more than the longest head and body */
#define SINGLE_READ 4000u       /* bytes of a request that libevent makes room for at a time: one page */

struct tls {
	SSL_CTX *ctx;
	struct wire_ticket_keys tickets;
	void (*gone)(void *owner);
	remote_sign_fn *sign;
	void *sign_ctx;
};

/* Where an SSL keeps its owner: OpenSSL numbers such places once a program. */
static int owner_index = -1;

static const char *
tls_error(void)
{
	static char text[256];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	ERR_clear_error();
	return text;
}

/* --- the certificate
 * ------------------------------------------------------------------------------------------- */

#define WHY_MAX 384

/* A key that is elsewhere, of a certificate that is used already. */
static bool
use_remote_key(SSL_CTX *ctx, char why[static WHY_MAX])
{
	X509 *x = SSL_CTX_get0_certificate(ctx);
	EVP_PKEY *key = x == NULL ? NULL : remote_key_new(x);
	bool good = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	if (!good)
		(void)snprintf(why, WHY_MAX, "certificate: OpenSSL does not sign with keys of its kind (%s)",
			       tls_error());
	EVP_PKEY_free(key);
	return good;
}

/* Each certificate above becomes ctx's, or is freed. */
static bool
use_chain(SSL_CTX *ctx, X509 *certificate, X509 *above[], unsigned n)
{
	bool good = SSL_CTX_use_certificate(ctx, certificate) == 1;

	for (unsigned i = 0; i < n; i++) {
		good = good && SSL_CTX_add0_chain_cert(ctx, above[i]) == 1;
		if (!good)
			X509_free(above[i]);
	}
	return good;
}

static bool
load_chain(SSL_CTX *ctx, int fd, char why[static WHY_MAX])
{
	X509 *certificate, *above[PEM_ABOVE_MAX];
	unsigned n;
	enum pem_fault fault = pem_read_certificates(fd, &certificate, above, &n);
	bool good;

	if (fault != PEM_GOOD) {
		(void)snprintf(why, WHY_MAX, "certificate: %s", pem_fault_text(fault));
		return false;
	}
	good = use_chain(ctx, certificate, above, n);
	X509_free(certificate);
	if (!good)
		(void)snprintf(why, WHY_MAX, "certificate: cannot be used (%s)", tls_error());
	return good;
}

/* --- what is spoken
 * ------------------------------------------------------------------------------------------------- */

/* HTTP/1.1 is all that is spoken here; a client that offers only others is told so. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
		unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, outlen, ours, sizeof(ours) - 1, in, inlen) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static void
on_free(void *parent, void *owner, CRYPTO_EX_DATA *data, int index, long argl, void *arg)
{
	struct tls *t = arg;

	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	if (owner != NULL)
		t->gone(owner);
}

/* OpenSSL makes a ticket, or has got one: which key it is. 0: none of ours; 2: make the client another one.
 */
static int
choose_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		  int make)
{
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	char digest[] = "SHA256";
	OSSL_PARAM params[3];
	unsigned i = 0;
	uint8_t *key;

	if (make == 1) {
		memcpy(name, t->tickets.key[0], TICKET_NAME);
		randombytes_buf(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
	}
	while (i < t->tickets.n && memcmp(name, t->tickets.key[i], TICKET_NAME) != 0)
		i++;
	if (i == t->tickets.n)
		return 0;
	key = t->tickets.key[i] + TICKET_NAME;
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, TICKET_HMAC);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	key += TICKET_HMAC;
	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key, iv, make) != 1 ||
	    EVP_MAC_CTX_set_params(mac, params) != 1)
		return -1;
	return i == 0 ? 1 : 2;
}

/* What is spoken, as yet without a certificate; NULL with a reason. */
static SSL_CTX *
context_bare(struct tls *t, char why[static WHY_MAX])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1) {
		(void)snprintf(why, WHY_MAX, "OpenSSL could not be set up (%s)", tls_error());
		SSL_CTX_free(ctx);
		return NULL;
	}
	/* Passwords come through its buffers, which are freed as they are: what was read is wiped there. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
				     SSL_OP_SINGLE_ECDH_USE | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
	/* Sessions live in tickets, at the client: nothing here grows with the number of clients. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 1);
	(void)SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"weir", 4);
	(void)SSL_CTX_set_app_data(ctx, t);
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, choose_ticket_key);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return ctx;
}

/* The same, with this certificate. */
static SSL_CTX *
context_new(struct tls *t, int certificate, char why[static WHY_MAX])
{
	SSL_CTX *ctx = context_bare(t, why);

	if (ctx != NULL && load_chain(ctx, certificate, why) && use_remote_key(ctx, why))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

struct tls *
tls_new(int certificate, remote_sign_fn *sign, void *ctx, void (*gone)(void *owner))
{
	struct tls *t = mem_calloc(1, sizeof(*t));
	char why[WHY_MAX];

	t->gone = gone;
	t->sign = sign;
	t->sign_ctx = ctx;
	remote_key_open(sign, ctx);
	owner_index = SSL_get_ex_new_index(0, t, NULL, NULL, on_free);
	tls_rotate(t);
	t->ctx = context_new(t, certificate, why);
	if (t->ctx == NULL)
		fatalx("%s", why);
	if (owner_index == -1)
		fatalx("OpenSSL could not be set up (%s)", tls_error());
	close(certificate);
	return t;
}

bool
tls_replace(struct tls *t, int pem)
{
	char why[WHY_MAX];
	SSL_CTX *ctx = context_new(t, pem, why);

	close(pem);
	if (ctx == NULL) {
		log_warn("the certificate stays as it was: %s", why);
		return false;
	}
	/* Each connection holds the context that it began with. */
	SSL_CTX_free(t->ctx);
	t->ctx = ctx;
	tls_rotate(t); /* until the launcher's come: nobody resumes what another certificate vouched for */
	log_info("the certificate is another one");
	return true;
}

void
tls_free(struct tls **t)
{
	if (*t == NULL)
		return;
	SSL_CTX_free((*t)->ctx);
	OPENSSL_cleanse(&(*t)->tickets, sizeof((*t)->tickets));
	free(*t);
	*t = NULL;
}

void
tls_ticket_keys(struct tls *t, const struct wire_ticket_keys *keys)
{
	t->tickets = *keys;
}

void
tls_rotate(struct tls *t)
{
	OPENSSL_cleanse(&t->tickets, sizeof(t->tickets));
	t->tickets.n = 1;
	randombytes_buf(t->tickets.key[0], sizeof(t->tickets.key[0]));
}

/* --- warming
 * -------------------------------------------------------------------------------------------------------- */

/* A key and its certificate, which nobody will ever see. */
static X509 *
make_pair(EVP_PKEY **key)
{
	X509 *x = X509_new();

	*key = EVP_EC_gen("P-256");
	if (x == NULL || *key == NULL || X509_gmtime_adj(X509_getm_notBefore(x), 0) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(x), 60) == NULL || X509_set_pubkey(x, *key) != 1 ||
	    X509_sign(x, *key, EVP_sha256()) <= 0)
		fatalx("OpenSSL could not be set up (%s)", tls_error());
	return x;
}

/* In place of key, which is not asked before the sandbox. */
static bool
sign_here(void *key, const uint8_t certificate[CERTIFICATE_ID_BYTES], uint32_t scheme, const void *content,
	  size_t content_len, uint8_t *signature, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = scheme == 0x0403 && ctx != NULL &&
		    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestSign(ctx, signature, len, content, content_len) == 1;

	(void)certificate;
	EVP_MD_CTX_free(ctx);
	return good;
}

static void
handshake_in_memory(SSL_CTX *server_ctx, SSL_CTX *client_ctx, int version)
{
	SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
	BIO *a = NULL, *b = NULL;
	char byte;
	bool ok = server != NULL && client != NULL && BIO_new_bio_pair(&a, 0, &b, 0) == 1 &&
		  SSL_set_max_proto_version(client, version) == 1;

	if (ok) {
		SSL_set_bio(server, a, a);
		SSL_set_bio(client, b, b);
		SSL_set_accept_state(server);
		SSL_set_connect_state(client);
		for (int i = 0; i < 10 && !(SSL_is_init_finished(server) && SSL_is_init_finished(client));
		     i++) {
			(void)SSL_do_handshake(client);
			(void)SSL_do_handshake(server);
		}
		ok = SSL_is_init_finished(server) && SSL_write(server, "x", 1) == 1 &&
		     SSL_read(client, &byte, 1) == 1 && SSL_write(client, "y", 1) == 1 &&
		     SSL_read(server, &byte, 1) == 1;
	}
	if (!ok)
		fatalx("TLS: no handshake succeeds (%s)", tls_error());
	SSL_free(server);
	SSL_free(client);
}

void
tls_warm(struct tls *t)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	char why[WHY_MAX] = "no memory";
	SSL_CTX *client = SSL_CTX_new(TLS_client_method()), *server = context_bare(t, why);
	EVP_PKEY *key;
	X509 *x = make_pair(&key);

	if (client == NULL || server == NULL || SSL_CTX_use_certificate(server, x) != 1 ||
	    !use_remote_key(server, why))
		fatalx("%s", why);
	remote_key_open(sign_here, key);
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL); /* it talks to nobody but us */
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		handshake_in_memory(server, client, versions[i]);
	remote_key_open(t->sign, t->sign_ctx);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH); /* the texts of errors are loaded with the first */
	(void)tls_error();
}

/* --- connections
 * ---------------------------------------------------------------------------------------------------- */

struct bufferevent *
tls_accept(struct tls *t, struct event_base *base, void *owner)
{
	SSL *ssl = SSL_new(t->ctx);
	struct bufferevent *bev =
	    ssl == NULL ? NULL
			: bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
							 BEV_OPT_CLOSE_ON_FREE);

	/* evhttp would go on without TLS where it got nothing. */
	if (bev == NULL || SSL_set_ex_data(ssl, owner_index, owner) != 1)
		fatalx("no memory for a connection");
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
	(void)bufferevent_set_max_single_read(bev, SINGLE_READ);
	return bev;
}

/* In a handshake nobody would look for what was read behind it; and it must not come to INPUT_MAX, where
 * libevent pauses. */
static bool
may_read_ahead(void *bev)
{
	return SSL_is_init_finished(bufferevent_openssl_get_ssl(bev)) &&
	       evbuffer_get_length(bufferevent_get_input(bev)) < INPUT_MAX - 2 * SINGLE_READ - READ_AHEAD_MAX;
}

void
tls_opened(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	BIO *b = ssl == NULL ? NULL : read_ahead_new(bufferevent_getfd(bev), may_read_ahead, bev);

	if (b == NULL)
		fatalx("no memory for a connection");
	SSL_set0_rbio(ssl, b);
}

bool
tls_has_more(struct bufferevent *bev)
{
	return read_ahead_left(SSL_get_rbio(bufferevent_openssl_get_ssl(bev))) > 0;
}

void
tls_keep_room(struct bufferevent *bev, bool keep)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (keep)
		(void)SSL_clear_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	else
		(void)SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
}

/* OpenSSL gives it up where it is told that nothing came. (SSL_free_buffers would be the call for it: in
 * versions that are still about it frees what is in use, CVE-2024-4741.) */
void
tls_give_up_room(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	uint8_t none;

	tls_keep_room(bev, false);
	if (!SSL_is_init_finished(ssl))
		return;
	read_ahead_shut(SSL_get_rbio(ssl), true);
	(void)SSL_peek(ssl, &none, sizeof(none));
	ERR_clear_error();
	read_ahead_shut(SSL_get_rbio(ssl), false);
}

void *
tls_owner(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	return ssl == NULL ? NULL : SSL_get_ex_data(ssl, owner_index);
}

/* libevent writes when the kernel has said that it may, which is two changes of what is waited for and one
 * more turn for each answer. It retries with the same bytes where we had begun with them, as OpenSSL wants
 * it. */
void
tls_push(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	struct evbuffer *out = bufferevent_get_output(bev);
	size_t len = evbuffer_get_length(out);
	struct evbuffer_iovec piece;
	int n;

	if (ssl == NULL || !SSL_is_init_finished(ssl) || len == 0 ||
	    evbuffer_peek(out, (ev_ssize_t)len, NULL, &piece, 1) != 1 || piece.iov_len != len)
		return;
	ERR_clear_error();
	n = SSL_write(ssl, piece.iov_base, (int)len);
	if (n <= 0) {
		ERR_clear_error();
		return;
	}
	/* Its front is never frozen: what libevent could not take off after it wrote it, it would write
	 * again. */
	if (evbuffer_drain(out, (size_t)n) == -1)
		fatalx("what was written stays in its buffer");
	if ((size_t)n < len)
		return;
	bufferevent_trigger(bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}
