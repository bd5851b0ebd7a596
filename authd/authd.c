#include "authd.h"

#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "basic.h"
#include "configuration.h"
#include "directory.h"
#include "granting.h"
#include "locked.h"
#include "master_file.h"
#include "newcomers.h"
#include "oidc_ask.h"
#include "oidc_begun.h"
#include "oidc_login.h"
#include "oidc_logout.h"
#include "people.h"
#include "providers.h"
#include "reconcile.h"
#include "rotation.h"
#include "sandbox/sandbox.h"
#include "serve.h"
#include "totp.h"

static const struct timeval tick_interval = { 0, 250000 };

void
authd_give_up(struct authd *a, const char *why)
{
	log_error("cannot go on: %s", why);
	a->exit_status = EXIT_FAILED;
	event_base_loopbreak(a->base);
}

static void
on_hasher_died(void *ctx)
{
	authd_give_up(ctx, "passwords cannot be checked");
}

/* store must not take a grant of a session that is over. */
static void
on_session_ended(void *ctx, struct session *s)
{
	granting_revoke(ctx, &s->holder);
}

enum db_status
authd_refresh(struct authd *a)
{
	uint64_t before = accounts_db_snapshot_number(a->db);
	enum db_status status = accounts_db_refresh(a->db);

	if (status == DB_BROKEN)
		authd_give_up(a, accounts_db_why(a->db));
	if (accounts_db_snapshot_number(a->db) != before)
		store_link_snapshot(a);
	return status;
}

static void
sweep(struct authd *a)
{
	int64_t now = clock_utc_ns();
	enum db_status status;

	grants_sweep(&a->grants, now);
	basic_sweep(a, clock_boot_ns());
	people_turn(a->people);
	oidc_turn(a->oidc);
	newcomers_turn(a);
	oidc_login_turn(a);
	reconcile(a);
	status = sessions_sweep(a->sessions, now);
	if (status == DB_OK)
		status = tokens_sweep(a->tokens, now);
	if (status == DB_OK)
		status = events_flush(a);
	if (status == DB_OK)
		status = rotation_tick(a, now);
	if (status == DB_OK)
		status = audit_tick(a->audit, now);
	if (status == DB_BROKEN)
		authd_give_up(a, accounts_db_why(a->db));
	if (status == DB_UNWRITABLE && !a->unwritable)
		log_error("the accounts cannot be written: %s; sessions that are open go on",
			  accounts_db_why(a->db));
	if (status == DB_OK && a->unwritable)
		log_info("the accounts can be written again");
	a->unwritable = status == DB_UNWRITABLE;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct authd *a = arg;
	int64_t now = clock_boot_ns();

	(void)fd;
	(void)what;
	store_link_tick(a, now);
	if (now - a->swept_ns < NS_PER_S)
		return;
	a->swept_ns = now;
	sweep(a);
	store_link_counters(a);
}

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static void
watch(struct authd *a)
{
	struct event *tick = event_new(a->base, -1, EV_PERSIST, on_tick, a);
	struct event *stop = evsignal_new(a->base, SIGTERM, on_stop, a->base);

	if (tick == NULL || stop == NULL || event_add(tick, &tick_interval) != 0 ||
	    event_add(stop, NULL) != 0)
		fatalx("cannot set up the event loop");
}

/* A start that was not followed by an end was cut short. On a full disk neither can be written, which is no
 * reason not to start. */
static void
note_life(struct authd *a, enum audit_kind kind)
{
	struct audit_entry e = audit_entry_of(kind, AUDIT_DONE, "system", "");

	if (audit_write(a->audit, &e) != DB_OK)
		log_error("the audit log cannot be written: %s", accounts_db_why(a->db));
}

/* Said at each start, so that nobody takes it for granted; sealed anew, it is an entry. */
static void
note_at_rest(struct authd *a)
{
	const struct at_rest_change *c = accounts_db_at_rest(a->db);
	struct audit_entry e = audit_entry_of(AUDIT_KEY_ROTATED, AUDIT_DONE, "system", "key:master");
	char now[MASTER_ID_TEXT], before[MASTER_ID_TEXT];

	if (a->master == NULL) {
		log_info("no master key is set (authd.master_key): secrets at rest are not sealed");
		return;
	}
	log_info("secrets at rest are sealed with the master key %s",
		 master_id_text(&a->master->key[0].id, now));
	if (!c->sealed)
		return;
	audit_detail(&e, "sealed with %s; before: %s", now,
		     c->had ? master_id_text(&c->before, before) : "not at all");
	if (audit_write(a->audit, &e) != DB_OK)
		log_error("the audit log cannot be written: %s", accounts_db_why(a->db));
}

