/* A check, the number of series, their keys and lengths, and their chunks: see series_pack.h. */
#include "series_pack.h"

#include <string.h>

#include "base/hash.h"
#include "varint.h"

#define SEED        UINT64_C(0x5765697253657269)
#define CHECK_LEN   8u
#define SERIES_MOST (1u << 20) /* in one pack: more would be no work of ours */

int
series_key_compare(const struct series_key *a, const struct series_key *b)
{
	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	if (a->subject != b->subject)
		return a->subject < b->subject ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void
series_key_put(struct wcur *w, struct series_key *before, const struct series_key *key)
{
	/* The two lowest bits say what is new: most neighbours differ in the number alone. */
	if (key->tenant != before->tenant) {
		varint_put(w, (uint64_t)(key->tenant - before->tenant) << 2 | 2);
		varint_put(w, key->subject);
		varint_put(w, key->number);
	} else if (key->subject != before->subject) {
		varint_put(w, (uint64_t)(key->subject - before->subject) << 2 | 1);
		varint_put(w, key->number);
	} else {
		varint_put(w, (uint64_t)(key->number - before->number) << 2);
	}
	*before = *key;
}

bool
series_key_get(struct rcur *r, struct series_key *before)
{
	uint64_t v = varint_get(r);
	uint32_t distance = (uint32_t)(v >> 2);

	switch (v & 3) {
	case 0:
		before->number += distance;
		break;
	case 1:
		before->subject += distance;
		before->number = (uint32_t)varint_below(r, UINT32_MAX);
		break;
	case 2:
		before->tenant += distance;
		before->subject = (uint32_t)varint_below(r, UINT32_MAX);
		before->number = (uint32_t)varint_below(r, UINT32_MAX);
		break;
	default:
		r->bad = true;
	}
	return !r->bad && v >> 34 == 0;
}

bool
pack_open(struct pack *p, const uint8_t *bytes, size_t len)
{
	struct rcur r = rcur_of(bytes, len);
	uint64_t check = rcur_be64(&r);

	*p = (struct pack){ 0 };
	if (r.bad || check != hash_bytes(r.p, rcur_left(&r), SEED))
		return false;
	p->left = (uint32_t)varint_below(&r, SERIES_MOST);

	size_t entries = (size_t)varint_below(&r, rcur_left(&r));

	p->entries = rcur_sub(&r, entries);
	p->chunk = r.p;
	p->end = r.end;
	return !r.bad && !p->entries.bad;
}

bool
pack_next(struct pack *p, struct series_key *key, const uint8_t **chunk, size_t *len)
{
	if (p->left == 0 || !series_key_get(&p->entries, &p->key))
		return false;
	*len = (size_t)varint_below(&p->entries, (uint64_t)(p->end - p->chunk));
	if (p->entries.bad)
		return false;
	*key = p->key;
	*chunk = p->chunk;
	p->chunk += *len;
	p->left--;
	return true;
}

bool
pack_find(struct pack *p, const struct series_key *key, const uint8_t **chunk, size_t *len)
{
	struct series_key k;

	while (pack_next(p, &k, chunk, len)) {
		int order = series_key_compare(&k, key);

		if (order >= 0)
			return order == 0;
	}
	return false;
}

void
pack_begin(struct pack_writer *w)
{
	w->entries.len = w->chunks.len = 0;
	w->key = (struct series_key){ 0 };
	w->n = 0;
}

void
pack_add(struct pack_writer *w, const struct series_key *key, const uint8_t *chunk, size_t len)
{
	const size_t most = SERIES_KEY_MAX + 10;
	struct wcur c = wcur_of(bytes_room(&w->entries, most), most);

	series_key_put(&c, &w->key, key);
	varint_put(&c, len);
	w->entries.len += wcur_len(&c);
	memcpy(bytes_room(&w->chunks, len), chunk, len);
	w->chunks.len += len;
	w->n++;
}

const uint8_t *
pack_end(struct pack_writer *w, size_t *len)
{
	size_t most = CHECK_LEN + 20 + w->entries.len + w->chunks.len;

	w->whole.len = 0;

	uint8_t *p = bytes_room(&w->whole, most);
	struct wcur c = wcur_of(p + CHECK_LEN, most - CHECK_LEN), check = wcur_of(p, CHECK_LEN);

	varint_put(&c, w->n);
	varint_put(&c, w->entries.len);
	wcur_put(&c, w->entries.p, w->entries.len);
	wcur_put(&c, w->chunks.p, w->chunks.len);
	*len = CHECK_LEN + wcur_len(&c);
	wcur_be64(&check, hash_bytes(p + CHECK_LEN, wcur_len(&c), SEED));
	return p;
}

void
pack_writer_free(struct pack_writer *w)
{
	bytes_free(&w->entries);
	bytes_free(&w->chunks);
	bytes_free(&w->whole);
}
