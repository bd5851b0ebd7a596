/* A record: its key, its kind, its time, its values. See series_record.h. */
#include "series_record.h"

#include <string.h>

#include "series_pack.h"
#include "varint.h"

#define KIND   0x03u
#define SINGLE 0x04u /* finest_s is 1 */
#define SPREAD 0x08u /* least and most follow */

#define SECOND_MAX (INT64_C(1) << 40) /* far behind all that is meant */

static void
put_four(struct wcur *w, const struct series_value *v)
{
	varint_put(w, v->in_bytes);
	varint_put(w, v->out_bytes);
	varint_put(w, v->in_packets);
	varint_put(w, v->out_packets);
}

static void
get_four(struct rcur *c, struct series_value *v)
{
	v->in_bytes = varint_get(c);
	v->out_bytes = varint_get(c);
	v->in_packets = varint_get(c);
	v->out_packets = varint_get(c);
}

static bool
differs(const struct series_value *a, const struct series_value *b)
{
	return a->in_bytes != b->in_bytes || a->out_bytes != b->out_bytes || a->in_packets != b->in_packets ||
	       a->out_packets != b->out_packets;
}

static int64_t
unit_of(enum series_record_kind kind)
{
	return kind == RECORD_SECOND ? 1 : 60;
}

void
record_put(struct wcur *w, struct record_place *at, const struct series_record *r)
{
	int64_t unit = unit_of(r->kind), distance = r->p.bucket - at->second / unit;
	bool spread =
	    r->kind == RECORD_POINT && (differs(&r->p.sum, &r->p.least) || differs(&r->p.sum, &r->p.most));

	series_key_put(w, &at->key, &r->key);
	wcur_u8(w, (uint8_t)((unsigned)r->kind | (r->p.finest_s == 1 ? SINGLE : 0) | (spread ? SPREAD : 0)));
	varint_put(w, (uint64_t)distance << 1 ^ (distance < 0 ? UINT64_MAX : 0));
	put_four(w, &r->p.sum);
	varint_put(w, r->p.sum.flows_max);
	if (spread) {
		put_four(w, &r->p.least);
		put_four(w, &r->p.most);
	}
	at->second = r->p.bucket * unit;
}

bool
record_get(struct rcur *c, struct record_place *at, struct series_record *r)
{
	uint8_t flags;
	uint64_t z;

	memset(r, 0, sizeof(*r));
	if (!series_key_get(c, &at->key))
		return false;
	flags = rcur_u8(c);
	z = varint_get(c);
	r->key = at->key;
	r->kind = (enum series_record_kind)(flags & KIND);
	if (c->bad || r->kind >= RECORD_KINDS || z > (uint64_t)SECOND_MAX * 4)
		return false;
	r->p.bucket = at->second / unit_of(r->kind) + (int64_t)(z >> 1 ^ (0 - (z & 1)));
	r->p.finest_s = flags & SINGLE ? 1 : 60;
	r->p.minutes = 1;
	get_four(c, &r->p.sum);
	r->p.sum.flows_max = varint_get(c);
	r->p.least = r->p.most = r->p.sum;
	if (flags & SPREAD) {
		get_four(c, &r->p.least);
		get_four(c, &r->p.most);
	}
	r->p.least.flows_max = 0;
	r->p.most.flows_max = r->p.sum.flows_max;
	if (c->bad || r->p.bucket < 0 || r->p.bucket > SECOND_MAX / unit_of(r->kind))
		return false;
	at->second = r->p.bucket * unit_of(r->kind);
	return true;
}
