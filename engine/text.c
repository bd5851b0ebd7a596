/* Texts in chains of chunks. */
#include "text.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"

struct text_chunk {
	uint32_t next; /* number + 1 of the following chunk of the text, or of the free list */
	union {
		struct {
			uint32_t hash, refs, len;
			char text[48];
		} first;
		char more[60];
	};
};
static_assert(sizeof(struct text_chunk) == TEXT_CHUNK, "no padding");

void
texts_init(struct texts *s, uint32_t chunks, uint32_t most, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->max = chunks;
	s->most = most;
	s->seed = seed;
	s->chunk = mem_pages((size_t)chunks * sizeof(struct text_chunk));
	index_init(&s->index, most);
}

void
texts_free(struct texts *s)
{
	munmap(s->chunk, (size_t)s->max * sizeof(struct text_chunk));
	index_free(&s->index);
}

static size_t
chunks_of(size_t len)
{
	return len <= 48 ? 1 : 1 + (len - 48 + 59) / 60;
}

static uint32_t
chunk_take(struct texts *s)
{
	uint32_t n = s->free;

	if (n == 0)
		return s->fresh < s->max ? ++s->fresh : 0;
	s->free = s->chunk[n - 1].next;
	return n;
}

static void
chunks_give(struct texts *s, uint32_t n)
{
	while (n != 0) {
		struct text_chunk *c = &s->chunk[n - 1];
		uint32_t next = c->next;

		c->next = s->free;
		s->free = n;
		n = next;
	}
}

size_t
text_read(const struct texts *s, uint32_t number, void *out, size_t size)
{
	const struct text_chunk *c;
	size_t len, at;

	if (number == 0)
		return 0;
	c = &s->chunk[number - 1];
	len = c->first.len < size ? c->first.len : size;
	at = len < 48 ? len : 48;
	memcpy(out, c->first.text, at);
	while (at < len) {
		size_t part = len - at < 60 ? len - at : 60;

		c = &s->chunk[c->next - 1];
		memcpy((char *)out + at, c->more, part);
		at += part;
	}
	return len;
}

size_t
text_copy(const struct texts *s, uint32_t number, char out[static TEXT_MAX])
{
	return text_read(s, number, out, TEXT_MAX);
}

static bool
is_text(const struct texts *s, uint32_t number, const char *text, size_t len)
{
	const struct text_chunk *c = &s->chunk[number - 1];
	size_t at = len < 48 ? len : 48;

	if (c->first.len != len || memcmp(c->first.text, text, at) != 0)
		return false;
	while (at < len) {
		size_t part = len - at < 60 ? len - at : 60;

		c = &s->chunk[c->next - 1];
		if (memcmp(c->more, text + at, part) != 0)
			return false;
		at += part;
	}
	return true;
}

static uint32_t
find(const struct texts *s, uint32_t hash, const char *text, size_t len)
{
	uint32_t at = index_home(&s->index, hash), n;

	while ((n = index_next(&s->index, hash, &at)) != INDEX_NONE)
		if (s->chunk[n].first.hash == hash && is_text(s, n + 1, text, len))
			return n + 1;
	return 0;
}

static uint32_t
make(struct texts *s, uint32_t hash, const char *text, size_t len)
{
	uint32_t head = 0, *link = &head;
	size_t at = 0;

	for (size_t left = chunks_of(len); left > 0; left--) {
		uint32_t n = chunk_take(s);
		size_t room = at == 0 ? 48 : 60, part = len - at < room ? len - at : room;
		struct text_chunk *c;

		if (n == 0) {
			*link = 0;
			chunks_give(s, head);
			return 0;
		}
		c = &s->chunk[n - 1];
		memcpy(at == 0 ? c->first.text : c->more, text + at, part);
		if (at == 0) {
			c->first.hash = hash;
			c->first.refs = 1;
			c->first.len = (uint32_t)len;
		}
		at += part;
		*link = n;
		link = &c->next;
	}
	*link = 0;
	index_put(&s->index, hash, head - 1);
	return head;
}

uint32_t
text_hold(struct texts *s, const char *text, size_t len)
{
	return text_hold_bytes(s, text, len > TEXT_MAX ? TEXT_MAX : len);
}

uint32_t
text_hold_bytes(struct texts *s, const void *text, size_t len)
{
	uint32_t hash, n;

	if (len == 0)
		return 0;
	if (len > TEXT_LONGEST)
		len = TEXT_LONGEST;
	hash = (uint32_t)(hash_bytes(text, len, s->seed) >> 32);
	n = find(s, hash, text, len);
	if (n != 0) {
		s->chunk[n - 1].first.refs++;
		return n;
	}
	n = s->used < s->most ? make(s, hash, text, len) : 0;
	if (n == 0)
		s->refused++;
	else
		s->used++;
	return n;
}

void
text_drop(struct texts *s, uint32_t number)
{
	struct text_chunk *c;

	if (number == 0)
		return;
	c = &s->chunk[number - 1];
	if (--c->first.refs > 0)
		return;
	index_take(&s->index, c->first.hash, number - 1);
	chunks_give(s, number);
	s->used--;
}
