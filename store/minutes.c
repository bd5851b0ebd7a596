/* What is derived once a minute: gathered in one step after another, then added to the open batch. */
#include "minutes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gather.h"
#include "known.h"
#include "pump.h"
#include "subject_series.h"
#include "sum.h"
#include "watched.h"
#include "whose.h"

#define ROWS_A_STEP   2048u
#define SERIES_A_STEP 1024u
#define LATE_S        5 /* a minute without traffic after it is over so long after its end */

enum stage { STAGE_WAIT, STAGE_HOSTS, STAGE_ORDER, STAGE_SERIES, STAGE_OTHERS };

struct minutes {
	struct gather *gather[2];
	unsigned now; /* the one that is added to; the other is written */
	enum stage stage;
	uint32_t open, seen;     /* UTC minutes: that is gathered, that traffic has come to; 0: none yet */
	uint32_t writing;        /* that the other one is of */
	uint32_t at;             /* how far the stage got */
	struct own_counters own; /* as they were when last looked at */
	uint64_t lost[NAMES_PLACES_MAX]; /* likewise, by place - 1 */
	uint64_t commits, commits_told;
	unsigned held; /* most of an engine's ring that was held, percent */
	bool ended;    /* of files nothing is left to take */
};

/* Its series are nobody's: it ends with the last file. */
static bool
is_analysis(const struct store *s)
{
	return (s->boot->flags & BOOT_ANALYZE) != 0;
}

/* --- hosts
 * ----------------------------------------------------------------------------------------------------------------
 */

static void
add_place(struct gather *g, uint32_t tenant, const struct place *p, const struct series_value *v)
{
	static const char unknown[2];
	struct series_id as = { .tenant = tenant,
				.subject = SERIES_AS,
				.number = p == NULL || p->as_number == SERIES_OTHER ? 0 : p->as_number };
	struct series_id country = { .tenant = tenant,
				     .subject = SERIES_COUNTRY,
				     .number = series_country(p == NULL ? unknown : p->country) };

	gather_add(g, &as, v);
	gather_add(g, &country, v);
}

/* What comes in is what an inner host received and an outer one sent. */
static struct series_value
value_of(const struct host_told *d, bool inside)
{
	const int in = inside ? 1 : 0, out = 1 - in;

	return (struct series_value){ .in_bytes = d->bytes[in],
				      .out_bytes = d->bytes[out],
				      .in_packets = d->packets[in],
				      .out_packets = d->packets[out] };
}

/* What is left for the minute of a series that may have seconds: those the book counts here. False: nothing
 * is. */
static bool
rest_of(struct store *s, const struct series_id *id, const struct host_told *d, bool inside,
	struct series_value *v)
{
	struct host_told rest = *d, taken;

	if (watched_take(s, id, &rest, &taken)) {
		*v = value_of(&taken, inside);
		series_book_count(s->book, id, s->minutes->open, v);
	}
	*v = value_of(&rest, inside);
	return (v->in_bytes | v->out_bytes | v->in_packets | v->out_packets) != 0;
}

/* What a host counted, in the eyes of a tenant. */
static bool
add_host(struct store *s, struct gather *g, uint32_t tenant, const struct host_key *k, const struct place *p,
	 const struct host_told *d)
{
	struct series_id id = {
		.tenant = tenant, .subject = SERIES_HOST, .space = k->space, .number = k->vlan, .ip = k->ip
	};
	uint64_t limit = series_limit(s, tenant);
	struct gather_limits limits = { (uint32_t)s->boot->settings.top_hosts,
					limit / 2 > UINT32_MAX ? UINT32_MAX : (uint32_t)(limit / 2) };
	struct ip_prefix network;
	bool inside = whose_network(s, tenant, &k->ip, &network);
	struct series_value v;

	if (rest_of(s, &id, d, inside, &v))
		gather_host(g, &id, &v, inside || series_book_is_active(s->book, &id), &limits);
	if (inside) {
		struct series_id n = { .tenant = tenant,
				       .subject = SERIES_NETWORK,
				       .number = network.bits,
				       .ip = network.addr };

		if (rest_of(s, &n, d, inside, &v))
			gather_add(g, &n, &v);
	} else {
		v = value_of(d, inside);
		add_place(g, tenant, p, &v);
	}
	return inside;
}

/* A row as what it counted since it was last asked: of its tenant both shares, of the platform the primary
 * one. */
