#include "oidc_login.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "attempt.h"
#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "events.h"
#include "login.h"
#include "mapping.h"
#include "newcomers.h"
#include "oidc_ask.h"
#include "oidc_begun.h"
#include "oidc_logout.h"
#include "oidc_url.h"
#include "providers.h"
#include "rows.h"
#include "told.h"
#include "user_name.h"

#define ENDS(text) (memchr((text), 0, sizeof(text)) != NULL)

/* --- the account --- */

/* Who came, as the provider says. */
struct comer {
	struct attempt *t;
	const struct provider *p;
	const struct person_told *told;
	const char *sub, *name;
	char why[160]; /* it was refused for; "": not */
};

static void
note(struct txn *x, const struct comer *c, enum audit_kind kind, const char *what)
{
	struct audit_entry e = events_entry(kind, AUDIT_DONE, c->t->name, &c->t->client);

	audit_detail(&e, "%s '%s'", what, c->p->s->name);
	audit_add(c->t->a->audit, x, &e);
}

static void
refuse(struct txn *x, struct comer *c, const char *why)
{
	(void)str_copy(c->why, sizeof(c->why), why);
	txn_fail(x, DB_NONE);
}

/* What his account is to be called, before anybody looks whether it is there. False where it cannot be a
 * name. */
static bool
name_him(struct txn *x, struct comer *c)
{
	char name[ACCOUNT_NAME_MAX];
	const char *bad;

	if (!str_copy(name, sizeof(name), c->name)) {
		refuse(x, c, "the name that it says is longer than an account's may be");
		return false;
	}
	newcomers_fold(name);
	bad = name[0] == '\0' ? "it says no name (oidc[].name_claim)" : user_name_judge(name);
	if (bad != NULL) {
		refuse(x, c, bad);
		return false;
	}
	return str_copy(c->t->name, sizeof(c->t->name), name);
}

/* Who comes for the first time. The account is there where an administrator made it for somebody of this
 * provider; any other of that name is somebody else's. */
static void
make_account(struct txn *x, struct comer *c, struct account *who)
{
	const char *provider = c->p->s->name;
	char why[160];

	if (!name_him(x, c))
		return;
	if (account_look(x, c->t->name, who)) {
		if (strcmp(who->provider, provider) == 0 && who->subject[0] == '\0') {
			account_bind(x, who, c->sub);
			return;
		}
		(void)snprintf(why, sizeof(why),
			       "an account named '%.64s' is there already and not bound to this person",
			       c->t->name);
		refuse(x, c, why);
		return;
	}
	*who = (struct account){ .kind = ACCOUNT_PERSON, .created_ns = clock_utc_ns() };
	(void)str_copy(who->name, sizeof(who->name), c->t->name);
	(void)str_copy(who->title, sizeof(who->title), c->told->title);
	(void)str_copy(who->provider, sizeof(who->provider), provider);
	(void)str_copy(who->subject, sizeof(who->subject), c->sub);
	account_add(x, who);
	note(x, c, AUDIT_USER_ADDED, "by the provider");
}

static void
take_account(struct txn *x, struct comer *c, uint64_t number, struct account *who)
{
	account_read(x, number, who);
	if (x->rc == 0)
		(void)str_copy(c->t->name, sizeof(c->t->name), who->name);
}

static void
write_what_is_told(struct txn *x, struct comer *c, struct account *who)
{
	c->t->account = who->number;
	if (!account_is_open(who)) {
		refuse(x, c, "the account is disabled");
	} else if (c->told->title[0] != '\0' && strcmp(c->told->title, who->title) != 0) {
		(void)str_copy(who->title, sizeof(who->title), c->told->title);
		account_write(x, who);
	}
}

/* Groups that were told and that the mapping names, or those that it does not, as far as they fit. */
static void
keep_groups(struct told *keep, size_t *at, const struct mapping *m, const struct person_told *t, bool named)
{
	for (size_t k = 0; k < t->ngroups; k++) {
		size_t n = strlen(t->group[k]);

		if (mapping_names(m, t->group[k]) != named)
			continue;
		if (n + 1 >= sizeof(keep->groups) - *at) {
			keep->cut = true;
			return;
		}
		memcpy(keep->groups + *at, t->group[k], n);
		*at += n;
		keep->groups[(*at)++] = '\n';
	}
}

/* What was told, for who asks why somebody may what he may, and for when the settings change. What counts
 * always fits, so it goes first. */
static void
keep_told(struct txn *x, const struct mapping *m, uint64_t account, const struct person_told *t)
{
	AUTO(mem_drop) struct told *keep = mem_calloc(1, sizeof(*keep));
	size_t at = 0;

	keep->last_ns = clock_utc_ns();
	keep->cut = t->cut;
	keep_groups(keep, &at, m, t, true);
	keep_groups(keep, &at, m, t, false);
	told_write(x, account, keep);
}

static_assert(MAPPING_MAX * MAPPING_ITEM_MAX < TOLD_GROUPS_MAX, "all groups that the settings name fit");

