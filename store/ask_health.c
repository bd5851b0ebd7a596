/* Questions about Weir itself: what was lost and where, and how the processes do. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/mem.h"
#include "history_tenants.h"
#include "ipc/channel.h"
#include "ipc/counters.h"
#include "sum.h"

/* --- counters
 * ------------------------------------------------------------------------------------------------------------------
 */

/* point: index, or POINT_NONE for what belongs to none. */
static void
put_counter(struct store *s, struct question *a, uint32_t point, uint32_t worker, enum counter_class class,
	    const char *name, uint64_t count)
{
	const struct boot_point *p = point == POINT_NONE ? NULL : s->points.point[point].boot;
	struct row_counter r = { .point = p == NULL ? UINT32_MAX : p->id,
				 .worker = worker,
				 .class_ = class,
				 .name_len = (uint16_t)strlen(name),
				 .point_len = p == NULL ? 0 : (uint16_t)strlen(p->name),
				 .count = count };

	if (count == 0 || (p != NULL && a->q.point != ANY_POINT && a->q.point != p->id))
		return;
	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	answer_put(&a->out, name, r.name_len);
	answer_put(&a->out, p == NULL ? NULL : p->name, r.point_len);
	answer_row_end(&a->out);
}

static void
engine_drops(struct store *s, struct question *a, const struct engine *e, const bool *sees)
{
	for (uint32_t i = 0; i < e->ndrops; i++) {
		const struct drop *d = &e->drop[i];

		if (d->point == POINT_NONE ? !a->v.sees_platform : !sees[d->point])
			continue;
		put_counter(s, a, d->point, e->instance, d->is_loss ? COUNTER_DROP : COUNTER_INFO,
			    names_text(s->names, NAME_PLACE, d->place), sum_sat(d->before, d->last));
	}
}

/* To a tenant what it did not get itself, to the platform the same of each beside the sum. */
static void
quota_counters(struct store *s, struct question *a)
{
	const char *place = own_counter_name(OWN_TENANT_QUOTA);
	char name[64 + TENANT_NAME_MAX];

	if (a->v.nnarrowed > 0)
		return;
	if (!a->v.platform && !a->v.sees_platform)
		put_counter(s, a, POINT_NONE, UINT32_MAX, COUNTER_DROP, place,
			    quota_over(&s->quotas, a->v.tenant));
	for (size_t i = 0; a->v.platform && i < s->quotas.n; i++) {
		const struct tenant *t = snapshot_tenant(grants_policy(s->grants), s->quotas.quota[i].tenant);

		snprintf(name, sizeof(name), "%s.%s", place, t->name);
		put_counter(s, a, POINT_NONE, UINT32_MAX, COUNTER_INFO, name, s->quotas.quota[i].over);
	}
}

/* Of a tenant: to itself by the place's name, to the platform with the tenant's behind it. */
static void
kept_counters_of(struct store *s, struct question *a, uint32_t tenant, const char *suffix)
{
	static const enum own_counter places[] = { OWN_TENANT_BYTES, OWN_TENANT_FORGOTTEN };
	uint64_t n[ARRAY_LEN(places)];
	char name[64 + TENANT_NAME_MAX];

	history_tenant_counts(s->history, tenant, &n[0], &n[1]);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(name, sizeof(name), "%s%s%s", own_counter_name(places[i]),
			 suffix[0] == '\0' ? "" : ".", suffix);
		put_counter(s, a, POINT_NONE, UINT32_MAX, COUNTER_INFO, name, n[i]);
	}
}

static void
kept_counters(struct store *s, struct question *a)
{
	const struct snapshot *policy = grants_policy(s->grants);

	if (a->v.nnarrowed > 0)
		return;
	if (!a->v.platform && !a->v.sees_platform)
		kept_counters_of(s, a, a->v.tenant, "");
	for (size_t i = 0; a->v.platform && i < snapshot_tenants(policy); i++) {
		const struct tenant *t = snapshot_tenant_at(policy, i);

		kept_counters_of(s, a, t->number, t->name);
	}
}

