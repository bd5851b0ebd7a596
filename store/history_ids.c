/* What series are of, in history: big-endian keys, so that a tenant's stand together. */
#include <string.h>

#include "history_parts.h"

#define ID_LEN     32
#define VALUE_LEN  8
#define FORGET_MAX 4096u /* entries within one transaction */

static void
key_put(const struct series_id *id, uint8_t out[static ID_LEN])
{
	struct wcur c = wcur_of(out, ID_LEN);

	wcur_be32(&c, id->tenant);
	wcur_be32(&c, id->subject);
	wcur_be32(&c, id->space);
	wcur_be32(&c, id->number);
	wcur_put(&c, id->ip.b, sizeof(id->ip.b));
}

void
history_add_series_ids(struct db_txn *x, const struct batch *b)
{
	for (uint32_t i = 0; i < b->nseries; i++) {
		const struct batch_series *s = &b->series[i];
		uint8_t key[ID_LEN], value[VALUE_LEN];
		struct wcur v = wcur_of(value, sizeof(value));

		key_put(&s->id, key);
		wcur_be32(&v, s->number);
		wcur_be32(&v, s->minute);
		if (s->gone)
			db_delete(x, DB_SERIES_IDS, (struct db_bytes){ key, sizeof(key) });
		else
			db_put(x, DB_SERIES_IDS, (struct db_bytes){ key, sizeof(key) },
			       (struct db_bytes){ value, sizeof(value) });
	}
}

/* What is not as we write it is left out: its series is unknown, as is what a newer Weir may know of. */
static bool
read_one(struct db_bytes key, struct db_bytes value, struct batch_series *s)
{
	struct rcur k = rcur_of(key.p, key.n), v = rcur_of(value.p, value.n);
	const uint8_t *ip;

	*s = (struct batch_series){ .id.tenant = rcur_be32(&k) };
	s->id.subject = rcur_be32(&k);
	s->id.space = rcur_be32(&k);
	s->id.number = rcur_be32(&k);
	ip = rcur_take(&k, sizeof(s->id.ip.b));
	s->number = rcur_be32(&v);
	s->minute = rcur_be32(&v);
	if (k.bad || v.bad || key.n != ID_LEN || value.n != VALUE_LEN || s->id.subject == 0 ||
	    s->id.subject >= SERIES_SUBJECT_COUNT)
		return false;
	memcpy(s->id.ip.b, ip, sizeof(s->id.ip.b));
	return true;
}

/* One step within x, from *tenant on. False: there was nothing more to delete. */
static bool
forget_some(struct history *h, struct db_txn *x, uint32_t *tenant)
{
	unsigned left = FORGET_MAX;
	struct db_bytes key;
	struct db_cursor c;
	bool more;

	db_cursor_open(x, DB_SERIES_IDS, &c);
	do {
		uint8_t from[4];
		struct wcur w = wcur_of(from, sizeof(from));

		wcur_be32(&w, *tenant);
		more = db_seek(&c, (struct db_bytes){ from, sizeof(from) }, &key, NULL);
		if (!more)
			break;

		struct rcur k = rcur_of(key.p, key.n);

		*tenant = rcur_be32(&k);
		if (tenants_is_gone(h->tenants, *tenant)) {
			db_cursor_delete(&c);
			left--;
		} else {
			more = *tenant < UINT32_MAX;
			*tenant += more;
		}
	} while (more && left > 0);
	db_cursor_close(&c);
	return more && x->status == DB_OK;
}

void
history_forget_series_ids(struct history *h)
{
	uint32_t tenant = 0;
	struct db_txn x;
	bool more;

	do {
		db_begin(h->db, &x, true);
		more = forget_some(h, &x, &tenant);
	} while (db_end(&x) == DB_OK && more);
}

bool
history_is_series_id(struct db_bytes key, struct db_bytes value)
{
	struct batch_series s;

	return read_one(key, value, &s);
}

void
history_series_ids(struct history *h, void (*visit)(void *ctx, const struct batch_series *s), void *ctx)
{
	struct db_bytes key, value;
	struct batch_series s;
	struct db_cursor c;
	struct db_txn x;

	db_begin(h->db, &x, false);
	db_cursor_open(&x, DB_SERIES_IDS, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, &value); more;
	     more = db_next(&c, &key, &value))
		if (read_one(key, value, &s))
			visit(ctx, &s);
	db_cursor_close(&c);
	db_end(&x);
}
