#include "newcomers.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "basic.h"
#include "events.h"
#include "granting.h"
#include "judging.h"
#include "mapping.h"
#include "rows.h"
#include "user_name.h"

#define LOOKS_MAX 8u /* under way at a time: logins have the rest */

/* --- accounts --- */

void
newcomers_spell(struct authd *a, char *name)
{
	struct txn x;
	bool own;

	if (!people_are_there(a->people))
		return;
	x = txn_begin(accounts_db_tables(a->db), false);
	own = name_look(&x, TABLE_NAMES, name) != 0;
	if (txn_end(&x) != DB_OK || own)
		return;
	for (; *name != '\0'; name++)
		if (isascii((unsigned char)*name))
			*name = (char)tolower((unsigned char)*name);
}

/* His account as it is to be; true where anything of it changed. */
static bool
write_account(struct txn *x, const char *name, const char *title, struct account *who)
{
	struct account was;
	bool found = account_look(x, name, who);

	if (!found) {
		*who = (struct account){ .kind = ACCOUNT_PERSON, .created_ns = clock_utc_ns() };
		(void)str_copy(who->name, sizeof(who->name), name);
		(void)str_copy(who->hash, sizeof(who->hash), DIRECTORY_HASH);
	} else if (!account_is_directorys(who)) {
		txn_fail(x, DB_NONE); /* meanwhile it has become one of Weir's own */
		return false;
	}
	was = *who;
	if (title[0] != '\0')
		(void)str_copy(who->title, sizeof(who->title), title);
	if (!found)
		account_add(x, who);
	else if (strcmp(was.title, who->title) != 0)
		account_write(x, who);
	return !found;
}

static void
note(struct authd *a, struct txn *x, enum audit_kind kind, const char *name, const struct wire_client *client,
     const char *detail)
{
	struct audit_entry e = events_entry(kind, AUDIT_DONE, name, client);

	audit_detail(&e, "%s", detail);
	audit_add(a->audit, x, &e);
}

/* What changed on disk holds for what is in memory, too. */
static void
settle(struct authd *a, uint64_t account)
{
	basic_forget(a, account);
	granting_revoke_accounts(a, &account, 1);
	(void)authd_refresh(a);
}

/* --- logins --- */

struct judging_there {
	struct attempt *t;
	hash_done *done;
	void *ctx;
};

bool
newcomers_are_judged(const struct authd *a, const char *name, const struct account *who)
{
	if (!people_are_there(a->people))
		return false;
	return who == NULL ? user_name_judge(name) == NULL : account_is_directorys(who);
}

/* False where it could not be written, and *status says why. */
static bool
take_in(struct attempt *t, const struct person_told *told, enum db_status *status)
{
	struct authd *a = t->a;
	struct txn x = txn_begin(accounts_db_tables(a->db), true);
	struct account who;
	bool added = write_account(&x, t->name, told->title, &who), changed = false;

	if (x.rc == 0)
		changed = mapping_write(&x, &a->boot->settings, who.number, told);
	if (x.rc == 0 && added)
		note(a, &x, AUDIT_USER_ADDED, t->name, &t->client, "by the directory");
	if (x.rc == 0 && changed)
		note(a, &x, AUDIT_RIGHTS_GRANTED, t->name, &t->client, "groups as the directory says");
	*status = txn_end(&x);
	if (*status == DB_OK) {
		t->account = who.number;
		judging_fingerprint(&who, t->judged);
		if (changed || added)
			settle(a, who.number);
	}
	sodium_memzero(&who, sizeof(who));
	return *status == DB_OK;
}

static void
on_judged(void *ctx, const struct person_told *told)
{
	const struct judging_there j = *(struct judging_there *)ctx;
	struct hash_answer answer = { .verdict = HASH_MISMATCH };
	struct attempt *t = j.t;
	enum db_status status;

	free(ctx);
	switch (told->verdict) {
	case DIRECTORY_RIGHT:
		if (!mapping_admits(&t->a->boot->settings, told))
			attempt_because(t, "he is in no group that ldap.groups names");
		else if (take_in(t, told, &status))
			answer.verdict = HASH_MATCH;
		else if (status == DB_NONE)
			attempt_because(t, "an account of Weir's own has that name");
		else
			answer.verdict = HASH_FAILED;
		break;
	case DIRECTORY_REFUSED:
	case DIRECTORY_UNAVAILABLE:
		log_warn("login of '%s' from %s: %s", t->name, t->from, told->why);
		answer.verdict = HASH_FAILED;
		break;
	default:
		attempt_because(t, told->why);
	}
	j.done(j.ctx, &answer);
}

