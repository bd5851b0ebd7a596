/* Memory that a command line hands over: with any seals, and of another size than it says. What is taken is
 * what was there. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned seals;
	size_t len, says;
	char *copy;
	int fd;

	if (size < 3)
		return 0;
	seals = data[0] & (unsigned)(NEEDED | F_SEAL_SEAL);
	len = size - 2;
	says = data[1] % 4 == 0 ? len + data[1] / 4 : len;
	fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert(fd != -1 && write(fd, data + 2, len) == (ssize_t)len);
	assert(fcntl(fd, F_ADD_SEALS, seals) == 0);
	copy = sealed_read(fd, says);
	assert((copy != NULL) == ((seals & NEEDED) == NEEDED && says == len));
	assert(copy == NULL || memcmp(copy, data + 2, len) == 0);
	free(copy);
	(void)close(fd);
	return 0;
}
