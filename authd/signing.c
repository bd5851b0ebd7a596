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

/* What comes behind the key that is there; before: none is there. */
static void
draw(const struct signing *s, int64_t now, bool before)
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];

	sodium_memzero(s->next, sizeof(*s->next));
	if (before)
		memcpy(s->next->previous_public, public_half(s->key), sizeof(s->next->previous_public));
	s->next->has_previous = before;
	s->next->created_ns = now;
	crypto_sign_keypair(public_key, s->next->secret);
}

void
signing_rotate(struct signing *s, struct txn *x, int64_t now)
{
	draw(s, now, true);
	accounts_db_put_signing(x, s->next);
}

void
signing_adopt(struct signing *s)
{
	*s->key = *s->next;
	sodium_memzero(s->next, sizeof(*s->next));
	log_info("made a %s signing key", s->key->has_previous ? "new" : "first");
}

static bool
make_key(struct signing *s, struct accounts_db *db, int64_t now, bool replaces)
{
	draw(s, now, replaces);
	if (accounts_db_set_signing(db, s->next) != DB_OK)
		return false;
	signing_adopt(s);
	return true;
}

/* A clock that was set back makes a key young. */
static bool
older_than(const struct signing *s, int64_t now, int64_t seconds)
{
	return now - s->key->created_ns >= seconds * NS_PER_S;
}

bool
signing_is_old(const struct signing *s, int64_t now)
{
	return older_than(s, now, SIGNING_KEY_LIFE_S);
}

bool
signing_may_rotate(const struct signing *s, int64_t now)
{
	return !s->key->has_previous || older_than(s, now, SIGNING_OVERLAP_S);
}

bool
signing_drop_previous(struct signing *s, struct accounts_db *db, int64_t now)
{
	if (!s->key->has_previous || !older_than(s, now, SIGNING_OVERLAP_S))
		return false;
	*s->next = *s->key;
	s->next->has_previous = 0;
	memset(s->next->previous_public, 0, sizeof(s->next->previous_public));
	if (accounts_db_set_signing(db, s->next) != DB_OK)
		return false; /* later, then */
	*s->key = *s->next;
	sodium_memzero(s->next, sizeof(*s->next));
	return true;
}

bool
signing_load(struct signing *s, struct accounts_db *db, int64_t now)
{
	enum db_status status;

	if (s->key == NULL) {
		s->key = locked_pages(2 * sizeof(*s->key));
		s->next = s->key + 1;
	}
	status = accounts_db_signing(db, s->key);
	if (status == DB_NONE)
		return make_key(s, db, now, false);
	if (status != DB_OK)
		return false;
	if (!signing_is_old(s, now))
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
		sodium_memzero(s->key, 2 * sizeof(*s->key));
}

int64_t
signing_since(const struct signing *s)
{
	return s->key->created_ns;
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
