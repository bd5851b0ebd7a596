/* Judges each record by itself and against what its engine said before, then applies it. */
#include "ingest.h"

#include <string.h>

#include "as_names.h"
#include "base/clock.h"
#include "base/prefetch.h"
#include "flows.h"
#include "ipc/attribute.h"
#include "minutes.h"
#include "subject_series.h"
#include "sum.h"
#include "whose.h"

/* No counter of one flow or second comes near this; sums of counters below it do not wrap. */
#define COUNT_MAX (UINT64_C(1) << 53)

static uint32_t
point_of(const struct store *s, uint32_t id, uint32_t space)
{
	uint32_t i = points_index(&s->points, id);

	return i != POINT_NONE && s->points.point[i].boot->space == space ? i : POINT_NONE;
}

static bool
count_sane(const struct flow_counters *c)
{
	for (int i = 0; i < 2; i++)
		if (c->bytes[i] > COUNT_MAX || c->packets[i] > COUNT_MAX || c->payload[i] > COUNT_MAX)
			return false;
	return true;
}

static bool
count_not_less(const struct flow_counters *now, const struct flow_counters *before)
{
	for (int i = 0; i < 2; i++)
		if (now->bytes[i] < before->bytes[i] || now->packets[i] < before->packets[i] ||
		    now->payload[i] < before->payload[i])
			return false;
	return true;
}

static bool
time_sane(const struct store *s, uint32_t point, int64_t ns)
{
	return point_time_ok(&s->points.point[point], ns, s->now_ns);
}

static bool
second_sane(const struct store *s, uint32_t point, int64_t second)
{
	return second >= 0 && second <= INT64_MAX / NS_PER_S && time_sane(s, point, second * NS_PER_S);
}

static void
point_seen(struct store *s, uint32_t point, int64_t first_ns, int64_t last_ns)
{
	struct point *p = &s->points.point[point];

	if (first_ns > 0 && (p->first_ns == 0 || first_ns < p->first_ns))
		p->first_ns = first_ns;
	if (last_ns > p->last_ns)
		p->last_ns = last_ns;
}

/* --- names
 * -------------------------------------------------------------------------------------------------------------
 */

static const uint32_t number_limit[NAME_KIND_COUNT] = {
	[NAME_APPLICATION] = NAME_NUMBER_MAX, [NAME_CATEGORY] = NAME_NUMBER_MAX, [NAME_RISK] = 64,
	[NAME_UNDECODED] = UNDECODED_REASONS, [NAME_PLACE] = NAME_NUMBER_MAX,
};

static bool
text_sane(const char *t, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)t[i] < 0x20 || t[i] == 0x7f)
			return false;
	return true;
}

static const char *
take_name(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	struct rec_name n;
	const char *text = (const char *)bytes + sizeof(n);

	memcpy(&n, bytes, sizeof(n));
	if (n.kind == 0 || n.kind >= NAME_KIND_COUNT || n.number >= number_limit[n.kind])
		return "a name of no kind or number";
	if (n.len == 0 || n.len > NAME_TEXT_MAX || n.len != len - sizeof(n) || !text_sane(text, n.len))
		return "a name that is no text";

	uint16_t *at = &e->name[n.kind][n.number];
	uint16_t number = names_intern(s->names, n.kind, text, n.len);

	if (number == 0) {
		s->counters.n[OWN_NAMES_FULL]++;
		number = NAME_NO_ROOM;
	}
	if (*at != 0 && *at != number)
		return "a number announced with another name";
	*at = number;
	return NULL;
}

/* --- flows
 * ---------------------------------------------------------------------------------------------------------------
 */

