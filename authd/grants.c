#include "grants.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* Ids are random: any of their bits will do. */
static struct live_grant **
bucket_of(struct grants *set, const uint8_t id[static GRANT_ID_LEN])
{
	return &set->bucket[(id[0] | (size_t)id[1] << 8) % GRANTS_BUCKETS];
}

struct live_grant *
grants_find(struct grants *set, const uint8_t id[static GRANT_ID_LEN])
{
	struct live_grant *g = *bucket_of(set, id);

	while (g != NULL && memcmp(g->live.id, id, sizeof(g->live.id)) != 0)
		g = g->collides;
	return g;
}

struct live_grant *
grants_surplus(const struct holder *h)
{
	struct live_grant *first = h->grants;
	size_t n = 0;

	for (struct live_grant *g = h->grants; g != NULL; g = g->sibling, n++)
		if (g->live.expires_ns < first->live.expires_ns)
			first = g;
	return n >= GRANTS_PER_HOLDER ? first : NULL;
}

/* Into the set, its bucket, and the list of its holder. */
static void
link_grant(struct grants *set, struct live_grant *l, struct holder *holder)
{
	struct live_grant **bucket = bucket_of(set, l->live.id);

	l->holder = holder;
	if (holder != NULL) {
		l->sibling = holder->grants;
		holder->grants = l;
	}
	l->collides = *bucket;
	*bucket = l;
	l->next = set->first;
	if (l->next != NULL)
		l->next->back = &l->next;
	l->back = &set->first;
	set->first = l;
	set->count++;
}

/* What it allows, and nothing of which grant it is or how long it lasts. */
static uint64_t
rights_of(const struct grant *g)
{
	const uint64_t said[] = { g->tenant, g->role, g->scopes, g->masked, g->of_token, g->nnarrowings };
	crypto_generichash_state h;
	uint64_t rights;
	uint8_t out[crypto_generichash_BYTES];

	(void)crypto_generichash_init(&h, NULL, 0, sizeof(out));
	(void)crypto_generichash_update(&h, (const uint8_t *)said, sizeof(said));
	(void)crypto_generichash_update(&h, (const uint8_t *)g->narrowing,
					g->nnarrowings * sizeof(g->narrowing[0]));
	(void)crypto_generichash_final(&h, out, sizeof(out));
	memcpy(&rights, out, sizeof(rights));
	return rights;
}

struct live_grant *
grants_issue(struct grants *set, struct grant *g, const uint8_t secret[static GRANT_SIGN_SECRET],
	     struct holder *holder, const struct grant_words *words)
{
	uint8_t bytes[GRANT_BYTES_MAX];
	struct live_grant *l;
	size_t len;

	if (set->count >= GRANTS_MAX || (holder != NULL && grants_surplus(holder) != NULL))
		return NULL;
	randombytes_buf(g->id, sizeof(g->id));
	len = grant_sign(g, secret, bytes, sizeof(bytes));
	if (len == 0)
		return NULL;
	/* Only as much as this grant needs: there may be many. */
	l = mem_calloc(1, sizeof(*l) + len);
	memcpy(l->bytes, bytes, len);
	l->len = len;
	memcpy(l->live.id, g->id, sizeof(l->live.id));
	l->live.expires_ns = g->expires_ns;
	l->audience_proc = g->audience_proc;
	l->audience_instance = g->audience_instance;
	l->tenant = g->tenant;
	l->role = g->role;
	l->rights = rights_of(g);
	if (words != NULL)
		l->words = *words;
	link_grant(set, l, holder);
	return l;
}

struct live_grant *
grants_reusable(const struct holder *h, uint32_t proc, uint32_t instance, const char *tenant, int64_t now)
{
	for (struct live_grant *g = h->grants; g != NULL; g = g->sibling) {
		int64_t left = g->live.expires_ns - now;
		/* Near the end of the session no grant can last longer. */
		bool last = g->live.expires_ns == h->expires_ns && left > 0;
		bool same =
		    tenant[0] == '\0' ? g->words.is_default : strcmp(g->words.tenant_name, tenant) == 0;

		if (same && g->audience_proc == proc && g->audience_instance == instance &&
		    left <= GRANT_LIFE_S * NS_PER_S && (left > GRANT_REUSE_S * NS_PER_S || last))
			return g;
	}
	return NULL;
}

void
grants_drop(struct grants *set, struct live_grant *g)
{
	struct live_grant **p = bucket_of(set, g->live.id);

	while (*p != g)
		p = &(*p)->collides;
	*p = g->collides;
	if (g->holder != NULL) {
		for (p = &g->holder->grants; *p != g;)
			p = &(*p)->sibling;
		*p = g->sibling;
	}
	*g->back = g->next;
	if (g->next != NULL)
		g->next->back = g->back;
	set->count--;
	free(g);
}

void
grants_sweep(struct grants *set, int64_t now)
{
	for (struct live_grant *g = set->first, *next; g != NULL; g = next) {
		next = g->next;
		if (g->live.expires_ns <= now || g->live.expires_ns - now > GRANT_LIFE_S * NS_PER_S)
			grants_drop(set, g);
	}
}
