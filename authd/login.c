#include "login.h"

#include <sodium.h>
#include <string.h>

#include "accounts.h"
#include "attempt.h"
#include "authd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "events.h"
#include "factor.h"
#include "judging.h"
#include "newcomers.h"
#include "password.h"
#include "rows.h"
#include "user_name.h"

#define ENDS(text) (memchr((text), 0, sizeof(text)) != NULL)

/* --- LOGIN --- */

void
login_ask_second_factor(struct attempt *t)
{
	struct wire_auth_answer w;
	struct ticket *ticket;

	memset(&w, 0, sizeof(w));
	w.request = t->request;
	w.status = AUTH_SECOND_FACTOR;
	ticket = tickets_draw(t->a->tickets, t->account, t->name, clock_boot_ns(), w.cookie);
	ticket->origin = t->origin;
	ticket->session_ns = t->session_ns;
	throttle_forgive(t->a->throttle, &t->charge);
	reply_auth(t->a, &t->to, &w);
	free(t);
}

static void
login_judged(void *ctx, const struct hash_answer *judged)
{
	struct attempt *t = ctx;
	bool has_factor;

	if (!judging_passed(t, judged, &has_factor))
		return;
	if (has_factor)
		login_ask_second_factor(t);
	else
		attempt_admit(t, NULL, NULL);
}

bool
login_serve(struct authd *a, struct channel *ch, struct wire_login *w)
{
	struct attempt *t;
	uint32_t retry;

	if (!ENDS(w->name) || !ENDS(w->password) || !ENDS(w->client.agent))
		return false;
	t = attempt_new(a, ch, w->request, w->name, &w->client);
	newcomers_spell(a, t->name);
	if (!throttle_begin(a->throttle, t->name, &w->client.ip, clock_boot_ns(), &t->charge, &retry))
		attempt_throttled(t, retry);
	else if (w->password[0] == '\0' || w->name[0] == '\0')
		attempt_end(t, AUTH_DENIED, NULL);
	else
		(void)judging_begin(t, w->password, login_judged, t);
	sodium_memzero(w, sizeof(*w));
	return true;
}

/* --- SECOND_FACTOR --- */

struct second_step {
	const struct attempt *attempt;
	const char *code;
};

/* In the transaction in which the session begins, so that a code opens one session at most. */
static void
take_code(void *ctx, struct txn *x)
{
	const struct second_step *s = ctx;
	struct audit_entry e;
	struct factor_record f;
	struct account who;

	account_read(x, s->attempt->account, &who);
	if (!account_is_open(&who))
		txn_fail(x, DB_NONE);
	sodium_memzero(&who, sizeof(who));
	if (!factor_look(x, s->attempt->account, &f) || !f.confirmed ||
	    !factor_check(&f, s->code, clock_utc_ns())) {
		txn_fail(x, DB_NONE);
	} else {
		factor_write(x, s->attempt->account, &f);
		e = events_entry(AUDIT_SECOND_FACTOR, AUDIT_DONE, s->attempt->name, &s->attempt->client);
		audit_detail(&e, "%u recovery codes are left", f.nrecovery);
		audit_add(s->attempt->a->audit, x, &e);
	}
	sodium_memzero(&f, sizeof(f));
}

bool
second_factor_serve(struct authd *a, struct channel *ch, struct wire_second_factor *w)
{
	struct return_address to = return_address_of(ch);
	struct ticket *ticket;
	struct attempt *t;
	uint32_t retry;

	if (!ENDS(w->code) || !ENDS(w->client.agent))
		return false;
	ticket = tickets_try(a->tickets, w->ticket, clock_boot_ns());
	if (ticket == NULL) {
		reply_status(a, &to, w->request, AUTH_DENIED, 0, NULL);
		sodium_memzero(w, sizeof(*w));
		return true;
	}
	t = attempt_new(a, ch, w->request, ticket->name, &w->client);
	t->account = ticket->account;
	t->origin = ticket->origin;
	t->session_ns = ticket->session_ns;
	if (!throttle_begin_code(a->throttle, t->name, &w->client.ip, clock_boot_ns(), &t->charge, &retry)) {
		ticket->tries++; /* nothing was tried */
		attempt_throttled(t, retry);
	} else {
		struct second_step s = { t, w->code };

		if (attempt_admit(t, take_code, &s))
			tickets_drop(ticket);
	}
	sodium_memzero(w, sizeof(*w));
	return true;
}

