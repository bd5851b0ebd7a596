/* Allocation that never returns NULL: it is used at start-up and for bounded objects only. */
#ifndef WEIR_BASE_MEM_H
#define WEIR_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory for n objects of size bytes; the product is checked. Dies (fatalx) when there is none. */
void *mem_calloc(size_t n, size_t size);
/* As reallocarray(3), dies when there is none. New bytes are not zeroed. */
void *mem_reallocarray(void *p, size_t n, size_t size);
/* A copy of the string s, owned by the caller. */
char *mem_strdup(const char *s);
/* Zeroed pages straight from the kernel (huge tables given at start): untouched pages cost nothing. Dies when
 * refused. */
void *mem_pages(size_t bytes);
/* The same for rows that come into use one after the other and are looked at a few lines at a time: in pages
 * of the usual size, so that nobody waits while a large one is cleared, which can take milliseconds. */
void *mem_pages_small(size_t bytes);
/* Such a table is in use for good by now: the kernel may put its pages together, in the background. */
void mem_pages_merge(void *p, size_t bytes);

/* Copies src into dst[size], always terminated; returns false where it did not fit (dst then holds a prefix).
 */
bool str_copy(char *dst, size_t size, const char *src);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
