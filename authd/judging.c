#include "judging.h"

#include <sodium.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/log.h"
#include "base/mem.h"
#include "newcomers.h"

static const char could_not[] = "The password could not be checked now.";

void
judging_fingerprint(const struct account *who, uint8_t out[static JUDGED_LEN])
{
	(void)crypto_generichash(out, JUDGED_LEN, (const uint8_t *)who->hash, strlen(who->hash), NULL, 0);
}

bool
judging_begin(struct attempt *t, const char *password, hash_done *done, void *ctx)
{
	struct txn x = txn_begin(accounts_db_tables(t->a->db), false);
	struct account who;
	bool found = account_look(&x, t->name, &who), begun = false;
	enum db_status status = txn_end(&x);

	t->by_password = true;
	if (status == DB_OK && newcomers_are_judged(t->a, t->name, found ? &who : NULL)) {
		t->account = found ? who.number : 0;
		begun = newcomers_judge(t, password, done, ctx);
	} else if (status == DB_OK) {
		t->account = found ? who.number : 0;
		judging_fingerprint(&who, t->judged);
		/* An unknown user's password is judged at the same cost, against what nothing matches. */
		begun = hash_queue_verify(t->a->hashing, password, found ? who.hash : "", done, ctx);
		if (!begun)
			attempt_excuse(t, AUTH_BUSY, "Too many passwords are being checked.");
	} else {
		attempt_unwritable(t, status);
	}
	sodium_memzero(&who, sizeof(who));
	return begun;
}

/* Meanwhile the password may have become another, and what was right is not any more; or another login has
 * hashed it anew. */
static bool
is_still_judged(const struct attempt *t, const struct account *who)
{
	uint8_t now[JUDGED_LEN];

	judging_fingerprint(who, now);
	return sodium_memcmp(now, t->judged, sizeof(now)) == 0;
}

/* The cost in the settings is not the one of the stored hash: the worker made a new one. It may wait. */
static void
renew_hash(struct attempt *t, const char *hash)
{
	struct txn x = txn_begin(accounts_db_tables(t->a->db), true);
	struct account who;

	account_read(&x, t->account, &who);
	(void)str_copy(who.hash, sizeof(who.hash), hash);
	if (x.rc == 0)
		account_write(&x, &who);
	if (txn_end(&x) == DB_OK)
		judging_fingerprint(&who, t->judged);
	else
		log_warn("the password hash of '%s' could not be renewed: %s", t->name,
			 accounts_db_why(t->a->db));
	sodium_memzero(&who, sizeof(who));
}

/* The password was right. */
static bool
is_unchanged(struct attempt *t, bool *has_factor)
{
	struct txn x = txn_begin(accounts_db_tables(t->a->db), false);
	struct account who;
	struct factor_record factor;
	enum db_status status;
	bool disabled, same;

	account_read(&x, t->account, &who);
	disabled = !account_is_open(&who);
	same = is_still_judged(t, &who);
	*has_factor = factor_look(&x, t->account, &factor) && factor.confirmed;
	sodium_memzero(&who, sizeof(who));
	sodium_memzero(&factor, sizeof(factor));
	status = txn_end(&x);
	if (status == DB_NONE)
		attempt_refuse(t, NULL);
	else if (status != DB_OK)
		attempt_unwritable(t, status);
	else if (disabled)
		attempt_refuse(t, "the account is disabled");
	else if (!same)
		attempt_excuse(t, AUTH_BUSY, could_not);
	return status == DB_OK && !disabled && same;
}

bool
judging_passed(struct attempt *t, const struct hash_answer *judged, bool *has_factor)
{
	if (judged->verdict == HASH_FAILED) {
		attempt_excuse(t, AUTH_BUSY, could_not);
		return false;
	}
	if (judged->verdict != HASH_MATCH || t->account == 0) {
		attempt_refuse(t, NULL);
		return false;
	}
	if (return_address_find(t->a, &t->to) == NULL) {
		attempt_excuse(t, AUTH_DENIED, NULL); /* nobody is there to take what it gives */
		return false;
	}
	if (!is_unchanged(t, has_factor))
		return false;
	if (judged->hash[0] != '\0')
		renew_hash(t, judged->hash);
	return true;
}
