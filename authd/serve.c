#include "serve.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "admin.h"
#include "authd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "basic.h"
#include "granting.h"
#include "local.h"
#include "login.h"
#include "oidc_ask.h"
#include "oidc_go.h"
#include "oidc_login.h"
#include "oidc_logout.h"
#include "people.h"
#include "policy/role.h"

/* --- httpd --- */

static bool
serve_login(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_login w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	good = login_serve(a, ch, &w);
	sodium_memzero(&w, sizeof(w));
	return good;
}

static bool
serve_setup(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_setup w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	good = setup_serve(a, ch, &w);
	sodium_memzero(&w, sizeof(w));
	return good;
}

static bool
serve_session(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct return_address to = return_address_of(ch);
	struct wire_session w;
	struct session *s;

	memcpy(&w, m->body, sizeof(w));
	if (memchr(w.tenant, 0, sizeof(w.tenant)) == NULL)
		return false;
	s = sessions_find(a->sessions, w.cookie, clock_utc_ns());
	sodium_memzero(w.cookie, sizeof(w.cookie));
	if (s == NULL)
		reply_status(a, &to, w.request, AUTH_DENIED, 0, NULL);
	else
		(void)granting_answer(a, &to, w.request, &s->holder, w.tenant, NULL, NULL);
	return true;
}

struct leaving {
	struct authd *a;
	const struct session *session;
	const struct wire_client *client;
};

static void
write_logout(void *ctx, struct txn *x)
{
	const struct leaving *l = ctx;
	struct account who;
	struct audit_entry e;
	char handle[HANDLE_TEXT];

	account_read(x, l->session->r.account, &who);
	e = events_entry(AUDIT_LOGOUT, AUDIT_DONE, who.name, l->client);
	(void)snprintf(e.credential, sizeof(e.credential), "session:%s",
		       events_handle(l->session->r.id, handle));
	audit_add(l->a->audit, x, &e);
	sodium_memzero(&who, sizeof(who));
}

static bool
serve_logout(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct answer answer = { .id = MSG_AUTH_ANSWER, .to = return_address_of(ch) };
	struct wire_session w;
	struct leaving l;

	memcpy(&w, m->body, sizeof(w));
	l = (struct leaving){ a, sessions_find(a->sessions, w.cookie, clock_utc_ns()), &w.client };
	sodium_memzero(w.cookie, sizeof(w.cookie));
	answer.auth.request = w.request;
	answer.auth.status = l.session == NULL ? AUTH_DENIED : AUTH_OK;
	/* It is over for everybody at once; what the disk still has is removed by the sweep. */
	if (l.session != NULL &&
	    sessions_end(a->sessions, (struct session *)(uintptr_t)l.session, write_logout, &l) != DB_OK) {
		log_error("a session that was ended is still on disk: %s", accounts_db_why(a->db));
		answer.auth.status = AUTH_UNAVAILABLE;
		(void)str_copy(answer.auth.detail, sizeof(answer.auth.detail),
			       "The session is over, but the disk could not be told.");
	}
	store_link_answer(a, &answer, a->store.ticket, true);
	return true;
}

static bool
serve_second_factor(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_second_factor w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	good = second_factor_serve(a, ch, &w);
	sodium_memzero(&w, sizeof(w));
	return good;
}

static bool
serve_token(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_token w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	if (w.token[0] == '\0' && memchr(w.tenant, 0, sizeof(w.tenant)) != NULL) {
		const struct return_address to = return_address_of(ch);

		local_serve(a, &to, &w);
		return true;
	}
	good = tokens_serve(a->tokens, ch, &w);
	sodium_memzero(&w, sizeof(w));
	return good;
}

static bool
serve_basic(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_basic w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	good = basic_serve(a, ch, &w);
	sodium_memzero(&w, sizeof(w));
	return good;
}

static bool
serve_oidc_go(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_oidc_go w;

	memcpy(&w, m->body, sizeof(w));
	return oidc_go_serve(a, ch, &w);
}

static bool
serve_oidc_callback(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_oidc_callback w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	good = oidc_callback_serve(a, ch, &w);
	sodium_memzero(&w, sizeof(w));
	return good;
}

static bool
serve_oidc_logout(struct authd *a, struct channel *ch, const struct msg *m)
{
	return oidc_logout_serve(a, ch, m->body, m->len);
}

static bool
serve_admin(struct authd *a, struct channel *ch, const struct msg *m)
{
	return admin_serve(a, ch, m->body, m->len);
}

static bool
serve_cli_apply(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_cli_apply w;

	memcpy(&w, m->body, sizeof(w));
	return admin_serve_apply(a, ch, &w, m->fd);
}

/* --- the launcher and the command line: who the kernel says --- */

