#include "secrets.h"

#include <sodium.h>

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
	void *p;

	if (nblocks == BLOCKS_MAX)
		fatalx("no place for another block of secrets");
	p = sodium_allocarray(n, size);
	if (p == NULL)
		fatal("cannot lock memory for secrets");
	sodium_memzero(p, n * size);
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
