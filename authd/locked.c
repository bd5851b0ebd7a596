#include "locked.h"

#include <sodium.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"

static void
lock(void *p, size_t bytes)
{
	struct rlimit limit = { 0, 0 };

	if (sodium_mlock(p, bytes) == 0)
		return;
	(void)getrlimit(RLIMIT_MEMLOCK, &limit);
	fatal("cannot lock %zu bytes for secrets (the limit is %llu: raise LimitMEMLOCK or ulimit -l)", bytes,
	      (unsigned long long)limit.rlim_cur);
}

void *
locked_pages(size_t bytes)
{
	void *p = mem_pages(bytes);

	lock(p, bytes);
	return p;
}

void
locked_stack(void)
{
	uint8_t room[LOCKED_STACK_BYTES];

	/* The pages stay, and stay locked, when this function has returned. */
	lock(room, sizeof(room));
	sodium_memzero(room, sizeof(room));
}
