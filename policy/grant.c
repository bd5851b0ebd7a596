/* Grants as bytes: encoded big-endian, one way only, with an Ed25519 signature behind. */
#include "policy/grant.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "policy/snapshot.h"

/* Also keeps a signature over a grant from being one over anything else that the same key signs. */
static const uint8_t magic[8] = { 'W', 'E', 'I', 'R', 'G', 'R', 'T', '2' };

#define FLAG_MASKED   1u
#define FLAG_OF_TOKEN 2u

#define SIGNATURE_LEN crypto_sign_BYTES
static_assert(crypto_sign_PUBLICKEYBYTES == GRANT_SIGN_PUBLIC, "grant.h agrees with libsodium");
static_assert(crypto_sign_SECRETKEYBYTES == GRANT_SIGN_SECRET, "grant.h agrees with libsodium");

static bool
subject_good(const char *subject)
{
	size_t n = strnlen(subject, GRANT_SUBJECT_MAX);

	if (n == 0 || n == GRANT_SUBJECT_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)subject[i] < 0x20 || subject[i] == 0x7f)
			return false;
	return true;
}

/* Ascending: one set, one encoding. */
static bool
narrowings_good(const struct grant *g)
{
	if (g->nnarrowings > GRANT_NARROWINGS_MAX)
		return false;
	for (uint32_t i = 0; i < g->nnarrowings; i++)
		if (g->narrowing[i] == 0 || (i > 0 && g->narrowing[i] <= g->narrowing[i - 1]))
			return false;
	return true;
}

bool
grant_narrow(struct grant *g, uint32_t number)
{
	uint32_t at = 0;

	while (at < g->nnarrowings && g->narrowing[at] < number)
		at++;
	if (at < g->nnarrowings && g->narrowing[at] == number)
		return true;
	if (number == 0 || g->nnarrowings >= GRANT_NARROWINGS_MAX)
		return false;
	memmove(&g->narrowing[at + 1], &g->narrowing[at], (g->nnarrowings - at) * sizeof(g->narrowing[0]));
	g->narrowing[at] = number;
	g->nnarrowings++;
	return true;
}

/* The bounds that hold for every grant, made or read. */
static bool
grant_good(const struct grant *g)
{
	return g->audience_proc != 0 && g->tenant != TENANT_UNASSIGNED && g->role > ROLE_NONE &&
	       g->role < ROLE_COUNT && g->issued_ns > 0 && g->expires_ns > g->issued_ns &&
	       g->expires_ns - g->issued_ns <= GRANT_LIFE_S * NS_PER_S && narrowings_good(g) &&
	       subject_good(g->subject);
}

size_t
grant_sign(const struct grant *g, const uint8_t secret[static GRANT_SIGN_SECRET], uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size < GRANT_BYTES_MAX ? size : GRANT_BYTES_MAX);
	uint8_t signature[SIGNATURE_LEN];

	if (!grant_good(g))
		return 0;
	wcur_put(&w, magic, sizeof(magic));
	wcur_put(&w, g->id, sizeof(g->id));
	wcur_be32(&w, g->audience_proc);
	wcur_be32(&w, g->audience_instance);
	wcur_be32(&w, g->tenant);
	wcur_be32(&w, g->role);
	wcur_be64(&w, g->snapshot);
	wcur_be64(&w, g->scopes);
	wcur_u8(&w, (uint8_t)((g->masked ? FLAG_MASKED : 0) | (g->of_token ? FLAG_OF_TOKEN : 0)));
	wcur_u8(&w, (uint8_t)g->nnarrowings);
	for (uint32_t i = 0; i < g->nnarrowings; i++)
		wcur_be32(&w, g->narrowing[i]);
	wcur_be64(&w, (uint64_t)g->issued_ns);
	wcur_be64(&w, (uint64_t)g->expires_ns);
	wcur_u8(&w, (uint8_t)strlen(g->subject));
	wcur_put(&w, g->subject, strlen(g->subject));
	if (w.bad || crypto_sign_detached(signature, NULL, out, wcur_len(&w), secret) != 0)
		return 0;
	return wcur_put(&w, signature, sizeof(signature)) ? wcur_len(&w) : 0;
}

static bool
signed_by_any(const uint8_t *bytes, size_t len, const uint8_t (*keys)[GRANT_SIGN_PUBLIC], size_t nkeys)
{
	for (size_t i = 0; i < nkeys; i++)
		if (crypto_sign_verify_detached(bytes + len, bytes, len, keys[i]) == 0)
			return true;
	return false;
}

static bool
grant_decode(struct rcur c, struct grant *g)
{
	const uint8_t *m = rcur_take(&c, sizeof(magic));
	unsigned flags;
	size_t n;

	if (m == NULL || memcmp(m, magic, sizeof(magic)) != 0)
		return false;
	memset(g, 0, sizeof(*g));
	rcur_copy(&c, g->id, sizeof(g->id));
	g->audience_proc = rcur_be32(&c);
	g->audience_instance = rcur_be32(&c);
	g->tenant = rcur_be32(&c);
	g->role = rcur_be32(&c);
	g->snapshot = rcur_be64(&c);
	g->scopes = rcur_be64(&c);
	flags = rcur_u8(&c);
	g->masked = (flags & FLAG_MASKED) != 0;
	g->of_token = (flags & FLAG_OF_TOKEN) != 0;
	g->nnarrowings = rcur_u8(&c);
	if ((flags & ~(FLAG_MASKED | FLAG_OF_TOKEN)) != 0 || g->nnarrowings > GRANT_NARROWINGS_MAX)
		return false;
	for (uint32_t i = 0; i < g->nnarrowings; i++)
		g->narrowing[i] = rcur_be32(&c);
	g->issued_ns = (int64_t)rcur_be64(&c);
	g->expires_ns = (int64_t)rcur_be64(&c);
	n = rcur_u8(&c);
	if (n >= sizeof(g->subject) || !rcur_copy(&c, g->subject, n))
		return false;
	return rcur_left(&c) == 0 && strlen(g->subject) == n && grant_good(g);
}

enum grant_verdict
grant_verify(const uint8_t *bytes, size_t len, const uint8_t (*keys)[GRANT_SIGN_PUBLIC], size_t nkeys,
	     int64_t now_ns, struct grant *out)
{
	struct grant g;

	if (len <= SIGNATURE_LEN || len > GRANT_BYTES_MAX)
		return GRANT_MALFORMED;
	len -= SIGNATURE_LEN;
	if (!signed_by_any(bytes, len, keys, nkeys))
		return GRANT_FORGED;
	if (!grant_decode(rcur_of(bytes, len), &g))
		return GRANT_MALFORMED;
	if (now_ns >= g.expires_ns)
		return GRANT_EXPIRED;
	if (now_ns < g.issued_ns)
		return GRANT_NOT_YET;
	*out = g;
	return GRANT_GOOD;
}
