/* The keys of history's tables: big-endian, so that they sort as they count. Only history*.c use it. */
#ifndef WEIR_STORE_KEYS_H
#define WEIR_STORE_KEYS_H

#include <string.h>

#include "base/cursor.h"
#include "db.h"
#include "history.h"

#define FLOW_KEY_LEN   32
#define ID_KEY_LEN     24
#define SERIES_KEY_LEN 18

struct key_bytes {
	uint8_t b[32];
	size_t n;
};

static inline struct db_bytes
key_of(const struct key_bytes *k)
{
	return (struct db_bytes){ k->b, k->n };
}

/* tenant, end, id, slice: a tenant's flows by time. */
static inline struct key_bytes
flow_key(uint32_t tenant, int64_t last_ns, const struct flow_id *id, uint32_t slice)
{
	struct key_bytes k = { .n = FLOW_KEY_LEN };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_be32(&c, tenant);
	wcur_be64(&c, (uint64_t)last_ns);
	wcur_put(&c, id->b, sizeof(id->b));
	wcur_be32(&c, slice);
	return k;
}

static inline bool
flow_key_read(struct db_bytes key, struct flow_position *p)
{
	struct rcur c = rcur_of(key.p, key.n);

	*p = (struct flow_position){ .tenant = rcur_be32(&c) };
	p->last_ns = (int64_t)rcur_be64(&c);
	rcur_copy(&c, p->id.b, sizeof(p->id.b));
	p->slice = rcur_be32(&c);
	return !c.bad && key.n == FLOW_KEY_LEN && p->last_ns >= 0;
}

/* tenant, id, slice: where a flow's slices are. The value is the end, big-endian. */
static inline struct key_bytes
id_key(uint32_t tenant, const struct flow_id *id, uint32_t slice)
{
	struct key_bytes k = { .n = ID_KEY_LEN };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_be32(&c, tenant);
	wcur_put(&c, id->b, sizeof(id->b));
	wcur_be32(&c, slice);
	return k;
}

/* resolution, chunk number, tenant, subject, number: old chunks lie together, and so do those of one commit.
 */
static inline struct key_bytes
series_key_bytes(unsigned resolution, int64_t chunk, const struct series_key *s)
{
	struct key_bytes k = { .n = SERIES_KEY_LEN };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_u8(&c, (uint8_t)resolution);
	wcur_be64(&c, (uint64_t)chunk);
	wcur_be32(&c, s->tenant);
	wcur_u8(&c, (uint8_t)s->subject);
	wcur_be32(&c, s->number);
	return k;
}

#endif