static void
take_host(struct store *s, uint32_t i)
{
	struct gather *g = s->minutes->gather[s->minutes->now];
	struct host *h = hosts_at(s->hosts, i);
	struct host_told first = { 0 }, second = { 0 };
	bool any = hosts_tell(s->hosts, i, SHARE_PRIMARY, &first);

	bool more = hosts_tell(s->hosts, i, SHARE_SECONDARY, &second);

	if (!any && !more)
		return;

	const struct place *p = places_find(s->places, &h->key.ip);

	if (any)
		add_host(s, g, TENANT_PLATFORM, &h->key, p, &first);
	if (h->key.tenant == TENANT_UNASSIGNED)
		return;
	for (int k = 0; k < 2; k++) {
		first.bytes[k] = sum_sat(first.bytes[k], second.bytes[k]);
		first.packets[k] = sum_sat(first.packets[k], second.packets[k]);
	}
	h->inside = add_host(s, g, h->key.tenant, &h->key, p, &first);
}

static void
host_gone(void *ctx, uint32_t i)
{
	take_host(ctx, i);
}

void
minutes_unkept(struct store *s, const struct host_key *k, int share, const struct host_told *d)
{
	struct gather *g = s->minutes->gather[s->minutes->now];

	const struct place *p = places_find(s->places, &k->ip);

	if (is_analysis(s))
		return;
	if (share == SHARE_PRIMARY)
		add_host(s, g, TENANT_PLATFORM, k, p, d);
	if (k->tenant != TENANT_UNASSIGNED)
		add_host(s, g, k->tenant, k, p, d);
}

/* --- exporters
 * ------------------------------------------------------------------------------------------------------------
 */

/* The book is asked once in a minute. False: there is no series, or no room. */
static bool
add_second(struct store *s, const struct series_id *id, int64_t second, const struct series_value *v)
{
	const struct series_entry *e = series_book_find(s->book, id);
	uint32_t last = 0;

	if (e == NULL || e->minute != minutes_now(s))
		e = batch_fits_series(s->open)
			? series_book_use(s->book, id, minutes_now(s), series_limit(s, id->tenant), s->open)
			: NULL;
	if (e == NULL)
		return false;

	const struct series_key k = series_entry_key(e);

	if (!batch_add_second(s->open, &k, &last, second, v))
		return false;
	series_book_count(s->book, id, (uint32_t)(second / 60), v);
	return true;
}

/* Interfaces have a point each second. What finds no room there is the minute's, as it is of all others. */
static void
add_interface(struct store *s, uint32_t tenant, const struct exported *x, uint32_t interface,
	      const struct flow_counters *sent, enum side enters, int64_t second)
{
	struct series_id id = {
		.tenant = tenant, .subject = SERIES_EXPORTER_INTERFACE, .number = interface, .ip = x->exporter
	};
	const int in = (int)enters, out = 1 - (int)enters;
	struct series_value v = { .in_bytes = sent->bytes[in],
				  .out_bytes = sent->bytes[out],
				  .in_packets = sent->packets[in],
				  .out_packets = sent->packets[out] };

	if (interface == 0 || interface == SERIES_OTHER)
		return;
	if (!add_second(s, &id, second, &v))
		gather_add(s->minutes->gather[s->minutes->now], &id, &v);
}

void
minutes_exported(struct store *s, uint32_t tenant, const struct exported *x, const struct series_value *v,
		 const struct flow_counters *sent, int64_t second)
{
	struct series_id id = { .tenant = tenant, .subject = SERIES_EXPORTER, .ip = x->exporter };

	if (is_analysis(s))
		return;
	gather_add(s->minutes->gather[s->minutes->now], &id, v);
	add_interface(s, tenant, x, x->in_interface, sent, CLIENT, second);
	add_interface(s, tenant, x, x->out_interface, sent, SERVER, second);
}

/* --- Weir itself
 * ----------------------------------------------------------------------------------------------------------
 */

static void
add_own(struct store *s, const char *name, uint64_t count, uint64_t most)
{
	struct series_id id = { .tenant = TENANT_PLATFORM,
				.subject = SERIES_WEIR,
				.number = names_intern(s->names, NAME_PLACE, name, strlen(name)) };

	if (id.number != 0 && (count | most) != 0)
		gather_add(s->minutes->gather[s->minutes->now], &id,
			   &(struct series_value){ .in_packets = count, .flows_max = most });
}

