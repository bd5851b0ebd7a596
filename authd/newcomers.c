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
#include "groups.h"
#include "judging.h"
#include "mapping.h"
#include "providers.h"
#include "rights.h"
#include "rows.h"
#include "user_name.h"

#define LOOKS_MAX 8u /* under way at a time: logins have the rest */

static const char back_again[] = "the directory has him again";

/* --- accounts --- */

void
newcomers_fold(char *name)
{
	for (; *name != '\0'; name++)
		if (isascii((unsigned char)*name))
			*name = (char)tolower((unsigned char)*name);
}

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
	newcomers_fold(name);
}

static void
note(struct authd *a, struct txn *x, enum audit_kind kind, const char *name, const struct wire_client *client,
     const char *detail)
{
	struct audit_entry e = events_entry(kind, AUDIT_DONE, name, client);

	audit_detail(&e, "%s", detail);
	audit_add(a->audit, x, &e);
}

static const char *
groups_words(const struct person_told *told)
{
	return told->cut ? "groups as the directory says, which has more than it tells"
			 : "groups as the directory says";
}

void
newcomers_settle(struct authd *a, uint64_t account)
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
	bool failed; /* nobody could be asked */
};

bool
newcomers_are_judged(const struct authd *a, const char *name, const struct account *who)
{
	if (!people_are_there(a->people))
		return false;
	if (who != NULL)
		return account_is_directorys(who);
	/* A name of another provider's people is none of the directory's, nor is the password with it. */
	return providers_of_login(a->providers, name) == NULL && user_name_judge(name) == NULL;
}

/* Somebody who comes in, and his account while it is written. */
struct coming {
	struct attempt *t;
	const struct person_told *told;
	struct txn x;
	char name[ACCOUNT_NAME_MAX]; /* of the account */
	struct account who;
	bool changed;
	const char *why; /* he may not, for the record; NULL: nothing is wrong with him */
};

static void
refuse(struct coming *c, const char *why)
{
	if (c->why == NULL && c->x.rc == 0)
		c->why = why;
	txn_fail(&c->x, DB_NONE);
}

/* His account is called as the directory spells him, so that each spelling that it takes for the same comes
 * to the same account, with its second factor. */
static void
name_him(struct coming *c)
{
	const char *name = c->told->name[0] == '\0' ? c->t->name : c->told->name;

	if (!str_copy(c->name, sizeof(c->name), name) || user_name_judge(name) != NULL)
		refuse(c, "what the directory calls him cannot be the name of an account");
	newcomers_fold(c->name);
}

static void
note_changed(struct coming *c, enum audit_kind kind, const char *detail)
{
	if (c->x.rc != 0)
		return;
	note(c->t->a, &c->x, kind, c->name, &c->t->client, detail);
	c->changed = true;
}

/* By what stays, if the directory tells that, and only then by name: a name can become another's. */
static void
find_or_add(struct coming *c)
{
	uint64_t known = subject_look(&c->x, PROVIDER_LDAP, c->told->id);
	bool there = account_look(&c->x, c->name, &c->who);

	if (there && !account_is_directorys(&c->who)) {
		refuse(c, "an account of that name is not the directory's");
	} else if (known != 0 && (!there || c->who.number != known)) {
		if (there)
			refuse(c, "he was renamed, and there is another account by his new name: remove it");
		account_read(&c->x, known, &c->who);
		account_rename(&c->x, &c->who, c->name);
		note_changed(c, AUDIT_USER_CHANGED, "renamed, as in the directory");
	} else if (there && known == 0 && c->who.subject[0] != '\0') {
		refuse(c, c->told->id[0] == '\0'
			      ? "the directory does not tell his id any more"
			      : "the account of that name was another's, who is gone: remove it");
	} else if (!there) {
		c->who = (struct account){ .kind = ACCOUNT_PERSON, .created_ns = clock_utc_ns() };
		(void)str_copy(c->who.name, sizeof(c->who.name), c->name);
		(void)str_copy(c->who.provider, sizeof(c->who.provider), PROVIDER_LDAP);
		account_add(&c->x, &c->who);
		note_changed(c, AUDIT_USER_ADDED, "by the directory");
	}
	if (c->x.rc == 0 && known == 0 && c->told->id[0] != '\0')
		account_bind(&c->x, &c->who, c->told->id);
}

