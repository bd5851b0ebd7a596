#include "throttle.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define WAYS    8
#define SETS    2048
#define TRUST_S (30 * 86400) /* a successful login vouches for its address for so long */

enum kind { BY_ADDRESS, BY_ACCOUNT, BY_PAIR, BY_CODE };

/* Failures that cost nothing, the longest wait, and the time in which one failure is forgotten. */
static const struct {
	uint32_t free, most;
	int64_t wait_most_s, decay_s;
} rules[] = {
	[BY_ADDRESS] = { 10, 20, 60, 20 },
	[BY_ACCOUNT] = { 10, 18, 30, 30 },
	[BY_PAIR] = { 5, 14, 60, 60 },
	[BY_CODE] = { 10, 20, 300, 300 }, /* of a million codes three are right at a time */
};

struct entry {
	uint64_t key; /* 0: free */
	uint32_t count;
	enum kind kind;
	int64_t decayed_ns; /* the count is right as of this time */
	int64_t until_ns;   /* no attempt before */
	int64_t used_ns;    /* last looked up */
	int64_t trusted_ns; /* pair: until then a success vouches for it */
};

struct throttle {
	uint8_t secret[crypto_shorthash_KEYBYTES]; /* strangers choose what is hashed */
	struct entry entry[SETS][WAYS];
};

struct throttle *
throttle_new(void)
{
	struct throttle *t = mem_calloc(1, sizeof(*t));

	randombytes_buf(t->secret, sizeof(t->secret));
	return t;
}

void
throttle_free(struct throttle **t)
{
	free(*t);
	*t = NULL;
}

/* IPv6: a client has a whole /64. */
static struct ip_addr
client_network(const struct ip_addr *a)
{
	struct ip_addr n = *a;

	if (!ip_is_v4(a))
		memset(n.b + 8, 0, 8);
	return n;
}

static uint64_t
key_of(const struct throttle *t, enum kind kind, const char *name, const struct ip_addr *address)
{
	uint8_t text[1 + sizeof(address->b) + 256] = { (uint8_t)kind };
	uint8_t hash[crypto_shorthash_BYTES];
	size_t n = name == NULL ? 0 : strnlen(name, 256);
	uint64_t key;

	if (kind == BY_ADDRESS || kind == BY_PAIR) {
		struct ip_addr net = client_network(address);

		memcpy(text + 1, net.b, sizeof(net.b));
	}
	if (kind != BY_ADDRESS && n > 0)
		memcpy(text + 1 + sizeof(address->b), name, n);
	crypto_shorthash(hash, text, 1 + sizeof(address->b) + (kind == BY_ADDRESS ? 0 : n), t->secret);
	static_assert(sizeof(key) == sizeof(hash), "a key is a hash");
	memcpy(&key, hash, sizeof(key));
	return key == 0 ? 1 : key;
}

static void
decay(struct entry *e, int64_t now)
{
	int64_t step = rules[e->kind].decay_s * NS_PER_S, n;

	if (now <= e->decayed_ns)
		return;
	n = (now - e->decayed_ns) / step;
	if (n >= e->count) {
		e->count = 0;
		e->decayed_ns = now;
	} else {
		e->count -= (uint32_t)n;
		e->decayed_ns += n * step;
	}
}

