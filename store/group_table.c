#include "group_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_ENTRIES 1024u
#define FIRST_TEXT    16384u

static size_t
stride(const struct group_table *t)
{
	return 1 + t->words + t->values;
}

/* Bytes of n entries with their slots, of which at most every second is taken. */
static size_t
size_of(const struct group_table *t, size_t n)
{
	return n * stride(t) * sizeof(uint64_t) + 2 * n * sizeof(uint32_t);
}

void
group_table_init(struct group_table *t, uint32_t words, uint32_t values, uint32_t name_word, size_t memory)
{
	*t = (struct group_table){ .words = words,
				   .values = values,
				   .name_word = name_word,
				   .memory = memory,
				   .most = UINT64_MAX,
				   .cap = FIRST_ENTRIES,
				   .mask = 2 * FIRST_ENTRIES - 1,
				   .text_cap = name_word == GROUP_NO_NAME ? 0 : FIRST_TEXT };
	t->entry = mem_calloc(t->cap * stride(t), sizeof(*t->entry));
	t->slot = mem_calloc(t->mask + 1u, sizeof(*t->slot));
	t->text = mem_calloc(t->text_cap + 1, 1);
}

void
group_table_free(struct group_table *t)
{
	free(t->entry);
	free(t->slot);
	free(t->text);
	*t = (struct group_table){ 0 };
}

void
group_table_pass(struct group_table *t, uint64_t least, uint64_t most)
{
	memset(t->slot, 0, (t->mask + (size_t)1) * sizeof(*t->slot));
	t->n = 0;
	t->text_len = 0;
	t->least = least;
	t->most = most;
}

static uint64_t *
entry_at(const struct group_table *t, uint32_t i)
{
	return t->entry + i * stride(t);
}

static bool
same_key(const struct group_table *t, const uint64_t *have, const uint64_t *key, const char *text)
{
	for (uint32_t i = 0; i < t->words; i++) {
		if (i == t->name_word) {
			uint64_t a = have[i], b = key[i];

			if ((a & UINT16_MAX) != (b & UINT16_MAX) ||
			    memcmp(t->text + (a >> 16), text + (b >> 16), a & UINT16_MAX) != 0)
				return false;
		} else if (have[i] != key[i]) {
			return false;
		}
	}
	return true;
}

/* The slot of a key, or a free one. */
static uint32_t
slot_of(const struct group_table *t, uint64_t hash, const uint64_t *key, const char *text)
{
	uint32_t at = (uint32_t)hash & t->mask;

	for (; t->slot[at] != 0; at = (at + 1) & t->mask) {
		const uint64_t *e = entry_at(t, t->slot[at] - 1);

		if (e[0] == hash && same_key(t, e + 1, key, text))
			break;
	}
	return at;
}

uint32_t
group_table_find(const struct group_table *t, uint64_t hash, const uint64_t *key, const char *text)
{
	return t->slot[slot_of(t, hash, key, text)] - 1; /* of a free one that is UINT32_MAX */
}

static void
index_all(struct group_table *t)
{
	memset(t->slot, 0, (t->mask + (size_t)1) * sizeof(*t->slot));
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t at = (uint32_t)entry_at(t, i)[0] & t->mask;

		while (t->slot[at] != 0)
			at = (at + 1) & t->mask;
		t->slot[at] = i + 1;
	}
}

/* Half of the pass's hashes are left to a later one, with what was summed of them. */
static void
drop_half(struct group_table *t)
{
	uint32_t kept = 0;
	size_t text = 0;

	t->most = t->least + (t->most - t->least) / 2;
	for (uint32_t i = 0; i < t->n; i++) {
		uint64_t *e = entry_at(t, i);

		if (e[0] > t->most)
			continue;
		if (t->name_word != GROUP_NO_NAME) { /* names stand in the order of entries */
			uint64_t name = e[1 + t->name_word];

			memmove(t->text + text, t->text + (name >> 16), name & UINT16_MAX);
			e[1 + t->name_word] = group_name((uint32_t)text, name & UINT16_MAX);
			text += name & UINT16_MAX;
		}
		if (kept != i)
			memcpy(entry_at(t, kept), e, stride(t) * sizeof(*e));
		kept++;
	}
	t->n = kept;
	t->text_len = text;
	index_all(t);
}

static void
grow(struct group_table *t)
{
	t->cap *= 2;
	t->mask = 2 * t->cap - 1;
	t->entry = mem_reallocarray(t->entry, t->cap * stride(t), sizeof(*t->entry));
	free(t->slot);
	t->slot = mem_calloc(t->mask + (size_t)1, sizeof(*t->slot));
	index_all(t);
}

/* Room for one more entry with a name of len bytes, if it is still one of this pass's. */
static void
make_room(struct group_table *t, size_t len)
{
	if (t->text_cap - t->text_len < len) {
		if (size_of(t, t->cap) + 2 * t->text_cap <= t->memory && 2 * t->text_cap <= UINT32_MAX) {
			t->text_cap *= 2;
			t->text = mem_reallocarray(t->text, t->text_cap + 1, 1);
		} else {
			drop_half(t);
		}
	}
	if (t->n < t->cap)
		return;
	if (size_of(t, (size_t)2 * t->cap) + t->text_cap <= t->memory && t->cap <= UINT32_MAX / 8)
		grow(t);
	else
		drop_half(t);
}

static bool
has_room(const struct group_table *t, size_t len)
{
	return t->n < t->cap && t->text_cap - t->text_len >= len;
}

uint64_t *
group_table_get(struct group_table *t, uint64_t hash, const uint64_t *key, const char *text)
{
	size_t len = t->name_word == GROUP_NO_NAME ? 0 : key[t->name_word] & UINT16_MAX;
	uint32_t at;
	uint64_t *e;

	if (hash < t->least || hash > t->most)
		return NULL;
	at = slot_of(t, hash, key, text);
	if (t->slot[at] != 0)
		return entry_at(t, t->slot[at] - 1) + 1 + t->words;
	while (!has_room(t, len)) {
		make_room(t, len);
		if (hash > t->most)
			return NULL;
		at = slot_of(t, hash, key, text);
	}
	e = entry_at(t, t->n);
	e[0] = hash;
	memcpy(e + 1, key, t->words * sizeof(*e));
	memset(e + 1 + t->words, 0, t->values * sizeof(*e));
	if (t->name_word != GROUP_NO_NAME) {
		memcpy(t->text + t->text_len, text + (key[t->name_word] >> 16), len);
		e[1 + t->name_word] = group_name((uint32_t)t->text_len, (uint32_t)len);
		t->text_len += len;
	}
	t->slot[at] = ++t->n;
	return e + 1 + t->words;
}
