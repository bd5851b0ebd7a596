/* Flows as a series: which count for it, and when. */
#include "series_flows.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kept_rows.h"
#include "sum.h"
#include "whose.h"

#define ADDED_MOST 65536u /* before it is asked whether to go on */

enum { COLUMN_SLICE_START = 2, COLUMN_SPACE = 8, COLUMN_VLAN = 9, COLUMN_PACKETS = 23, COLUMN_BYTES = 25 };
enum { COLUMN_CATEGORY = 42, COLUMN_IN_INTERFACE = 53, COLUMN_OUT_INTERFACE };

void
series_flows_begin(struct series_flows *w, const struct view *v, const struct series_id *id, int64_t from_s,
		   int64_t to_s, uint32_t resolution_s, int64_t longest_ns)
{
	*w = (struct series_flows){ .view = v,
				    .id = *id,
				    .from_s = from_s,
				    .resolution_s = resolution_s,
				    .n = (uint32_t)((to_s - from_s + resolution_s - 1) / resolution_s),
				    .longest_ns = longest_ns };
	w->bucket = mem_calloc((size_t)w->n + 1, sizeof(*w->bucket));
}

void
series_flows_end(struct series_flows *w)
{
	free(w->bucket);
	w->bucket = NULL;
}

/* --- what a flow counts
 * ------------------------------------------------------------------------------------------------------
 */

static bool
is_inside(const struct view *v, const struct ip_addr *ip, struct ip_prefix *network)
{
	return whose_network_by(v->s, v->policy, v->tenant, ip, network);
}

/* What one end sent and received, the first of them as what comes in. */
static void
add_ways(struct series_value *v, const struct rec_flow *f, int in, int out)
{
	const struct series_value one = { .in_bytes = f->count.bytes[in],
					  .out_bytes = f->count.bytes[out],
					  .in_packets = f->count.packets[in],
					  .out_packets = f->count.packets[out] };

	series_value_add(v, &one);
}

/* As a whole: out is what the inner end sends. Returns the end whose is what comes in. */
static int
comes_from(const struct view *v, const struct rec_flow *f)
{
	struct ip_prefix network;
	bool turned = is_inside(v, &f->ip[SERVER], &network) && !is_inside(v, &f->ip[CLIENT], &network);

	return turned ? CLIENT : SERVER;
}

/* The system, or the country, that an outer end is in. */
static uint32_t
where_is(const struct view *v, uint32_t subject, const struct ip_addr *ip)
{
	const struct place_short place = places_look(v->s->places, ip);

	if (subject == SERIES_COUNTRY)
		return series_country(place.country);
	return place.as_number == SERIES_OTHER ? 0 : place.as_number;
}

size_t
series_flows_shares(const struct view *v, uint32_t subject, const struct rec_flow *f,
		    struct series_share out[static 2])
{
	struct ip_prefix network;
	size_t n = 0;

	if (subject == SERIES_APPLICATION || subject == SERIES_CATEGORY) {
		out[0].number = subject == SERIES_APPLICATION ? f->application : f->category;
		out[0].in = comes_from(v, f);
		return 1;
	}
	for (int side = CLIENT; side <= SERVER; side++)
		if (!is_inside(v, &f->ip[side], &network))
			out[n++] = (struct series_share){ where_is(v, subject, &f->ip[side]), side };
	return n;
}

/* Whether an end is what the series is of. */
static bool
is_of(const struct series_flows *w, const struct rec_flow *f, int side, bool inside,
      const struct ip_prefix *network)
{
	const struct series_id *id = &w->id;

	switch (id->subject) {
	case SERIES_HOST:
		return ip_equal(&f->ip[side], &id->ip) && f->space == id->space && f->vlan[0] == id->number;
	case SERIES_NETWORK:
		return inside && network->bits == id->number && ip_equal(&network->addr, &id->ip);
	default:
		return !inside && where_is(w->view, id->subject, &f->ip[side]) == id->number;
	}
}