static struct entry *
find(struct throttle *t, uint64_t key)
{
	struct entry *set = t->entry[key % SETS];

	for (size_t i = 0; key != 0 && i < WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* Lower is dropped sooner: free, then forgotten, then old; what is trusted last. */
static int64_t
worth(struct entry *e, int64_t now)
{
	if (e->key == 0)
		return -2;
	decay(e, now);
	if (e->trusted_ns > now)
		return INT64_MAX / 2 + e->trusted_ns / 2;
	return e->count == 0 && e->used_ns != now ? -1 : e->used_ns;
}

static struct entry *
find_or_make(struct throttle *t, uint64_t key, enum kind kind, int64_t now)
{
	struct entry *set = t->entry[key % SETS], *least = set, *e = find(t, key);

	if (e != NULL) {
		decay(e, now);
		e->used_ns = now;
		return e;
	}
	for (size_t i = 1; i < WAYS; i++)
		if (worth(&set[i], now) < worth(least, now))
			least = &set[i];
	*least = (struct entry){ .key = key, .kind = kind, .decayed_ns = now, .used_ns = now };
	return least;
}

static int64_t
wait_of(const struct entry *e)
{
	uint32_t over = e->count - rules[e->kind].free;
	int64_t s;

	if (e->count <= rules[e->kind].free)
		return 0;
	s = over > 20 ? rules[e->kind].wait_most_s : INT64_C(1) << (over - 1);
	return (s < rules[e->kind].wait_most_s ? s : rules[e->kind].wait_most_s) * NS_PER_S;
}

static void
charge(struct entry *e, int64_t now)
{
	if (e->count < rules[e->kind].most)
		e->count++;
	e->until_ns = now + wait_of(e);
}

static void
forgive(struct throttle *t, uint64_t key)
{
	struct entry *e = find(t, key);

	if (e == NULL)
		return;
	if (e->count > 0)
		e->count--;
	if (wait_of(e) == 0)
		e->until_ns = 0;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool
begin(struct throttle *t, const char *name, const struct ip_addr *address, int64_t now,
      struct throttle_attempt *a, uint32_t *retry_s, bool of_code)
{
	struct entry *by_address, *by_account = NULL, *by_pair = NULL, *by_code = NULL;
	int64_t until = 0;

	*a = (struct throttle_attempt){ .address = key_of(t, BY_ADDRESS, NULL, address) };
	by_address = find_or_make(t, a->address, BY_ADDRESS, now);
	if (name != NULL) {
		a->account = key_of(t, BY_ACCOUNT, name, address);
		a->pair = key_of(t, BY_PAIR, name, address);
		by_account = find_or_make(t, a->account, BY_ACCOUNT, now);
		by_pair = find_or_make(t, a->pair, BY_PAIR, now);
		until = by_pair->until_ns;
		if (by_pair->trusted_ns <= now && by_address->count > 0)
			until = later(until, by_account->until_ns);
		if (of_code) {
			a->code = key_of(t, BY_CODE, name, address);
			by_code = find_or_make(t, a->code, BY_CODE, now);
			until = later(until, by_pair->trusted_ns > now ? 0 : by_code->until_ns);
		}
	}
	if (by_pair == NULL || by_pair->trusted_ns <= now)
		until = later(until, by_address->until_ns);
	if (until > now) {
		*retry_s = (uint32_t)((until - now + NS_PER_S - 1) / NS_PER_S);
		return false;
	}
	charge(by_address, now);
	if (name != NULL) {
		charge(by_account, now);
		charge(by_pair, now);
	}
	if (by_code != NULL)
		charge(by_code, now);
	return true;
}

bool
throttle_begin(struct throttle *t, const char *name, const struct ip_addr *address, int64_t now,
	       struct throttle_attempt *a, uint32_t *retry_s)
{
	return begin(t, name, address, now, a, retry_s, false);
}

bool
throttle_begin_code(struct throttle *t, const char *name, const struct ip_addr *address, int64_t now,
		    struct throttle_attempt *a, uint32_t *retry_s)
{
	return begin(t, name, address, now, a, retry_s, true);
}

void
throttle_forgive(struct throttle *t, const struct throttle_attempt *a)
{
	forgive(t, a->address);
	forgive(t, a->account);
	forgive(t, a->pair);
	forgive(t, a->code);
}

void
throttle_succeeded(struct throttle *t, const struct throttle_attempt *a, int64_t now)
{
	struct entry *e = find(t, a->pair);

	throttle_forgive(t, a);
	if (e != NULL)
		e->trusted_ns = now + TRUST_S * NS_PER_S;
}
