/* Certificates and keys in PEM form: what is good, and each thing that can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "pem/pem.h"

static char certificate[4096], key[4096], locked[4096];

static EVP_PKEY *
write_pair(char *certificate_text, char *key_text)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *out = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_pubkey(x, k), 1);
	assert_true(X509_sign(x, k, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(out, x), 1);
	n = BIO_read(out, certificate_text, sizeof(certificate) - 1);
	assert_true(n > 0);
	certificate_text[n] = '\0';
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(out, k, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_read(out, key_text, sizeof(key) - 1);
	assert_true(n > 0);
	key_text[n] = '\0';
	X509_free(x);
	BIO_free(out);
	return k;
}

static int
setup(void **state)
{
	EVP_PKEY *k = write_pair(certificate, key);
	BIO *out = BIO_new(BIO_s_mem());
	int n;

	(void)state;
	if (PEM_write_bio_PKCS8PrivateKey(out, k, EVP_aes_256_cbc(), "secret", 6, NULL, NULL) != 1)
		return -1;
	n = BIO_read(out, locked, sizeof(locked) - 1);
	locked[n > 0 ? n : 0] = '\0';
	BIO_free(out);
	EVP_PKEY_free(k);
	return n > 0 ? 0 : -1;
}

static int
file_of(const char *text, size_t times)
{
	int fd = memfd_create("pem", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	for (size_t i = 0; i < times; i++)
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7); /* it is read from the start, and left there */
	return fd;
}

static enum pem_fault
certificates_in(int file, unsigned *n)
{
	AUTO(fd_drop) int fd = file;
	const off_t at = lseek(fd, 0, SEEK_CUR);
	X509 *x, *above[PEM_ABOVE_MAX];
	enum pem_fault f = pem_read_certificates(fd, &x, above, n);

	if (f == PEM_GOOD)
		assert_non_null(x);
	else
		assert_null(x);
	for (unsigned i = 0; i < *n; i++)
		X509_free(above[i]);
	X509_free(x);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), at);
	return f;
}

static void
a_certificate_with_its_chain(void **state)
{
	char text[16384];
	unsigned n;

	(void)state;
	assert_int_equal(certificates_in(file_of(certificate, 1), &n), PEM_GOOD);
	assert_int_equal(n, 0);
	assert_int_equal(certificates_in(file_of(certificate, 1 + PEM_ABOVE_MAX), &n), PEM_GOOD);
	assert_int_equal(n, PEM_ABOVE_MAX);
	assert_int_equal(certificates_in(file_of(certificate, 2 + PEM_ABOVE_MAX), &n), PEM_CHAIN_BAD);
	assert_int_equal(n, 0);
	/* Key and comments are passed over. */
	(void)snprintf(text, sizeof(text), "a comment\n%s%s%s", key, certificate, certificate);
	assert_int_equal(certificates_in(file_of(text, 1), &n), PEM_GOOD);
	assert_int_equal(n, 1);
}

static void
what_is_no_certificate(void **state)
{
	char text[16384];
	unsigned n;
	int ends[2];

	(void)state;
	assert_int_equal(certificates_in(file_of(key, 1), &n), PEM_NO_CERTIFICATE);
	assert_int_equal(certificates_in(file_of("-----BEGIN CERTIFICATE-----\nAAAA\n", 1), &n),
			 PEM_NO_CERTIFICATE);
	memset(text, '\n', 4096);
	text[4096] = '\0';
	assert_int_equal(certificates_in(file_of(text, PEM_BYTES_MAX / 4096), &n), PEM_NO_CERTIFICATE);
	assert_int_equal(certificates_in(file_of(text, PEM_BYTES_MAX / 4096 + 1), &n), PEM_UNREADABLE);
	assert_int_equal(certificates_in(memfd_create("empty", MFD_CLOEXEC), &n), PEM_UNREADABLE);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* and nobody waits for what comes */
	assert_int_equal(certificates_in(ends[0], &n), PEM_UNREADABLE);
	close(ends[1]);
	/* The second one is cut. */
	(void)snprintf(text, sizeof(text), "%s%.*s", certificate, (int)strlen(certificate) / 2, certificate);
	assert_int_equal(certificates_in(file_of(text, 1), &n), PEM_CHAIN_BAD);
}

static enum pem_fault
key_in(int file)
{
	AUTO(fd_drop) int fd = file, chain = file_of(certificate, 1);
	EVP_PKEY *k;
	X509 *x;
	enum pem_fault f;

	assert_int_equal(pem_read_certificates(chain, &x, NULL, NULL), PEM_GOOD);
	f = pem_read_key(fd, x, &k);
	if (f == PEM_GOOD)
		assert_non_null(k);
	else
		assert_null(k);
	EVP_PKEY_free(k);
	X509_free(x);
	return f;
}

static void
keys(void **state)
{
	char others_certificate[4096], others[4096];

	(void)state;
	EVP_PKEY_free(write_pair(others_certificate, others));
	assert_int_equal(key_in(file_of(key, 1)), PEM_GOOD);
	assert_int_equal(key_in(file_of(others, 1)), PEM_OTHER_KEY);
	assert_int_equal(key_in(file_of(certificate, 1)), PEM_NO_KEY);
	assert_int_equal(key_in(file_of(locked, 1)), PEM_NO_KEY); /* and nobody is asked for the password */
	assert_int_equal(key_in(memfd_create("empty", MFD_CLOEXEC)), PEM_UNREADABLE);
	assert_int_equal(key_in(-1), PEM_UNREADABLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_with_its_chain),
		cmocka_unit_test(what_is_no_certificate),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