bool
newcomers_judge(struct attempt *t, const char *password, hash_done *done, void *ctx)
{
	struct judging_there *j = mem_calloc(1, sizeof(*j));

	*j = (struct judging_there){ t, done, ctx };
	if (people_ask(t->a->people, DIRECTORY_LOGIN, t->name, password, on_judged, j))
		return true;
	free(j);
	log_warn("login of '%s' from %s: weir-directory is not there, or has too much to do", t->name,
		 t->from);
	attempt_excuse(t, AUTH_BUSY, "The password could not be checked now.");
	return false;
}

/* --- looking again --- */

struct looking_again {
	struct authd *a;
	uint64_t account;
	char name[ACCOUNT_NAME_MAX];
};

static void
on_looked(void *ctx, const struct person_told *told)
{
	AUTO(mem_drop) struct looking_again *l = ctx;
	static const struct wire_client nobody;
	struct authd *a = l->a;
	bool there = told->verdict == DIRECTORY_RIGHT, changed;
	enum db_status status;
	struct txn x;

	a->looks--;
	if (told->verdict == DIRECTORY_REFUSED || told->verdict == DIRECTORY_UNAVAILABLE) {
		static struct log_limit silent;

		log_warn_limited(&silent, "the groups of '%s' stay as they are: %s", l->name, told->why);
		return;
	}
	x = txn_begin(accounts_db_tables(a->db), true);
	changed = mapping_write(&x, &a->boot->settings, l->account, there ? told : NULL);
	if (x.rc == 0 && changed)
		note(a, &x, there ? AUDIT_RIGHTS_GRANTED : AUDIT_RIGHTS_REMOVED, l->name, &nobody,
		     there ? "groups as the directory says" : told->why);
	if (!changed)
		txn_abort(&x);
	status = changed ? txn_end(&x) : DB_OK;
	if (status != DB_OK)
		log_error("the groups of '%s' could not be written: %s", l->name, accounts_db_why(a->db));
	else if (changed)
		settle(a, l->account);
}

struct due {
	struct authd *a;
	uint64_t after, account; /* 0: none */
	char name[ACCOUNT_NAME_MAX];
};

/* Accounts by number: the next one of the directory's behind the last. */
static bool
take_next(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct due *d = ctx;
	struct account who;
	bool found;

	if (!account_decode(value.p, value.n, &who))
		return false;
	(void)key;
	found = who.number > d->after && !who.disabled && account_is_directorys(&who);
	if (found) {
		d->account = who.number;
		(void)str_copy(d->name, sizeof(d->name), who.name);
	}
	sodium_memzero(&who, sizeof(who));
	return !found;
}

static bool
find_next(struct due *d)
{
	struct txn x = txn_begin(accounts_db_tables(d->a->db), false);
	struct be64 from = be64_of(d->after + 1);

	d->account = 0;
	txn_walk(&x, TABLE_ACCOUNTS, be64_bytes(&from), false, take_next, d);
	(void)txn_end(&x);
	return d->account != 0;
}

void
newcomers_turn(struct authd *a)
{
	int64_t now = clock_boot_ns(), interval = a->boot->settings.ldap_interval_ms * 1000000;
	struct due d = { .a = a, .after = a->looked };

	if (!people_are_there(a->people))
		return;
	if (a->looked == 0 && now - a->look_ns < interval)
		return;
	if (a->looked == 0)
		a->look_ns = now;
	while (a->looks < LOOKS_MAX) {
		struct looking_again *l;

		if (!find_next(&d)) {
			a->looked = 0; /* through: again after the interval */
			return;
		}
		l = mem_calloc(1, sizeof(*l));
		*l = (struct looking_again){ .a = a, .account = d.account };
		(void)str_copy(l->name, sizeof(l->name), d.name);
		if (!people_ask(a->people, DIRECTORY_LOOK, l->name, "", on_looked, l)) {
			free(l);
			return;
		}
		a->looks++;
		a->looked = d.after = d.account;
	}
}