static bool
serve_cli_grant(struct authd *a, struct channel *ch, const struct msg *m)
{
	int64_t now = clock_utc_ns();
	struct grant g = {
		.audience_proc = channel_proc(ch),
		.audience_instance = channel_instance(ch),
		.tenant = TENANT_PLATFORM,
		.role = ROLE_PLATFORM_ADMINISTRATOR,
		.snapshot = accounts_db_snapshot_number(a->db),
		.scopes = UINT64_MAX,
		.issued_ns = now,
		.expires_ns = now + GRANT_LIFE_S * NS_PER_S,
	};
	struct answer answer = { .id = MSG_CLI_ANSWER, .to = return_address_of(ch) };
	struct wire_cli_request w;
	struct live_grant *l;

	(void)snprintf(g.subject, sizeof(g.subject), "cli:%u", channel_uid(ch));
	l = grants_issue(&a->grants, &g, signing_secret(&a->signing), NULL, NULL);
	memcpy(&w, m->body, sizeof(w));
	answer.cli.request = w.request;
	answer.cli.status = AUTH_BUSY;
	if (l != NULL) {
		store_link_add(a, l);
		answer.cli.status = AUTH_OK;
		answer.cli.grant_len = (uint32_t)l->len;
		memcpy(answer.cli.grant, l->bytes, l->len);
	}
	store_link_answer(a, &answer, l == NULL ? 0 : l->ticket, false);
	return true;
}

static bool
serve_cli_setup_link(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct return_address to = return_address_of(ch);
	struct wire_cli_answer answer;
	struct wire_cli_request w;

	memcpy(&w, m->body, sizeof(w));
	memset(&answer, 0, sizeof(answer));
	answer.request = w.request;
	answer.status = AUTH_SETUP_OVER;
	if (!accounts_db_has_administrator(a->db)) {
		setup_arm(&a->setup, answer.secret);
		answer.status = AUTH_OK;
		log_info("a set-up link was made for %s", channel_name(ch));
	}
	reply_cli(a, &to, &answer);
	return true;
}

/* --- store --- */

static bool
serve_grant_taken(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_grant_change c;

	(void)ch;
	memcpy(&c, m->body, sizeof(c));
	return store_link_taken(a, &c);
}

static bool
serve_policy_taken(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_snapshot s;

	memcpy(&s, m->body, sizeof(s));
	if (s.number > accounts_db_snapshot_number(a->db))
		return false;
	log_debug("%s has policy snapshot %llu", channel_name(ch), (unsigned long long)s.number);
	return true;
}

/* --- directory --- */

static bool
serve_directory_told(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_directory_told w;

	(void)ch;
	memcpy(&w, m->body, sizeof(w));
	return people_answer(a->people, &w, m->fd);
}

static bool
serve_oidc_told(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_oidc_told w;

	(void)ch;
	memcpy(&w, m->body, sizeof(w));
	return oidc_answer(a->oidc, &w, m->fd);
}

static bool
serve_directory_counters(struct authd *a, struct channel *ch, const struct msg *m)
{
	struct wire_counters w;

	memcpy(&w, m->body, sizeof(w));
	if (w.proc != PROC_DIRECTORY || w.instance != channel_instance(ch))
		return false;
	a->directorys = w;
	store_link_directorys(a);
	return true;
}

/* --- all of them --- */

static bool (*const handlers[MSG_COUNT])(struct authd *a, struct channel *ch, const struct msg *m) = {
	[MSG_LOGIN] = serve_login,
	[MSG_SETUP] = serve_setup,
	[MSG_SESSION] = serve_session,
	[MSG_LOGOUT] = serve_logout,
	[MSG_SECOND_FACTOR] = serve_second_factor,
	[MSG_TOKEN] = serve_token,
	[MSG_BASIC] = serve_basic,
	[MSG_OIDC_GO] = serve_oidc_go,
	[MSG_OIDC_CALLBACK] = serve_oidc_callback,
	[MSG_OIDC_LOGOUT] = serve_oidc_logout,
	[MSG_ADMIN] = serve_admin,
	[MSG_CLI_ADMIN] = serve_admin,
	[MSG_CLI_APPLY] = serve_cli_apply,
	[MSG_CLI_GRANT] = serve_cli_grant,
	[MSG_CLI_SETUP_LINK] = serve_cli_setup_link,
	[MSG_GRANT_TAKEN] = serve_grant_taken,
	[MSG_POLICY_TAKEN] = serve_policy_taken,
	[MSG_DIRECTORY_TOLD] = serve_directory_told,
	[MSG_OIDC_TOLD] = serve_oidc_told,
	[MSG_DIRECTORY_COUNTERS] = serve_directory_counters,
};

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	return handlers[m->id] != NULL && handlers[m->id](ctx, ch, m);
}

static void
on_up(void *ctx, struct channel *ch)
{
	return_address_assign(ctx, ch);
	if (channel_proc(ch) == PROC_STORE)
		store_link_up(ctx, ch);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct authd *a = ctx;

	if (channel_proc(ch) == PROC_STORE) {
		store_link_down(a);
	} else if (channel_proc(ch) == PROC_DIRECTORY) {
		people_gone(a->people);
		oidc_gone(a->oidc);
	}
}

const struct peers_handlers serve_handlers = { .up = on_up, .down = on_down, .message = on_message };
