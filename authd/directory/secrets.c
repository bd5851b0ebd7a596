#include "secrets.h"

#include <sodium.h>
#include <string.h>

#include "base/log.h"

#define BLOCKS_MAX 4

static struct {
	void *at;
	size_t len;
} block[BLOCKS_MAX];
static size_t nblocks;

void *
secrets_alloc(size_t n, size_t size)
{
	void *p = nblocks == BLOCKS_MAX ? NULL : sodium_allocarray(n, size);

	if (p == NULL)
		fatal("cannot lock memory for secrets");
	memset(p, 0, n * size);
	block[nblocks].at = p;
	block[nblocks++].len = n * size;
	return p;
}

void
secrets_wipe(void)
{
	for (size_t i = 0; i < nblocks; i++)
		sodium_memzero(block[i].at, block[i].len);
}
