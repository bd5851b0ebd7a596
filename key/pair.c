#include "pair.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "content.h"
#include "pem/pem.h"

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

void
pair_memory(void)
{
	if (CRYPTO_secure_malloc_init(SECURE_BYTES, SECURE_LEAST) != 1)
		fatalx("cannot lock %u bytes for the private key: raise LimitMEMLOCK or ulimit -l",
		       SECURE_BYTES);
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
	X509 *x;
	enum pem_fault fault = pem_read_certificates(certificate, &x, NULL, NULL), key_fault = PEM_GOOD;
	bool good = false;

	if (fault == PEM_GOOD)
		key_fault = pem_read_key(key, x, &p->key);
	if (fault != PEM_GOOD)
		(void)snprintf(why, PAIR_WHY_MAX, "certificate: %s", pem_fault_text(fault));
	else if (key_fault != PEM_GOOD)
		(void)snprintf(why, PAIR_WHY_MAX, "certificate_key: %s", pem_fault_text(key_fault));
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