/* Of the platform, and none of them a part of what the totals call dropped: nothing of it is traffic. */
static void
process_counters_shown(struct store *s, struct question *a)
{
	for (enum process_counter i = 0; a->v.sees_platform && i < PROCESS_COUNTERS; i++) {
		uint64_t n = told_counters_sum(&s->told, i);

		if (i == COUNTED_STORE_CHANNEL_BROKEN && s->peers != NULL)
			n = peers_broken(s->peers);
		put_counter(s, a, POINT_NONE, UINT32_MAX,
			    process_counter_is_loss(i) ? COUNTER_DROP : COUNTER_INFO, process_counter_name(i),
			    n);
	}
}

void
ask_counters(struct store *s, struct question *a)
{
	bool sees[BOOT_POINTS_MAX] = { false };

	for (uint32_t i = 0; i < s->points.n; i++)
		sees[i] = view_owns_point(s, &a->v, i);
	for (unsigned i = 0; i < s->nengines; i++)
		engine_drops(s, a, &s->engine[i], sees);
	for (uint32_t i = 0; i < s->points.n; i++)
		for (uint16_t r = 0; sees[i] && r < NAMES_UNDECODED_MAX; r++)
			put_counter(s, a, i, UINT32_MAX, COUNTER_UNDECODED,
				    names_text(s->names, NAME_UNDECODED, (uint16_t)(r + 1)),
				    s->points.point[i].undecoded[r]);
	for (enum own_counter i = 0; a->v.sees_platform && i < OWN_COUNTER_COUNT; i++)
		put_counter(s, a, POINT_NONE, UINT32_MAX,
			    own_counter_is_loss(i) ? COUNTER_DROP : COUNTER_INFO, own_counter_name(i),
			    s->counters.n[i]);
	process_counters_shown(s, a);
	quota_counters(s, a);
	kept_counters(s, a);
	ask_end(a);
}

/* --- components
 * -----------------------------------------------------------------------------------------------------------------
 */

/* To a tenant the names of other people's interfaces, and reasons that could hold them, do not exist. */
static void
put_component(struct store *s, struct question *a, const struct wire_component *c)
{
	struct wire_component w = *c;

	if (!a->v.sees_platform) {
		bool mine = w.point[0] == '\0';

		for (uint32_t i = 0; i < s->points.n; i++)
			mine |= strcmp(s->points.point[i].boot->name, w.point) == 0 &&
				view_owns_point(s, &a->v, i);
		if (!mine)
			return;
		memset(w.why, 0, sizeof(w.why));
		w.warning = WARNING_NONE;
	}
	answer_row(&a->out);
	answer_put(&a->out, &w, sizeof(w));
	answer_row_end(&a->out);
}

/* Ourselves: what the launcher says, unless history cannot be written. */
static struct wire_component
own_row(const struct store *s, const struct wire_component *said)
{
	struct wire_component w = { .proc = PROC_STORE,
				    .instance = s->boot->instance,
				    .state = COMPONENT_RUNNING };

	if (said != NULL)
		w = *said;
	if (s->degraded) {
		w.state = COMPONENT_DEGRADED;
		w.since_ns = s->degraded_since_ns;
		snprintf(w.why, sizeof(w.why), "history cannot be written: %.120s", s->why);
	}
	return w;
}

/* Peers of whom the launcher said nothing: what our channels show. */
static void
peers_shown(struct store *s, struct question *a)
{
	for (uint32_t i = 0; i < s->boot->npeers; i++) {
		const struct boot_peer *p = &s->boot->peers[i];

		if (p->proc == PROC_WEIR || components_find(&s->components, p->proc, p->instance) != NULL)
			continue;

		bool up = s->peers != NULL && peers_find(s->peers, p->proc, p->instance) != NULL;
		struct wire_component w = { .proc = p->proc,
					    .instance = p->instance,
					    .state = up ? COMPONENT_RUNNING : COMPONENT_WAITING };

		put_component(s, a, &w);
	}
}

void
ask_components(struct store *s, struct question *a)
{
	const struct wire_component *said = components_find(&s->components, PROC_STORE, s->boot->instance);
	struct wire_component own = own_row(s, said);

	for (uint32_t i = 0; i < s->components.n; i++)
		put_component(s, a, &s->components.row[i] == said ? &own : &s->components.row[i]);
	if (said == NULL)
		put_component(s, a, &own);
	peers_shown(s, a);
	ask_end(a);
}