/* At each end that it is of. What comes in is what an inner end received and an outer one sent. */
static void
add_ends(const struct series_flows *w, const struct rec_flow *f, struct series_value *v)
{
	for (int side = CLIENT; side <= SERVER; side++) {
		struct ip_prefix network = { 0 };
		bool inside = is_inside(w->view, &f->ip[side], &network);

		if (!is_of(w, f, side, inside, &network))
			continue;
		add_ways(v, f, inside ? 1 - side : side, inside ? side : 1 - side);
	}
}

/* Where it enters and where it leaves. */
static void
add_interface(const struct series_flows *w, const struct rec_flow *f, struct series_value *v)
{
	if (w->id.number == 0 || !ip_equal(&f->exporter, &w->id.ip))
		return;
	if (f->in_interface == w->id.number)
		add_ways(v, f, CLIENT, SERVER);
	if (f->out_interface == w->id.number)
		add_ways(v, f, SERVER, CLIENT);
}

static bool
is_exported_by(const struct rec_flow *f, const struct ip_addr *exporter)
{
	static const struct ip_addr none;

	return ip_equal(&f->exporter, exporter) && !ip_equal(exporter, &none);
}

static struct series_value
value_of(const struct series_flows *w, const struct rec_flow *f)
{
	struct series_value v = { 0 };
	bool counts = false;

	switch (w->id.subject) {
	case SERIES_TENANT:
		counts = true;
		break;
	case SERIES_POINT:
		counts = f->point == w->id.number;
		break;
	case SERIES_APPLICATION:
		counts = f->application == w->id.number;
		break;
	case SERIES_CATEGORY:
		counts = f->category == w->id.number;
		break;
	case SERIES_EXPORTER:
		counts = is_exported_by(f, &w->id.ip);
		break;
	case SERIES_EXPORTER_INTERFACE:
		add_interface(w, f, &v);
		break;
	case SERIES_HOST:
	case SERIES_NETWORK:
	case SERIES_AS:
	case SERIES_COUNTRY:
		add_ends(w, f, &v);
		break;
	default: /* of Weir itself no flow tells */
		break;
	}
	if (counts) {
		int in = comes_from(w->view, f);

		add_ways(&v, f, in, 1 - in);
	}
	return v;
}

/* --- when
 * -----------------------------------------------------------------------------------------------------------------
 */

/* Numbers of a slice that are spread over `length` (above 0, below 2^28: nothing overflows): of a
 * millisecond, and what is left of that. */
struct spreading {
	uint64_t each[4], rest[4], length, told[4];
};

static void
spread_begin(struct spreading *p, const struct series_value *v, uint64_t length)
{
	const uint64_t all[4] = { v->in_bytes, v->out_bytes, v->in_packets, v->out_packets };

	*p = (struct spreading){ .length = length };
	for (int i = 0; i < 4; i++) {
		p->each[i] = all[i] / length;
		p->rest[i] = all[i] % length;
	}
}

/* What came before the x-th millisecond and was not told yet: neighbours share nothing and leave nothing out.
 */
static struct series_value
spread_until(struct spreading *p, uint64_t x)
{
	uint64_t part[4];

	for (int i = 0; i < 4; i++) {
		uint64_t before = p->each[i] * x + p->rest[i] * x / p->length;

		part[i] = before - p->told[i];
		p->told[i] = before;
	}
	return (struct series_value){
		.in_bytes = part[0], .out_bytes = part[1], .in_packets = part[2], .out_packets = part[3]
	};
}

static uint64_t
ms_since(int64_t ns, int64_t start_ns, uint64_t length)
{
	uint64_t ms = ns <= start_ns ? 0 : (uint64_t)(ns - start_ns) / NS_PER_MS;

	return ms < length ? ms : length;
}

