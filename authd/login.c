#include "login.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "password.h"
#include "policy/role.h"
#include "user_name.h"

/* A request whose password is being judged. */
struct attempt {
	struct authd *a;
	struct return_address to;
	uint64_t request;
	uint64_t account; /* LOGIN: 0 for an unknown user */
	char name[ACCOUNT_NAME_MAX];
	char from[IP_TEXT_MAX];
	struct throttle_attempt charge;
};

static bool
ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static struct attempt *
attempt_new(struct authd *a, const struct channel *ch, uint64_t request, const char *name,
	    const struct ip_addr *ip)
{
	struct attempt *t = mem_calloc(1, sizeof(*t));

	t->a = a;
	t->to = return_address_of(ch);
	t->request = request;
	(void)str_copy(t->name, sizeof(t->name), name);
	(void)ip_format(ip, t->from);
	return t;
}

static void
attempt_end(struct attempt *t, enum auth_status status, const char *detail)
{
	reply_status(t->a, &t->to, t->request, status, 0, detail);
	free(t);
}

/* It was no guess: nothing was judged, or the disk would not have it. */
static void
attempt_excuse(struct attempt *t, enum auth_status status, const char *detail)
{
	throttle_forgive(t->a->throttle, &t->charge);
	attempt_end(t, status, detail);
}

static void
attempt_unwritable(struct attempt *t, enum db_status why)
{
	char detail[128];

	if (why == DB_BROKEN)
		authd_give_up(t->a, accounts_db_why(t->a->db));
	(void)snprintf(detail, sizeof(detail), "The accounts cannot be written: %s.",
		       accounts_db_why(t->a->db));
	log_error("login of '%s' from %s: %s", t->name, t->from, detail);
	attempt_excuse(t, AUTH_UNAVAILABLE, detail);
}

/* --- grants of a session --- */

static struct live_grant *
grant_for(struct authd *a, const struct return_address *to, struct session *s, const struct account *who)
{
	int64_t now = clock_utc_ns(), end = now + GRANT_LIFE_S * NS_PER_S;
	struct live_grant *l = grants_reusable(s, to->proc, to->instance, now);
	struct grant g = {
		.audience_proc = to->proc,
		.audience_instance = to->instance,
		.tenant = who->tenant,
		.role = who->role,
		.snapshot = accounts_db_snapshot_number(a->db),
		.scopes = UINT64_MAX,
		.issued_ns = now,
		.expires_ns = end < s->r.expires_ns ? end : s->r.expires_ns,
	};

	if (l != NULL)
		return l;
	(void)snprintf(g.subject, sizeof(g.subject), "user:%.*s", USER_NAME_MAX, who->name);
	l = grants_issue(&a->grants, &g, signing_secret(&a->signing), s);
	if (l != NULL)
		store_link_add(a, l);
	return l;
}

void
session_answer(struct authd *a, const struct return_address *to, uint64_t request, struct session *s,
	       const struct account *who, const uint8_t *cookie)
{
	struct live_grant *g = grant_for(a, to, s, who);
	struct answer answer = { .id = MSG_AUTH_ANSWER, .to = *to };
	struct wire_auth_answer *w = &answer.auth;
	struct tenant t = { 0 };

	if (g == NULL) {
		reply_status(a, to, request, AUTH_BUSY, 0, "Too many grants are in use.");
		return;
	}
	w->request = request;
	w->status = AUTH_OK;
	if (cookie != NULL)
		memcpy(w->cookie, cookie, sizeof(w->cookie));
	w->grant_expires_ns = g->live.expires_ns;
	w->session_expires_ns = s->r.expires_ns;
	(void)str_copy(w->name, sizeof(w->name), who->name);
	if (accounts_db_tenant(a->db, who->tenant, &t) == DB_OK)
		(void)str_copy(w->tenant, sizeof(w->tenant), t.name);
	(void)str_copy(w->role, sizeof(w->role), role_name((enum role)who->role));
	memcpy(w->grant, g->bytes, g->len);
	w->grant_len = (uint32_t)g->len;
	store_link_answer(a, &answer, g->ticket, g->ticket, false);
}

/* --- LOGIN --- */

static void
login_admit(struct attempt *t, const struct hash_answer *judged)
{
	struct authd *a = t->a;
	struct account who = { 0 };
	struct session_record r;
	struct session *s = NULL;
	uint8_t cookie[COOKIE_BYTES];
	enum db_status why = accounts_db_get(a->db, t->account, &who);

	if (why == DB_OK) {
		sessions_draw(a->sessions, who.number, clock_utc_ns(), cookie, &r);
		s = sessions_begin(a->sessions, &r, &why);
	}
	if (s == NULL && why == DB_EXISTS) {
		attempt_excuse(t, AUTH_BUSY, "Too many sessions are open.");
	} else if (s == NULL && why == DB_NONE) {
		attempt_end(t, AUTH_DENIED, NULL);
	} else if (s == NULL) {
		attempt_unwritable(t, why);
	} else {
		/* The cost in the settings is not the one of the stored hash: the worker made a new one. It
		 * may wait. */
		if (judged->hash[0] != '\0' && accounts_db_set_hash(a->db, who.number, judged->hash) != DB_OK)
			log_warn("the password hash of '%s' could not be renewed: %s", who.name,
				 accounts_db_why(a->db));
		throttle_succeeded(a->throttle, &t->charge, clock_boot_ns());
		log_info("login of '%s' from %s", t->name, t->from);
		session_answer(a, &t->to, t->request, s, &who, cookie);
		free(t);
	}
	sodium_memzero(cookie, sizeof(cookie));
	sodium_memzero(&who, sizeof(who));
}