static void
write_what_is_told(struct coming *c)
{
	const struct mapping m = mapping_of_directory(&c->t->a->boot->settings);
	struct account was = c->who;

	if (c->told->title[0] != '\0')
		(void)str_copy(c->who.title, sizeof(c->who.title), c->told->title);
	c->who.absent = false;
	if (strcmp(was.title, c->who.title) != 0 || was.absent)
		account_write(&c->x, &c->who);
	if (was.absent)
		note_changed(c, AUDIT_USER_CHANGED, back_again);
	if (mapping_write(&c->x, &m, c->who.number, c->told))
		note_changed(c, AUDIT_RIGHTS_GRANTED, groups_words(c->told));
}

/* Who is in none of the groups comes in by what he was given here, if anything. */
static void
admit_him(struct coming *c)
{
	const struct mapping m = mapping_of_directory(&c->t->a->boot->settings);
	uint64_t group[GROUPS_OF_ONE_MAX];
	struct arena *arena;
	struct accesses own;

	if (mapping_admits(&m, c->told))
		return;
	arena = arena_new(RIGHTS_ARENA);
	accesses_read(&c->x, c->who.number, arena, &own);
	if (own.n == 0 && groups_of(&c->x, c->who.number, group) == 0)
		refuse(c, "he is in no group that ldap.groups names");
	arena_free(&arena);
}

/* False where he may not come in, and c->why says why; or, where that is NULL, where it could not be written.
 */
static bool
take_in(struct coming *c)
{
	struct authd *a = c->t->a;
	bool good;

	c->x = txn_begin(accounts_db_tables(a->db), true);
	name_him(c);
	find_or_add(c);
	write_what_is_told(c);
	admit_him(c);
	good = txn_end(&c->x) == DB_OK;
	if (good) {
		(void)str_copy(c->t->name, sizeof(c->t->name), c->name);
		c->t->account = c->who.number;
		judging_fingerprint(&c->who, c->t->judged);
		if (c->changed)
			newcomers_settle(a, c->who.number);
	}
	return good;
}

/* Not to be told from a wrong password by the hash, nor by the answer. */
static void
on_hashed(void *ctx, const struct hash_answer *judged)
{
	const struct judging_there j = *(struct judging_there *)ctx;
	struct hash_answer answer = { .verdict = HASH_MISMATCH };

	free(ctx);
	if (j.failed || judged->verdict == HASH_FAILED)
		answer.verdict = HASH_FAILED;
	j.done(j.ctx, &answer);
}

/* He does not come in. What an account of ours costs and says is what it costs and says here too, whatever
 * became of the question: else a stranger learns which names are whose, and when the directory is down.
 * False, and j is gone, where that has no room. */
static bool
refuse_as_ours(struct judging_there *j)
{
	struct attempt *t = j->t;

	if (hash_queue_verify(t->a->hashing, "nobody's", "", on_hashed, j))
		return true;
	free(j);
	return false;
}

static void
on_judged(void *ctx, const struct person_told *told)
{
	struct judging_there *j = ctx;
	const struct judging_there was = *j;
	struct hash_answer answer = { .verdict = HASH_MATCH };
	struct attempt *t = j->t;
	struct coming c = { .t = t, .told = told };

	if (told->verdict == DIRECTORY_RIGHT && take_in(&c)) {
		free(j);
		was.done(was.ctx, &answer);
		return;
	}
	if (told->verdict == DIRECTORY_REFUSED || told->verdict == DIRECTORY_UNAVAILABLE)
		log_warn("login of '%s' from %s: %s", t->name, t->from, told->why);
	j->failed = told->verdict == DIRECTORY_RIGHT && c.why == NULL; /* the disk would not have it */
	t->unasked = told->verdict == DIRECTORY_UNAVAILABLE;
	attempt_because(t, c.why != NULL ? c.why : told->why);
	answer.verdict = HASH_FAILED;
	if (!refuse_as_ours(j))
		was.done(was.ctx, &answer);
}

