/* Setup, login, its second step, and logout. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "authd_ask.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "cookies.h"
#include "gate.h"
#include "guard.h"
#include "me.h"
#include "refuse.h"
#include "request.h"
#include "sessions.h"

/* --- login and setup
 * --------------------------------------------------------------------------------------------------- */

/* What is told where the second step is wrong, and its ticket came as a cookie. */
static char by_cookie[] = "The code is wrong, or the login took too long.";

static void
logged_in(struct request *r, const struct wire_auth_answer *a)
{
	struct json_writer *w = json_new(ME_MAX);
	struct me me = { .session_expires_ns = a->session_expires_ns };

	(void)str_copy(me.name, sizeof(me.name), a->name);
	(void)str_copy(me.tenant, sizeof(me.tenant), a->tenant);
	(void)str_copy(me.role, sizeof(me.role), a->role);
	session_put(r->httpd->sessions, a);
	cookie_set_session(r, a->cookie);
	if (r->data == by_cookie)
		cookie_drop_ticket(r);
	json_object(w, NULL);
	json_object(w, "me");
	put_me(w, r, &me, a->cookie);
	json_object_end(w);
	json_object_end(w);
	reply_json_status(r, 200, &w);
}

/* The password was right, and there is more to show: the ticket stands for it until then. */
static void
second_step(struct request *r, const struct wire_auth_answer *a)
{
	struct json_writer *w = json_new(ME_MAX);
	char text[TOKEN_TEXT_MAX];

	json_object(w, NULL);
	json_string(w, "second_factor", "required");
	json_string(w, "ticket", token_format(a->cookie, text));
	json_object_end(w);
	sodium_memzero(text, sizeof(text));
	reply_json_status(r, 202, &w);
}

static void
refused(struct request *r, const struct wire_auth_answer *a)
{
	switch ((enum auth_status)a->status) {
	case AUTH_THROTTLED:
		r->retry_after_s = a->retry_after_s > 0 ? a->retry_after_s : 1;
		reply_problem(r, 429, "Too many attempts: try again in %u s.", r->retry_after_s);
		break;
	case AUTH_WEAK_PASSWORD:
	case AUTH_BAD_NAME:
		reply_problem(r, 422, "%s", a->detail);
		break;
	case AUTH_SETUP_OVER:
		reply_problem(r, 409, "An administrator exists already, or the link was used.");
		break;
	case AUTH_BUSY:
		reply_problem(r, 503, "Too many logins at once: try again.");
		break;
	case AUTH_AWAY:
		refuse_inquiry(r, INQUIRY_LOGIN_AWAY);
		break;
	case AUTH_UNAVAILABLE:
		reply_problem(r, 503, "Accounts cannot be written now: %s", a->detail);
		break;
	case AUTH_OK:
	case AUTH_SECOND_FACTOR:
	case AUTH_NO_TENANT:
	case AUTH_DENIED:
		reply_problem(r, 401, "%s", (const char *)r->data);
		break;
	}
}

static bool
on_login(void *ctx, enum ask_end end, const void *body, size_t len)
{
	const struct wire_auth_answer *a = body;
	struct request *r = ctx;

	(void)len;
	if (end != ASK_LAST)
		reply_problem(r, end == ASK_LATE ? 504 : 503, NO_AUTHD);
	else if (a->status == AUTH_OK)
		logged_in(r, a);
	else if (a->status == AUTH_SECOND_FACTOR)
		second_step(r, a);
	else
		refused(r, a);
	return true;
}

/* A member that must be a string which fits; false where r was answered. */
static bool
take(struct request *r, const struct json_doc *d, const char *key, char *out, size_t size)
{
	const char *text = json_get_string(d, key);

	if (text != NULL && text[0] != '\0' && str_copy(out, size, text))
		return true;
	reply_problem_field(r, 400, key, "a text of 1 to %zu bytes is expected.", size - 1);
	return false;
}

/* Members that are not known may be a misspelt one: refused. False where r was answered. */
static bool
only(struct request *r, const struct json_doc *d, const char *const *known)
{
	const char *member;

	for (size_t n = 0; (member = json_member(d, n)) != NULL; n++) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], member) != 0)
			i++;
		if (known[i] == NULL) {
			reply_problem_field(r, 400, member, "no such member here.");
			return false;
		}
	}
	return true;
}

/* The body as an object; NULL where r was answered. */
static struct json_doc *
read_body(struct request *r, const char *const *known)
{
	size_t len;
	char *text = request_body(r, &len), why[160] = "";
	struct json_doc *d = text == NULL ? NULL : json_parse(text, len, BODY_MAX, why, sizeof(why));

	if (text != NULL)
		sodium_memzero(text, len);
	free(text);
	if (d == NULL)
		reply_problem(r, 400, "The body is not the JSON that is expected here: %s", why);
	else if (!only(r, d, known))
		json_doc_free(&d);
	return d;
}

