/* Series of what is counted by the second. */
#include "subject_series.h"

#include "minutes.h"

/* A tenant that was deleted gets no further ones for what its flows still count. */
uint64_t
series_limit(const struct store *s, uint32_t tenant)
{
	const struct snapshot *policy = grants_policy(s->grants);
	const struct tenant *t;

	if (policy == NULL || tenant == TENANT_PLATFORM || tenant == TENANT_UNASSIGNED)
		return (uint64_t)s->boot->settings.tenant_series;
	t = snapshot_tenant(policy, tenant);
	if (t == NULL)
		return 0;
	return t->quota.series != 0 ? t->quota.series : (uint64_t)s->boot->settings.tenant_series;
}

static struct series_id
id_of(const struct subject *u)
{
	return (
	    struct series_id){ .tenant = u->key.tenant, .subject = u->key.subject, .number = u->key.number };
}

/* Of a tenant there is one, of points as many as are configured: they always have theirs. */
static bool
has_limit(const struct subject *u)
{
	return u->key.subject != SERIES_TENANT && u->key.subject != SERIES_POINT;
}

void
subject_admit(struct store *s, struct subject *u, struct batch *b)
{
	struct series_id id = id_of(u);
	uint64_t limit = has_limit(u) ? series_limit(s, id.tenant) : UINT64_MAX;
	bool kept = batch_fits_series(b) && series_book_use(s->book, &id, minutes_now(s), limit, b) != NULL;

	u->minute = minutes_now(s);
	u->refused = has_limit(u) && !kept;
	s->counters.n[OWN_SERIES_REFUSED] += u->refused;
}

/* The subject that has the tenant's (other). NULL: there is no room for it. */
static struct subject *
other_of(struct store *s, const struct subject *u, struct batch *b)
{
	struct series_key k = { u->key.tenant, u->key.subject, SERIES_OTHER };
	uint32_t i = subjects_get(s->subjects, &k);
	struct subject *o = i == SUBJECT_NONE ? NULL : subjects_at(s->subjects, i);

	if (o != NULL && o->minute != minutes_now(s))
		subject_admit(s, o, b);
	return o;
}

/* Its memory of the deltas that it has in this batch. */
static uint32_t *
delta_of(struct subject *u, const struct batch *b)
{
	if (u->delta_generation != b->generation) {
		u->delta_generation = b->generation;
		u->delta = 0;
	}
	return &u->delta;
}

void
subject_second(struct store *s, struct subject *u, int64_t second, const struct series_value *v)
{
	if (u->refused)
		u = other_of(s, u, s->open);
	if (u == NULL || !batch_add_second(s->open, &u->key, delta_of(u, s->open), second, v))
		s->counters.n[OWN_HISTORY_FULL]++;
}

/* --- what follows
 * -----------------------------------------------------------------------------------------------------------
 */

static void
add_to_category(struct store *s, struct batch *b, const struct subject *application,
		const struct batch_delta *d)
{
	struct series_key k = { d->key.tenant, SERIES_CATEGORY,
				d->key.number == SERIES_OTHER ? SERIES_OTHER : application->category };
	struct series_value v = d->v;
	uint32_t i = subjects_get(s->subjects, &k);
	struct subject *u = i == SUBJECT_NONE ? NULL : subjects_at(s->subjects, i);

	v.flows_max = 0; /* most of one application's are not the category's */
	if (u != NULL && u->minute != minutes_now(s))
		subject_admit(s, u, b);
	if (u != NULL && u->refused)
		u = other_of(s, u, b);
	if (u == NULL || !batch_add_minute(b, &u->key, delta_of(u, b), d->second / 60, &v)) {
		s->counters.n[OWN_HISTORY_FULL]++;
		return;
	}

	struct series_id id = id_of(u);

	series_book_count(s->book, &id, (uint32_t)(d->second / 60), &v);
}

void
subjects_derive(struct store *s, struct batch *b)
{
	uint32_t n = b->ndelta;

	for (uint32_t i = 0; i < n; i++) {
		const struct batch_delta d = b->delta[i]; /* what is added may move it */
		struct subject *u =
		    d.span_s != 1 ? NULL
				  : subjects_find(s->subjects, d.key.tenant, d.key.subject, d.key.number);

		if (u == NULL)
			continue;
		if (u->minute != minutes_now(s))
			subject_admit(s, u, b);

		struct series_id id = id_of(u);

		series_book_count(s->book, &id, (uint32_t)(d.second / 60), &d.v);
		if (d.key.subject == SERIES_APPLICATION)
			add_to_category(s, b, u, &d);
	}
}