/* What engines and captures lost, by place. */
static void
add_lost(struct store *s)
{
	struct minutes *m = s->minutes;
	uint64_t lost[NAMES_PLACES_MAX] = { 0 };

	for (unsigned i = 0; i < s->nengines; i++)
		for (uint32_t k = 0; k < s->engine[i].ndrops; k++) {
			const struct drop *d = &s->engine[i].drop[k];

			if (d->place != 0 && d->place <= NAMES_PLACES_MAX)
				lost[d->place - 1] = sum_sat(lost[d->place - 1], sum_sat(d->before, d->last));
		}
	for (uint16_t i = 0; i < NAMES_PLACES_MAX; i++) {
		if (lost[i] != m->lost[i])
			add_own(s, names_text(s->names, NAME_PLACE, (uint16_t)(i + 1)),
				sum_less(lost[i], m->lost[i]), 0);
		m->lost[i] = lost[i];
	}
}

static void
add_own_counters(struct store *s)
{
	struct minutes *m = s->minutes;

	for (enum own_counter i = 0; i < OWN_COUNTER_COUNT; i++) {
		add_own(s, own_counter_name(i), sum_less(s->counters.n[i], m->own.n[i]), 0);
		m->own.n[i] = s->counters.n[i];
	}
	add_own(s, MINUTES_RUNNING, 1, 0);
	add_own(s, "store.commits", m->commits - m->commits_told, 0);
	m->commits_told = m->commits;
	add_own(s, "store.ring_held", 0, m->held);
	m->held = 0;
	add_lost(s);
}

static void
look_at_rings(struct store *s)
{
	for (unsigned i = 0; i < s->nengines; i++) {
		uint64_t held = pump_held(&s->engine[i]) * 100 / (uint64_t)s->boot->settings.record_ring;

		if (held > s->minutes->held)
			s->minutes->held = (unsigned)held;
	}
}

void
minutes_committed(struct store *s)
{
	s->minutes->commits++;
}

/* --- into the batch
 * --------------------------------------------------------------------------------------------------------
 */

/* The minute of one series, or where it may not have one of its own of (other) later. */
static void
write_one(struct store *s, struct gather *g, const struct gathered *a)
{
	const struct series_entry *e =
	    series_book_use(s->book, &a->id, minutes_now(s), series_limit(s, a->id.tenant), s->open);
	struct series_key k = { a->id.tenant, a->id.subject, SERIES_OTHER };
	uint32_t last = 0;

	if (e == NULL && a->id.number != SERIES_OTHER) {
		s->counters.n[OWN_SERIES_REFUSED]++;
		gather_other(g, a);
		return;
	}
	if (e != NULL)
		k = series_entry_key(e);
	series_book_count(s->book, &a->id, s->minutes->writing, &a->v);
	if (!batch_add_minute(s->open, &k, &last, s->minutes->writing, &a->v))
		s->counters.n[OWN_HISTORY_FULL]++;
}

/* Series until none is left, the budget is used up or the batch has no room. */
static bool
write_some(struct store *s, unsigned budget)
{
	struct minutes *m = s->minutes;
	struct gather *g = m->gather[1 - m->now];

	for (; budget > 0 && m->stage != STAGE_WAIT && batch_fits_minute(s->open); budget--) {
		const struct gathered *a =
		    m->stage == STAGE_SERIES ? gather_at(g, m->at) : gather_other_at(g, m->at);

		m->at++;
		if (a != NULL) {
			write_one(s, g, a);
		} else if (m->stage == STAGE_SERIES) {
			m->stage = STAGE_OTHERS;
			m->at = 0;
		} else {
			m->stage = STAGE_WAIT;
			gather_empty(g);
		}
	}
	return m->stage != STAGE_WAIT && batch_fits_minute(s->open);
}

static void
begin_hosts(struct store *s)
{
	struct minutes *m = s->minutes;

	m->stage = STAGE_HOSTS;
	m->at = 0;
	add_own_counters(s);
}

/* Behind what it told: a mark that goes is of no use to it any more. */
static void
look_again(const struct store *s, struct host *h)
{
	h->watched = watched_marks(s, h) & WATCHED_MARKS;
}

