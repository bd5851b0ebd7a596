/*
 * Records of a taken engine: each is a good one of its kind with the input's bytes laid over it (xor), so
 * that small inputs already reach deep. However they lie, what store counts as live is what is live.
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "flows.h"
#include "ingest.h"
#include "store_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static size_t
good_flow(uint8_t *out, const struct store *s, uint8_t reason)
{
	struct rec_flow f = {
		.generation = 1, .point = FUZZ_ETH0, .protocol = 6, .application = 1, .end_reason = reason
	};

	f.first_ns = f.slice_ns = f.last_ns = s->now_ns - NS_PER_S;
	f.ip[CLIENT] = ip_from_v4((const uint8_t[4]){ 10, 1, 0, 1 });
	f.ip[SERVER] = ip_from_v4((const uint8_t[4]){ 192, 0, 2, 1 });
	f.count.bytes[0] = f.count.packets[0] = 64;
	memcpy(out, &f, sizeof(f));
	return sizeof(f);
}

/* A good record of a kind; its length. */
static size_t
good_record(uint8_t *out, const struct store *s, uint16_t kind)
{
	int64_t second = s->now_ns / NS_PER_S - 1;
	struct rec_flow_count c = { .generation = 1, .second = second, .last_ns = s->now_ns - NS_PER_S };
	struct rec_second sec = { .point = FUZZ_ETH0, .second = second, .packets = 64 };
	struct rec_point p = { .point = FUZZ_ETH0, .state = POINT_UP };
	struct rec_drops dr = { .point = FUZZ_ETH0, .place = 1 };
	struct rec_host h = { .as_number = 1 };
	struct rec_learned l = { .point = FUZZ_ETH0, .kind = HOST_NAME_DNS, .len = 1 };
	struct rec_device de = { .point = FUZZ_ETH0, .mac = { 2, 0, 0, 0, 0, 1 }, .has_ip = 1 };
	struct rec_name nm = { NAME_APPLICATION, 9, 0, 1 };

	c.count.bytes[0] = c.count.packets[0] = 128;
	switch (kind) {
	case REC_FLOW_OPEN:
		return good_flow(out, s, END_NONE);
	case REC_FLOW_END:
		return good_flow(out, s, END_IDLE);
#define CASE(k, v)                                                                                           \
	case k:                                                                                              \
		memcpy(out, &(v), sizeof(v));                                                                \
		return sizeof(v)
		CASE(REC_FLOW_COUNT, c);
		CASE(REC_SECOND, sec);
		CASE(REC_POINT, p);
		CASE(REC_DROPS, dr);
		CASE(REC_HOST, h);
		CASE(REC_LEARNED, l);
		CASE(REC_DEVICE, de);
		CASE(REC_NAME, nm);
	default:
		return 0;
	}
}

static void
check(struct store *s)
{
	uint32_t live = 0, hosts = 0, listed = 0;

	for (unsigned i = 0; i < s->nengines; i++) {
		const struct live *l = &s->engine[i].live;
		uint32_t n;

		for (uint32_t r = 0; r < l->limit; r++)
			live += live_is_active(&l->flow[r]);
		(void)slots_of(l->slots, FUZZ_TENANT, &n);
		listed += n;
	}
	assert(listed == live);
	assert(subjects_at(s->subjects, s->platform_total)->flows_active == live);
	for (uint32_t i = 0; i < hosts_limit(s->hosts); i++)
		hosts += host_is_used(hosts_at(s->hosts, i)) && host_is_active(hosts_at(s->hosts, i));

	const struct subject *one = subjects_find(s->subjects, FUZZ_TENANT, SERIES_TENANT, 0);

	assert(one == NULL || (one->flows_active == live && one->hosts_active == hosts));
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	struct store *s = fuzz_store();
	struct engine *e = fuzz_engine(0);
	uint8_t record[1024];

	store_clock(s);
	for (uint32_t i = 0; i < e->live.limit; i++)
		if (live_is_active(&e->live.flow[i]))
			flow_lost(s, e, &e->live.flow[i]);
	while (n >= 3) {
		uint16_t kind = d[0];
		size_t extra = d[1], len, over = d[2];

		d += 3;
		n -= 3;
		over = over > n ? n : over;
		memset(record, 0, sizeof(record));
		len = good_record(record, s, kind) + extra;
		/* The first byte says where the rest is laid over. */
		for (size_t i = 1, at = over > 0 ? d[0] * 2u : 0; i < over && at + i - 1 < sizeof(record);
		     i++)
			record[at + i - 1] ^= d[i];
		d += over;
		n -= over;
		(void)ingest_record(s, e, kind, record, len);
		if (batch_full(s->open)) {
			batch_discard(s->open);
			s->open->generation = ++s->generations;
		}
	}
	check(s);
	return 0;
}
