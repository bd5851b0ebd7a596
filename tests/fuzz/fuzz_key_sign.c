/* What a worker of httpd asks key to sign: the content of a SIGN, behind the number of its scheme. */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static EVP_PKEY *key;

static struct pair *
make_pair(void)
{
	X509 *x = X509_new();
	FILE *f = tmpfile();
	char why[PAIR_WHY_MAX];
	struct pair *p;

	pair_memory();
	key = EVP_EC_gen("P-256");
	assert(x != NULL && key != NULL && f != NULL && X509_set_pubkey(x, key) == 1);
	assert(X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL && X509_sign(x, key, EVP_sha256()) > 0);
	assert(PEM_write_X509(f, x) == 1 &&
	       PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0);
	p = pair_read(fileno(f), fileno(f), why);
	assert(p != NULL);
	(void)fclose(f);
	X509_free(x);
	return p;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct pair *pair;
	uint8_t signature[SIGNATURE_MAX];
	size_t n = sizeof(signature);
	uint16_t scheme;
	enum content what;
	bool signs;

	if (pair == NULL)
		pair = make_pair();
	if (len < sizeof(scheme) || len - sizeof(scheme) > SIGN_CONTENT_MAX)
		return 0;
	memcpy(&scheme, data, sizeof(scheme));
	data += sizeof(scheme);
	len -= sizeof(scheme);
	what = content_of(data, len);
	signs = pair_sign(pair, scheme, data, len, signature, &n);
	assert(signs == (what != CONTENT_NONE && (scheme == 0x0403 || scheme == 0x0503 || scheme == 0x0603)));
	if (signs) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		const char *digest = scheme == 0x0403 ? "SHA256" : scheme == 0x0503 ? "SHA384" : "SHA512";

		assert(n <= SIGNATURE_MAX &&
		       EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1 &&
		       EVP_DigestVerify(ctx, signature, n, data, len) == 1);
		EVP_MD_CTX_free(ctx);
	}
	return 0;
}
