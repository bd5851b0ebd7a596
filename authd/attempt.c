#include "attempt.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "events.h"
#include "granting.h"
#include "people.h"
#include "rights.h"

struct attempt *
attempt_new(struct authd *a, const struct channel *ch, uint64_t request, const char *name,
	    const struct wire_client *client)
{
	struct attempt *t = mem_calloc(1, sizeof(*t));

	t->a = a;
	t->to = return_address_of(ch);
	t->request = request;
	t->client = *client;
	t->began_ns = clock_boot_ns();
	(void)str_copy(t->name, sizeof(t->name), name);
	(void)ip_format(&client->ip, t->from);
	return t;
}

void
attempt_end(struct attempt *t, enum auth_status status, const char *detail)
{
	reply_status(t->a, &t->to, t->request, status, 0, detail);
	free(t);
}

void
attempt_excuse(struct attempt *t, enum auth_status status, const char *detail)
{
	throttle_forgive(t->a->throttle, &t->charge);
	attempt_end(t, status, detail);
}

void
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

void
attempt_because(struct attempt *t, const char *why)
{
	(void)str_copy(t->because, sizeof(t->because), why);
}

/* Where there is a directory, what takes its time to answer must not be told from what does not. */
#define REFUSAL_FLOOR_NS NS_PER_S
#define HELD_MAX         1024u /* more than that at a time are answered at once */

/* While the directory is away, whatever is refused may be due to that, and is said to be: were only names of
 * its people refused so, strangers would learn which names are not. */
static enum auth_status
refusal(const struct attempt *t)
{
	bool away = t->unasked || (t->by_password && people_are_away(t->a->people));

	return away ? AUTH_AWAY : AUTH_DENIED;
}

static void on_floor(evutil_socket_t fd, short what, void *arg);

/* False where its time has come already. */
static bool
hold(struct attempt *t)
{
	int64_t left = t->began_ns + REFUSAL_FLOOR_NS - clock_boot_ns();
	const struct timeval wait = { left / NS_PER_S, left % NS_PER_S / 1000 + 1 };

	return left > 0 && event_base_once(t->a->base, -1, EV_TIMEOUT, on_floor, t, &wait) == 0;
}

/* The loop's clock may be a moment behind, and its timers early by that. */
static void
on_floor(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *t = arg;

	(void)fd;
	(void)what;
	if (hold(t))
		return;
	t->a->held_refusals--;
	attempt_end(t, refusal(t), NULL);
}

static void
deny(struct attempt *t)
{
	if (!people_are_there(t->a->people) || t->a->held_refusals >= HELD_MAX || !hold(t))
		attempt_end(t, refusal(t), NULL);
	else
		t->a->held_refusals++;
}

void
attempt_refuse(struct attempt *t, const char *why)
{
	if (why == NULL && t->because[0] != '\0')
		why = t->because;
	log_warn("failed login of '%s' from %s%s%s", t->name, t->from, why == NULL ? "" : ": ",
		 why == NULL ? "" : why);
	events_failed(t->a, t->account, t->name, &t->client, why);
	deny(t);
}

void
attempt_throttled(struct attempt *t, uint32_t retry_s)
{
	static struct log_limit throttled;

	log_warn_limited(&throttled, "login of '%s' from %s held back for %u s", t->name, t->from, retry_s);
	events_held_back(t->a, &t->client);
	t->a->counters.n[COUNTED_AUTHD_THROTTLED]++;
	reply_status(t->a, &t->to, t->request, AUTH_THROTTLED, retry_s, NULL);
	free(t);
}

/* --- coming in --- */

struct admission {
	struct attempt *attempt;
	struct session_record *session;
	sessions_also *also;
	void *ctx;
	bool has_rights;
};

static void
write_login(struct txn *x, const struct attempt *t, uint64_t account)
{
	struct login_record l = { .last_ns = clock_utc_ns(), .last_ip = t->client.ip };
	struct login_record before;

	login_read(x, account, &before);
	l.failed_ns = before.failed_ns;
	l.failed_ip = before.failed_ip;
	/* The count of failures stays until the owner has seen it: me.get says it, the next login clears it.
	 */
	l.failures = before.last_ns > before.failed_ns ? 0 : before.failures;
	if (x->rc == 0)
		login_write(x, account, &l);
}

static bool
has_rights(struct txn *x, uint64_t account)
{
	struct arena *arena = arena_new(RIGHTS_ARENA);
	struct accesses all;

	rights_gather(x, account, arena, &all);
	arena_free(&arena);
	return all.n > 0;
}

/* Fails with DB_NONE for who has no access to anything; returns whether he has. */
static bool
write_coming(struct txn *x, const struct attempt *t, const char *credential)
{
	struct audit_entry e = events_entry(AUDIT_LOGIN, AUDIT_DONE, t->name, &t->client);
	bool may = has_rights(x, t->account);

	if (!may)
		txn_fail(x, DB_NONE);
	write_login(x, t, t->account);
	(void)str_copy(e.credential, sizeof(e.credential), credential);
	audit_add(t->a->audit, x, &e);
	return may;
}

static void
write_admission(void *ctx, struct txn *x)
{
	struct admission *d = ctx;
	struct attempt *t = d->attempt;
	char handle[HANDLE_TEXT], credential[sizeof("session:") + HANDLE_TEXT];

	if (d->also != NULL)
		d->also(d->ctx, x);
	d->session->account = t->account;
	(void)snprintf(credential, sizeof(credential), "session:%s", events_handle(d->session->id, handle));
	d->has_rights = write_coming(x, t, credential);
}

static void
refuse_admission(struct attempt *t, enum db_status why, bool has_rights)
{
	if (why == DB_NONE)
		attempt_refuse(t, has_rights ? "second factor" : "no access to anything");
	else
		attempt_unwritable(t, why);
}

bool
attempt_note(struct attempt *t, const char *credential)
{
	struct txn x = txn_begin(accounts_db_tables(t->a->db), true);
	bool may = write_coming(&x, t, credential);
	enum db_status why = txn_end(&x);

	if (why == DB_OK) {
		throttle_succeeded(t->a->throttle, &t->charge, clock_boot_ns());
		log_info("login of '%s' from %s (%s)", t->name, t->from, credential);
	} else {
		refuse_admission(t, why, may);
	}
	return why == DB_OK;
}

bool
attempt_admit(struct attempt *t, sessions_also *also, void *ctx)
{
	struct authd *a = t->a;
	struct session_record r;
	struct admission d = { t, &r, also, ctx, true };
	uint8_t cookie[COOKIE_BYTES];
	struct session *s;
	enum db_status why;

	sessions_draw(a->sessions, t->account, &t->client, clock_utc_ns(), cookie, &r);
	r.origin = t->origin;
	if (t->session_ns > 0 && r.expires_ns - r.created_ns > t->session_ns)
		r.expires_ns = r.created_ns + t->session_ns;
	s = sessions_begin(a->sessions, &r, write_admission, &d, &why);
	if (s != NULL) {
		if (also != NULL)
			(void)authd_refresh(a);
		throttle_succeeded(a->throttle, &t->charge, clock_boot_ns());
		log_info("login of '%s' from %s", t->name, t->from);
		(void)granting_answer(a, &t->to, t->request, &s->holder, "", NULL, cookie);
		free(t);
	} else if (why == DB_EXISTS) {
		attempt_excuse(t, AUTH_BUSY, "Too many sessions are open.");
	} else {
		refuse_admission(t, why, d.has_rights);
	}
	sodium_memzero(cookie, sizeof(cookie));
	return s != NULL;
}
