#include "pem/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct text {
	char *bytes;
	size_t len;
	BIO *bio; /* that reads them */
};

const char *
pem_fault_text(enum pem_fault f)
{
	static const char *const texts[] = {
		[PEM_GOOD] = "is good",
		[PEM_UNREADABLE] = "is no file, empty, longer than 1048576 bytes, or cannot be read",
		[PEM_NO_CERTIFICATE] = "holds no certificate in PEM form",
		[PEM_CHAIN_BAD] = "its chain is damaged, or longer than 16 certificates",
		[PEM_NO_KEY] = "holds no private key in PEM form without a password",
		[PEM_OTHER_KEY] = "is not the private key of the certificate",
	};

	_Static_assert(ARRAY_LEN(texts) == PEM_FAULTS, "every fault has a text");
	_Static_assert(PEM_BYTES_MAX == 1048576 && PEM_ABOVE_MAX == 16, "as the texts say");
	return texts[f];
}

static void
text_drop(struct text *t)
{
	BIO_free(t->bio);
	if (t->bytes != NULL)
		sodium_memzero(t->bytes, t->len); /* a key may stand in it */
	free(t->bytes);
	ERR_clear_error();
}

static bool
text_read(struct text *t, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > PEM_BYTES_MAX)
		return false;
	t->len = (size_t)st.st_size;
	t->bytes = mem_calloc(1, t->len);
	for (size_t at = 0; at < t->len;) {
		ssize_t n = pread(fd, t->bytes + at, t->len - at, (off_t)at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	t->bio = BIO_new_mem_buf(t->bytes, (int)t->len);
	return t->bio != NULL;
}

/* OpenSSL would otherwise ask for it at the terminal. */
static int
no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

/* That it found none, and not that one was damaged. */
static bool
at_the_end(void)
{
	unsigned long why = ERR_peek_last_error();

	return ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
}

/* False where what follows is damaged or too much; what was read until then is in above all the same. */
static bool
read_above(BIO *in, X509 *above[PEM_ABOVE_MAX], unsigned *n)
{
	X509 *x;

	ERR_clear_error();
	while ((x = PEM_read_bio_X509(in, NULL, no_password, NULL)) != NULL) {
		if (*n == PEM_ABOVE_MAX) {
			X509_free(x);
			return false;
		}
		above[(*n)++] = x;
	}
	return at_the_end();
}

enum pem_fault
pem_read_certificates(int fd, X509 **certificate, X509 *above[PEM_ABOVE_MAX], unsigned *n)
{
	struct text t = { 0 };
	enum pem_fault fault = PEM_GOOD;

	*certificate = NULL;
	if (above != NULL)
		*n = 0;
	if (!text_read(&t, fd))
		fault = PEM_UNREADABLE;
	else if ((*certificate = PEM_read_bio_X509(t.bio, NULL, no_password, NULL)) == NULL)
		fault = PEM_NO_CERTIFICATE;
	else if (above != NULL && !read_above(t.bio, above, n))
		fault = PEM_CHAIN_BAD;
	text_drop(&t);
	if (fault != PEM_CHAIN_BAD)
		return fault;
	X509_free(*certificate);
	*certificate = NULL;
	while (*n > 0)
		X509_free(above[--*n]);
	return fault;
}

enum pem_fault
pem_read_key(int fd, const X509 *certificate, EVP_PKEY **key)
{
	struct text t = { 0 };
	enum pem_fault fault = PEM_GOOD;

	*key = NULL;
	if (!text_read(&t, fd))
		fault = PEM_UNREADABLE;
	else if ((*key = PEM_read_bio_PrivateKey(t.bio, NULL, no_password, NULL)) == NULL)
		fault = PEM_NO_KEY;
	else if (X509_check_private_key(certificate, *key) != 1)
		fault = PEM_OTHER_KEY;
	text_drop(&t);
	if (fault == PEM_OTHER_KEY) {
		EVP_PKEY_free(*key);
		*key = NULL;
	}
	return fault;
}