/* --- SETUP --- */

struct setup_making {
	struct attempt *attempt;
	struct account who;
};

static void
make_first(void *ctx, struct txn *x)
{
	struct access everything = { .tenant = TENANT_PLATFORM, .role = ROLE_PLATFORM_ADMINISTRATOR };
	const struct accesses own = { 1, &everything };
	struct setup_making *m = ctx;
	struct audit_entry e = events_entry(AUDIT_SETUP, AUDIT_DONE, m->who.name, &m->attempt->client);

	account_add(x, &m->who);
	accesses_write(x, m->who.number, &own);
	m->attempt->account = m->who.number;
	audit_add(m->attempt->a->audit, x, &e);
}

static bool
is_taken(struct authd *a, const char *name)
{
	struct txn x = txn_begin(accounts_db_tables(a->db), false);
	bool taken = name_look(&x, TABLE_NAMES, name) != 0;

	return txn_end(&x) == DB_OK && taken;
}

static void
setup_admit(struct attempt *t, const char *hash)
{
	struct authd *a = t->a;
	struct setup_making m = { .attempt = t,
				  .who = { .kind = ACCOUNT_PERSON, .created_ns = clock_utc_ns() } };

	(void)str_copy(m.who.name, sizeof(m.who.name), t->name);
	(void)str_copy(m.who.hash, sizeof(m.who.hash), hash);
	if (is_taken(a, m.who.name)) {
		attempt_excuse(t, AUTH_BAD_NAME, "The user name is taken.");
	} else if (attempt_admit(t, make_first, &m)) {
		setup_disarm(&a->setup);
		log_info("the first administrator was made: '%s'", m.who.name);
	}
	sodium_memzero(&m, sizeof(m));
}

static void
setup_hashed(void *ctx, const struct hash_answer *made)
{
	struct attempt *t = ctx;

	t->a->setup.busy = false;
	if (made->verdict != HASH_MADE)
		attempt_excuse(t, AUTH_BUSY, "The password could not be hashed now.");
	else if (accounts_db_has_administrator(t->a->db))
		attempt_excuse(t, AUTH_SETUP_OVER, NULL);
	else
		setup_admit(t, made->hash);
}

/* The secret was right: what is left to judge is what the person chose. */
static void
setup_check(struct authd *a, struct attempt *t, const char *password)
{
	const char *bad_name = user_name_judge(t->name);
	const char *weak = password_judge(password, t->name, (size_t)a->boot->settings.password_length);

	if (bad_name != NULL) {
		attempt_excuse(t, AUTH_BAD_NAME, bad_name);
	} else if (weak != NULL) {
		attempt_excuse(t, AUTH_WEAK_PASSWORD, weak);
	} else if (a->setup.busy) {
		attempt_excuse(t, AUTH_BUSY, "The set-up link is in use.");
	} else {
		a->setup.busy = true;
		if (!hash_queue_make(a->hashing, password, setup_hashed, t)) {
			a->setup.busy = false;
			attempt_excuse(t, AUTH_BUSY, "Too many passwords are being checked.");
		}
	}
}

bool
setup_serve(struct authd *a, struct channel *ch, struct wire_setup *w)
{
	struct attempt *t;
	uint32_t retry;

	if (!ENDS(w->name) || !ENDS(w->password) || !ENDS(w->client.agent))
		return false;
	t = attempt_new(a, ch, w->request, w->name, &w->client);
	if (accounts_db_has_administrator(a->db)) {
		attempt_end(t, AUTH_SETUP_OVER, NULL);
	} else if (!throttle_begin(a->throttle, NULL, &w->client.ip, clock_boot_ns(), &t->charge, &retry)) {
		attempt_throttled(t, retry);
	} else if (!setup_matches(&a->setup, w->secret)) {
		attempt_refuse(t, "a wrong set-up secret");
	} else {
		setup_check(a, t, w->password);
	}
	sodium_memzero(w, sizeof(*w));
	return true;
}
