#include "tickets.h"

#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static void
hash_of(const uint8_t ticket[static TICKET_BYTES], uint8_t hash[static 32])
{
	(void)crypto_generichash(hash, 32, ticket, TICKET_BYTES, NULL, 0);
}

void
tickets_drop(struct ticket *i)
{
	sodium_memzero(i, sizeof(*i));
}

void
tickets_forget(struct tickets *t, uint64_t account)
{
	for (size_t i = 0; i < TICKETS_MAX; i++)
		if (t->item[i].account == account)
			tickets_drop(&t->item[i]);
}

void
tickets_forget_origin(struct tickets *t, const struct session_origin *origin)
{
	for (size_t i = 0; i < TICKETS_MAX; i++)
		if (t->item[i].account != 0 && strcmp(t->item[i].origin.provider, origin->provider) == 0 &&
		    memcmp(t->item[i].origin.sid, origin->sid, sizeof(origin->sid)) == 0)
			tickets_drop(&t->item[i]);
}

/* Where one goes: over the account's oldest where it has its share, or over the oldest of all. */
static struct ticket *
place_for(struct tickets *t, uint64_t account)
{
	struct ticket *place = &t->item[0], *own = NULL;
	size_t n = 0;

	/* Free ones end at 0. */
	for (size_t i = 0; i < TICKETS_MAX; i++) {
		struct ticket *at = &t->item[i];

		if (at->until_ns < place->until_ns)
			place = at;
		if (at->account != account)
			continue;
		n++;
		if (own == NULL || at->until_ns < own->until_ns)
			own = at;
	}
	return n < TICKETS_OF_ONE ? place : own;
}

struct ticket *
tickets_draw(struct tickets *t, uint64_t account, const char *name, int64_t now,
	     uint8_t ticket[static TICKET_BYTES])
{
	struct ticket *place = place_for(t, account);

	randombytes_buf(ticket, TICKET_BYTES);
	*place = (struct ticket){ .account = account,
				  .until_ns = now + TICKET_LIFE_S * NS_PER_S,
				  .tries = TICKET_TRIES };
	hash_of(ticket, place->hash);
	(void)str_copy(place->name, sizeof(place->name), name);
	return place;
}

struct ticket *
tickets_try(struct tickets *t, const uint8_t ticket[static TICKET_BYTES], int64_t now)
{
	struct ticket *found = NULL;
	uint8_t hash[32];

	hash_of(ticket, hash);
	for (size_t i = 0; i < TICKETS_MAX; i++)
		if (sodium_memcmp(t->item[i].hash, hash, sizeof(hash)) == 0)
			found = &t->item[i];
	if (found == NULL || found->account == 0)
		return NULL;
	if (now >= found->until_ns || found->tries == 0) {
		tickets_drop(found);
		return NULL;
	}
	found->tries--;
	return found;
}
