#include "tls.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

#define PEM_MAX    (1u << 20)
#define CHAIN_MAX  16
#define TICKET_KEY 80          /* name, HMAC key and cipher key, as OpenSSL lays them out */
#define INPUT_MAX  (96u << 10) /* bytes read ahead of a request: more than the longest head and body */

struct tls {
	SSL_CTX *ctx;
	void (*gone)(void *owner);
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

/* --- certificate and key
 * ------------------------------------------------------------------------------------------- */

/* The launcher holds the same open file for the next start: the offset is left alone. */
static char *
slurp(int fd, const char *what, size_t *len)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) == -1)
		fatal("%s: not open at descriptor %d", what, fd);
	if (st.st_size <= 0 || st.st_size > PEM_MAX)
		fatalx("%s: %lld bytes, where a PEM file has 1 to %u", what, (long long)st.st_size, PEM_MAX);
	*len = (size_t)st.st_size;
	text = mem_calloc(*len + 1, 1);
	for (size_t at = 0; at < *len;) {
		ssize_t n = pread(fd, text + at, *len - at, (off_t)at);

		if (n <= 0)
			fatal("%s: cannot be read", what);
		at += (size_t)n;
	}
	close(fd);
	return text;
}

static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

static void
load_chain(struct tls *t, int fd)
{
	size_t len;
	AUTO(mem_drop) char *text = slurp(fd, "certificate", &len);
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	X509 *x = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

	if (x == NULL || SSL_CTX_use_certificate(t->ctx, x) != 1)
		fatalx("certificate: no PEM certificate that can be used (%s)", tls_error());
	X509_free(x);
	for (unsigned i = 0; (x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL; i++)
		if (i == CHAIN_MAX || SSL_CTX_add0_chain_cert(t->ctx, x) != 1)
			fatalx("certificate: its chain is longer than %u, or damaged", CHAIN_MAX);
	ERR_clear_error();
	BIO_free(bio);
}

static void
load_key(struct tls *t, int fd)
{
	size_t len;
	AUTO(mem_drop) char *text = slurp(fd, "certificate_key", &len);
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	OPENSSL_cleanse(text, len);
	if (key == NULL)
		fatalx("certificate_key: no PEM private key without passphrase (%s)", tls_error());
	if (SSL_CTX_use_PrivateKey(t->ctx, key) != 1 || SSL_CTX_check_private_key(t->ctx) != 1)
		fatalx("certificate_key: is not the key of the certificate (%s)", tls_error());
	EVP_PKEY_free(key);
	BIO_free(bio);
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

struct tls *
tls_new(int certificate, int key, void (*gone)(void *owner))
{
	struct tls *t = mem_calloc(1, sizeof(*t));

	t->gone = gone;
	t->ctx = SSL_CTX_new(TLS_server_method());
	owner_index = SSL_get_ex_new_index(0, t, NULL, NULL, on_free);
	if (t->ctx == NULL || owner_index == -1 ||
	    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(t->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
	    SSL_CTX_set1_groups_list(t->ctx, "X25519:P-256:P-384") != 1)
		fatalx("OpenSSL could not be set up (%s)", tls_error());
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
					SSL_OP_SINGLE_ECDH_USE);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
	/* Sessions live in tickets, at the client: nothing here grows with the number of clients. */
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(t->ctx, 1);
	(void)SSL_CTX_set_session_id_context(t->ctx, (const unsigned char *)"weir", 4);
	SSL_CTX_set_alpn_select_cb(t->ctx, choose_protocol, NULL);
	load_chain(t, certificate);
	load_key(t, key);
	tls_rotate(t);
	return t;
}

void
tls_free(struct tls **t)
{
	if (*t == NULL)
		return;
	SSL_CTX_free((*t)->ctx);
	free(*t);
	*t = NULL;
}

void
tls_rotate(struct tls *t)
{
	unsigned char keys[TICKET_KEY];

	if (RAND_bytes(keys, sizeof(keys)) != 1 ||
	    SSL_CTX_set_tlsext_ticket_keys(t->ctx, keys, sizeof(keys)) != 1)
		log_warn("session tickets keep their keys (%s)", tls_error());
	OPENSSL_cleanse(keys, sizeof(keys));
}

/* --- warming
 * -------------------------------------------------------------------------------------------------------- */

static void
handshake_in_memory(struct tls *t, SSL_CTX *client_ctx, int version)
{
	SSL *server = SSL_new(t->ctx), *client = SSL_new(client_ctx);
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
		fatalx("TLS: no handshake with the certificate succeeds (%s)", tls_error());
	SSL_free(server);
	SSL_free(client);
}

void
tls_warm(struct tls *t)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	if (client == NULL)
		fatalx("OpenSSL could not be set up (%s)", tls_error());
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL); /* it talks to nobody but us */
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		handshake_in_memory(t, client, versions[i]);
	SSL_CTX_free(client);
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
	return bev;
}

void *
tls_owner(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	return ssl == NULL ? NULL : SSL_get_ex_data(ssl, owner_index);
}
