#include "signing.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "locked.h"
#include "tenants.h"

static_assert(sizeof(((struct signing_record *)NULL)->secret) == crypto_sign_SECRETKEYBYTES,
	      "record.h agrees");
static_assert(SIGN_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "wire.h agrees");

/* libsodium keeps the public key in the second half of the secret one. */
static const uint8_t *
public_half(const struct signing_record *r)
{
	return r->secret + crypto_sign_SEEDBYTES;
}

static bool
make_key(struct signing *s, struct accounts_db *db, int64_t now, bool replaces)
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];

	if (replaces)
		memcpy(s->key->previous_public, public_half(s->key), sizeof(s->key->previous_public));
	s->key->has_previous = replaces;
	s->key->created_ns = now;
	crypto_sign_keypair(public_key, s->key->secret);
	if (accounts_db_set_signing(db, s->key) == DB_OK) {
		log_info("made a %s signing key", replaces ? "new" : "first");
		return true;
	}
	return false;
}

bool
signing_load(struct signing *s, struct accounts_db *db, int64_t now)
{
	enum db_status status;

	if (s->key == NULL)
		s->key = locked_pages(sizeof(*s->key));
	status = accounts_db_signing(db, s->key);
	if (status == DB_NONE)
		return make_key(s, db, now, false);
	if (status != DB_OK)
		return false;
	if (now - s->key->created_ns < SIGNING_KEY_LIFE_S * NS_PER_S)
		return true;
	if (make_key(s, db, now, true))
		return true;
	/* A full disk is no reason not to start: the old key goes on. */
	return accounts_db_signing(db, s->key) == DB_OK;
}

void
signing_forget(struct signing *s)
{
	if (s->key != NULL)
		sodium_memzero(s->key, sizeof(*s->key));
}

const uint8_t *
signing_secret(const struct signing *s)
{
	return s->key->secret;
}

void
signing_public(const struct signing *s, struct wire_grant_keys *k)
{
	memset(k, 0, sizeof(*k));
	memcpy(k->key[0], public_half(s->key), sizeof(k->key[0]));
	k->n = 1;
	if (s->key->has_previous) {
		memcpy(k->key[1], s->key->previous_public, sizeof(k->key[1]));
		k->n = 2;
	}
}

uint8_t *
signing_snapshot(const struct signing *s, struct accounts_db *db, size_t *len)
{
	struct snapshot_builder *b = snapshot_builder_new(accounts_db_snapshot_number(db));

	struct txn x = txn_begin(accounts_db_tables(db), false);

	/* The builder remembers what was out of bounds, so that finish refuses it. */
	policy_build(&x, b);
	if (txn_end(&x) != DB_OK)
		log_error("the tenants in the database cannot be read");
	return snapshot_finish(&b, s->key->secret, len);
}
