/* Judges a question, then its grant, then calls the handler of its kind. */
#include "ask.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "filter.h"
#include "mask.h"
#include "parked.h"

/* --- judging
 * --------------------------------------------------------------------------------------------------------------
 */

static const struct {
	ask_handler *handler;
	enum row_kind row;
	enum action action;
	bool pages;   /* its cursors come from ask_end_page */
	bool of_part; /* it tells a grant that sees a part of its tenant nothing of the rest */
	bool sums;    /* who may read no more than metrics may ask it too */
} kinds[ASK_KIND_COUNT] = {
	[ASK_POINTS] = { ask_points, ROW_POINT, ACTION_READ_TRAFFIC, false, true, true },
	[ASK_HOSTS] = { ask_hosts, ROW_HOST, ACTION_READ_TRAFFIC, true, true, false },
	[ASK_HOST] = { ask_host, ROW_HOST, ACTION_READ_TRAFFIC, false, true, false },
	[ASK_FLOWS] = { ask_live_flows, ROW_FLOW, ACTION_READ_TRAFFIC, true, true, false },
	[ASK_FLOW] = { ask_flow, ROW_FLOW, ACTION_READ_TRAFFIC, false, true, false },
	[ASK_APPLICATIONS] = { ask_applications, ROW_APPLICATION, ACTION_READ_TRAFFIC, true, true, false },
	[ASK_SERIES] = { ask_series, ROW_SERIES, ACTION_READ_TRAFFIC, true, true, false },
	[ASK_TOTALS] = { ask_totals, ROW_TOTALS, ACTION_READ_TRAFFIC, false, true, true },
	[ASK_COUNTERS] = { ask_counters, ROW_COUNTER, ACTION_READ_TRAFFIC, false, true, true },
	[ASK_COMPONENTS] = { ask_components, ROW_COMPONENT, ACTION_READ_HEALTH, false, true, true },
	[ASK_DEVICES] = { ask_devices, ROW_DEVICE, ACTION_READ_TRAFFIC, true, true, false },
	[ASK_GROUPS] = { ask_groups, ROW_GROUP, ACTION_READ_TRAFFIC, false, true, false },
	[ASK_SERIES_LIST] = { ask_series_list, ROW_SERIES_OF, ACTION_READ_TRAFFIC, true, true, false },
	[ASK_RECENT] = { ask_recent, ROW_FLOW_EVENT, ACTION_READ_TRAFFIC, true, true, false },
};

#define LIMIT_DEFAULT 100u

static bool
well_formed(const struct wire_question *q, size_t len)
{
	if (q->kind == 0 || q->kind >= ASK_KIND_COUNT || q->limit > TOPK_MAX || q->sort >= SORT_KEY_COUNT ||
	    q->ascending > 1)
		return false;
	if (q->grant_len > len - sizeof(*q) || q->filter_len != len - sizeof(*q) - q->grant_len ||
	    (q->filter_len > 0 && q->kind != ASK_FLOWS && q->kind != ASK_GROUPS && q->kind != ASK_RECENT) ||
	    q->cursor_len > CURSOR_MAX || q->key_len > sizeof(q->key) || q->has_ip > 1)
		return false;
	if (q->from_ns < 0 || q->to_ns < 0 || (q->to_ns != 0 && q->to_ns < q->from_ns))
		return false;
	if (q->percent > 100 || (q->percent != 0 && q->resolution_s < 60) ||
	    (q->resolution_s > 1 && (q->resolution_s % 60 != 0 || q->resolution_s > 86400)))
		return false;
	if ((q->kind == ASK_SERIES || q->kind == ASK_SERIES_LIST) &&
	    (q->subject == 0 || q->subject >= SERIES_SUBJECT_COUNT))
		return false;
	if (q->kind == ASK_GROUPS && !ask_groups_sane(q, q->limit == 0 ? LIMIT_DEFAULT : q->limit))
		return false;
	return q->cursor_len == 0 || kinds[q->kind].pages;
}

