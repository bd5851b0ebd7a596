/* A file of certificates and a key that anybody may have written. */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pem/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

/* What is given is good, and what is not good is not given. */
static void
try_file(int fd)
{
	X509 *x, *above[PEM_ABOVE_MAX];
	EVP_PKEY *key;
	unsigned n = 0;
	enum pem_fault f = pem_read_certificates(fd, &x, above, &n);

	assert(f < PEM_FAULTS && (f == PEM_GOOD) == (x != NULL) && (f == PEM_GOOD || n == 0) &&
	       n <= PEM_ABOVE_MAX);
	assert(strlen(pem_fault_text(f)) > 0);
	if (f != PEM_GOOD)
		return;
	f = pem_read_key(fd, x, &key);
	assert(f < PEM_FAULTS && (f == PEM_GOOD) == (key != NULL));
	EVP_PKEY_free(key);
	X509_free(x);
	while (n > 0)
		X509_free(above[--n]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	static int fd = -1;

	if (fd == -1)
		fd = memfd_create("pem", MFD_CLOEXEC);
	assert(ftruncate(fd, 0) == 0 && pwrite(fd, d, n, 0) == (ssize_t)n);
	try_file(fd);
	return 0;
}
