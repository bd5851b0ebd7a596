/*
 * Sums by key, within a bounded memory: where the keys do not fit, those whose hash is too large are dropped
 * and left to a later pass over the same rows. What is there is exact.
 *
 * A key is some words. One word of it may stand for a name: in a key that is looked for it is where the name
 * begins in the caller's text, with its length (group_name); in the table where it begins in the table's own.
 */
#ifndef WEIR_STORE_GROUP_TABLE_H
#define WEIR_STORE_GROUP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUP_NO_NAME UINT32_MAX

static inline uint64_t
group_name(uint32_t at, uint32_t len)
{
	return (uint64_t)at << 16 | len;
}

struct group_table {
	uint32_t words, values; /* of an entry: its hash, its key, its sums */
	uint32_t name_word;     /* of the key; GROUP_NO_NAME: none */
	size_t memory;          /* most bytes */
	uint64_t least, most;   /* hashes of this pass */
	uint64_t *entry;
	uint32_t n, cap;
	uint32_t *slot; /* number + 1 of an entry; 0: free */
	uint32_t mask;
	char *text;
	size_t text_len, text_cap;
};

void group_table_init(struct group_table *t, uint32_t words, uint32_t values, uint32_t name_word,
		      size_t memory);
void group_table_free(struct group_table *t);
/* Empties it for a pass over the hashes from least on; how far it gets, t->most says at its end. */
void group_table_pass(struct group_table *t, uint64_t least, uint64_t most);

/* The sums of a key, zero where it is new, good until the next call; NULL where it is none of this pass's. */
uint64_t *group_table_get(struct group_table *t, uint64_t hash, const uint64_t *key, const char *text);
/* Both ask for the memory that group_table_get will touch: first its slot, some time later the entry there.
 */
static inline void
group_table_expect(const struct group_table *t, uint64_t hash)
{
	__builtin_prefetch(&t->slot[(uint32_t)hash & t->mask]);
}

static inline void
group_table_expect_sums(const struct group_table *t, uint64_t hash)
{
	uint32_t number = t->slot[(uint32_t)hash & t->mask];

	if (number != 0)
		__builtin_prefetch(t->entry + (size_t)(number - 1) * (1 + t->words + t->values), 1);
}

/* Number of the entry; UINT32_MAX: none. */
uint32_t group_table_find(const struct group_table *t, uint64_t hash, const uint64_t *key, const char *text);

static inline const uint64_t *
group_table_key(const struct group_table *t, uint32_t i)
{
	return t->entry + (size_t)i * (1 + t->words + t->values) + 1;
}

static inline uint64_t *
group_table_values(const struct group_table *t, uint32_t i)
{
	return t->entry + (size_t)i * (1 + t->words + t->values) + 1 + t->words;
}

#endif