/* What belongs to a tenant is judged as its own; a grant that spans all has to reach everybody's. */
static bool
allowed(const struct grant *g, enum question_kind kind)
{
	uint32_t whose = g->tenant == TENANT_PLATFORM ? TENANT_UNASSIGNED : g->tenant;

	if (kind == ASK_COUNTERS && policy_decide_tenant(g, ACTION_READ_PLATFORM, TENANT_PLATFORM))
		return true;
	if (kind == ASK_COMPONENTS)
		whose = TENANT_PLATFORM;
	return policy_decide_tenant(g, kinds[kind].action, whose) ||
	       (kinds[kind].sums && policy_decide_tenant(g, ACTION_READ_METRICS, whose));
}

/* What httpd compiled is judged as anything of its; a masked view may not ask where in the world an end is.
 */
static bool
take_filter(struct store *s, struct question *a, const uint8_t *bytes)
{
	AUTO(mem_drop) struct filter_program *p = NULL;

	if (a->q.filter_len == 0)
		return true;
	p = mem_calloc(1, sizeof(*p));
	if (!filter_decode(bytes, a->q.filter_len, p) || (a->v.masked && filter_asks_where(p)))
		return false;
	a->filter = filter_bind(s, p);
	return true;
}

static enum answer_status
admit(struct store *s, const struct asker *who, struct question *a, const uint8_t *grant)
{
	struct grant g;
	enum answer_status status = grants_check(s->grants, grant, a->q.grant_len, who->proc, who->instance,
						 s->now_ns, s->now_boot_ns, &g);

	if (status != ANSWER_OK)
		return status;
	if (!allowed(&g, (enum question_kind)a->q.kind))
		return ANSWER_NOT_GRANTED;
	view_make(s, &g, &a->v);
	if (a->v.nnarrowed > 0 && !kinds[a->q.kind].of_part)
		return ANSWER_NARROWED;
	if (!take_filter(s, a, grant + a->q.grant_len))
		return ANSWER_BAD_QUESTION;
	if (a->q.cursor_len == 0)
		return ANSWER_OK;
	a->has_page = page_open(s->cursor_key, a->v.tenant, a->q.cursor, a->q.cursor_len, &a->page) &&
		      a->page.sort == a->q.sort && a->page.ascending == a->q.ascending;
	return a->has_page ? ANSWER_OK : ANSWER_BAD_QUESTION;
}

static void
park(struct store *s, struct question *a, const struct asker *who, const void *body, size_t len,
     int64_t deadline_ns)
{
	enum answer_status status = s->now_boot_ns >= deadline_ns ? ANSWER_TIMEOUT : ANSWER_BUSY;

	if (status == ANSWER_BUSY && parked_add(s, who, a->v.tenant, body, len, deadline_ns))
		return;
	s->counters.n[OWN_QUESTIONS_REFUSED]++;
	answer_end(&a->out, status, NULL, 0);
}

/* Clearing the room for an answer took as long as all else of a short question. answer.c sends what it has
 * put there, without gaps, and nothing behind it. */
static struct question *
question_new(void)
{
	struct question *a = mem_reallocarray(NULL, 1, sizeof(*a));

	memset(a, 0, offsetof(struct question, out.buf));
	return a;
}

void
ask(struct store *s, const struct asker *who, const void *body, size_t len)
{
	store_clock(s);
	ask_again(s, who, body, len, s->now_boot_ns + PARKED_FOR_NS);
}

void
ask_again(struct store *s, const struct asker *who, const void *body, size_t len, int64_t deadline_ns)
{
	struct question *a = question_new();
	enum answer_status status = ANSWER_BAD_QUESTION;

	a->holds = 1;
	a->ready = who->ready;
	store_clock(s);
	if (len >= sizeof(a->q))
		memcpy(&a->q, body, sizeof(a->q));

	bool good = len >= sizeof(a->q) && well_formed(&a->q, len);

	a->limit = a->q.limit == 0 ? LIMIT_DEFAULT : a->q.limit;
	if (good)
		status = admit(s, who, a, (const uint8_t *)body + sizeof(a->q));
	answer_begin(&a->out, who->emit, who->ctx, a->q.request, good ? kinds[a->q.kind].row : ROW_NONE,
		     status == ANSWER_OK ? a->v.now_ns : s->now_ns);
	if (status != ANSWER_OK) {
		s->counters.n[OWN_QUESTIONS_REFUSED]++;
		answer_end(&a->out, status, NULL, 0);
	} else if (a->q.kind == ASK_FLOWS && a->q.has_ip != 0 && mask_hides(&a->v, &a->q.ip)) {
		/* There is nobody of this address; how long it took to find that out would tell otherwise. */
		ask_end(a);
	} else if (a->q.kind == ASK_FLOWS && (a->q.from_ns != 0 || a->q.to_ns != 0)) {
		ask_kept_flows(s, a);
	} else {
		kinds[a->q.kind].handler(s, a);
	}
	if (a->park)
		park(s, a, who, body, len, deadline_ns);
	question_drop(&a);
}

