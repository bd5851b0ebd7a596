#include "rate.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tally.h"

#define WINDOW_MS (RATE_WINDOW_S * INT64_C(1000))

uint64_t
rate_hash(const struct tally *t, const char *name, const void *whose, size_t len)
{
	/* Each kind under a key of its own, which comes of its name. */
	uint64_t key[2] = { tally_seed(t), 0 }, hash;

	static_assert(sizeof(key) == crypto_shorthash_KEYBYTES && sizeof(hash) == crypto_shorthash_BYTES,
		      "SipHash");
	(void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)name, strlen(name),
			       (const unsigned char *)key);
	key[1] = hash;
	(void)crypto_shorthash((unsigned char *)&hash, whose, len, (const unsigned char *)key);
	return hash;
}

/* Rounded up. */
static int64_t
divide(int64_t a, int64_t b)
{
	return (a + b - 1) / b;
}

/* How many ms until one more is within quota, of which now and before are taken; elapsed: of this minute. */
static int64_t
wait_ms(int64_t quota, int64_t now, int64_t before, int64_t elapsed)
{
	int64_t over;

	if (now + 1 <= quota && before > 0) {
		/* It is enough that the minute before slides away. */
		over = (now + 1 - quota) * WINDOW_MS + before * (WINDOW_MS - elapsed);
		return over > 0 ? divide(over, before) : 0;
	}
	if (now + 1 <= quota)
		return 0;
	/* This one has to. */
	over = (now + 1 - quota) * WINDOW_MS;
	return WINDOW_MS - elapsed + divide(over, now);
}

bool
rate_look(const struct tally *t, struct rate *r, int64_t boot_ns)
{
	const int64_t ms = boot_ns / NS_PER_MS, elapsed = ms % WINDOW_MS;
	uint32_t now = 0, before = 0;
	int64_t used, all = r->quota * WINDOW_MS;

	r->left = r->reset_s = r->retry_after_s = 0;
	if (r->quota == 0)
		return true;
	tally_requests(t, r->hash, (uint32_t)(ms / WINDOW_MS), &now, &before);
	used = now * WINDOW_MS + before * (WINDOW_MS - elapsed);
	r->left = used >= all ? 0 : (uint32_t)((all - used) / WINDOW_MS);
	r->reset_s = (uint32_t)divide(WINDOW_MS - elapsed, 1000);
	if (r->left > 0)
		return true;
	r->retry_after_s = (uint32_t)divide(wait_ms(r->quota, now, before, elapsed), 1000);
	if (r->retry_after_s == 0)
		r->retry_after_s = 1;
	return false;
}

void
rate_count(struct tally *t, struct rate *r, int64_t boot_ns)
{
	if (r->quota == 0)
		return;
	tally_request(t, r->hash, (uint32_t)(boot_ns / NS_PER_MS / WINDOW_MS));
	if (r->left > 0)
		r->left--;
}

/* Whether a has a smaller part of its quota left than b. */
static bool
is_tighter(const struct rate *a, const struct rate *b)
{
	return (uint64_t)a->left * b->quota < (uint64_t)b->left * a->quota;
}

void
rate_headers(const struct rate *rates, size_t n, char policy[static RATE_HEADER_MAX],
	     char limit[static RATE_HEADER_MAX])
{
	const struct rate *tightest = NULL;
	size_t len = 0;

	policy[0] = limit[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (rates[i].quota == 0)
			continue;
		len += (size_t)snprintf(policy + len, RATE_HEADER_MAX - len, "%s\"%s\";q=%u;w=%d",
					len > 0 ? ", " : "", rates[i].name, rates[i].quota, RATE_WINDOW_S);
		if (tightest == NULL || is_tighter(&rates[i], tightest))
			tightest = &rates[i];
	}
	if (tightest != NULL)
		(void)snprintf(limit, RATE_HEADER_MAX, "\"%s\";r=%u;t=%u", tightest->name, tightest->left,
			       tightest->retry_after_s > 0 ? tightest->retry_after_s : tightest->reset_s);
}
