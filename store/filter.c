#include "filter.h"
#include "filter_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"

/* --- names --- */

static bool
text_equal(const char *a, size_t alen, const char *b, size_t blen)
{
	return alen == blen && strncasecmp(a, b, alen) == 0;
}

/* "TLS" is "TLS", and a part of "TLS.Google". */
static bool
has_part(const char *name, const char *text, size_t len)
{
	if (text_equal(name, strlen(name), text, len))
		return true;
	for (const char *part = name;;) {
		size_t n = strcspn(part, ".");

		if (text_equal(part, n, text, len))
			return true;
		if (part[n] == '\0')
			return false;
		part += n + 1;
	}
}

static bool
is_whole(const char *name, const char *text, size_t len)
{
	return text_equal(name, strlen(name), text, len);
}

static bool
is_any_name(const char *text, size_t len)
{
	return text_equal(text, len, "any", 3);
}

static void
set_add(struct number_set *set, uint32_t number)
{
	if (number < NUMBER_SET_MAX)
		set->word[number / 64] |= UINT64_C(1) << number % 64;
}

/* The numbers of a kind whose names match; 0, which is no name, is shown as Unknown. */
static void
set_names(const struct store *s, struct number_set *set, enum name_kind kind, const char *text, size_t len,
	  bool (*matches)(const char *name, const char *text, size_t len))
{
	uint16_t n = names_count(s->names, kind);

	for (uint16_t i = 1; i <= n; i++)
		if (matches(names_text(s->names, kind, i), text, len))
			set_add(set, i);
	if (is_whole("Unknown", text, len))
		set_add(set, 0);
}

static void
set_points(const struct store *s, struct number_set *set, const char *text, size_t len)
{
	for (uint32_t i = 0; i < s->points.n; i++)
		if (is_whole(s->points.point[i].boot->name, text, len))
			set_add(set, i);
}

/* Risks are bits of one word: that is the test's number from here on. */
static uint64_t
risk_mask(const struct store *s, const char *text, size_t len)
{
	uint16_t n = names_count(s->names, NAME_RISK);
	uint64_t mask = 0;

	if (is_any_name(text, len))
		return UINT64_MAX;
	for (uint16_t i = 1; i <= n && i <= NAMES_RISKS_MAX; i++)
		if (is_whole(names_text(s->names, NAME_RISK, i), text, len))
			mask |= UINT64_C(1) << (i - 1);
	return mask;
}

/* TENANT_PLATFORM where there is none of the name: no row is the platform's. */
static uint32_t
tenant_number(const struct store *s, const char *text, size_t len)
{
	const struct snapshot *policy = grants_policy(s->grants);

	if (text_equal(text, len, "unassigned", 10))
		return TENANT_UNASSIGNED;
	for (size_t i = 0; policy != NULL && i < snapshot_tenants(policy); i++)
		if (is_whole(snapshot_tenant_at(policy, i)->name, text, len))
			return snapshot_tenant_at(policy, i)->number;
	return TENANT_PLATFORM;
}

/* --- binding --- */

static bool
needs_set(const struct filter_test *t)
{
	return t->field == FILTER_APPLICATION || t->field == FILTER_CATEGORY || t->field == FILTER_INTERFACE;
}

static void
bind_test(struct filter *f, struct filter_test *t)
{
	const char *text = f->text + t->text_at;

	if (needs_set(t)) {
		struct number_set *set = &f->set[f->nsets++];

		t->reserved = f->nsets;
		if (t->field == FILTER_APPLICATION)
			set_names(f->s, set, NAME_APPLICATION, text, t->text_len, has_part);
		else if (t->field == FILTER_CATEGORY)
			set_names(f->s, set, NAME_CATEGORY, text, t->text_len, is_whole);
		else
			set_points(f->s, set, text, t->text_len);
	} else if (t->field == FILTER_RISK) {
		t->number = risk_mask(f->s, text, t->text_len);
	} else if (t->field == FILTER_TENANT) {
		t->number = tenant_number(f->s, text, t->text_len);
	}
}

struct filter *
filter_bind(struct store *s, const struct filter_program *p)
{
	struct filter *f = mem_calloc(1, sizeof(*f));
	uint32_t sets = 0;

	f->s = s;
	f->ntests = p->head.ntests;
	f->test = mem_calloc(f->ntests, sizeof(*f->test));
	memcpy(f->test, p->test, f->ntests * sizeof(*f->test));
	f->text = mem_calloc(1, p->head.text_len + 1);
	memcpy(f->text, p->text, p->head.text_len);
	for (uint32_t i = 0; i < f->ntests; i++)
		sets += needs_set(&f->test[i]);
	f->set = mem_calloc(sets == 0 ? 1 : sets, sizeof(*f->set));
	for (uint32_t i = 0; i < f->ntests; i++)
		bind_test(f, &f->test[i]);
	return f;
}

