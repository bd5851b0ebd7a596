/* The live set is an open-addressed table of random ids; verified grants are remembered by a keyed hash of
 * their bytes. */
#include "grants.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ipc/proc.h"

#define SET_SLOTS  (2u * GRANTS_LIVE_MAX)
#define CACHE_SETS 256u
#define CACHE_WAYS 4u
#define HASH_BYTES 16

struct live_set {
	struct wire_grant_live *slot; /* expires_ns 0: free */
	size_t n;
};

struct cached {
	uint8_t hash[HASH_BYTES];
	bool used;
	struct grant grant;
};

struct grants {
	uint8_t (*key)[GRANT_SIGN_PUBLIC];
	size_t nkeys;
	struct snapshot *snapshot;
	struct live_set live, coming; /* coming: between the first and the last part of a new set */
	bool complete, building;
	int64_t heard_ns;
	bool heard;
	uint8_t secret[crypto_generichash_KEYBYTES];
	struct cached (*cache)[CACHE_WAYS];
	unsigned victim;
};

_Static_assert(GRANT_ID_LEN == GRANT_ID_BYTES, "one id");
_Static_assert(GRANT_SIGN_PUBLIC == SIGN_KEY_BYTES, "one key");
_Static_assert(GRANT_BYTES_MAX <= GRANT_MAX, "a grant fits a question");

struct grants *
grants_new(void)
{
	struct grants *g = mem_calloc(1, sizeof(*g));

	g->key = mem_calloc(2, sizeof(*g->key));
	g->live.slot = mem_calloc(SET_SLOTS, sizeof(*g->live.slot));
	g->coming.slot = mem_calloc(SET_SLOTS, sizeof(*g->coming.slot));
	g->cache = mem_calloc(CACHE_SETS, sizeof(*g->cache));
	randombytes_buf(g->secret, sizeof(g->secret));
	return g;
}

void
grants_free(struct grants **gp)
{
	struct grants *g = *gp;

	if (g == NULL)
		return;
	snapshot_free(&g->snapshot);
	free(g->key);
	free(g->live.slot);
	free(g->coming.slot);
	free(g->cache);
	free(g);
	*gp = NULL;
}

void
grants_heard(struct grants *g, int64_t now_boot_ns)
{
	g->heard_ns = now_boot_ns;
	g->heard = true;
}

/* --- the live set
 * ------------------------------------------------------------------------------------------------------- */

/* Ids are random, made by authd: their own bits spread them. */
static size_t
set_slot(const struct live_set *s, const uint8_t *id)
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));

	size_t at = (size_t)(h % SET_SLOTS);

	while (s->slot[at].expires_ns != 0 && memcmp(s->slot[at].id, id, GRANT_ID_BYTES) != 0)
		at = (at + 1) % SET_SLOTS;
	return at;
}

static void
set_clear(struct live_set *s)
{
	memset(s->slot, 0, SET_SLOTS * sizeof(*s->slot));
	s->n = 0;
}

/* Removes a slot and closes the gap behind it. */
static void
set_remove_at(struct live_set *s, size_t at)
{
	s->slot[at].expires_ns = 0;
	s->n--;
	for (size_t i = (at + 1) % SET_SLOTS; s->slot[i].expires_ns != 0; i = (i + 1) % SET_SLOTS) {
		struct wire_grant_live moved = s->slot[i];

		s->slot[i].expires_ns = 0;
		s->slot[set_slot(s, moved.id)] = moved;
	}
}

static void
set_forget_expired(struct live_set *s, int64_t now_ns)
{
	struct wire_grant_live *kept = mem_calloc(GRANTS_LIVE_MAX, sizeof(*kept));
	size_t n = 0;

	for (size_t i = 0; i < SET_SLOTS; i++)
		if (s->slot[i].expires_ns > now_ns)
			kept[n++] = s->slot[i];
	set_clear(s);
	for (size_t i = 0; i < n; i++)
		s->slot[set_slot(s, kept[i].id)] = kept[i];
	s->n = n;
	free(kept);
}

static void
set_add(struct live_set *s, const struct wire_grant_live *id, int64_t now_ns, uint64_t *full)
{
	if (id->expires_ns <= now_ns)
		return;
	if (s->n == GRANTS_LIVE_MAX)
		set_forget_expired(s, now_ns);

	size_t at = set_slot(s, id->id);

	if (s->slot[at].expires_ns == 0 && s->n == GRANTS_LIVE_MAX) {
		++*full;
		return;
	}
	s->n += s->slot[at].expires_ns == 0;
	s->slot[at] = *id;
}

static void
set_remove(struct live_set *s, const uint8_t *id)
{
	size_t at = set_slot(s, id);

	if (s->slot[at].expires_ns != 0)
		set_remove_at(s, at);
}

/* --- what authd sends
 * ------------------------------------------------------------------------------------------------------ */

bool
grants_keys(struct grants *g, const struct wire_grant_keys *k)
{
	if (k->n < 1 || k->n > 2)
		return false;
	memcpy(g->key, k->key, k->n * sizeof(*g->key));
	g->nkeys = k->n;
	memset(g->cache, 0, CACHE_SETS * sizeof(*g->cache));
	return true;
}