/* Makes or finds the account, with the memberships that the groups give. Other than DB_OK: c->why says what
 * was wrong with him, or the disk would not have it. */
static enum db_status
take_in(struct comer *c, bool *has_factor)
{
	struct authd *a = c->t->a;
	struct txn x = txn_begin(accounts_db_tables(a->db), true);
	uint64_t known = subject_look(&x, c->p->s->name, c->sub);
	struct factor_record factor;
	struct account who;
	bool changed = false;
	enum db_status status;

	memset(&who, 0, sizeof(who));
	if (known != 0)
		take_account(&x, c, known, &who);
	else
		make_account(&x, c, &who);
	if (x.rc == 0)
		write_what_is_told(&x, c, &who);
	if (x.rc == 0)
		changed = mapping_write(&x, &c->p->mapping, who.number, c->told);
	if (x.rc == 0 && changed)
		note(&x, c, AUDIT_RIGHTS_GRANTED, "groups as says the provider");
	if (x.rc == 0)
		keep_told(&x, &c->p->mapping, who.number, c->told);
	*has_factor = x.rc == 0 && factor_look(&x, who.number, &factor) && factor.confirmed;
	sodium_memzero(&factor, sizeof(factor));
	status = txn_end(&x);
	if (status == DB_OK && (changed || known == 0))
		newcomers_settle(a, who.number);
	sodium_memzero(&who, sizeof(who));
	return status;
}

/* --- the session --- */

static void
set_origin(struct attempt *t, const struct provider *p, const char *sid)
{
	(void)str_copy(t->origin.provider, sizeof(t->origin.provider), p->s->name);
	if (sid != NULL)
		oidc_sid(sid, t->origin.sid);
	t->session_ns = p->s->interval_ms * NS_PER_MS;
}

static void
admit(struct comer *c)
{
	const struct json_node *root = json_root(c->told->doc);
	struct attempt *t = c->t;
	enum db_status status;
	bool has_factor = false;

	c->sub = c->told->id;
	c->name = c->told->name;
	if (c->sub[0] == '\0' || strlen(c->sub) >= SUBJECT_MAX) {
		attempt_refuse(t, "the provider does not say who it is");
		return;
	}
	if (!mapping_admits(&c->p->mapping, c->told)) {
		char why[160];

		(void)snprintf(why, sizeof(why), "'%.60s' is in no group that oidc[].groups of '%s' names",
			       c->name, c->p->s->name);
		attempt_refuse(t, why);
		return;
	}
	if (return_address_find(t->a, &t->to) == NULL) {
		attempt_excuse(t, AUTH_DENIED, NULL); /* nobody is there to take what it gives */
		return;
	}
	status = take_in(c, &has_factor);
	if (status == DB_NONE && c->why[0] != '\0') {
		attempt_refuse(t, c->why);
	} else if (status != DB_OK) {
		attempt_unwritable(t, status);
	} else {
		set_origin(t, c->p, json_node_text(json_node_member(root, "sid")));
		if (has_factor)
			login_ask_second_factor(t);
		else
			attempt_admit(t, NULL, NULL);
	}
}

/* --- the browser that came back --- */

struct coming {
	struct attempt *t;
	const struct provider *p;
};

static void
on_told(void *ctx, const struct person_told *told)
{
	const struct coming coming = *(struct coming *)ctx;
	struct comer c = { .t = coming.t, .p = coming.p, .told = told };

	free(ctx);
	if (told->verdict == DIRECTORY_RIGHT && told->doc != NULL) {
		admit(&c);
	} else if (told->verdict == DIRECTORY_UNAVAILABLE || told->verdict == DIRECTORY_REFUSED) {
		log_warn("login from %s at '%s': %s", c.t->from, c.p->s->name, told->why);
		events_failed(c.t->a, 0, "", &c.t->client, told->why);
		attempt_excuse(c.t, AUTH_BUSY, "The provider could not be asked now.");
	} else {
		attempt_refuse(c.t, told->why);
	}
}

static void
exchange(struct attempt *t, const struct provider *p, const struct wire_oidc_callback *w,
	 const struct begun *b)
{
	char callback[CALLBACK_MAX];
	const struct oidc_question q = {
		.proof = w->code, .verifier = b->verifier, .nonce = b->nonce, .redirect_uri = callback
	};
	struct coming *coming = mem_calloc(1, sizeof(*coming));

	callback_url(b->origin, p->s->name, callback);
	*coming = (struct coming){ t, p };
	if (oidc_ask(t->a->oidc, OIDC_CODE, p, &q, on_told, coming))
		return;
	free(coming);
	log_warn("login from %s at '%s': weir-directory is not there, or has too much to do", t->from,
		 p->s->name);
	attempt_excuse(t, AUTH_BUSY, "The provider could not be asked now.");
}

/* What a stranger wrote, for the record: RFC 6749 section 4.1.2.1 has no other letters. */
static void
say_error(const char *error, char why[static 160])
{
	size_t n;

	(void)snprintf(why, 160, "the provider sent an error: %.100s", error);
	n = strlen(why);
	for (size_t i = 0; i < n; i++)
		if (why[i] < 0x20 || why[i] > 0x7e)
			why[i] = '?';
}

