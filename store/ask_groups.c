/* Questions about kept flows in groups: top talkers by any dimension and measure, and their course. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "groups.h"

/* --- judging
 * -------------------------------------------------------------------------------------------------------------
 */

static bool
dimensions_sane(const struct wire_grouping *by)
{
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX; i++) {
		if (by->dimension[i] >= DIMENSION_COUNT)
			return false;
		for (unsigned k = 0; k < i; k++)
			if (by->dimension[i] != DIMENSION_NONE &&
			    (by->dimension[k] == DIMENSION_NONE || by->dimension[k] == by->dimension[i]))
				return false;
	}
	return true;
}

bool
ask_groups_sane(const struct wire_question *q, uint32_t limit)
{
	const struct wire_grouping *by = &q->grouping;
	uint32_t buckets = groups_buckets(q->from_ns, q->to_ns, by->bucket_s);

	if (!dimensions_sane(by) || by->bits_v4 > 32 || by->bits_v6 > 128 || by->reserved != 0 ||
	    by->measure >= MEASURE_COUNT || by->measures >= MEASURE_BIT(MEASURE_COUNT))
		return false;
	return by->bucket_s == 0 || (buckets > 0 && (uint64_t)buckets * limit <= GROUP_CELLS_MAX);
}

/* Whose the flows are is for those who see all; where an end is in the world, not for those it is hidden
 * from. */
static bool
may_group(const struct question *a)
{
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX; i++) {
		uint8_t d = a->q.grouping.dimension[i];

		if ((d == DIMENSION_TENANT && !a->v.platform) || (dimension_rows[d].refused && a->v.masked))
			return false;
	}
	return true;
}

/* --- names
 * ---------------------------------------------------------------------------------------------------------------
 */

static enum name_kind
kind_of(uint8_t dimension)
{
	return dimension == DIMENSION_APPLICATION ? NAME_APPLICATION
	       : dimension == DIMENSION_CATEGORY  ? NAME_CATEGORY
	       : dimension == DIMENSION_RISK      ? NAME_RISK
						  : 0;
}

/* As they are now, in memory of its own: flows are grouped while names come. */
static void
copy_names(struct store *s, enum name_kind kind, const char (**to)[NAME_TEXT_MAX + 1], uint32_t *n)
{
	uint16_t count = names_count(s->names, kind);
	char(*text)[NAME_TEXT_MAX + 1] = mem_calloc(count + 1u, sizeof(*text));

	if (kind == NAME_APPLICATION)
		(void)str_copy(text[0], sizeof(text[0]), ask_application_name(s, 0));
	for (uint16_t i = 1; i <= count; i++)
		(void)str_copy(text[i], sizeof(text[i]), names_text(s->names, kind, i));
	*to = (const char(*)[NAME_TEXT_MAX + 1]) text;
	*n = count + 1u;
}

static const char *
tenant_name(const struct store *s, uint64_t number)
{
	const struct tenant *t = snapshot_tenant(grants_policy(s->grants), (uint32_t)number);

	return number == TENANT_UNASSIGNED ? "unassigned" : t == NULL ? "" : t->name;
}

static const char *
point_name(const struct store *s, uint64_t id)
{
	uint32_t point = points_index(&s->points, (uint32_t)id);

	return point == POINT_NONE ? "" : s->points.point[point].boot->name;
}

/* The text of a key, its length in k. Numbers of the dictionary are nobody's business. */
static const char *
key_text(struct store *s, const struct view *v, struct group_key *k, const char *server_name,
	 char country[static 3])
{
	const char *text = "";
	uint8_t len;

	switch ((enum dimension)k->dimension) {
	case DIMENSION_SERVER_NAME:
		return server_name;
	case DIMENSION_APPLICATION:
		text = ask_application_name(s, (uint16_t)k->number);
		break;
	case DIMENSION_CATEGORY:
	case DIMENSION_RISK:
		text = names_text(s->names, kind_of(k->dimension), (uint16_t)k->number);
		break;
	case DIMENSION_COUNTRY:
	case DIMENSION_CLIENT_COUNTRY:
	case DIMENSION_SERVER_COUNTRY:
		country[0] = (char)(k->number >> 8);
		country[1] = (char)k->number;
		country[2] = '\0';
		text = country;
		break;
	case DIMENSION_AS:
	case DIMENSION_CLIENT_AS:
	case DIMENSION_SERVER_AS:
		text = ask_as_name(s, v, (uint32_t)k->number, &len);
		k->text_len = len;
		return text;
	case DIMENSION_INTERFACE:
		text = point_name(s, k->number);
		break;
	case DIMENSION_TENANT:
		text = tenant_name(s, k->number);
		break;
	default:
		break;
	}
	if (dimension_rows[k->dimension].type == DIMENSION_TYPE_NAME)
		k->number = 0;
	k->text_len = (uint16_t)strlen(text);
	return text;
}