void
filter_free(struct filter **fp)
{
	struct filter *f = *fp;

	if (f == NULL)
		return;
	free(f->test);
	free(f->text);
	free(f->set);
	free(f);
	*fp = NULL;
}

/* --- one flow --- */

/* Either end, or the one that is named. */
static bool
compares_ends(const struct filter_test *t, uint64_t client, uint64_t server)
{
	return (t->end != FILTER_SERVER && filter_compares(t, client)) ||
	       (t->end != FILTER_CLIENT && filter_compares(t, server));
}

/* Both directions together, or the one that is named. */
static bool
compares_sum(const struct filter_test *t, uint64_t sent, uint64_t received)
{
	uint64_t v = (t->end != FILTER_SERVER ? sent : 0) + (t->end != FILTER_CLIENT ? received : 0);

	return filter_compares(t, v);
}

static uint64_t
duration_ms(const struct rec_flow *r)
{
	return r->last_ns > r->slice_ns ? (uint64_t)(r->last_ns - r->slice_ns) / NS_PER_MS : 0;
}

/* Of a flow of a single moment: as if it had taken a millisecond. */
static uint64_t
per_second(uint64_t n, const struct rec_flow *r)
{
	uint64_t ms = duration_ms(r), product;

	if (__builtin_mul_overflow(n, UINT64_C(1000), &product))
		return UINT64_MAX;
	return product / (ms == 0 ? 1 : ms);
}

static uint64_t
as_of(const struct filter *f, const struct rec_flow *r, enum side side)
{
	return r->as_number[side] != 0 ? r->as_number[side]
				       : places_look(f->s->places, &r->ip[side]).as_number;
}

static bool
in_country(const struct filter *f, const struct filter_test *t, const struct rec_flow *r, enum side side)
{
	struct place_short place = places_look(f->s->places, &r->ip[side]);

	return place.country[0] != '\0' &&
	       text_equal(place.country, sizeof(place.country), f->text + t->text_at, t->text_len);
}

bool
filter_in_domain(const struct filter *f, const struct filter_test *t, const char *name, size_t len)
{
	const char *text = f->text + t->text_at;

	if (text_equal(name, len, text, t->text_len))
		return true;
	return len > t->text_len && name[len - t->text_len - 1] == '.' &&
	       strncasecmp(name + len - t->text_len, text, t->text_len) == 0;
}

static bool
has_vlan(const struct filter_test *t, const struct rec_flow *r)
{
	for (size_t i = 0; i < FLOW_VLANS; i++)
		if ((i == 0 || r->vlan[i] != 0) && filter_compares(t, r->vlan[i]))
			return true;
	return false;
}

static bool
has_flags(const struct filter_test *t, const struct rec_flow *r)
{
	unsigned seen = (t->end != FILTER_SERVER ? r->tcp.flags[CLIENT] : 0u) |
			(t->end != FILTER_CLIENT ? r->tcp.flags[SERVER] : 0u);

	return (seen & t->number) != 0;
}

/* What is of each end. */
static bool
holds_of_ends(const struct filter *f, const struct filter_test *t, const struct rec_flow *r)
{
	switch ((enum filter_field)t->field) {
	case FILTER_ADDRESS:
		return (t->end != FILTER_SERVER && filter_within(t, &r->ip[CLIENT])) ||
		       (t->end != FILTER_CLIENT && filter_within(t, &r->ip[SERVER]));
	case FILTER_PORT:
		return compares_ends(t, r->port[CLIENT], r->port[SERVER]);
	case FILTER_MAC:
		return compares_ends(t, filter_mac_number(r->mac[CLIENT]), filter_mac_number(r->mac[SERVER]));
	case FILTER_AS:
		return (t->end != FILTER_SERVER && filter_compares(t, as_of(f, r, CLIENT))) ||
		       (t->end != FILTER_CLIENT && filter_compares(t, as_of(f, r, SERVER)));
	case FILTER_COUNTRY:
		return (t->end != FILTER_SERVER && in_country(f, t, r, CLIENT)) ||
		       (t->end != FILTER_CLIENT && in_country(f, t, r, SERVER));
	case FILTER_FLAGS:
		return has_flags(t, r);
	case FILTER_DSCP:
		return compares_ends(t, r->dscp[CLIENT], r->dscp[SERVER]);
	case FILTER_TTL: /* what is less than a bound is so at its lowest, what is more at its highest */
		if (t->compare == FILTER_MORE)
			return compares_ends(t, r->ttl_max[CLIENT], r->ttl_max[SERVER]);
		return compares_ends(t, r->ttl_min[CLIENT], r->ttl_min[SERVER]) ||
		       (t->compare == FILTER_EQUAL &&
			compares_ends(t, r->ttl_max[CLIENT], r->ttl_max[SERVER]));
	default:
		return false;
	}
}

