/* Chunks of a cache line; those that are free are a chain themselves. */
#include "texts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

struct chunk {
	uint32_t next; /* index + 1; 0: the last */
	uint8_t len;
	uint8_t bytes[TEXT_CHUNK];
};
static_assert(sizeof(struct chunk) == 64, "a cache line");

struct texts {
	struct chunk *chunk;
	uint32_t max, fresh; /* chunks from fresh on were never used */
	uint32_t nfree, free;
};

struct texts *
texts_new(uint32_t chunks)
{
	struct texts *t = mem_calloc(1, sizeof(*t));

	t->max = chunks;
	t->chunk = mem_pages((size_t)t->max * sizeof(*t->chunk));
	return t;
}

void
texts_free(struct texts **t)
{
	if (*t == NULL)
		return;
	munmap((*t)->chunk, (size_t)(*t)->max * sizeof(*(*t)->chunk));
	free(*t);
	*t = NULL;
}

static uint32_t
take(struct texts *t)
{
	uint32_t n = t->free;

	if (n == 0)
		return ++t->fresh;
	t->free = t->chunk[n - 1].next;
	t->nfree--;
	return n;
}

/* From its end, so that each chunk knows the next one. */
uint32_t
texts_put(struct texts *t, const void *bytes, size_t len)
{
	size_t chunks = (len + TEXT_CHUNK - 1) / TEXT_CHUNK;
	uint32_t next = 0;

	if (chunks > (size_t)t->nfree + (t->max - t->fresh))
		return TEXT_NONE;
	while (chunks-- > 0) {
		uint32_t n = take(t);
		struct chunk *c = &t->chunk[n - 1];
		size_t at = chunks * TEXT_CHUNK;

		c->next = next;
		c->len = (uint8_t)(len - at);
		memcpy(c->bytes, (const uint8_t *)bytes + at, len - at);
		len = at;
		next = n;
	}
	return next;
}

size_t
texts_get(const struct texts *t, uint32_t number, void *out, size_t size)
{
	size_t len = 0;

	while (number != 0) {
		const struct chunk *c = &t->chunk[number - 1];
		size_t n = c->len < size - len ? c->len : size - len;

		memcpy((uint8_t *)out + len, c->bytes, n);
		len += n;
		number = c->next;
	}
	return len;
}

void
texts_drop(struct texts *t, uint32_t number)
{
	while (number != 0) {
		struct chunk *c = &t->chunk[number - 1];
		uint32_t next = c->next;

		c->next = t->free;
		t->free = number;
		t->nfree++;
		number = next;
	}
}