/* A flow record as far as it can be judged alone; f gets the dictionary's numbers. */
static const char *
judge_flow(struct store *s, struct engine *e, struct rec_flow *f, const char *text, size_t strings,
	   uint32_t *point)
{
	bool known = true;
	uint64_t risks = 0;

	if (f->server_name_len > SERVER_NAME_MAX || f->info_len > INFO_MAX ||
	    f->attributes_len > ATTRIBUTES_MAX ||
	    (size_t)f->server_name_len + f->info_len + f->attributes_len != strings)
		return "a flow with wrong lengths";
	if (!attributes_are_sane(text + f->server_name_len + f->info_len, f->attributes_len))
		return "a flow with attributes that cannot be";
	if (f->breed >= BREED_COUNT || f->confidence >= CONFIDENCE_COUNT)
		return "a flow of unknown breed or confidence";
	if (f->slot >= e->live.max)
		return "a flow in a slot that does not exist";
	*point = point_of(s, f->point, f->space);
	if (*point == POINT_NONE)
		return "a flow at an unknown observation point";
	if (f->tunnel >= TUNNEL_COUNT || f->state >= FLOW_STATE_COUNT || f->end_reason >= END_LOST)
		return "a flow of unknown state";
	if (!time_sane(s, *point, f->first_ns) || !time_sane(s, *point, f->slice_ns) ||
	    !time_sane(s, *point, f->last_ns))
		return "a flow at an impossible time";
	if (!count_sane(&f->count))
		return "a flow with impossible counters";
	f->application = engine_name(e, NAME_APPLICATION, f->application, &known);
	f->category = engine_name(e, NAME_CATEGORY, f->category, &known);
	for (uint64_t left = f->risks; left != 0; left &= left - 1) {
		uint16_t r = engine_name(e, NAME_RISK, (uint32_t)__builtin_ctzll(left), &known);

		risks |= r == 0 ? 0 : UINT64_C(1) << (r - 1);
	}
	f->risks = risks;
	if (!known)
		return "a flow with a number that was not announced";
	/* Frames of a file may stand in any order: the slice spans them. */
	if (f->slice_ns < f->first_ns)
		f->slice_ns = f->first_ns;
	if (f->last_ns < f->slice_ns)
		f->last_ns = f->slice_ns;
	return NULL;
}

/*
 * The live row that f is about: *row, or NULL where there is none. What stood in the slot before and was
 * never ended (its END found no room in the ring) is ended here. *stale: f repeats what is over.
 */
static const char *
find_row(struct store *s, struct engine *e, const struct rec_flow *f, uint32_t point, struct live_flow **row,
	 bool *stale)
{
	struct live_flow *r = &e->live.flow[f->slot];

	*row = NULL;
	*stale = false;
	if (f->slot >= e->live.limit || !live_is_active(r))
		return NULL;
	if (r->generation == f->generation && (r->point != point || !live_is_flow(&e->live, r, f)))
		return "a flow that became another one";
	if (r->generation != f->generation || r->slice < f->slice) {
		flow_lost(s, e, r);
		return NULL;
	}
	if (r->slice > f->slice || !count_not_less(&f->count, &r->count)) {
		*stale = true;
		return e->progress[point].resumed ? NULL : "counters of a flow that went back";
	}
	*row = r;
	return NULL;
}

static const char *
take_open(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes + sizeof(struct rec_flow);
	struct live_flow *r;
	struct rec_flow f;
	uint32_t point;
	bool stale;

	memcpy(&f, bytes, sizeof(f));

	const char *lie = judge_flow(s, e, &f, text, len - sizeof(f), &point);

	if (lie == NULL && f.end_reason != END_NONE)
		lie = "a flow that begins with its end";
	if (lie == NULL)
		lie = find_row(s, e, &f, point, &r, &stale);
	if (lie != NULL || stale)
		return lie;
	if (r != NULL)
		flow_update(s, e, r, &f, text);
	else if (whose_admits(s, point, &f))
		flow_begin(s, e, &f, point, text);
	point_seen(s, point, f.first_ns, f.last_ns);
	return NULL;
}

static const char *
take_end(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes + sizeof(struct rec_flow);
	struct live_flow *r;
	struct rec_flow f;
	uint32_t point;
	bool stale;

	memcpy(&f, bytes, sizeof(f));

	const char *lie = judge_flow(s, e, &f, text, len - sizeof(f), &point);

	if (lie == NULL && f.end_reason == END_NONE)
		lie = "a flow that ended without a reason";
	if (lie == NULL)
		lie = find_row(s, e, &f, point, &r, &stale);
	if (lie != NULL || stale)
		return lie;
	if (r != NULL)
		flow_end(s, e, r, &f, text);
	else if (whose_admits(s, point, &f))
		flow_whole(s, e, &f, point, text);
	point_seen(s, point, f.first_ns, f.last_ns);
	return NULL;
}

