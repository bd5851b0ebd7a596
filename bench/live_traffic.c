#include "live_traffic.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

uint64_t
live_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

struct ip_addr
live_address(uint32_t v4)
{
	struct ip_addr ip = { { 0 } };

	ip.b[10] = ip.b[11] = 0xff;
	for (int i = 0; i < 4; i++)
		ip.b[12 + i] = (uint8_t)(v4 >> (24 - 8 * i));
	return ip;
}

/* Hosts of 10.1/16 are the twentieth's, of 10.2/16 the thousandth's. */
static struct ip_addr
client_of(const struct live_traffic *t, uint32_t slot)
{
	uint32_t host = slot % t->hosts, net = slot % 1000 == 999 ? 2
					       : slot % 20 == 7   ? 1
								  : 16 + (host >> 16);

	return live_address(UINT32_C(10) << 24 | net << 16 | (host & 0xffff));
}

static bool
put(struct live_traffic *t, uint16_t kind, const void *rec, size_t len)
{
	void *p = ring_reserve(t->ring, len);

	if (p == NULL)
		return false;
	memcpy(p, rec, len);
	ring_commit(t->ring, kind, len);
	return true;
}

static struct rec_flow
flow_of(struct live_traffic *t, uint32_t slot)
{
	uint64_t r = live_random(&t->state);
	struct rec_flow f = { .slot = slot,
			      .generation = t->generation[slot],
			      .point = t->point,
			      .protocol = 6,
			      .state = FLOW_ESTABLISHED,
			      .ip = { client_of(t, slot),
				      live_address(UINT32_C(20) << 24 | (uint32_t)(r & 1023)) },
			      .port = { (uint16_t)(1024 + slot % 60000), 443 } };

	t->sequence++;
	for (int i = 0; i < 8; i++)
		f.id.b[15 - i] = (uint8_t)(t->sequence >> (8 * i));
	f.id.b[3] = 1;
	f.first_ns = f.slice_ns = f.last_ns = clock_utc_ns();
	f.score = r % 64 == 0 ? (uint16_t)(r >> 8 & 127) : 0;
	f.count = t->count[slot];
	return f;
}

static void
grow(struct live_traffic *t, uint32_t slot)
{
	uint64_t r = live_random(&t->state);

	for (int i = 0; i < 2; i++, r >>= 20) {
		t->count[slot].packets[i] += 1 + (r & 15);
		t->count[slot].bytes[i] += 60 + (r & 0xffff);
	}
}

bool
live_traffic_open(struct live_traffic *t, uint32_t slot)
{
	t->count[slot] = (struct flow_counters){ .bytes = { 0 } };
	t->generation[slot]++;
	grow(t, slot);

	struct rec_flow f = flow_of(t, slot);

	return put(t, REC_FLOW_OPEN, &f, sizeof(f));
}

static bool
count_flow(struct live_traffic *t, uint32_t slot)
{
	struct rec_flow_count c = { .slot = slot,
				    .generation = t->generation[slot],
				    .state = FLOW_ESTABLISHED };

	grow(t, slot);
	c.last_ns = clock_utc_ns();
	c.second = c.last_ns / NS_PER_S;
	c.count = t->count[slot];
	return put(t, REC_FLOW_COUNT, &c, sizeof(c));
}

static bool
send_some(struct live_traffic *t)
{
	uint64_t r = live_random(&t->state);
	uint32_t slot = (uint32_t)((r >> 8) % t->flows);

	return r % 16 == 0 ? live_traffic_open(t, slot) : count_flow(t, slot);
}

void
live_traffic_init(struct live_traffic *t, uint32_t point, uint32_t flows, uint32_t hosts, uint64_t rate)
{
	*t = (struct live_traffic){
		.point = point, .flows = flows, .hosts = hosts, .rate = rate, .state = 88172645463325252
	};
	t->count = mem_calloc(flows, sizeof(*t->count));
	t->generation = mem_calloc(flows, sizeof(*t->generation));
}

void
live_traffic_free(struct live_traffic *t)
{
	ring_producer_free(&t->ring);
	free(t->count);
	free(t->generation);
}

void
live_traffic_begin(struct live_traffic *t)
{
	t->begin_ns = clock_boot_ns();
	t->sent = 0;
}

bool
live_traffic_send_due(struct live_traffic *t)
{
	uint64_t due = (uint64_t)(clock_boot_ns() - t->begin_ns) * t->rate / NS_PER_S;

	for (; t->sent < due; t->sent++) {
		if (send_some(t))
			t->put++;
		else
			t->full++;
	}
	return ring_publish(t->ring);
}
