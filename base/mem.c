#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

/* Pages that the sanitizers' allocator did not give out are no roots to it: what only a table points to would
 * be called leaked. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define IS_ROOT(p, bytes) __lsan_register_root_region((p), (bytes))
#else
#define IS_ROOT(p, bytes) ((void)0)
#endif

#define HUGE_PAGE (2u << 20)

void *
mem_calloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (p == NULL)
		fatalx("no memory for %zu objects of %zu bytes", n, size);
	return p;
}

void *
mem_reallocarray(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (q == NULL)
		fatalx("no memory for %zu objects of %zu bytes", n, size);
	return q;
}

char *
mem_strdup(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		fatalx("no memory for a string of %zu bytes", strlen(s));
	return p;
}

void *
mem_pages_small(size_t bytes)
{
	void *p =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		fatal("no memory for a table of %zu bytes", bytes);
	IS_ROOT(p, bytes);
	return p;
}

/* Refused where the kernel has no huge pages: then it is only slower. */
void
mem_pages_merge(void *p, size_t bytes)
{
	if (bytes >= HUGE_PAGE)
		(void)madvise(p, bytes, MADV_HUGEPAGE);
}

void *
mem_pages(size_t bytes)
{
	void *p = mem_pages_small(bytes);

	/* Tables are looked up at random: with small pages nearly every look walks the page table, which was
	 * a quarter of what a 64-byte frame cost the engine. */
	mem_pages_merge(p, bytes);
	return p;
}

/* Not inlined: link-time optimisation would warn of every source that is shorter than the destination. */
__attribute__((noinline)) bool
str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size);
	bool fits = len < size;

	if (size == 0)
		return false;
	if (!fits)
		len = size - 1;
	memcpy(dst, src, len);
	dst[len] = '\0';
	return fits;
}