static const char *
take_count(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	struct rec_flow_count c;

	(void)len;
	memcpy(&c, bytes, sizeof(c));
	if (c.slot >= e->live.max)
		return "counters of a slot that does not exist";
	if (c.state >= FLOW_STATE_COUNT || !count_sane(&c.count))
		return "counters that cannot be";

	struct live_flow *r = &e->live.flow[c.slot];

	if (!live_is_active(r) || r->generation != c.generation) {
		s->counters.n[OWN_UNKNOWN_SLOT]++;
		return NULL;
	}
	if (!second_sane(s, r->point, c.second) || !time_sane(s, r->point, c.last_ns))
		return "counters at an impossible time";
	if (!count_not_less(&c.count, &r->count))
		return e->progress[r->point].resumed ? NULL : "counters of a flow that went back";
	flow_count(s, e, r, &c);
	point_seen(s, r->point, 0, c.last_ns);
	return NULL;
}

/* --- hosts, seconds, points, drops
 * ----------------------------------------------------------------------------------------- */

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static const char *
take_host(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes + sizeof(struct rec_host);
	struct rec_host h;

	(void)e;
	memcpy(&h, bytes, sizeof(h));
	if ((size_t)h.as_name_len + h.city_len != len - sizeof(h) || !text_sane(text, len - sizeof(h)))
		return "a host with texts that are none";
	if ((h.country[0] != 0 || h.country[1] != 0) && !(is_letter(h.country[0]) && is_letter(h.country[1])))
		return "a host in a country that is none";
	s->counters.n[OWN_FACTS_FULL] += places_learn(s->places, &h, text);
	if (h.as_number != 0 && h.as_name_len > 0)
		as_names_learn(s->as_names, h.as_number, text, h.as_name_len);
	return NULL;
}

/* Whose knowledge something is that was seen between two ends: their tenants', and nobody else's. */
static unsigned
tenants_of(struct store *s, uint32_t point, uint16_t vlan, const struct ip_addr *a, const struct ip_addr *b,
	   uint32_t tenant[static 2])
{
	struct tenant_match m = whose_ends(s, point, vlan, a, b);

	tenant[0] = m.primary == TENANT_PLATFORM ? TENANT_UNASSIGNED : m.primary;
	tenant[1] = m.secondary;
	return m.secondary == TENANT_PLATFORM || m.secondary == m.primary ? 1 : 2;
}

static const char *
take_learned(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes + sizeof(struct rec_learned);
	struct rec_learned l;
	uint32_t tenant[2];

	(void)e;
	memcpy(&l, bytes, sizeof(l));

	uint32_t point = point_of(s, l.point, l.space);

	if (point == POINT_NONE)
		return "something learned at an unknown observation point";
	if (l.kind == HOST_NAME_NONE || l.kind == HOST_NAME_RESOLVED || l.kind > LEARNED_OS)
		return "something learned of no kind";
	if (l.len == 0 || l.len != len - sizeof(l) || !text_sane(text, l.len))
		return "something learned that is no text";
	for (unsigned i = tenants_of(s, point, l.vlan, &l.end[0], &l.end[1], tenant); i-- > 0;) {
		struct host_key k = { tenant[i], l.space, l.ip, l.vlan };

		s->counters.n[OWN_FACTS_FULL] += known_learn(s->known, &k, &l, text);
	}
	return NULL;
}