static void
spread(struct series_flows *w, int64_t start_ns, int64_t last_ns, const struct series_value *v)
{
	const int64_t from_ns = w->from_s * NS_PER_S, width = w->resolution_s * NS_PER_S,
		      to_ns = from_ns + (int64_t)w->n * width;

	if (start_ns > last_ns || last_ns - start_ns < NS_PER_MS)
		start_ns = last_ns;
	if (last_ns - start_ns > w->longest_ns)
		start_ns = last_ns - w->longest_ns;
	if (last_ns < from_ns || start_ns >= to_ns)
		return;
	if (start_ns == last_ns) {
		series_value_add(&w->bucket[(last_ns - from_ns) / width], v);
		w->added++;
		return;
	}

	const uint64_t length = (uint64_t)(last_ns - start_ns) / NS_PER_MS;
	int64_t at = start_ns < from_ns ? 0 : (start_ns - from_ns) / width;
	struct spreading p;

	spread_begin(&p, v, length);
	(void)spread_until(&p, ms_since(from_ns + at * width, start_ns, length));
	for (; at < w->n && from_ns + at * width <= last_ns; at++, w->added++) {
		const struct series_value part =
		    spread_until(&p, ms_since(from_ns + (at + 1) * width, start_ns, length));

		series_value_add(&w->bucket[at], &part);
	}
}

void
series_flows_add(struct series_flows *w, const struct rec_flow *f)
{
	const struct series_value v = value_of(w, f);

	if (!w->nothing && (v.in_bytes | v.out_bytes | v.in_packets | v.out_packets) != 0)
		spread(w, f->slice_ns, f->last_ns, &v);
}

/* --- kept ones
 * ------------------------------------------------------------------------------------------------------------
 */

struct scan {
	struct series_flows *w;
	struct kept_rows rows;
	struct block_want want;
	int64_t first_ns, from_ns, to_ns; /* the oldest end that may be told of; buckets */
	uint64_t spent;                   /* of w->added */
};

/* What is looked at of a block's rows. */
struct looked_at {
	const uint64_t *last, *start, *packets[2], *bytes[2], *point, *space, *vlan, *application, *category,
	    *in, *out;
	struct column_pair ends, routers;
};

static bool
get_columns(struct columns *c, struct looked_at *l)
{
	for (unsigned i = 0; i < 2; i++) {
		l->packets[i] = columns_numbers(c, COLUMN_PACKETS + i);
		l->bytes[i] = columns_numbers(c, COLUMN_BYTES + i);
		if (l->packets[i] == NULL || l->bytes[i] == NULL)
			return false;
	}
	l->point = columns_numbers(c, COLUMN_POINT);
	l->space = columns_numbers(c, COLUMN_SPACE);
	l->vlan = columns_numbers(c, COLUMN_VLAN);
	l->application = columns_numbers(c, COLUMN_APPLICATION);
	l->category = columns_numbers(c, COLUMN_CATEGORY);
	l->in = columns_numbers(c, COLUMN_IN_INTERFACE);
	l->out = columns_numbers(c, COLUMN_OUT_INTERFACE);
	return l->point != NULL && l->space != NULL && l->vlan != NULL && l->application != NULL &&
	       l->category != NULL && l->in != NULL && l->out != NULL &&
	       columns_pair(c, PAIR_ADDRESSES, &l->ends) && columns_pair(c, PAIR_ROUTERS, &l->routers);
}

static void
get_row(const struct looked_at *l, uint32_t i, struct rec_flow *f)
{
	f->last_ns = (int64_t)l->last[i];
	f->slice_ns = (int64_t)l->start[i];
	f->point = (uint32_t)l->point[i];
	f->space = (uint32_t)l->space[i];
	f->vlan[0] = (uint16_t)l->vlan[i];
	f->application = (uint16_t)l->application[i];
	f->category = (uint16_t)l->category[i];
	f->in_interface = (uint32_t)l->in[i];
	f->out_interface = (uint32_t)l->out[i];
	f->exporter = *column_address(&l->routers, l->routers.code[0][i]);
	for (int side = CLIENT; side <= SERVER; side++) {
		f->ip[side] = *column_address(&l->ends, l->ends.code[side][i]);
		f->count.bytes[side] = l->bytes[side][i];
		f->count.packets[side] = l->packets[side][i];
	}
}

