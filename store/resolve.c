#include "resolve.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ipc/channel.h"
#include "known.h"
#include "store.h"

#define WAITING_MAX 8192u /* a power of two */
#define NONE        UINT32_MAX

/* Asked and not answered. A ticket is a slot and, in its upper half, a serial that tells it from those
 * before, also of a store that ran before us. */
struct asked {
	bool used;
	uint32_t serial;
	struct host_key key;
};

struct resolve {
	bool local_only;
	uint32_t first, last; /* of the waiting: counted up for ever */
	struct host_key waiting[WAITING_MAX];
	struct asked asked[NAME_ASKS];
	uint32_t nasked, serial;
};

struct resolve *
resolve_new(const struct store *s)
{
	struct resolve *r;

	if (s->boot->settings.dns_mode >= DNS_MODE_DECODE || (s->boot->flags & BOOT_ANALYZE) != 0)
		return NULL;
	r = mem_calloc(1, sizeof(*r));
	r->serial = randombytes_random();
	r->local_only = s->boot->settings.dns_mode == DNS_MODE_LOCAL;
	return r;
}

void
resolve_free(struct resolve **r)
{
	free(*r);
	*r = NULL;
}

/* The operator's servers know the addresses of the world, and private ones of the network that they are in: a
 * customer's with an address space of its own are others'. */
static bool
is_wanted(const struct resolve *r, const struct host *h)
{
	if (ip_is_multicast_or_broadcast(&h->key.ip) || (r->local_only && !h->local))
		return false;
	return h->key.space == 0 || !ip_is_private(&h->key.ip);
}

void
resolve_host(struct store *s, const struct host *h)
{
	struct resolve *r = s->resolve;

	if (r == NULL || !is_wanted(r, h) || s->peers == NULL || peers_find(s->peers, PROC_DIAL, 0) == NULL)
		return;
	if (r->last - r->first == WAITING_MAX) {
		s->counters.n[OWN_UNRESOLVED]++;
		return;
	}
	r->waiting[r->last++ % WAITING_MAX] = h->key;
}

static uint32_t
free_slot(const struct resolve *r)
{
	for (uint32_t i = 0; i < NAME_ASKS; i++)
		if (!r->asked[i].used)
			return i;
	return NONE;
}

static void
ask_one(struct resolve *r, struct channel *ch, uint32_t slot)
{
	struct asked *a = &r->asked[slot];
	struct wire_name_ask w;

	a->key = r->waiting[r->first++ % WAITING_MAX];
	a->used = true;
	a->serial = ++r->serial;
	r->nasked++;
	w = (struct wire_name_ask){ (uint64_t)a->serial << 32 | slot, a->key.ip };
	(void)channel_send(ch, MSG_NAME_ASK, &w, sizeof(w));
}

void
resolve_turn(struct store *s)
{
	struct resolve *r = s->resolve;
	struct channel *ch;

	if (r == NULL || r->first == r->last || r->nasked == NAME_ASKS)
		return;
	ch = peers_find(s->peers, PROC_DIAL, 0);
	while (ch != NULL && r->first != r->last && r->nasked < NAME_ASKS)
		ask_one(r, ch, free_slot(r));
}

bool
resolve_told(struct store *s, const struct wire_name_told *w)
{
	struct resolve *r = s->resolve;
	uint32_t slot = (uint32_t)w->ticket;
	struct rec_learned learned = { .kind = HOST_NAME_RESOLVED, .len = (uint8_t)w->len };
	struct asked *a;

	if (r == NULL || slot >= NAME_ASKS || w->len > HOST_NAME_MAX_LEN || w->reserved != 0)
		return false;
	a = &r->asked[slot];
	if (!a->used || a->serial != w->ticket >> 32)
		return true; /* asked by the store before us */
	a->used = false;
	r->nasked--;
	if (w->len > 0 && known_learn(s->known, &a->key, &learned, w->name))
		s->counters.n[OWN_FACTS_FULL]++;
	return true;
}

void
resolve_lost(struct store *s)
{
	struct resolve *r = s->resolve;

	if (r == NULL)
		return;
	s->counters.n[OWN_UNRESOLVED] += r->nasked + (r->last - r->first);
	for (uint32_t i = 0; i < NAME_ASKS; i++)
		r->asked[i].used = false;
	r->nasked = 0;
	r->first = r->last;
}