static const char *
take_device(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	struct rec_device d;
	uint32_t tenant[2];

	(void)e;
	(void)len;
	memcpy(&d, bytes, sizeof(d));

	uint32_t point = point_of(s, d.point, d.space);

	if (point == POINT_NONE)
		return "a device at an unknown observation point";
	if (d.has_ip > 1 || !device_is_one(d.mac))
		return "a device that is none";
	if (!time_sane(s, point, d.first_ns) || !time_sane(s, point, d.last_ns))
		return "a device at an impossible time";
	if (d.frames > COUNT_MAX || d.bytes > COUNT_MAX)
		return "a device with impossible counters";
	(void)tenants_of(s, point, d.vlan, &d.ip, &d.ip, tenant);

	struct device_key k = { tenant[0], point, d.vlan, { 0 } };
	struct host_key hk = { tenant[0], d.space, d.ip, d.vlan };
	struct host *h = d.has_ip ? hosts_find(s->hosts, &hk) : NULL;

	memcpy(k.mac, d.mac, sizeof(k.mac));
	s->counters.n[OWN_FACTS_FULL] += devices_learn(s->devices, &k, &d);
	if (h != NULL)
		host_set_mac(h, d.mac, HOST_MAC_ARP);
	return NULL;
}

static const char *
judge_second(struct store *s, struct engine *e, const struct rec_second *r, uint32_t *point)
{
	uint64_t undecoded = 0;
	bool known = true;

	*point = points_index(&s->points, r->point);
	if (*point == POINT_NONE || r->worker != e->instance)
		return "a second of an unknown observation point or worker";
	if (!second_sane(s, *point, r->second))
		return "a second at an impossible time";
	for (uint32_t i = 0; i < UNDECODED_REASONS; i++) {
		if (r->undecoded[i] == 0)
			continue;
		if (r->undecoded[i] > COUNT_MAX)
			return "a second with impossible counters";
		undecoded += r->undecoded[i];
		engine_name(e, NAME_UNDECODED, i, &known);
	}
	if (!known)
		return "a reason that was not announced";
	if (r->packets > COUNT_MAX || r->bytes > COUNT_MAX || undecoded > r->packets)
		return "a second with impossible counters";
	return NULL;
}

static void
platform_second(struct store *s, uint32_t subject, const struct rec_second *r, const struct series_value *v)
{
	struct subject *u = subjects_at(s->subjects, subject);

	u->bytes = sum_sat(u->bytes, r->bytes);
	u->packets = sum_sat(u->packets, r->packets);
	rate_add(&u->rate, r->second, r->bytes, r->packets);
	if (r->packets != 0 || r->flows_active != 0)
		subject_second(s, u, r->second, v);
}

static uint64_t
take_least(uint64_t *from, uint64_t most)
{
	uint64_t n = *from < most ? *from : most;

	*from -= n;
	return n;
}

/* All frames of a second, of which flows say which way they went; what belongs to no flow came in. */
static struct series_value
second_value(struct progress *g, const struct rec_second *r)
{
	struct series_value v = { .out_bytes = take_least(&g->flows.out_bytes, r->bytes),
				  .out_packets = take_least(&g->flows.out_packets, r->packets),
				  .flows_max = r->flows_active };

	v.in_bytes = r->bytes - v.out_bytes;
	v.in_packets = r->packets - v.out_packets;
	return v;
}

static void
apply_second(struct store *s, struct engine *e, uint32_t point, const struct rec_second *r)
{
	struct progress *g = &e->progress[point];
	struct point *p = &s->points.point[point];
	bool known = true;

	p->packets = sum_sat(p->packets, r->packets);
	p->bytes = sum_sat(p->bytes, r->bytes);
	g->applied.packets = sum_sat(g->applied.packets, r->packets);
	g->applied.bytes = sum_sat(g->applied.bytes, r->bytes);
	for (uint32_t i = 0; i < UNDECODED_REASONS; i++) {
		uint16_t n = r->undecoded[i] == 0 ? 0 : engine_name(e, NAME_UNDECODED, i, &known);

		if (n == 0)
			continue;
		p->undecoded[n - 1] = sum_sat(p->undecoded[n - 1], r->undecoded[i]);
		g->applied.undecoded[n - 1] = sum_sat(g->applied.undecoded[n - 1], r->undecoded[i]);
	}
	rate_add(&p->rate, r->second, r->bytes, r->packets);

	const struct series_value v = second_value(g, r);

	platform_second(s, p->subject, r, &v);
	platform_second(s, s->platform_total, r, &v);
	if (r->second > g->applied.second)
		g->applied.second = r->second;
	g->dirty = true;
}

