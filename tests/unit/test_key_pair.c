/* Pairs of every kind of key: read from one file and from two, and what they sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static EVP_PKEY *
make_key(const char *kind)
{
	if (strcmp(kind, "RSA") == 0)
		return EVP_RSA_gen(2048);
	if (strcmp(kind, "P-256") == 0 || strcmp(kind, "P-384") == 0)
		return EVP_EC_gen(kind);
	return EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

static X509 *
make_certificate(EVP_PKEY *key, EVP_PKEY *by)
{
	X509 *x = X509_new();
	int id = EVP_PKEY_get_id(by);

	assert_non_null(x);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, by, id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? NULL : EVP_sha256()) >
		    0);
	return x;
}

/* One file with the one, the other, or both. */
static int
file_of(X509 *x, EVP_PKEY *key)
{
	FILE *f = tmpfile();
	int fd;

	assert_non_null(f);
	if (x != NULL)
		assert_int_equal(PEM_write_X509(f, x), 1);
	if (key != NULL)
		assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fflush(f), 0);
	fd = dup(fileno(f));
	(void)fclose(f);
	return fd;
}

static size_t
content(bool tls13, uint8_t *out)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";

	memset(out, tls13 ? ' ' : 7, 64);
	if (tls13) {
		memcpy(out + 64, context, sizeof(context));
		memset(out + 64 + sizeof(context), 5, 32);
		return 64 + sizeof(context) + 32;
	}
	out[64] = 3;
	out[65] = 0;
	out[66] = 29;
	out[67] = 32;
	memset(out + 68, 9, 32);
	return 100;
}

static bool
verifies(EVP_PKEY *key, const char *digest, bool pss, const uint8_t *signature, size_t len,
	 const uint8_t *said, size_t said_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	bool good = EVP_DigestVerifyInit_ex(ctx, &how, digest, NULL, NULL, key, NULL) == 1;

	if (good && pss)
		good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
	good = good && EVP_DigestVerify(ctx, signature, len, said, said_len) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static const struct {
	const char *kind, *digest;
	uint32_t scheme;
	bool tls13, pss;
} cases[] = {
	{ "P-256", "SHA256", 0x0403, true, false }, { "P-256", "SHA256", 0x0403, false, false },
	{ "P-384", "SHA384", 0x0503, true, false }, { "RSA", "SHA256", 0x0804, true, true },
	{ "RSA", "SHA512", 0x0806, false, true },   { "RSA", "SHA256", 0x0401, false, false },
	{ "ED25519", NULL, 0x0807, true, false },   { "ED448", NULL, 0x0808, false, false },
};

static void
each_scheme_signs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		EVP_PKEY *key = make_key(cases[i].kind);
		X509 *x = make_certificate(key, key);
		int both = file_of(x, key);
		uint8_t said[256], signature[SIGNATURE_MAX], id[EVP_MAX_MD_SIZE];
		size_t said_len = content(cases[i].tls13, said), len = sizeof(signature), none = len;
		char why[PAIR_WHY_MAX] = "";
		struct pair *p = pair_read(both, both, why);

		assert_string_equal(why, "");
		assert_non_null(p);
		assert_int_equal(X509_digest(x, EVP_sha256(), id, NULL), 1);
		assert_true(pair_is(p, id));
		id[31] ^= 1;
		assert_false(pair_is(p, id));
		assert_true(pair_sign(p, cases[i].scheme, said, said_len, signature, &len));
		assert_true(verifies(key, cases[i].digest, cases[i].pss, signature, len, said, said_len));
		/* Schemes of other keys, of none, and what is no handshake. */
		assert_false(pair_sign(p, cases[i].kind[0] == 'R' ? 0x0403 : 0x0804, said, said_len,
				       signature, &none));
		assert_false(pair_sign(p, 0, said, said_len, signature, &none));
		assert_false(pair_sign(p, cases[i].scheme, said, said_len - 1, signature, &none));
		said[0] ^= cases[i].tls13 ? 1 : 0;
		if (cases[i].tls13)
			assert_false(pair_sign(p, cases[i].scheme, said, said_len, signature, &none));
		pair_free(&p);
		assert_null(p);
		X509_free(x);
		EVP_PKEY_free(key);
		close(both);
	}
}

/* RFC 8446 section 4.2.3: not in a CertificateVerify. */
static void
old_padding_is_not_for_tls13(void **state)
{
	EVP_PKEY *key = make_key("RSA");
	X509 *x = make_certificate(key, key);
	int both = file_of(x, key);
	uint8_t said[256], signature[SIGNATURE_MAX];
	size_t said_len = content(true, said), len = sizeof(signature);
	char why[PAIR_WHY_MAX];
	struct pair *p = pair_read(both, both, why);

	(void)state;
	assert_non_null(p);
	assert_false(pair_sign(p, 0x0401, said, said_len, signature, &len));
	assert_true(pair_sign(p, 0x0804, said, said_len, signature, &len));
	pair_free(&p);
	X509_free(x);
	EVP_PKEY_free(key);
	close(both);
}

static void
what_is_no_pair_is_told(void **state)
{
	EVP_PKEY *key = make_key("P-256"), *other = make_key("P-256"), *strange = make_key("X25519");
	X509 *x = make_certificate(key, key), *of_strange = make_certificate(strange, key);
	int chain = file_of(x, NULL), mine = file_of(NULL, key), others = file_of(NULL, other),
	    empty = file_of(NULL, NULL), both = file_of(of_strange, strange);
	char why[PAIR_WHY_MAX];
	struct pair *p;

	(void)state;
	p = pair_read(chain, mine, why);
	assert_non_null(p);
	pair_free(&p);
	assert_null(pair_read(chain, others, why));
	assert_non_null(strstr(why, "certificate_key: is not the private key of the certificate"));
	assert_null(pair_read(chain, chain, why));
	assert_non_null(strstr(why, "certificate_key: holds no private key"));
	assert_null(pair_read(mine, mine, why));
	assert_non_null(strstr(why, "certificate: holds no certificate"));
	assert_null(pair_read(empty, mine, why));
	assert_non_null(strstr(why, "empty"));
	assert_null(pair_read(both, both, why));
	assert_non_null(strstr(why, "TLS does not sign"));
	X509_free(x);
	X509_free(of_strange);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	EVP_PKEY_free(strange);
	close(chain);
	close(mine);
	close(others);
	close(empty);
	close(both);
}

static int
set_up(void **state)
{
	(void)state;
	pair_memory();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_scheme_signs),
		cmocka_unit_test(old_padding_is_not_for_tls13),
		cmocka_unit_test(what_is_no_pair_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