struct question *
question_hold(struct question *a)
{
	a->holds++;
	return a;
}

void
question_drop(struct question **ap)
{
	struct question *a = *ap;

	*ap = NULL;
	if (--a->holds > 0)
		return;
	filter_free(&a->filter);
	view_end(&a->v);
	free(a);
}

/* --- shared
 * ------------------------------------------------------------------------------------------------------------------
 */

void
ask_end(struct question *a)
{
	answer_end(&a->out, ANSWER_OK, NULL, 0);
}

void
ask_history_end(struct question *a, enum db_status status)
{
	answer_end(&a->out, status == DB_OK ? ANSWER_OK : ANSWER_HISTORY_DOWN, NULL, 0);
}

void
ask_end_page(struct store *s, struct question *a, uint32_t kind, const struct topk_entry *at)
{
	struct page p = {
		.kind = kind, .sort = (uint16_t)a->q.sort, .ascending = (uint16_t)a->q.ascending, .at = *at
	};
	uint8_t cursor[PAGE_LEN];

	page_seal(s->cursor_key, a->v.tenant, &p, cursor);
	answer_end(&a->out, ANSWER_OK, cursor, sizeof(cursor));
}

static const char unknown_name[] = "Unknown";

bool
ask_application(struct store *s, const struct question *a, uint16_t *number)
{
	size_t len = strnlen(a->q.key, a->q.key_len);

	*number = names_find(s->names, NAME_APPLICATION, a->q.key, len);
	return *number != 0 || (len == sizeof(unknown_name) - 1 && memcmp(a->q.key, unknown_name, len) == 0);
}

const char *
ask_application_name(struct store *s, uint16_t number)
{
	return number == 0 ? unknown_name : names_text(s->names, NAME_APPLICATION, number);
}

/* A filter sees what the viewer does. */
static bool
passes_filter(const struct question *a, const struct rec_flow *f, const char *server_name, uint32_t tenant)
{
	struct rec_flow shown = *f;
	bool hidden[2];

	mask_flow(&a->v, &shown, hidden);
	return filter_passes(
	    a->filter, &(struct filter_flow){ &shown, server_name, a->v.platform ? tenant : a->v.tenant });
}

bool
ask_wants_flow(const struct question *a, const struct rec_flow *f, const char *server_name, uint32_t tenant,
	       bool has_application, uint16_t application)
{
	const struct wire_question *q = &a->q;

	if (q->point != ANY_POINT && f->point != q->point)
		return false;
	if (q->has_ip != 0 && !ip_equal(&f->ip[CLIENT], &q->ip) && !ip_equal(&f->ip[SERVER], &q->ip))
		return false;
	if (has_application && f->application != application)
		return false;
	return a->filter == NULL || passes_filter(a, f, server_name, tenant);
}

void
ask_list_add(struct wcur *c, const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n + 1 > (size_t)(c->end - c->p))
		return;
	if (wcur_len(c) > 0)
		wcur_u8(c, ',');
	wcur_put(c, name, n);
}

size_t
ask_risks(struct store *s, uint64_t risks, char *out, size_t size)
{
	struct wcur c = wcur_of(out, size);

	for (; risks != 0; risks &= risks - 1)
		ask_list_add(&c, names_text(s->names, NAME_RISK, (uint16_t)(__builtin_ctzll(risks) + 1)));
	return wcur_len(&c);
}

/* The surest name of a flow's end, as the tenant knows it. Who sees a part of the tenant does not: a packet
 * of another part may have told it. */
static struct known_name
end_name(struct store *s, const struct view *v, uint32_t tenant, const struct rec_flow *f, enum side side)
{
	struct host_key key = { v->platform ? tenant : v->tenant, f->space, f->ip[side], f->vlan[0] };
	const struct known *k =
	    v->nnarrowed > 0 || mask_hides(v, &f->ip[side]) ? NULL : known_find(s->known, &key);

	return k == NULL || k->nnames == 0 ? (struct known_name){ 0, 0, NULL } : k->name[0];
}