static void
open_accounts(struct authd *a)
{
	const struct settings *s = &a->boot->settings;
	const struct sessions_rules rules = {
		.idle_ns = s->session_idle_ms * NS_PER_MS,
		.absolute_ns = s->session_absolute_ms * NS_PER_MS,
		.per_user = (size_t)s->sessions_per_user,
	};
	const struct audit_rules audit = {
		.keep_ns = s->audit_keep_ms * NS_PER_MS,
		.anchor_interval_ns = s->audit_anchor_interval_ms * NS_PER_MS,
		.anchors = a->boot->flags & BOOT_HAS_ANCHORS ? BOOT_FD_ANCHORS : -1,
	};
	struct db_error e = { .status = EXIT_FAILED };

	if (!directory_judge(e.text, sizeof(e.text)))
		fatalx("%s", e.text);
	if ((a->boot->flags & BOOT_HAS_MASTER_KEY) != 0)
		a->master = master_file_read(BOOT_FD_MASTER_KEY);
	a->db = accounts_db_open(ACCOUNTS_FILE, a->master, &e);
	if (a->db == NULL)
		fatal_status(e.status, "%s", e.text);
	a->audit = audit_open(accounts_db_tables(a->db), AUDIT_KEY_FILE, AUDIT_TAIL_FILE, &audit, &e);
	if (a->audit == NULL)
		fatal_status(e.status, "%s", e.text);
	a->events = events_new(a);
	a->tickets = locked_pages(sizeof(*a->tickets));
	a->tokens = tokens_new(a);
	a->basic = basic_new();
	a->sessions = sessions_new(a->db, &rules, on_session_ended, a);
	if (!signing_load(&a->signing, a->db, clock_utc_ns()) || !sessions_load(a->sessions, clock_utc_ns()))
		fatalx("%s: %s", ACCOUNTS_FILE, accounts_db_why(a->db));
	note_life(a, AUDIT_STARTED);
	note_at_rest(a);
	master_file_settle(a->master);
	if (configuration_note(a->audit, accounts_db_tables(a->db), s) != DB_OK)
		log_error("whether the configuration changed cannot be written down: %s",
			  accounts_db_why(a->db));
}

/* While files are analysed nobody logs in: the hashers then need no memory at the start. */
static struct hash_cost
hash_cost(const struct boot *b)
{
	if (b->flags & BOOT_ANALYZE)
		return (struct hash_cost){ 1, 8 << 20 };
	return (struct hash_cost){ (uint64_t)b->settings.password_passes,
				   (size_t)b->settings.password_memory };
}

struct authd *
authd_new(const struct boot *b)
{
	const struct hash_cost cost = hash_cost(b);
	struct authd *a = mem_calloc(1, sizeof(*a));

	sandbox_warm();
	locked_stack();
	totp_init();
	a->boot = b;
	a->local = (struct holder){ .kind = HOLDER_LOCAL, .expires_ns = INT64_MAX };
	a->exit_status = EXIT_OK;
	a->hashing = hash_queue_fork(&cost);
	(void)close(BOOT_FD_DIRECTORY); /* it is the working directory as well */
	open_accounts(a);
	a->throttle = throttle_new();
	a->base = event_base_new();
	if (a->base == NULL)
		fatalx("cannot make the event loop");
	watch(a);
	hash_queue_attach(a->hashing, a->base, on_hasher_died, a);
	a->people = people_new(a);
	a->providers = providers_new(a);
	a->begun = locked_pages(sizeof(*a->begun));
	a->logouts = logouts_new();
	a->oidc = oidc_asks_new(a);
	a->peers = peers_new(a->base, b, BOOT_FD_LISTEN, &serve_handlers, a);
	reconcile(a);
	return a;
}

void
authd_run(struct authd *a)
{
	log_info("ready: %zu sessions, %s", sessions_count(a->sessions),
		 accounts_db_has_administrator(a->db) ? "set up" : "no administrator yet");
	if (event_base_dispatch(a->base) == -1)
		authd_give_up(a, "the event loop failed");
}

int
authd_free(struct authd **ap)
{
	struct authd *a = *ap;
	int status = a->exit_status;

	if (sessions_flush(a->sessions) != DB_OK)
		log_warn("when sessions were last seen could not be written: %s", accounts_db_why(a->db));
	if (tokens_flush(a->tokens) != DB_OK || events_flush(a) != DB_OK)
		log_warn("what came last could not be written: %s", accounts_db_why(a->db));
	signing_forget(&a->signing);
	basic_wipe(a->basic);
	setup_disarm(&a->setup);
	sodium_memzero(a->begun, sizeof(*a->begun));
	providers_free(&a->providers);
	peers_free(&a->peers); /* whoever waits for an answer is told by the end of the channel */
	people_free(&a->people);
	while (a->grants.first != NULL)
		grants_drop(&a->grants, a->grants.first);
	sessions_free(&a->sessions);
	tokens_free(&a->tokens);
	events_free(&a->events);
	logouts_free(&a->logouts);
	oidc_asks_free(&a->oidc);
	throttle_free(&a->throttle);
	note_life(a, AUDIT_ENDED);
	audit_close(&a->audit);
	accounts_db_close(&a->db);
	master_file_forget(a->master);
	log_info("ended");
	free(a);
	*ap = NULL;
	return status;
}