static void
take_hosts(struct store *s, uint32_t rows)
{
	struct minutes *m = s->minutes;
	uint32_t limit = hosts_limit(s->hosts);

	for (; rows > 0 && m->at < limit; rows--, m->at++)
		if (host_is_used(hosts_at(s->hosts, m->at))) {
			take_host(s, m->at);
			look_again(s, hosts_at(s->hosts, m->at));
		}
	if (m->at < limit)
		return;
	watched_walked(s);
	m->writing = m->open;
	m->open = m->seen;
	m->now = 1 - m->now;
	m->stage = STAGE_ORDER;
}

static void
order(struct minutes *m, uint32_t budget)
{
	if (!gather_close(m->gather[1 - m->now], budget))
		return;
	m->stage = STAGE_SERIES;
	m->at = 0;
}

/* --- when
 * -----------------------------------------------------------------------------------------------------------------
 */

uint32_t
minutes_now(const struct store *s)
{
	const struct minutes *m = s->minutes;

	if (s->points.any_interface)
		return (uint32_t)(s->now_ns / (60 * NS_PER_S));
	return m->seen == 0 ? 1 : m->seen;
}

void
minutes_clock(struct store *s, int64_t second)
{
	struct minutes *m = s->minutes;
	int64_t minute = second / 60;

	if (minute > UINT32_MAX || is_analysis(s))
		return;
	m->ended = false;
	if (m->open == 0)
		m->open = m->seen = (uint32_t)minute;
	if ((uint32_t)minute > m->seen)
		m->seen = (uint32_t)minute;
	if (!s->points.any_interface && m->seen > m->open && m->stage == STAGE_WAIT) {
		begin_hosts(s);
		take_hosts(s, UINT32_MAX);
		order(m, UINT32_MAX);
		write_some(s, UINT32_MAX);
	}
}

/* All files are read: nothing will move the clock any more. */
static bool
has_ended(const struct store *s)
{
	for (unsigned i = 0; i < s->nengines; i++)
		for (uint32_t p = 0; p < s->points.n; p++)
			if (s->engine[i].progress[p].state != POINT_ENDED)
				return false;
	return true;
}

static bool
is_due(const struct store *s)
{
	struct minutes *m = s->minutes;
	int64_t late = (s->now_ns / NS_PER_S - LATE_S) / 60;

	if (s->points.any_interface && late > m->seen)
		m->seen = (uint32_t)late;
	if (m->open == 0) {
		m->open = m->seen;
		return false;
	}
	if (m->seen > m->open)
		return true;
	if (s->points.any_interface || m->ended || !has_ended(s))
		return false;
	m->ended = true;
	return true;
}

bool
minutes_turn(struct store *s)
{
	struct minutes *m = s->minutes;

	if (is_analysis(s))
		return false;
	look_at_rings(s);
	switch (m->stage) {
	case STAGE_WAIT:
		if (is_due(s))
			begin_hosts(s);
		return m->stage != STAGE_WAIT;
	case STAGE_HOSTS:
		take_hosts(s, ROWS_A_STEP);
		return true;
	case STAGE_ORDER:
		order(m, SERIES_A_STEP);
		return true;
	default:
		return write_some(s, SERIES_A_STEP);
	}
}

bool
minutes_flush(struct store *s)
{
	struct minutes *m = s->minutes;

	if (is_analysis(s))
		return true;
	if (m->open == 0)
		m->open = m->seen = minutes_now(s);
	/* What was taken before, then what came since. */
	for (int i = 0; i < 2; i++) {
		if (m->stage == STAGE_WAIT && i == 1)
			begin_hosts(s);
		if (m->stage == STAGE_HOSTS)
			take_hosts(s, UINT32_MAX);
		if (m->stage == STAGE_ORDER)
			order(m, UINT32_MAX);
		write_some(s, UINT32_MAX);
		if (m->stage != STAGE_WAIT)
			return false;
	}
	return true;
}

struct minutes *
minutes_new(struct store *s)
{
	struct minutes *m = mem_calloc(1, sizeof(*m));

	for (int i = 0; i < 2; i++)
		m->gather[i] = gather_new();
	if (!is_analysis(s))
		hosts_on_gone(s->hosts, host_gone, s);
	return m;
}

void
minutes_free(struct minutes **m)
{
	if (*m == NULL)
		return;
	for (int i = 0; i < 2; i++)
		gather_free(&(*m)->gather[i]);
	free(*m);
	*m = NULL;
}
