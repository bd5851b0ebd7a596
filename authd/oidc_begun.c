#include "oidc_begun.h"

#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static void
hash_of(const uint8_t cookie[static COOKIE_BYTES], uint8_t hash[static 32])
{
	(void)crypto_generichash(hash, 32, cookie, COOKIE_BYTES, NULL, 0);
}

/* Whose the places are. IPv6: a client has a whole /64. */
static struct ip_addr
client_network(const struct ip_addr *ip)
{
	struct ip_addr n = *ip;

	if (!ip_is_v4(ip))
		memset(n.b + 8, 0, 8);
	return n;
}

/* Where one goes: over the address's oldest where it has its share, or over the oldest of all. */
static struct begun *
place_for(struct begun_logins *b, const struct ip_addr *ip)
{
	struct begun *place = &b->item[0], *own = NULL;
	size_t n = 0;

	/* Free ones end at 0. */
	for (size_t i = 0; i < BEGUN_MAX; i++) {
		struct begun *at = &b->item[i];

		if (at->until_ns < place->until_ns)
			place = at;
		if (at->until_ns == 0 || memcmp(&at->ip, ip, sizeof(*ip)) != 0)
			continue;
		n++;
		if (own == NULL || at->until_ns < own->until_ns)
			own = at;
	}
	return n < BEGUN_OF_ONE ? place : own;
}

static void
draw(char out[static BEGUN_SECRET_MAX])
{
	uint8_t bytes[32];

	randombytes_buf(bytes, sizeof(bytes));
	(void)sodium_bin2base64(out, BEGUN_SECRET_MAX, bytes, sizeof(bytes),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

const struct begun *
begun_draw(struct begun_logins *b, const char *provider, const char *origin, const struct ip_addr *ip,
	   int64_t now_ns, uint8_t cookie[static COOKIE_BYTES])
{
	const struct ip_addr network = client_network(ip);
	struct begun *place = place_for(b, &network);

	sodium_memzero(place, sizeof(*place));
	randombytes_buf(cookie, COOKIE_BYTES);
	hash_of(cookie, place->hash);
	place->until_ns = now_ns + BEGUN_LIFE_S * NS_PER_S;
	place->ip = network;
	draw(place->state);
	draw(place->nonce);
	draw(place->verifier);
	(void)str_copy(place->provider, sizeof(place->provider), provider);
	(void)str_copy(place->origin, sizeof(place->origin), origin);
	return place;
}

bool
begun_take(struct begun_logins *b, const uint8_t cookie[static COOKIE_BYTES], const char *provider,
	   const char *state, int64_t now_ns, struct begun *out)
{
	struct begun *found = NULL;
	uint8_t hash[32];

	hash_of(cookie, hash);
	for (size_t i = 0; i < BEGUN_MAX; i++)
		if (sodium_memcmp(b->item[i].hash, hash, sizeof(hash)) == 0)
			found = &b->item[i];
	if (found == NULL || found->until_ns == 0)
		return false;
	if (now_ns >= found->until_ns) {
		sodium_memzero(found, sizeof(*found));
		return false;
	}
	/* Somebody else's page may have sent this browser here with a state of its own: then what it began
	 * waits on. */
	if (strcmp(found->provider, provider) != 0 || strlen(state) != BEGUN_SECRET_MAX - 1 ||
	    sodium_memcmp(found->state, state, BEGUN_SECRET_MAX - 1) != 0)
		return false;
	*out = *found;
	sodium_memzero(found, sizeof(*found));
	return true;
}