void
api_login(struct request *r)
{
	static const char *const known[] = { "name", "password", NULL };
	static char wrong[] = "Name or password is wrong.";
	struct wire_login m = { .client = r->from };
	struct json_doc *d = read_body(r, known);

	if (d == NULL)
		return;
	r->data = wrong;
	if (take(r, d, "name", m.name, sizeof(m.name)) &&
	    take(r, d, "password", m.password, sizeof(m.password)))
		(void)authd_ask(r, MSG_LOGIN, &m, sizeof(m), ASK_SLOW, on_login);
	sodium_memzero(&m, sizeof(m));
	json_doc_free(&d);
}

void
api_setup(struct request *r)
{
	static const char *const known[] = { "secret", "name", "password", NULL };
	static char wrong[] = "The set-up link is not valid.";
	struct wire_setup m = { .client = r->from };
	struct json_doc *d = read_body(r, known);
	char secret[128];

	if (d == NULL)
		return;
	r->data = wrong;
	if (take(r, d, "secret", secret, sizeof(secret)) && take(r, d, "name", m.name, sizeof(m.name)) &&
	    take(r, d, "password", m.password, sizeof(m.password))) {
		if (token_parse(secret, m.secret))
			(void)authd_ask(r, MSG_SETUP, &m, sizeof(m), ASK_SLOW, on_login);
		else
			reply_problem(r, 401, "%s", wrong);
	}
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(&m, sizeof(m));
	json_doc_free(&d);
}

void
api_second_factor(struct request *r)
{
	static const char *const known[] = { "ticket", "code", NULL };
	static char wrong[] = "The code is wrong, or the login took too long.";
	struct wire_second_factor m = { .client = r->from };
	struct json_doc *d = read_body(r, known);
	char ticket[128] = "";
	bool has_cookie;

	if (d == NULL)
		return;
	/* The first step was at a provider: then the ticket came as a cookie, which no script sees. */
	has_cookie = json_node_member(json_root(d), "ticket") == NULL &&
		     cookie_find(request_header(r, "Cookie"), TICKET_COOKIE, m.ticket);
	r->data = has_cookie ? by_cookie : wrong;
	if ((has_cookie || take(r, d, "ticket", ticket, sizeof(ticket))) &&
	    take(r, d, "code", m.code, sizeof(m.code))) {
		if (has_cookie || token_parse(ticket, m.ticket))
			(void)authd_ask(r, MSG_SECOND_FACTOR, &m, sizeof(m), ASK_SLOW, on_login);
		else
			reply_problem(r, 401, "%s", wrong);
	}
	sodium_memzero(ticket, sizeof(ticket));
	sodium_memzero(&m, sizeof(m));
	json_doc_free(&d);
}

static bool
on_setup_state(void *ctx, enum ask_end end, const void *body, size_t len)
{
	const struct wire_auth_answer *a = body;
	struct request *r = ctx;
	struct json_writer *w;

	(void)len;
	if (end != ASK_LAST) {
		reply_problem(r, 503, NO_AUTHD);
		return true;
	}
	w = json_new(ME_MAX);
	json_object(w, NULL);
	json_bool(w, "open", a->setup_open != 0);
	json_object_end(w);
	reply_json_status(r, 200, &w);
	return true;
}

void
api_setup_state(struct request *r)
{
	/* Nobody's cookie: every answer of authd says whether an administrator exists. */
	struct wire_session m = { .client = r->from };

	if (gate_pass_address(r))
		(void)authd_ask(r, MSG_SESSION, &m, sizeof(m), ASK_QUICK, on_setup_state);
	else
		refuse_inquiry(r, INQUIRY_RATED);
}

/* --- logout
 * ------------------------------------------------------------------------------------------------------------
 */

static bool
on_logout(void *ctx, enum ask_end end, const void *body, size_t len)
{
	const struct wire_auth_answer *a = body;
	struct request *r = ctx;

	(void)len;
	session_drop(r->httpd->sessions, &r->who, &r->from);
	if (end != ASK_LAST || (a->status != AUTH_OK && a->status != AUTH_DENIED)) {
		reply_problem(r, 503, NO_AUTHD);
		return true;
	}
	cookie_drop_session(r);
	reply_empty(r, 204);
	return true;
}

void
api_logout(struct request *r)
{
	struct wire_session m = { .client = r->from };

	session_drop(r->httpd->sessions, &r->who, &r->from);
	memcpy(m.cookie, r->who.cookie, COOKIE_BYTES);
	(void)authd_ask(r, MSG_LOGOUT, &m, sizeof(m), ASK_QUICK, on_logout);
	sodium_memzero(&m, sizeof(m));
}