static const char *
take_second(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	struct rec_second r;
	uint32_t point;

	(void)len;
	memcpy(&r, bytes, sizeof(r));

	const char *lie = judge_second(s, e, &r, &point);

	if (lie != NULL)
		return lie;

	struct progress *g = &e->progress[point];

	g->flows_active = r.flows_active;
	g->hosts_active = r.hosts_active;
	g->heard_ns = s->now_boot_ns;
	if (r.second > g->second)
		g->second = r.second;
	if (g->state == 0)
		g->state = POINT_UP;
	if (g->resumed && r.second <= g->resume_second)
		s->counters.n[OWN_SECOND_AGAIN]++;
	else
		apply_second(s, e, point, &r);
	minutes_clock(s, r.second);
	return NULL;
}

static const char *
take_point(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	struct rec_point r;

	(void)len;
	memcpy(&r, bytes, sizeof(r));

	uint32_t point = points_index(&s->points, r.point);

	if (point == POINT_NONE || r.worker != e->instance || r.state < POINT_UP || r.state > POINT_ENDED ||
	    r.truncated > 1)
		return "a point of unknown id, worker or state";
	if (!time_sane(s, point, r.first_ns) || !time_sane(s, point, r.last_ns))
		return "a point at an impossible time";
	if (r.frames > COUNT_MAX || r.bytes > COUNT_MAX || r.counted > COUNT_MAX || r.undecoded > COUNT_MAX)
		return "a point with impossible counters";

	struct progress *g = &e->progress[point];

	g->state = r.state;
	if (r.state == POINT_ENDED) {
		g->captured = r.frames;
		g->counted = r.counted;
		g->undecoded = r.undecoded;
		g->truncated = r.truncated != 0;
	}
	point_seen(s, point, r.first_ns, r.last_ns);
	return NULL;
}

static const char *
take_drops(struct store *s, struct engine *e, const uint8_t *bytes, size_t len)
{
	struct rec_drops r;
	bool known = true;

	(void)len;
	memcpy(&r, bytes, sizeof(r));

	uint32_t point = r.point == 0 ? POINT_NONE : points_index(&s->points, r.point);
	uint16_t place = engine_name(e, NAME_PLACE, r.place, &known);

	if (r.worker != e->instance || (r.point != 0 && point == POINT_NONE) || r.is_loss > 1 ||
	    r.count > COUNT_MAX)
		return "drops of an unknown observation point or worker, or impossible ones";
	if (!known || r.place == 0)
		return "a place that was not announced";
	for (uint32_t i = 0; i <= e->ndrops && i < ENGINE_DROPS_MAX; i++) {
		struct drop *d = &e->drop[i];

		if (i == e->ndrops) {
			e->ndrops++;
			*d = (struct drop){ .point = point, .place = place };
		}
		if (d->point != point || d->place != place)
			continue;
		if (r.count < d->last)
			d->before = sum_sat(d->before, d->last);
		d->last = r.count;
		d->is_loss = r.is_loss != 0;
		return NULL;
	}
	s->counters.n[OWN_NAMES_FULL]++;
	return NULL;
}

/* --- the table
 * ----------------------------------------------------------------------------------------------------------------
 */

static const struct {
	size_t min, max;
	const char *(*take)(struct store *s, struct engine *e, const uint8_t *bytes, size_t len);
} kinds[REC_KIND_COUNT] = {
	[REC_NAME] = { sizeof(struct rec_name) + 1, sizeof(struct rec_name) + NAME_TEXT_MAX, take_name },
	[REC_FLOW_OPEN] = { sizeof(struct rec_flow), sizeof(struct rec_flow) + FLOW_TEXT_MAX, take_open },
	[REC_FLOW_COUNT] = { sizeof(struct rec_flow_count), sizeof(struct rec_flow_count), take_count },
	[REC_FLOW_END] = { sizeof(struct rec_flow), sizeof(struct rec_flow) + FLOW_TEXT_MAX, take_end },
	[REC_HOST] = { sizeof(struct rec_host), sizeof(struct rec_host) + 2 * UINT8_MAX, take_host },
	[REC_LEARNED] = { sizeof(struct rec_learned) + 1, sizeof(struct rec_learned) + UINT8_MAX,
			  take_learned },
	[REC_DEVICE] = { sizeof(struct rec_device), sizeof(struct rec_device), take_device },
	[REC_SECOND] = { sizeof(struct rec_second), sizeof(struct rec_second), take_second },
	[REC_POINT] = { sizeof(struct rec_point), sizeof(struct rec_point), take_point },
	[REC_DROPS] = { sizeof(struct rec_drops), sizeof(struct rec_drops), take_drops },
};

