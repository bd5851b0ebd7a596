/*
 * Logins and logouts at providers of OpenID Connect, as far as browsers and providers come here. Nothing that
 * they send says where a browser goes next: that is the provider's published address, or a place of the page.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "authd_ask.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "cookies.h"
#include "form.h"
#include "gate.h"
#include "refuse.h"
#include "request.h"
#include "sessions.h"

#define LIST_MAX (16u << 10)

/* --- which there are --- */

static void
put_provider(struct json_writer *w, const struct provider_settings *p)
{
	json_object(w, NULL);
	json_string(w, "name", p->name);
	json_string(w, "label", p->label[0] == '\0' ? p->name : p->label);
	json_object_end(w);
}

/* Domains are not told, they are customers' names: who says a login name hears whose it is. */
void
api_providers(struct request *r)
{
	const struct settings *s = &r->httpd->boot->settings;
	struct json_writer *w;
	const char *chosen = NULL;

	if (!gate_pass_address(r)) {
		refuse_inquiry(r, INQUIRY_RATED);
		return;
	}
	w = json_new(LIST_MAX);
	json_object(w, NULL);
	json_array(w, "providers");
	for (unsigned i = 0; i < OIDC_PROVIDERS_MAX && s->oidc[i].name[0] != '\0'; i++) {
		bool its =
		    params_has(&r->params, PARAM_USER) && provider_has_login(&s->oidc[i], r->params.user);

		if (its)
			chosen = s->oidc[i].name;
		if (its || s->oidc[i].button)
			put_provider(w, &s->oidc[i]);
	}
	json_array_end(w);
	json_string(w, "chosen", chosen);
	json_object_end(w);
	reply_json_status(r, 200, &w);
}

/* --- away --- */

/* The provider of the path; false where r was answered. */
static bool
take_provider(struct request *r, char out[static PROVIDER_NAME_MAX])
{
	const struct settings *s = &r->httpd->boot->settings;

	if (!gate_pass_address(r)) {
		refuse_inquiry(r, INQUIRY_RATED);
		return false;
	}
	for (unsigned i = 0; i < OIDC_PROVIDERS_MAX && s->oidc[i].name[0] != '\0'; i++)
		if (strcmp(s->oidc[i].name, r->segment) == 0)
			return str_copy(out, PROVIDER_NAME_MAX, r->segment);
	reply_problem(r, 404, NULL);
	return false;
}

/* 303: whatever the method was, the browser goes there with GET (RFC 9110 section 15.4.4). */
static void
send_to(struct request *r, const char *where)
{
	reply_header(r, "Location", where);
	reply_empty(r, 303);
}

static bool
on_gone(void *ctx, enum ask_end end, const void *body, size_t len)
{
	const struct wire_oidc_gone *a = body;
	struct request *r = ctx;

	(void)len;
	if (end != ASK_LAST || a->status != AUTH_OK) {
		send_to(r, "/?login=unavailable");
		return true;
	}
	if (!sodium_is_zero(a->cookie, sizeof(a->cookie)))
		cookie_set_login(r, a->cookie);
	send_to(r, a->url);
	return true;
}

static void
go(struct request *r, enum oidc_go what)
{
	const char *url = r->httpd->boot->settings.http_url;
	struct wire_oidc_go m = { .client = r->from, .what = what };
	int n;

	if (!take_provider(r, m.provider))
		return;
	n = url[0] != '\0' ? snprintf(m.origin, sizeof(m.origin), "%s", url)
			   : snprintf(m.origin, sizeof(m.origin), "https://%s", request_header(r, "Host"));
	if (n < 0 || (size_t)n >= sizeof(m.origin))
		reply_problem(r, 400, "The name of this server is too long.");
	else
		(void)authd_ask(r, MSG_OIDC_GO, &m, sizeof(m), ASK_SLOW, on_gone);
}

void
api_oidc_start(struct request *r)
{
	go(r, OIDC_GO_LOGIN);
}

void
api_oidc_end(struct request *r)
{
	go(r, OIDC_GO_LOGOUT);
}

/* --- and back --- */

static bool
on_callback(void *ctx, enum ask_end end, const void *body, size_t len)
{
	const struct wire_auth_answer *a = body;
	struct request *r = ctx;

	(void)len;
	cookie_drop_login(r);
	r->secret = true;
	if (end != ASK_LAST) {
		send_to(r, "/?login=unavailable");
		return true;
	}
	switch ((enum auth_status)a->status) {
	case AUTH_OK:
		session_put(r->httpd->sessions, a);
		cookie_set_session(r, a->cookie);
		send_to(r, "/");
		break;
	case AUTH_SECOND_FACTOR:
		cookie_set_ticket(r, a->cookie);
		send_to(r, "/?login=code");
		break;
	case AUTH_THROTTLED:
		send_to(r, "/?login=throttled");
		break;
	case AUTH_BUSY:
	case AUTH_UNAVAILABLE:
		send_to(r, "/?login=unavailable");
		break;
	default:
		send_to(r, "/?login=failed");
	}
	return true;
}

/* What came in the query (RFC 6749 section 4.1.2, RFC 9207). */
static bool
take_answer(const struct request *r, struct wire_oidc_callback *m)
{
	const char *query = request_query(r);
	size_t n = query == NULL ? 0 : strlen(query);

	return n > 0 && form_take(query, n, "state", m->state, sizeof(m->state)) &&
	       form_take(query, n, "code", m->code, sizeof(m->code)) &&
	       form_take(query, n, "error", m->error, sizeof(m->error)) &&
	       form_take(query, n, "iss", m->issuer, sizeof(m->issuer));
}

void
api_oidc_callback(struct request *r)
{
	struct wire_oidc_callback m = { .client = r->from };

	if (!take_provider(r, m.provider))
		return;
	if (!take_answer(r, &m) || !cookie_find(request_header(r, "Cookie"), LOGIN_COOKIE, m.cookie))
		/* authd says no to it as to others, and writes it down. */
		m = (struct wire_oidc_callback){ .client = r->from };
	(void)str_copy(m.provider, sizeof(m.provider), r->segment);
	(void)authd_ask(r, MSG_OIDC_CALLBACK, &m, sizeof(m), ASK_LONG, on_callback);
	sodium_memzero(&m, sizeof(m));
}

/* --- the provider itself --- */

static bool
on_logout(void *ctx, enum ask_end end, const void *body, size_t len)
{
	const struct wire_auth_answer *a = body;
	struct request *r = ctx;

	(void)len;
	if (end != ASK_LAST)
		reply_problem(r, 503, NO_AUTHD);
	else if (a->status == AUTH_OK)
		reply_empty(r, 200);
	else if (a->status == AUTH_DENIED)
		reply_problem(r, 400, "The logout token is not good.");
	else
		reply_problem(r, 503, "The logout token could not be judged now.");
	return true;
}

void
api_oidc_backchannel(struct request *r)
{
	struct {
		struct wire_oidc_logout head;
		char token[OIDC_TOKEN_MAX + 1];
	} m = { .head = { .client = r->from } };
	char *text;
	size_t len;

	if (!take_provider(r, m.head.provider))
		return;
	text = request_body(r, &len);
	if (text != NULL && form_take(text, len, "logout_token", m.token, sizeof(m.token)))
		m.head.token_len = (uint32_t)strlen(m.token);
	free(text);
	if (m.head.token_len == 0)
		reply_problem(r, 400, "A form with one logout_token is expected.");
	else
		(void)authd_ask(r, MSG_OIDC_LOGOUT, &m, sizeof(m.head) + m.head.token_len, ASK_LONG,
				on_logout);
}