/* What is of each direction. */
static bool
holds_of_sums(const struct filter_test *t, const struct rec_flow *r)
{
	switch ((enum filter_field)t->field) {
	case FILTER_BYTES:
		return compares_sum(t, r->count.bytes[CLIENT], r->count.bytes[SERVER]);
	case FILTER_PACKETS:
		return compares_sum(t, r->count.packets[CLIENT], r->count.packets[SERVER]);
	case FILTER_GOODPUT:
		return compares_sum(t, r->count.payload[CLIENT], r->count.payload[SERVER]);
	case FILTER_RETRANSMISSIONS:
		return compares_sum(t, r->tcp.retransmissions[CLIENT], r->tcp.retransmissions[SERVER]);
	default:
		return false;
	}
}

static uint64_t
bytes_of(const struct rec_flow *r)
{
	return r->count.bytes[CLIENT] + r->count.bytes[SERVER];
}

static uint64_t
packets_of(const struct rec_flow *r)
{
	return r->count.packets[CLIENT] + r->count.packets[SERVER];
}

/* Bits, or as many as a number can say. */
static uint64_t
bits_of(const struct rec_flow *r)
{
	uint64_t bits;

	return __builtin_mul_overflow(bytes_of(r), UINT64_C(8), &bits) ? UINT64_MAX : bits;
}

static bool
is_icmp(const struct rec_flow *r)
{
	return r->protocol == 1 || r->protocol == 58;
}

/* What the flow has one of. */
static bool
holds_of_flow(const struct filter *f, const struct filter_test *t, const struct filter_flow *flow)
{
	const struct rec_flow *r = flow->f;

	switch ((enum filter_field)t->field) {
	case FILTER_ANY:
		return true;
	case FILTER_PROTOCOL:
		return r->protocol == t->number;
	case FILTER_FAMILY:
		return filter_compares(t, ip_is_v4(&r->ip[CLIENT]) ? 4 : 6);
	case FILTER_DURATION:
		return filter_compares(t, duration_ms(r));
	case FILTER_BPS:
		return filter_compares(t, per_second(bits_of(r), r));
	case FILTER_PPS:
		return filter_compares(t, per_second(packets_of(r), r));
	case FILTER_BPP:
		return packets_of(r) != 0 && filter_compares(t, bytes_of(r) / packets_of(r));
	case FILTER_LATENCY:
		return r->latency_us != 0 && filter_compares(t, r->latency_us / 1000);
	case FILTER_ICMP_TYPE:
		return is_icmp(r) && filter_compares(t, r->icmp_type);
	case FILTER_ICMP_CODE:
		return is_icmp(r) && filter_compares(t, r->icmp_code);
	case FILTER_VLAN:
		return has_vlan(t, r);
	case FILTER_INTERFACE:
		return number_set_has(&f->set[t->reserved - 1], points_index(&f->s->points, r->point));
	case FILTER_IN_INTERFACE:
		return filter_compares(t, r->in_interface);
	case FILTER_OUT_INTERFACE:
		return filter_compares(t, r->out_interface);
	case FILTER_EXPORTER:
		return filter_within(t, &r->exporter);
	case FILTER_NEXT_HOP:
		return filter_within(t, &r->next_hop);
	case FILTER_APPLICATION:
		return number_set_has(&f->set[t->reserved - 1], r->application);
	case FILTER_CATEGORY:
		return number_set_has(&f->set[t->reserved - 1], r->category);
	case FILTER_SNI:
		return filter_in_domain(f, t, flow->server_name, r->server_name_len);
	case FILTER_RISK:
		return (r->risks & t->number) != 0;
	case FILTER_SCORE:
		return filter_compares(t, r->score);
	case FILTER_STATE:
		return r->state == t->number;
	case FILTER_END_REASON:
		return r->end_reason == t->number;
	case FILTER_BREED:
		return r->breed == t->number;
	case FILTER_TENANT:
		return t->number != TENANT_PLATFORM && flow->tenant == t->number;
	default:
		return false;
	}
}

bool
filter_holds(const struct filter *f, const struct filter_test *t, const struct filter_flow *flow)
{
	switch ((enum filter_ends)filter_fields[t->field].ends) {
	case FILTER_ENDS:
		return holds_of_ends(f, t, flow->f);
	case FILTER_SUM:
		return holds_of_sums(t, flow->f);
	default:
		return holds_of_flow(f, t, flow);
	}
}

bool
filter_passes(const struct filter *f, const struct filter_flow *flow)
{
	uint16_t at = 0;

	while (at < f->ntests)
		at = filter_holds(f, &f->test[at], flow) ? f->test[at].pass : f->test[at].fail;
	return at == FILTER_ACCEPT;
}

/* --- what it asks --- */

bool
filter_asks_where(const struct filter_program *p)
{
	for (uint32_t i = 0; i < p->head.ntests; i++)
		if (p->test[i].field == FILTER_AS || p->test[i].field == FILTER_COUNTRY ||
		    p->test[i].field == FILTER_NEXT_HOP)
			return true;
	return false;
}