bool
grants_snapshot(struct grants *g, uint64_t number, const uint8_t *bytes, size_t len)
{
	struct snapshot *s =
	    g->nkeys == 0 ? NULL : snapshot_open(bytes, len, (const uint8_t(*)[32])g->key, g->nkeys);

	if (s == NULL)
		return false;
	if (snapshot_number(s) != number || (g->snapshot != NULL && number < snapshot_number(g->snapshot))) {
		snapshot_free(&s);
		return false;
	}
	snapshot_free(&g->snapshot);
	g->snapshot = s;
	return true;
}

bool
grants_set(struct grants *g, const struct wire_grant_ids *head, const struct wire_grant_live *ids,
	   int64_t now_ns, uint64_t *full)
{
	if (head->begin > 1 || head->end > 1 || head->n > WIRE_GRANT_IDS_PER ||
	    (head->begin == 0 && !g->building))
		return false;
	if (head->begin == 1)
		set_clear(&g->coming);
	g->building = true;
	for (uint32_t i = 0; i < head->n; i++)
		set_add(&g->coming, &ids[i], now_ns, full);
	if (head->end == 1) {
		struct live_set old = g->live;

		g->live = g->coming;
		g->coming = old;
		g->building = false;
		g->complete = true;
	}
	return true;
}

void
grants_add(struct grants *g, const struct wire_grant_live *id, int64_t now_ns, uint64_t *full)
{
	set_add(&g->live, id, now_ns, full);
	if (g->building)
		set_add(&g->coming, id, now_ns, full);
}

void
grants_revoke(struct grants *g, const uint8_t id[static GRANT_ID_BYTES])
{
	set_remove(&g->live, id);
	if (g->building)
		set_remove(&g->coming, id);
}

const struct snapshot *
grants_policy(const struct grants *g)
{
	return g->snapshot;
}

struct snapshot *
grants_hold_policy(const struct grants *g)
{
	return snapshot_hold(g->snapshot);
}

/* --- the check
 * --------------------------------------------------------------------------------------------------------------
 */

/* The parsed form of bytes whose signature is good; NULL where it is not. */
static const struct grant *
verified(struct grants *g, const uint8_t *bytes, size_t len, int64_t now_ns)
{
	uint8_t hash[HASH_BYTES];

	crypto_generichash(hash, sizeof(hash), bytes, len, g->secret, sizeof(g->secret));

	struct cached *set = g->cache[hash[0] % CACHE_SETS], *into = &set[g->victim++ % CACHE_WAYS];

	for (unsigned i = 0; i < CACHE_WAYS; i++) {
		if (set[i].used && sodium_memcmp(set[i].hash, hash, sizeof(hash)) == 0)
			return &set[i].grant;
		if (!set[i].used)
			into = &set[i];
	}
	if (grant_verify(bytes, len, (const uint8_t(*)[GRANT_SIGN_PUBLIC])g->key, g->nkeys, now_ns,
			 &into->grant) != GRANT_GOOD) {
		into->used = false;
		return NULL;
	}
	memcpy(into->hash, hash, sizeof(hash));
	into->used = true;
	return &into->grant;
}

static bool
is_live(const struct grants *g, const struct grant *grant, int64_t now_ns)
{
	const struct wire_grant_live *l = &g->live.slot[set_slot(&g->live, grant->id)];

	return l->expires_ns > now_ns && grant->expires_ns > now_ns && grant->issued_ns <= now_ns;
}

static bool
is_silent(const struct grants *g, int64_t now_boot_ns)
{
	return !g->heard || now_boot_ns - g->heard_ns > GRANTS_SILENCE_NS || !g->complete || g->nkeys == 0 ||
	       g->snapshot == NULL;
}

enum answer_status
grants_still(const struct grants *g, const struct grant *grant, int64_t now_utc_ns, int64_t now_boot_ns)
{
	if (is_silent(g, now_boot_ns))
		return ANSWER_UNAVAILABLE;
	if (!is_live(g, grant, now_utc_ns))
		return ANSWER_NOT_GRANTED;
	if (grant->tenant != TENANT_PLATFORM && snapshot_tenant(g->snapshot, grant->tenant) == NULL)
		return ANSWER_NOT_GRANTED;
	for (uint32_t i = 0; i < grant->nnarrowings; i++)
		if (snapshot_narrowing(g->snapshot, grant->narrowing[i]) == NULL)
			return ANSWER_NOT_GRANTED;
	return ANSWER_OK;
}

enum answer_status
grants_check(struct grants *g, const uint8_t *bytes, size_t len, uint32_t proc, uint32_t instance,
	     int64_t now_utc_ns, int64_t now_boot_ns, struct grant *out)
{
	if (is_silent(g, now_boot_ns))
		return ANSWER_UNAVAILABLE;
	if (len == 0 || len > GRANT_BYTES_MAX)
		return ANSWER_NOT_GRANTED;

	const struct grant *grant = verified(g, bytes, len, now_utc_ns);

	if (grant == NULL || grant->audience_proc != proc || grant->audience_instance != instance)
		return ANSWER_NOT_GRANTED;
	/* Made from a policy that has not come yet. */
	if (is_live(g, grant, now_utc_ns) && grant->snapshot > snapshot_number(g->snapshot))
		return ANSWER_UNAVAILABLE;

	enum answer_status status = grants_still(g, grant, now_utc_ns, now_boot_ns);

	if (status == ANSWER_OK)
		*out = *grant;
	return status;
}
