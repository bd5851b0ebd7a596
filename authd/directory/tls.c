#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ip.h"
#include "base/log.h"
#include "base/mem.h"

#define AUTHORITIES_MAX 1024u /* certificates that are read of one text */

struct tls {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
};

void
tls_warm(void)
{
	SSL_CTX *ctx;
	SSL *ssl;

	/* No configuration of the machine's: it could name files and engines. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		fatalx("OpenSSL could not be set up");
	ctx = SSL_CTX_new(TLS_client_method());
	ssl = ctx == NULL ? NULL : SSL_new(ctx);
	if (ssl == NULL)
		fatalx("OpenSSL could not be set up");
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static const char *
library_error(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	return why == NULL ? "no reason is known" : why;
}

/* Certificates of the text into the store, as many as there are. */
static bool
trust(SSL_CTX *ctx, const char *pem, size_t len, char *why, size_t size)
{
	BIO *b = len > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)len);
	unsigned n = 0;
	X509 *x;

	while (b != NULL && n < AUTHORITIES_MAX && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		/* One that stands there twice is no mistake. */
		(void)X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x);
		X509_free(x);
		n++;
	}
	BIO_free(b);
	ERR_clear_error();
	if (n == 0)
		(void)snprintf(why, size,
			       "there is no certificate that could vouch for it: set its authorities");
	return n > 0;
}

static bool
expect_name(SSL *ssl, const char *host)
{
	struct ip_addr ip;

	if (ip_parse(host, &ip))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool
wait_for(int fd, int what)
{
	struct pollfd p = { .fd = fd, .events = (short)(what == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN) };

	return poll(&p, 1, TLS_WAIT_MS) == 1;
}

static bool
shake_hands(struct tls *t, char *why, size_t size)
{
	int rc, what;
	long verdict;

	while ((rc = SSL_connect(t->ssl)) != 1) {
		what = SSL_get_error(t->ssl, rc);
		if ((what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE) || !wait_for(t->fd, what))
			break;
	}
	if (rc == 1)
		return true;
	verdict = SSL_get_verify_result(t->ssl);
	if (verdict != X509_V_OK)
		(void)snprintf(why, size, "its certificate is not good: %s",
			       X509_verify_cert_error_string(verdict));
	else
		(void)snprintf(why, size, "no TLS with it: %s", library_error());
	return false;
}

struct tls *
tls_begin(int fd, const char *host, const char *authorities, size_t len, char *why, size_t size)
{
	struct tls *t = mem_calloc(1, sizeof(*t));

	t->fd = fd;
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx != NULL && trust(t->ctx, authorities, len, why, size)) {
		(void)SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
		SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
		(void)SSL_CTX_set_mode(t->ctx,
				       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		t->ssl = SSL_new(t->ctx);
		if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1 || !expect_name(t->ssl, host))
			(void)snprintf(why, size, "no TLS: %s", library_error());
		else if (shake_hands(t, why, size))
			return t;
	}
	tls_end(&t);
	return NULL;
}

void
tls_end(struct tls **t)
{
	if (*t == NULL)
		return;
	if ((*t)->ssl != NULL && SSL_is_init_finished((*t)->ssl))
		(void)SSL_shutdown((*t)->ssl);
	SSL_free((*t)->ssl);
	SSL_CTX_free((*t)->ctx);
	free(*t);
	*t = NULL;
}

static ssize_t
outcome(struct tls *t, int rc)
{
	int what;

	if (rc > 0)
		return rc;
	what = SSL_get_error(t->ssl, rc);
	if (what == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
	return -1;
}

ssize_t
tls_read(struct tls *t, void *buf, size_t len)
{
	ERR_clear_error();
	return outcome(t, SSL_read(t->ssl, buf, len > INT_MAX ? INT_MAX : (int)len));
}

ssize_t
tls_write(struct tls *t, const void *buf, size_t len)
{
	ERR_clear_error();
	return outcome(t, SSL_write(t->ssl, buf, len > INT_MAX ? INT_MAX : (int)len));
}

int
tls_pending(const struct tls *t)
{
	return SSL_pending(t->ssl) > 0;
}