const char *
ingest_record(struct store *s, struct engine *e, uint16_t kind, const void *bytes, size_t len)
{
	if (kind == 0 || kind >= REC_KIND_COUNT)
		return "a record of no kind";
	if (len < kinds[kind].min || len > kinds[kind].max)
		return "a record of the wrong length";
	return kinds[kind].take(s, e, bytes, len);
}

/* --- what comes soon
 * ------------------------------------------------------------------------------------------------------------
 */

static void
ask_for(const void *p, size_t len)
{
	prefetch_only();
	for (size_t at = 0; at < len; at += 64)
		__builtin_prefetch((const char *)p + at, 1);
}

void
ingest_expect(const struct engine *e, uint16_t kind, const void *bytes, size_t len, struct expected *x)
{
	const bool counts = kind == REC_FLOW_COUNT && len >= sizeof(struct rec_flow_count);
	const bool tells = (kind == REC_FLOW_OPEN || kind == REC_FLOW_END) && len >= sizeof(struct rec_flow);
	uint32_t slot;

	*x = (struct expected){ .row = NULL };
	if (!counts && !tells)
		return;
	slot = counts ? ((const struct rec_flow_count *)bytes)->slot : ((const struct rec_flow *)bytes)->slot;
	if (slot >= e->live.max)
		return;
	/* Rows that were never used are not there yet: they are zero, as the spare one is between flows. */
	x->row = &e->live.flow[slot < e->live.limit ? slot : e->live.max];
	x->begins = counts ? NULL : bytes;
	ask_for(x->row, sizeof(*x->row));
}

void
ingest_expect_hosts(struct store *s, struct expected *x)
{
	const struct rec_flow *f = x->begins;

	if (x->row == NULL)
		return;
	if (live_is_active(x->row)) {
		x->begins = NULL;
		for (int side = CLIENT; side <= SERVER; side++)
			if (x->row->stamp.host[side] != HOST_NONE)
				ask_for(hosts_at(s->hosts, x->row->stamp.host[side]), sizeof(struct host));
		return;
	}
	if (f == NULL)
		return;

	uint32_t point = point_of(s, f->point, f->space), tenant = TENANT_UNASSIGNED;

	/* Of many tenants' flows one says nothing of the next. */
	if (point != POINT_NONE)
		tenant = whose_likely(s, point, f).primary;
	if (tenant == TENANT_PLATFORM)
		tenant = TENANT_UNASSIGNED;
	for (int side = CLIENT; side <= SERVER; side++)
		hosts_expect(s->hosts, tenant, f->space, &f->ip[side], f->vlan[0], &x->place[side]);
}

void
ingest_expect_rest(struct store *s, const struct expected *x)
{
	if (x->row == NULL)
		return;
	for (int side = CLIENT; x->begins != NULL && side <= SERVER; side++)
		hosts_expect_row(s->hosts, &x->place[side]);
	if (!live_is_active(x->row))
		return;
	for (int side = CLIENT; side <= SERVER; side++) {
		uint32_t host = x->row->stamp.host[side];

		if (host != HOST_NONE && hosts_at(s->hosts, host)->more != NULL)
			ask_for(hosts_at(s->hosts, host)->more, HOST_MORE_OFTEN);
	}
}

void
ingest_expect_peers(struct store *s, const struct expected *x)
{
	for (int side = CLIENT; x->row != NULL && x->begins != NULL && side <= SERVER; side++)
		hosts_expect_peers(s->hosts, &x->place[side]);
}
