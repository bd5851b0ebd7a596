/* The keys of series: big-endian, so that they sort as they count. Only history_series.c uses it. */
#ifndef WEIR_STORE_KEYS_H
#define WEIR_STORE_KEYS_H

#include <string.h>

#include "base/cursor.h"
#include "db.h"
#include "history.h"

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