static struct row_flow
flow_row(const struct question *a, const struct rec_flow *f, const uint64_t *rate)
{
	struct row_flow r = { .flow = *f, .live = rate != NULL };
	bool hidden[2];

	mask_flow(&a->v, &r.flow, hidden);
	r.masked[CLIENT] = hidden[CLIENT];
	r.masked[SERVER] = hidden[SERVER];
	r.server_name_len = r.flow.server_name_len;
	r.info_len = r.flow.info_len;
	r.attributes_len = r.flow.attributes_len;
	r.flow.id = flow_id_veil(&a->v.id, &f->id);
	r.flow.slot = r.flow.generation = 0;
	r.flow.application = r.flow.category = 0;
	r.flow.risks = 0;
	r.flow.server_name_len = r.flow.info_len = r.flow.attributes_len = 0;
	r.flow.reserved1 = 0;
	memset(r.flow.reserved2, 0, sizeof(r.flow.reserved2));
	r.flow.tcp.reserved = 0;
	if (rate != NULL)
		memcpy(r.bytes_per_s, rate, sizeof(r.bytes_per_s));
	return r;
}

/* event: what stands behind the row; NULL: nothing. */
static void
put_flow(struct store *s, struct question *a, uint32_t tenant, const struct rec_flow *f,
	 const struct flow_texts *texts, const uint64_t *rate, struct row_flow_event *event)
{
	uint32_t point = points_index(&s->points, f->point);
	const struct known_name end[2] = { end_name(s, &a->v, tenant, f, CLIENT),
					   end_name(s, &a->v, tenant, f, SERVER) };
	const char *application = ask_application_name(s, f->application),
		   *category = names_text(s->names, NAME_CATEGORY, f->category);
	char risks[RISKS_TEXT_MAX];
	struct row_flow r = flow_row(a, f, rate);
	const char *name = point == POINT_NONE ? "" : s->points.point[point].boot->name;

	r.application_len = f->application == 0 && rate != NULL ? 0 : (uint16_t)strlen(application);
	r.category_len = (uint16_t)strlen(category);
	r.risks_len = (uint16_t)ask_risks(s, f->risks, risks, sizeof(risks));
	r.client_name_len = end[CLIENT].len;
	r.server_host_len = end[SERVER].len;
	r.point_len = (uint16_t)strlen(name);
	answer_row(&a->out);
	if (event == NULL) {
		answer_put(&a->out, &r, sizeof(r));
	} else {
		event->flow = r;
		answer_put(&a->out, event, sizeof(*event));
	}
	answer_put(&a->out, application, r.application_len);
	answer_put(&a->out, category, r.category_len);
	answer_put(&a->out, texts->server_name, r.server_name_len);
	answer_put(&a->out, texts->info, r.info_len);
	answer_put(&a->out, risks, r.risks_len);
	answer_put(&a->out, end[CLIENT].text, r.client_name_len);
	answer_put(&a->out, end[SERVER].text, r.server_host_len);
	answer_put(&a->out, name, r.point_len);
	answer_put(&a->out, texts->attributes, r.attributes_len);
	answer_row_end(&a->out);
}

void
ask_put_flow(struct store *s, struct question *a, uint32_t tenant, const struct rec_flow *f,
	     const struct flow_texts *texts, const uint64_t *rate)
{
	put_flow(s, a, tenant, f, texts, rate, NULL);
}

void
ask_put_flow_event(struct store *s, struct question *a, enum flow_event what, uint32_t tenant,
		   const struct rec_flow *f, const struct flow_texts *texts, const uint64_t *rate)
{
	struct row_flow_event event = { .what = what };

	put_flow(s, a, tenant, f, texts, rate, &event);
}

void
ask_put_dropped(struct question *a, uint64_t n)
{
	/* They are the tenant's as a whole. */
	struct row_flow_event event = { .what = FLOW_DROPPED,
					.dropped = a->v.nnarrowed > 0 ? UINT64_MAX : n };

	answer_row(&a->out);
	answer_put(&a->out, &event, sizeof(event));
	answer_row_end(&a->out);
}
