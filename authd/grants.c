#include "grants.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static size_t
grants_of(const struct session *s)
{
	size_t n = 0;

	for (const struct live_grant *g = s == NULL ? NULL : s->grants; g != NULL; g = g->sibling)
		n++;
	return n;
}

struct live_grant *
grants_issue(struct grants *set, struct grant *g, const uint8_t secret[static GRANT_SIGN_SECRET],
	     struct session *session)
{
	uint8_t bytes[GRANT_BYTES_MAX];
	struct live_grant *l;
	size_t len;

	if (set->count >= GRANTS_MAX || grants_of(session) >= GRANTS_PER_SESSION)
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
	l->session = session;
	if (session != NULL) {
		l->sibling = session->grants;
		session->grants = l;
	}
	l->next = set->first;
	if (l->next != NULL)
		l->next->back = &l->next;
	l->back = &set->first;
	set->first = l;
	set->count++;
	return l;
}

struct live_grant *
grants_reusable(const struct session *s, uint32_t proc, uint32_t instance, int64_t now)
{
	for (struct live_grant *g = s->grants; g != NULL; g = g->sibling) {
		int64_t left = g->live.expires_ns - now;
		/* Near the end of the session no grant can last longer. */
		bool last = g->live.expires_ns == s->r.expires_ns && left > 0;

		if (g->audience_proc == proc && g->audience_instance == instance &&
		    left <= GRANT_LIFE_S * NS_PER_S && (left > GRANT_REUSE_S * NS_PER_S || last))
			return g;
	}
	return NULL;
}

void
grants_drop(struct grants *set, struct live_grant *g)
{
	if (g->session != NULL) {
		struct live_grant **p = &g->session->grants;

		while (*p != g)
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