static void
take_back(struct attempt *t, const struct wire_oidc_callback *w)
{
	const struct provider *p = providers_find(t->a->providers, w->provider);
	struct begun b;
	char why[160];

	if (p == NULL) {
		attempt_refuse(t, "there is no such provider");
	} else if (!begun_take(t->a->begun, w->cookie, w->provider, w->state, clock_boot_ns(), &b)) {
		attempt_refuse(
		    t, "a login at a provider that this browser did not begin, that took longer than ten "
		       "minutes, or that came back before");
	} else {
		if (w->error[0] != '\0') {
			say_error(w->error, why);
			attempt_refuse(t, why);
		} else if (w->issuer[0] == '\0' && p->iss_parameter) {
			attempt_refuse(
			    t, "the answer does not say whose it is (iss), which the provider promised");
		} else if (w->issuer[0] != '\0' && strcmp(w->issuer, p->s->issuer) != 0) {
			attempt_refuse(t, "the answer says that it is another provider's (iss)");
		} else if (w->code[0] == '\0') {
			attempt_refuse(t, "the provider sent neither a code nor an error");
		} else {
			exchange(t, p, w, &b);
		}
		sodium_memzero(&b, sizeof(b));
	}
}

bool
oidc_callback_serve(struct authd *a, struct channel *ch, struct wire_oidc_callback *w)
{
	struct attempt *t;
	uint32_t retry;

	if (!ENDS(w->client.agent) || !ENDS(w->provider) || !ENDS(w->state) || !ENDS(w->error) ||
	    !ENDS(w->issuer) || !ENDS(w->code))
		return false;
	t = attempt_new(a, ch, w->request, "", &w->client);
	if (!throttle_begin(a->throttle, NULL, &w->client.ip, clock_boot_ns(), &t->charge, &retry))
		attempt_throttled(t, retry);
	else
		take_back(t, w);
	sodium_memzero(w, sizeof(*w));
	return true;
}

/* --- who was not seen for long --- */

#define TURN_NS    (10 * NS_PER_S)
#define LAPSES_MAX 16 /* of one turn */

struct lapsing {
	struct authd *a;
	struct txn *x;
	int64_t now_ns;
	size_t n;
	uint64_t account[LAPSES_MAX];
	struct told told;
};

static bool
take_lapsing(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct lapsing *l = ctx;
	const struct provider *p;
	struct account who;
	uint64_t number;

	if (!told_decode(value.p, value.n, &l->told) || !be64_read(key, &number))
		return false;
	if (l->told.lapsed)
		return true;
	account_read(l->x, number, &who);
	p = l->x->rc == 0 ? providers_find(l->a->providers, who.provider) : NULL;
	if (p != NULL && l->now_ns - l->told.last_ns > p->s->keep_ms * NS_PER_MS)
		l->account[l->n++] = number;
	sodium_memzero(&who, sizeof(who));
	return l->n < LAPSES_MAX;
}

static void
lapse(struct authd *a, uint64_t account, struct told *t)
{
	struct txn x = txn_begin(accounts_db_tables(a->db), true);
	const struct provider *p = NULL;
	struct account who;
	struct audit_entry e;

	memset(&who, 0, sizeof(who));
	account_read(&x, account, &who);
	if (x.rc == 0 && told_look(&x, account, t))
		p = providers_find(a->providers, who.provider);
	if (p != NULL) {
		if (mapping_write(&x, &p->mapping, account, NULL)) {
			e = events_entry(AUDIT_RIGHTS_REMOVED, AUDIT_DONE, who.name, NULL);
			audit_detail(&e, "not seen for long at the provider '%s'", who.provider);
			audit_add(a->audit, &x, &e);
		}
		t->lapsed = true;
		if (x.rc == 0)
			told_write(&x, account, t);
	}
	if (txn_end(&x) == DB_OK)
		newcomers_settle(a, account);
	else
		log_error("the groups of '%s' could not be written: %s", who.name, accounts_db_why(a->db));
	sodium_memzero(&who, sizeof(who));
}

void
oidc_login_turn(struct authd *a)
{
	AUTO(mem_drop) struct lapsing *l = NULL;
	const struct be64 first = be64_of(0);
	int64_t now = clock_boot_ns();
	struct txn x;

	if (providers_at(a->providers, 0) == NULL || now - a->lapsed_ns < TURN_NS)
		return;
	a->lapsed_ns = now;
	x = txn_begin(accounts_db_tables(a->db), false);
	l = mem_calloc(1, sizeof(*l));
	l->a = a;
	l->x = &x;
	l->now_ns = clock_utc_ns();
	txn_walk(&x, TABLE_TOLD, be64_bytes(&first), false, take_lapsing, l);
	(void)txn_end(&x);
	for (size_t k = 0; k < l->n; k++)
		lapse(a, l->account[k], &l->told);
}