/* Whether it is to break off. */
static bool
spend_added(struct find *f, struct scan *s)
{
	job_spend(f->job, s->w->added - s->spent);
	s->spent = s->w->added;
	return job_should_stop(f->job);
}

static bool
look(struct find *f, const struct block_entry *e, void *ctx)
{
	struct scan *s = ctx;
	struct looked_at l = { 0 };
	struct rec_flow row = { 0 };
	uint32_t n = 0;

	(void)e;
	columns_begin(f->columns, &f->head);
	job_spend(f->job, f->mine);
	l.last = columns_numbers(f->columns, COLUMN_LAST);
	l.start = columns_numbers(f->columns, COLUMN_SLICE_START);
	if (l.last == NULL || l.start == NULL)
		return false;
	for (uint32_t i = 0; i < f->head.rows; i++) {
		/* Before 1970 began none that was not damaged: what follows subtracts. */
		f->wanted[i] &= (int64_t)l.last[i] >= s->first_ns && (int64_t)l.last[i] >= s->from_ns &&
				(int64_t)l.start[i] >= 0 && (int64_t)l.start[i] < s->to_ns;
		n += f->wanted[i];
	}
	if (n == 0)
		return true;
	if (!kept_rows_match(&s->rows, f->columns, f->tenant, f->wanted) || !get_columns(f->columns, &l))
		return false;
	for (uint32_t i = 0; i < f->head.rows; i++) {
		if (f->wanted[i] == 0)
			continue;
		get_row(&l, i, &row);
		series_flows_add(s->w, &row);
		if (s->w->added - s->spent >= ADDED_MOST && spend_added(f, s))
			break;
	}
	spend_added(f, s);
	return true;
}

static bool
may_count(struct find *f, void *ctx)
{
	const struct scan *s = ctx;

	return kept_rows_may_match(&s->rows, f->reader, &f->head) && block_may_match(&f->head, &s->want);
}

static struct block_want
want_of(const struct series_id *id)
{
	switch (id->subject) {
	case SERIES_HOST:
		return (struct block_want){ .has_ip = true, .ip = id->ip };
	case SERIES_POINT:
		return (struct block_want){ .has_point = true, .point = id->number };
	case SERIES_APPLICATION:
		return (struct block_want){ .has_application = true, .application = (uint16_t)id->number };
	default:
		return (struct block_want){ 0 };
	}
}

enum db_status
series_flows_kept(struct find *f, struct series_flows *w)
{
	struct history *h = f->h;
	struct scan s = { .w = w, .first_ns = atomic_load(&h->floor_ns), .want = want_of(&w->id) };
	unsigned reader = segments_reader_begins(h->segments);
	enum db_status status;
	int64_t last_ns;

	if (w->view->since_ns > s.first_ns)
		s.first_ns = w->view->since_ns;
	s.from_ns = w->from_s * NS_PER_S;
	s.to_ns = s.from_ns + w->n * (int64_t)w->resolution_s * NS_PER_S;
	/* What was under way at the end ended later. */
	last_ns = s.to_ns + w->longest_ns;
	kept_rows_begin(&s.rows, w->view, NULL, ANY_POINT);
	if (find_blocks(f, w->view->tenant, s.first_ns > s.from_ns ? s.first_ns : s.from_ns, last_ns,
			&status))
		for (size_t i = 0; i < f->nblocks && !job_should_stop(f->job); i++)
			find_look_at(f, &f->block[i], w->view->tenant, may_count, look, &s);
	kept_rows_end(&s.rows);
	segments_reader_ends(h->segments, reader);
	return status;
}
