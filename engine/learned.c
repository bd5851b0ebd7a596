/* A ring of rows with an index beside it. */
#include "learned.h"

#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"

void
learned_init(struct learned_table *t, uint32_t max, struct texts *texts, uint64_t seed)
{
	memset(t, 0, sizeof(*t));
	t->row = mem_pages((size_t)max * sizeof(*t->row));
	t->max = max;
	t->texts = texts;
	t->seed = seed;
	index_init(&t->index, max);
}

void
learned_free(struct learned_table *t)
{
	munmap(t->row, (size_t)t->max * sizeof(*t->row));
	index_free(&t->index);
}

static void
forget(struct learned_table *t, uint32_t place)
{
	struct learned *l = &t->row[place];

	index_take(&t->index, l->hash, place);
	text_drop(t->texts, l->key.text);
	l->used = 0;
}

static uint32_t
find(const struct learned_table *t, uint32_t hash, const struct learned_key *key)
{
	uint32_t at = index_home(&t->index, hash);
	uint32_t n = index_next(&t->index, hash, &at);

	while (n != INDEX_NONE && memcmp(&t->row[n].key, key, sizeof(*key)) != 0)
		n = index_next(&t->index, hash, &at);
	return n;
}

/* The row that comes next, emptied. */
static uint32_t
take_row(struct learned_table *t)
{
	uint32_t place = (uint32_t)(t->next % t->max);

	if (t->next - t->told == t->max) {
		t->lost += t->row[place].used;
		t->told++;
	}
	if (t->row[place].used)
		forget(t, place);
	t->next++;
	return place;
}

void
learned_add(struct learned_table *t, struct learned_key *key, const char *text, size_t len, int64_t now_ns)
{
	uint32_t hash, n;

	key->text = text_hold(t->texts, text, len);
	if (key->text == 0)
		return;
	hash = (uint32_t)(hash_bytes(key, sizeof(*key), t->seed) >> 32);
	n = find(t, hash, key);
	if (n != INDEX_NONE && now_ns - t->row[n].told_ns < LEARNED_AGAIN_NS) {
		text_drop(t->texts, key->text);
		return;
	}
	/* The text stays held by the key at hand while the old row goes. */
	if (n != INDEX_NONE)
		forget(t, n);
	n = take_row(t);
	t->row[n] = (struct learned){ *key, hash, 1, now_ns };
	index_put(&t->index, hash, n);
}

const struct learned *
learned_untold(struct learned_table *t)
{
	for (; t->told < t->next; t->told++)
		if (t->row[t->told % t->max].used)
			return &t->row[t->told % t->max];
	return NULL;
}

void
learned_was_told(struct learned_table *t)
{
	t->told++;
}

void
learned_tell_again(struct learned_table *t)
{
	t->told = t->next > t->max ? t->next - t->max : 0;
}
