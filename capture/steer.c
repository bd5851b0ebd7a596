#include "steer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "decode/fragment.h"
#include "decode/owner.h"
#include "decode/when.h"

struct steer {
	unsigned workers;
	bool outer;
	struct clockwork clock;
	struct fragment_table fragments;
};

struct steer *
steer_new(unsigned workers, bool outer, uint64_t seed)
{
	struct steer *s = mem_calloc(1, sizeof(*s));

	s->workers = workers;
	s->outer = outer;
	s->clock.wall_ns = clock_utc_ns();
	s->fragments.seed = seed;
	return s;
}

void
steer_free(struct steer **s)
{
	free(*s);
	*s = NULL;
}

/* As an engine decodes it, but for the point and the seed, which owners do not depend on. */
static void
decode(struct steer *s, const struct frame *f, uint32_t cap_len, struct packet *k)
{
	static const uint64_t no_seed[2];
	const struct decode_options o = { f->link_type, 0, s->outer };
	uint32_t wire_len = f->wire_len > cap_len ? f->wire_len : cap_len;

	if (f->link_type == LINK_ETHERNET && decode_quick(k, &o, f->bytes, cap_len, wire_len, no_seed))
		return;
	decode_frame(k, &o, f->bytes, cap_len, wire_len);
	if (k->reason == DECODED && k->fragment != FRAGMENT_NONE)
		fragment_resolve(&s->fragments, k, s->clock.now_ns);
}

unsigned
steer_frame(struct steer *s, struct frame *f, int64_t next)
{
	struct packet k;

	f->ts_ns = s->clock.now_ns = packet_time(&s->clock, f->ts_ns, next);
	decode(s, f, f->cap_len < LANE_KEEP_MAX ? f->cap_len : LANE_KEEP_MAX, &k);
	return k.reason == DECODED ? owner_of(&k.key, s->workers) : 0;
}
