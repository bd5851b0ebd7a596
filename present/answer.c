/* Takes an answer of store's apart; store is judged like any other peer. */
#include "present/present.h"

#include <string.h>

#include "base/mem.h"
#include "ipc/attribute.h"

/* What a row of each kind consists of: its structure, and where in it the lengths of its strings stand. */
struct layout {
	size_t size;
	size_t texts;
	size_t at[ROW_TEXTS_MAX];
};

static_assert(offsetof(struct row_flow_event, flow) == 0, "FLOW holds for both");

#define HOST(f)        offsetof(struct row_host, f)
#define FLOW(f)        offsetof(struct row_flow, f) /* as in a row_flow_event, which begins with one */
#define DEVICE(f)      offsetof(struct row_device, f)
#define APPLICATION(f) offsetof(struct row_application, f)
#define COUNTER(f)     offsetof(struct row_counter, f)

#define GROUP_KEY(i)                                                                                         \
	(offsetof(struct row_group, key) + (i) * sizeof(struct group_key) +                                  \
	 offsetof(struct group_key, text_len))

static const struct layout layouts[ROW_KIND_COUNT] = {
	[ROW_POINT] = { sizeof(struct row_point), 0, { 0 } },
	[ROW_HOST] = { sizeof(struct row_host),
		       7,
		       { HOST(names_len), HOST(applications_len), HOST(risks_len), HOST(vendor_len),
			 HOST(as_name_len), HOST(city_len), HOST(os_len) } },
	[ROW_FLOW] = { sizeof(struct row_flow),
		       9,
		       { FLOW(application_len), FLOW(category_len), FLOW(server_name_len), FLOW(info_len),
			 FLOW(risks_len), FLOW(client_name_len), FLOW(server_host_len), FLOW(point_len),
			 FLOW(attributes_len) } },
	[ROW_FLOW_EVENT] = { sizeof(struct row_flow_event),
			     9,
			     { FLOW(application_len), FLOW(category_len), FLOW(server_name_len),
			       FLOW(info_len), FLOW(risks_len), FLOW(client_name_len), FLOW(server_host_len),
			       FLOW(point_len), FLOW(attributes_len) } },
	[ROW_APPLICATION] = { sizeof(struct row_application),
			      2,
			      { APPLICATION(name_len), APPLICATION(category_len) } },
	[ROW_SERIES] = { sizeof(struct row_series), 0, { 0 } },
	[ROW_SERIES_OF] = { sizeof(struct row_series_of),
			    2,
			    { offsetof(struct row_series_of, key_len),
			      offsetof(struct row_series_of, name_len) } },
	[ROW_TOTALS] = { sizeof(struct row_totals), 0, { 0 } },
	[ROW_COUNTER] = { sizeof(struct row_counter), 2, { COUNTER(name_len), COUNTER(point_len) } },
	[ROW_DEVICE] = { sizeof(struct row_device), 2, { DEVICE(vendor_len), DEVICE(point_len) } },
	[ROW_COMPONENT] = { sizeof(struct wire_component), 0, { 0 } },
	[ROW_GROUP] = { sizeof(struct row_group),
			4,
			{ GROUP_KEY(0), GROUP_KEY(1), GROUP_KEY(2),
			  offsetof(struct row_group, buckets_len) } },
};

bool
answer_open(struct answer *a, const void *body, size_t len)
{
	memset(a, 0, sizeof(*a));
	a->rows = rcur_of(body, len);
	if (!rcur_copy(&a->rows, &a->head, sizeof(a->head)))
		return false;
	if (a->head.row_kind >= ROW_KIND_COUNT || a->head.cursor_len > CURSOR_MAX)
		return false;
	if (a->head.nrows > 0 && a->head.row_kind == ROW_NONE)
		return false;
	a->left = a->head.nrows;
	return true;
}

/* Texts of fixed fields must end within them: what follows reads them as strings. */
static bool
texts_end(const struct row *r)
{
	if (r->kind == ROW_POINT)
		return memchr(r->point.name, 0, sizeof(r->point.name)) != NULL;
	if (r->kind == ROW_COMPONENT)
		return memchr(r->component.point, 0, sizeof(r->component.point)) != NULL &&
		       memchr(r->component.why, 0, sizeof(r->component.why)) != NULL;
	return true;
}

static bool
attributes_hold(const struct row *r)
{
	const struct row_text *t = &r->text[FLOW_TEXT_ATTRIBUTES];

	return (r->kind != ROW_FLOW && r->kind != ROW_FLOW_EVENT) || t->s == NULL ||
	       attributes_are_sane(t->s, t->len);
}

static bool
group_holds(const struct row *r)
{
	const struct row_group *g = &r->group;

	if (r->kind != ROW_GROUP)
		return true;
	for (size_t i = 0; i < GROUP_DIMENSIONS_MAX; i++)
		if (g->key[i].dimension >= DIMENSION_COUNT || g->key[i].bits > 128)
			return false;
	return g->what != 0 && g->what < GROUP_WHAT_COUNT &&
	       r->text[GROUP_TEXT_BUCKETS].len % sizeof(struct group_bucket) == 0;
}

static bool
event_holds(const struct row *r)
{
	return r->kind != ROW_FLOW_EVENT ||
	       (r->flow_event.what >= FLOW_OPENED && r->flow_event.what < FLOW_EVENT_COUNT);
}

int
answer_next(struct answer *a, struct row *r)
{
	const struct layout *l = &layouts[a->head.row_kind];
	uint32_t len = 0;
	struct rcur c;

	if (a->left == 0)
		return !a->rows.bad && rcur_left(&a->rows) == 0 ? 0 : -1;
	a->left--;
	memset(r, 0, sizeof(*r));
	r->kind = (enum row_kind)a->head.row_kind;
	if (!rcur_copy(&a->rows, &len, sizeof(len)))
		return -1;
	c = rcur_sub(&a->rows, len);
	if (!rcur_copy(&c, &r->point, l->size)) /* members of a union share their address */
		return -1;
	for (size_t i = 0; i < l->texts; i++) {
		uint16_t n;

		memcpy(&n, (const char *)&r->point + l->at[i], sizeof(n));
		r->text[i] = (struct row_text){ (const char *)rcur_take(&c, n), n };
	}
	return !c.bad && rcur_left(&c) == 0 && texts_end(r) && attributes_hold(r) && group_holds(r) &&
		       event_holds(r)
		   ? 1
		   : -1;
}