static void
login_judged(void *ctx, const struct hash_answer *judged)
{
	struct attempt *t = ctx;

	if (judged->verdict == HASH_FAILED) {
		attempt_excuse(t, AUTH_BUSY, "The password could not be checked now.");
	} else if (judged->verdict != HASH_MATCH || t->account == 0) {
		log_warn("failed login of '%s' from %s", t->name, t->from);
		attempt_end(t, AUTH_DENIED, NULL);
	} else if (return_address_find(t->a, &t->to) == NULL) {
		attempt_excuse(t, AUTH_DENIED, NULL); /* nobody is there to take the cookie */
	} else {
		login_admit(t, judged);
	}
}

static void
login_check(struct authd *a, struct attempt *t, const char *password)
{
	struct account who = { 0 };
	enum db_status found = accounts_db_find(a->db, t->name, &who);

	if (found == DB_BROKEN || found == DB_UNWRITABLE) {
		attempt_unwritable(t, found);
		return;
	}
	t->account = found == DB_OK ? who.number : 0;
	/* An unknown user's password is judged at the same cost, against what nothing matches. */
	if (!hash_queue_verify(a->hashing, password, found == DB_OK ? who.hash : "", login_judged, t))
		attempt_excuse(t, AUTH_BUSY, "Too many passwords are being checked.");
	sodium_memzero(&who, sizeof(who));
}

bool
login_serve(struct authd *a, struct channel *ch, struct wire_login *w)
{
	static struct log_limit throttled;
	struct attempt *t;
	uint32_t retry;

	if (!ends(w->name, sizeof(w->name)) || !ends(w->password, sizeof(w->password)))
		return false;
	t = attempt_new(a, ch, w->request, w->name, &w->client.ip);
	if (!throttle_begin(a->throttle, t->name, &w->client.ip, clock_boot_ns(), &t->charge, &retry)) {
		log_warn_limited(&throttled, "login of '%s' from %s held back for %u s", t->name, t->from,
				 retry);
		reply_status(a, &t->to, t->request, AUTH_THROTTLED, retry, NULL);
		free(t);
	} else if (w->password[0] == '\0' || w->name[0] == '\0') {
		attempt_end(t, AUTH_DENIED, NULL);
	} else {
		login_check(a, t, w->password);
	}
	sodium_memzero(w, sizeof(*w));
	return true;
}

/* --- SETUP --- */

static void
setup_admit(struct attempt *t, const char *hash)
{
	struct authd *a = t->a;
	struct account who = { .role = ROLE_PLATFORM_ADMINISTRATOR,
			       .tenant = 1,
			       .created_ns = clock_utc_ns() };
	struct session_record r;
	struct session *s;
	uint8_t cookie[COOKIE_BYTES];
	enum db_status status;

	(void)str_copy(who.name, sizeof(who.name), t->name);
	(void)str_copy(who.hash, sizeof(who.hash), hash);
	sessions_draw(a->sessions, 0, who.created_ns, cookie, &r);
	status = accounts_db_create(a->db, &who, &r);
	if (status == DB_EXISTS) {
		attempt_excuse(t, AUTH_BAD_NAME, "The user name is taken.");
	} else if (status != DB_OK) {
		attempt_unwritable(t, status);
	} else {
		setup_disarm(&a->setup);
		throttle_succeeded(a->throttle, &t->charge, clock_boot_ns());
		log_info("first administrator '%s' made from %s", t->name, t->from);
		s = sessions_adopt(a->sessions, &r);
		if (s != NULL)
			session_answer(a, &t->to, t->request, s, &who, cookie);
		else
			reply_status(a, &t->to, t->request, AUTH_BUSY, 0, "Too many sessions are open.");
		free(t);
	}
	sodium_memzero(cookie, sizeof(cookie));
	sodium_memzero(&who, sizeof(who));
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

	if (!ends(w->name, sizeof(w->name)) || !ends(w->password, sizeof(w->password)))
		return false;
	t = attempt_new(a, ch, w->request, w->name, &w->client.ip);
	if (accounts_db_has_administrator(a->db)) {
		attempt_end(t, AUTH_SETUP_OVER, NULL);
	} else if (!throttle_begin(a->throttle, NULL, &w->client.ip, clock_boot_ns(), &t->charge, &retry)) {
		reply_status(a, &t->to, t->request, AUTH_THROTTLED, retry, NULL);
		free(t);
	} else if (!setup_matches(&a->setup, w->secret)) {
		log_warn("set-up with a wrong secret from %s", t->from);
		attempt_end(t, AUTH_DENIED, NULL);
	} else {
		setup_check(a, t, w->password);
	}
	sodium_memzero(w, sizeof(*w));
	return true;
}