/* --- rows
 * ----------------------------------------------------------------------------------------------------------------
 */

static void
put_buckets(struct question *a, const struct groups *g, const uint64_t *bucket)
{
	for (uint32_t i = 0; bucket != NULL && i < g->nbuckets; i++) {
		const struct group_bucket b = { g->first_ns + (int64_t)i * a->q.grouping.bucket_s * NS_PER_S,
						bucket[i] };

		if (b.value != 0)
			answer_put(&a->out, &b, sizeof(b));
	}
}

static void
put_row(struct store *s, struct question *a, const struct groups *g, enum group_what what,
	const struct group_sum *sum, const struct group *group)
{
	const uint32_t measures = a->q.grouping.measures | MEASURE_BIT(a->q.grouping.measure);
	struct row_group r = { .what = what, .measures = (uint16_t)measures, .groups = sum->groups };
	const char *text[GROUP_DIMENSIONS_MAX] = { NULL };
	char country[GROUP_DIMENSIONS_MAX][3];
	uint32_t buckets = 0;

	for (uint32_t i = 0; sum->bucket != NULL && i < g->nbuckets; i++)
		buckets += sum->bucket[i] != 0;
	r.buckets_len = (uint16_t)(buckets * sizeof(struct group_bucket));
	for (unsigned i = 0; i < MEASURE_COUNT; i++)
		r.value[i] = measures & MEASURE_BIT(i) ? sum->value[i] : 0;
	for (unsigned i = 0; group != NULL && i < GROUP_DIMENSIONS_MAX; i++) {
		r.key[i] = group->key[i];
		text[i] = key_text(s, &a->v, &r.key[i], group->name, country[i]);
	}
	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX; i++)
		answer_put(&a->out, text[i], r.key[i].text_len);
	put_buckets(a, g, sum->bucket);
	answer_row_end(&a->out);
}

static void
put_groups(struct store *s, struct question *a, const struct groups *g)
{
	put_row(s, a, g, GROUP_ALL, &g->all, NULL);
	for (uint32_t i = 0; i < g->n; i++)
		put_row(s, a, g, GROUP_ONE, &g->group[i].sum, &g->group[i]);
	put_row(s, a, g, GROUP_REST, &g->rest, NULL);
	ask_end(a);
}

/* --- beside the loop
 * ------------------------------------------------------------------------------------------------------------
 */

struct grouping {
	struct group_query q;
	struct groups g;
	enum groups_end end;
	enum db_status status;
};

static void
find_groups(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct grouping *w = ctx;

	(void)a;
	(void)j; /* f has it */
	w->end = history_groups(f, &w->q, &w->g, &w->status);
}

static void
answer_groups(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct grouping *w = ctx;

	if (end != JOB_DONE)
		ask_stopped(s, a, end);
	else if (w->end == GROUPS_DONE)
		put_groups(s, a, &w->g);
	else
		answer_end(&a->out, ANSWER_HISTORY_DOWN, NULL, 0);
}

static void
drop_groups(void *ctx)
{
	struct grouping *w = ctx;

	groups_free(&w->g);
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX; i++)
		free((void *)(uintptr_t)w->q.name[i]);
	free(w);
}

void
ask_groups(struct store *s, struct question *a)
{
	static const struct ask_work work = { JOB_HISTORY, find_groups, answer_groups, drop_groups };
	struct grouping *w;

	if (!may_group(a)) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	w = mem_calloc(1, sizeof(*w));
	w->q = (struct group_query){ .view = &a->v,
				     .filter = a->filter,
				     .point = a->q.point,
				     .from_ns = a->q.from_ns > a->v.since_ns ? a->q.from_ns : a->v.since_ns,
				     .to_ns = a->q.to_ns == 0 ? INT64_MAX : a->q.to_ns,
				     .by = a->q.grouping,
				     .limit = a->limit,
				     .ascending = a->q.ascending != 0,
				     .memory = (size_t)s->boot->settings.query_memory };
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX; i++)
		if (kind_of(w->q.by.dimension[i]) != 0)
			copy_names(s, kind_of(w->q.by.dimension[i]), &w->q.name[i], &w->q.nnames[i]);
	ask_work(s, a, &work, w);
}