bool
newcomers_judge(struct attempt *t, const char *password, hash_done *done, void *ctx)
{
	struct judging_there *j = mem_calloc(1, sizeof(*j));

	*j = (struct judging_there){ t, done, ctx, false };
	if (people_are_away(t->a->people)) {
		t->a->counters.n[COUNTED_AUTHD_PEOPLE_FULL]++;
		attempt_because(t, people_away_why(t->a->people));
	} else if (people_ask(t->a->people, DIRECTORY_LOGIN, t->name, password, on_judged, j)) {
		return true;
	} else {
		attempt_because(t, "weir-directory has too much to do");
	}
	t->unasked = true;
	if (refuse_as_ours(j))
		return true;
	attempt_excuse(t, AUTH_BUSY, "Too many passwords are being checked.");
	return false;
}

/* --- looking again --- */

struct looking_again {
	struct authd *a;
	uint64_t account;
	char name[ACCOUNT_NAME_MAX];
};

/* What was told of an account: true where anything changed; *gone where it is not open any more. */
static bool
write_looked(struct txn *x, const struct looking_again *l, const struct person_told *told, bool *gone)
{
	const struct mapping m = mapping_of_directory(&l->a->boot->settings);
	static const struct wire_client nobody;
	bool there = told->verdict == DIRECTORY_RIGHT, changed, turned;
	const char *why = told->why;
	struct account who;

	account_read(x, l->account, &who);
	/* Meanwhile it may have been removed, or renamed. */
	if (x->rc != 0 || !account_is_directorys(&who) || strcmp(who.name, l->name) != 0)
		return false;
	if (there && who.subject[0] != '\0' && strcmp(who.subject, told->id) != 0) {
		there = false;
		why = "the directory's entry of that name is not his";
	}
	changed = mapping_write(x, &m, l->account, there ? told : NULL);
	if (changed)
		note(l->a, x, there ? AUDIT_RIGHTS_GRANTED : AUDIT_RIGHTS_REMOVED, l->name, &nobody,
		     there ? groups_words(told) : why);
	turned = who.absent == there;
	*gone = turned && !there;
	if (turned) {
		who.absent = !there;
		account_write(x, &who);
		note(l->a, x, AUDIT_USER_CHANGED, l->name, &nobody, there ? back_again : why);
	}
	if (*gone)
		sessions_remove_of(x, who.number, NULL);
	return changed || turned;
}

static void
on_looked(void *ctx, const struct person_told *told)
{
	AUTO(mem_drop) struct looking_again *l = ctx;
	struct authd *a = l->a;
	enum db_status status;
	bool changed, gone = false;
	struct txn x;

	a->looks--;
	if (told->verdict == DIRECTORY_REFUSED || told->verdict == DIRECTORY_UNAVAILABLE) {
		static struct log_limit silent;

		log_warn_limited(&silent, "the groups of '%s' stay as they are: %s", l->name, told->why);
		return;
	}
	if (told->cut)
		log_warn("'%s' is in more groups than the directory tells: what counts may be among the rest",
			 l->name);
	x = txn_begin(accounts_db_tables(a->db), true);
	changed = write_looked(&x, l, told, &gone);
	status = txn_end(&x);
	if (status != DB_OK && status != DB_NONE)
		log_error("the groups of '%s' could not be written: %s", l->name, accounts_db_why(a->db));
	else if (changed)
		newcomers_settle(a, l->account);
	if (status == DB_OK && gone) {
		(void)sessions_forget(a->sessions, l->account, NULL);
		tickets_forget(a->tickets, l->account);
	}
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

	if (!people_are_there(a->people) || people_are_away(a->people))
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
