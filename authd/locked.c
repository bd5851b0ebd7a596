#include "locked.h"

#include <sodium.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"

void *
locked_pages(size_t bytes)
{
	void *p = mem_pages(bytes);
	struct rlimit limit = { 0, 0 };

	if (sodium_mlock(p, bytes) == 0)
		return p;
	(void)getrlimit(RLIMIT_MEMLOCK, &limit);
	fatal("cannot lock %zu bytes for secrets (the limit is %llu: raise LimitMEMLOCK or ulimit -l)", bytes,
	      (unsigned long long)limit.rlim_cur);
}
