#include "recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store.h"

/* --- lists
 * -------------------------------------------------------------------------------------------------------------
 */

static void
event_drop(struct recent *l, struct recent_event *e)
{
	TAILQ_REMOVE(&l->events, e, entry);
	l->bytes -= e->bytes;
	free(e->end);
	free(e);
}

static void
list_free(struct recent *l)
{
	struct recent_event *e, *next;

	for (e = TAILQ_FIRST(&l->events); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		event_drop(l, e);
	}
	free(l);
}

/* Where the tenant's list stands, or would. */
static struct recent **
place_of(struct recents *x, uint32_t tenant)
{
	uint32_t i = (uint32_t)hash_bytes(&tenant, sizeof(tenant), 0) % ARRAY_LEN(x->at);

	while (x->at[i] != NULL && x->at[i]->tenant != tenant)
		i = (i + 1) % (uint32_t)ARRAY_LEN(x->at);
	return &x->at[i];
}

static size_t
bytes_max(const struct recents *x)
{
	size_t part = RECENT_BYTES_MAX / (x->n == 0 ? 1 : x->n);

	return part < RECENT_TENANT_MAX ? part : RECENT_TENANT_MAX;
}

static void
trim(const struct recents *x, struct recent *l, int64_t now_ns)
{
	const size_t most = bytes_max(x);
	struct recent_event *e, *next;

	for (e = TAILQ_FIRST(&l->events);
	     e != NULL && (l->bytes > most || now_ns - e->at_ns > RECENT_KEPT_NS); e = next) {
		next = TAILQ_NEXT(e, entry);
		event_drop(l, e);
	}
}

/* Those that nobody watches any more go; the others stand where they are found then. */
static void
forget(struct store *s)
{
	struct recents *x = s->recents;
	struct recent *old[ARRAY_LEN(x->at)];

	memcpy(old, x->at, sizeof(old));
	memset(x->at, 0, sizeof(x->at));
	x->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(old); i++) {
		if (old[i] == NULL)
			continue;
		if (s->now_boot_ns - old[i]->asked_ns <= RECENT_KEPT_NS) {
			*place_of(x, old[i]->tenant) = old[i];
			x->n++;
			continue;
		}
		if (old[i]->newest > x->floor)
			x->floor = old[i]->newest;
		list_free(old[i]);
	}
}

struct recent *
recent_watch(struct store *s, uint32_t tenant)
{
	struct recents *x = s->recents;
	struct recent *l = *place_of(x, tenant);

	if (l != NULL && s->now_boot_ns - l->asked_ns <= RECENT_KEPT_NS) {
		l->asked_ns = s->now_boot_ns;
		trim(x, l, s->now_boot_ns);
		return l;
	}
	forget(s);
	if (x->n == RECENT_TENANTS_MAX)
		return NULL;
	l = mem_calloc(1, sizeof(*l));
	l->tenant = tenant;
	l->begin = l->newest = x->floor + 1;
	l->asked_ns = s->now_boot_ns;
	TAILQ_INIT(&l->events);
	*place_of(x, tenant) = l;
	x->n++;
	/* Each has a smaller part now. */
	for (size_t i = 0; i < ARRAY_LEN(x->at); i++)
		if (x->at[i] != NULL)
			trim(x, x->at[i], s->now_boot_ns);
	return l;
}

struct recents *
recents_new(void)
{
	return mem_calloc(1, sizeof(struct recents));
}

void
recents_free(struct recents **x)
{
	if (*x == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN((*x)->at); i++)
		if ((*x)->at[i] != NULL)
			list_free((*x)->at[i]);
	free(*x);
	*x = NULL;
}

/* --- events
 * ------------------------------------------------------------------------------------------------------------
 */

/* The list of a tenant that is watched, with an event more that has no place yet; NULL: it is not watched, or
 * there is none. */
static struct recent *
list_for(struct store *s, uint32_t tenant, enum flow_event what)
{
	struct recent *l = *place_of(s->recents, tenant);
	const int64_t second = s->now_boot_ns / NS_PER_S;

	if (l == NULL)
		return NULL;
	l->newest++;
	if (l->second != second) {
		l->second = second;
		l->kept = l->kept_changes = 0;
	}
	/* Beginnings and ends are told once, but of what goes on there is always more. */
	if (l->kept >= RECENT_SECOND_MAX ||
	    (what == FLOW_CHANGED && l->kept_changes >= RECENT_SECOND_MAX / 2))
		return NULL;
	l->kept++;
	l->kept_changes += what == FLOW_CHANGED;
	return l;
}

static struct recent_event *
event_new(const struct store *s, struct recent *l, enum flow_event what, uint32_t tenant)
{
	struct recent_event *e = mem_calloc(1, sizeof(*e));

	e->number = l->newest;
	e->at_ns = s->now_boot_ns;
	e->what = what;
	e->tenant = tenant;
	e->bytes = sizeof(*e);
	return e;
}

static void
add(struct store *s, struct recent *l, struct recent_event *e)
{
	TAILQ_INSERT_TAIL(&l->events, e, entry);
	l->bytes += e->bytes;
	trim(s->recents, l, s->now_boot_ns);
}

void
recent_tell(struct store *s, const struct engine *e, struct live_flow *r, enum flow_event what)
{
	const struct stamp *second = live_stamp(&e->live, r, SHARE_SECONDARY);
	const uint32_t whose[] = { TENANT_PLATFORM, r->stamp.tenant,
				   second == NULL ? TENANT_PLATFORM : second->tenant };

	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		struct recent *l = i > 0 && whose[i] == TENANT_PLATFORM ? NULL : list_for(s, whose[i], what);
		struct recent_event *n;

		if (l == NULL)
			continue;
		n = event_new(s, l, what, r->stamp.tenant);
		n->engine = e->index;
		n->slot = live_slot(&e->live, r);
		n->id = r->id;
		n->packets = r->count.packets[CLIENT] + r->count.packets[SERVER];
		add(s, l, n);
	}
}

void
recent_tell_end(struct store *s, const uint32_t tenant[static 2], const struct rec_flow *f, const char *text)
{
	const uint32_t whose[] = { TENANT_PLATFORM, tenant[0], tenant[1] };
	const size_t len = (size_t)f->server_name_len + f->info_len + f->attributes_len;

	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		struct recent *l =
		    i > 0 && whose[i] == TENANT_PLATFORM ? NULL : list_for(s, whose[i], FLOW_ENDED);
		struct recent_event *n;

		if (l == NULL)
			continue;
		n = event_new(s, l, FLOW_ENDED, tenant[0]);
		n->end = mem_calloc(1, sizeof(*n->end) + len);
		n->end->f = *f;
		if (len > 0)
			memcpy(n->end->text, text, len);
		n->bytes += sizeof(*n->end) + len;
		add(s, l, n);
	}
}
