#include "pair.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "content.h"

#define PEM_MAX      (1u << 20)
#define SECURE_BYTES (64u << 10) /* two pairs of RSA with 8192 bits take a quarter of it */
#define SECURE_LEAST 32

struct pair {
	EVP_PKEY *key;
	uint8_t certificate[CERTIFICATE_ID_BYTES];
};

/* Which key signs a scheme, and how. RSASSA-PKCS1-v1_5 is of TLS 1.2 alone (RFC 8446 section 4.2.3). */
static const struct scheme {
	uint32_t number;
	const char *key;
	const char *digest; /* NULL: the key's own */
	int padding;        /* 0: none */
	bool tls13;
} schemes[] = {
	{ 0x0403, "EC", "SHA256", 0, true },
	{ 0x0503, "EC", "SHA384", 0, true },
	{ 0x0603, "EC", "SHA512", 0, true },
	{ 0x0804, "RSA", "SHA256", RSA_PKCS1_PSS_PADDING, true },
	{ 0x0805, "RSA", "SHA384", RSA_PKCS1_PSS_PADDING, true },
	{ 0x0806, "RSA", "SHA512", RSA_PKCS1_PSS_PADDING, true },
	{ 0x0809, "RSA-PSS", "SHA256", RSA_PKCS1_PSS_PADDING, true },
	{ 0x080a, "RSA-PSS", "SHA384", RSA_PKCS1_PSS_PADDING, true },
	{ 0x080b, "RSA-PSS", "SHA512", RSA_PKCS1_PSS_PADDING, true },
	{ 0x0401, "RSA", "SHA256", RSA_PKCS1_PADDING, false },
	{ 0x0501, "RSA", "SHA384", RSA_PKCS1_PADDING, false },
	{ 0x0601, "RSA", "SHA512", RSA_PKCS1_PADDING, false },
	{ 0x0807, "ED25519", NULL, 0, true },
	{ 0x0808, "ED448", NULL, 0, true },
};

static const char *
openssl_error(void)
{
	static char text[256];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	ERR_clear_error();
	return text;
}

void
pair_memory(void)
{
	if (CRYPTO_secure_malloc_init(SECURE_BYTES, SECURE_LEAST) != 1)
		fatalx("cannot lock %u bytes for the private key: raise LimitMEMLOCK or ulimit -l",
		       SECURE_BYTES);
}

/* --- reading
 * -------------------------------------------------------------------------------------------------------- */

/* What the file holds; NULL with a reason. The launcher holds the same open file for the next start: its
 * offset is left alone. */
static char *
slurp(int fd, const char *what, size_t *len, char why[static PAIR_WHY_MAX])
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) == -1 || st.st_size <= 0 || st.st_size > PEM_MAX) {
		(void)snprintf(why, PAIR_WHY_MAX, "%s: not open, empty, or longer than %u bytes", what,
			       PEM_MAX);
		return NULL;
	}
	*len = (size_t)st.st_size;
	text = mem_calloc(*len + 1, 1);
	for (size_t at = 0; at < *len;) {
		ssize_t n = pread(fd, text + at, *len - at, (off_t)at);

		if (n <= 0) {
			(void)snprintf(why, PAIR_WHY_MAX, "%s: cannot be read", what);
			sodium_memzero(text, *len);
			free(text);
			return NULL;
		}
		at += (size_t)n;
	}
	return text;
}

/* OpenSSL would otherwise ask for it at the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

static X509 *
read_certificate(int fd, char why[static PAIR_WHY_MAX])
{
	size_t len;
	char *text = slurp(fd, "certificate", &len, why);
	BIO *bio = text == NULL ? NULL : BIO_new_mem_buf(text, (int)len);
	X509 *x = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

	if (text != NULL && x == NULL)
		(void)snprintf(why, PAIR_WHY_MAX, "certificate: no PEM certificate (%s)", openssl_error());
	BIO_free(bio);
	if (text != NULL)
		sodium_memzero(text, len); /* the key may stand behind it */
	free(text);
	return x;
}

static EVP_PKEY *
read_key(int fd, char why[static PAIR_WHY_MAX])
{
	size_t len;
	char *text = slurp(fd, "certificate_key", &len, why);
	BIO *bio = text == NULL ? NULL : BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	if (text != NULL && key == NULL)
		(void)snprintf(why, PAIR_WHY_MAX,
			       "certificate_key: no PEM private key without passphrase (%s)",
			       openssl_error());
	BIO_free(bio);
	if (text != NULL)
		sodium_memzero(text, len);
	free(text);
	return key;
}

/* --- signing
 * -------------------------------------------------------------------------------------------------------- */

static bool
sign(EVP_PKEY *key, const struct scheme *s, const uint8_t *content, size_t content_len, uint8_t *signature,
     size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	bool good = ctx != NULL && EVP_DigestSignInit_ex(ctx, &how, s->digest, NULL, NULL, key, NULL) == 1;

	if (good && s->padding != 0)
		good = EVP_PKEY_CTX_set_rsa_padding(how, s->padding) == 1;
	if (good && s->padding == RSA_PKCS1_PSS_PADDING)
		good = EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
	good = good && EVP_DigestSign(ctx, signature, len, content, content_len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

bool
pair_sign(const struct pair *p, uint32_t scheme, const uint8_t *content, size_t content_len,
	  uint8_t *signature, size_t *len)
{
	enum content what = content_of(content, content_len);

	for (size_t i = 0; i < ARRAY_LEN(schemes) && what != CONTENT_NONE; i++)
		if (schemes[i].number == scheme)
			return (schemes[i].tls13 || what == CONTENT_TLS12) &&
			       EVP_PKEY_is_a(p->key, schemes[i].key) &&
			       sign(p->key, &schemes[i], content, content_len, signature, len);
	return false;
}

/* How many schemes the key signs with. */
static unsigned
try_schemes(const struct pair *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		static const uint8_t content[1] = { 0 };
		uint8_t signature[SIGNATURE_MAX];
		size_t len = sizeof(signature);

		if (EVP_PKEY_is_a(p->key, schemes[i].key) &&
		    sign(p->key, &schemes[i], content, sizeof(content), signature, &len))
			n++;
		sodium_memzero(signature, sizeof(signature));
	}
	return n;
}

/* --- pairs
 * ----------------------------------------------------------------------------------------------------------
 */

struct pair *
pair_read(int certificate, int key, char why[static PAIR_WHY_MAX])
{
	struct pair *p = mem_calloc(1, sizeof(*p));
	X509 *x = read_certificate(certificate, why);
	bool good = false;

	if (x != NULL)
		p->key = read_key(key, why);
	if (p->key == NULL)
		;
	else if (X509_check_private_key(x, p->key) != 1)
		(void)snprintf(why, PAIR_WHY_MAX, "certificate_key: is not the key of the certificate (%s)",
			       openssl_error());
	else if (X509_digest(x, EVP_sha256(), p->certificate, NULL) != 1 || try_schemes(p) == 0)
		(void)snprintf(why, PAIR_WHY_MAX,
			       "certificate_key: TLS does not sign with a key of its kind or size");
	else
		good = true;
	X509_free(x);
	if (!good)
		pair_free(&p);
	return p;
}

void
pair_free(struct pair **p)
{
	if (*p == NULL)
		return;
	EVP_PKEY_free((*p)->key);
	free(*p);
	*p = NULL;
}

bool
pair_is(const struct pair *p, const uint8_t certificate[CERTIFICATE_ID_BYTES])
{
	return memcmp(p->certificate, certificate, CERTIFICATE_ID_BYTES) == 0;
}
