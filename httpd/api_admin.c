/* Administration, and what everybody may do with the own account: each route is one operation of authd's,
 * which judges all of it. */
#include <event2/buffer.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "admin_call.h"
#include "api.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "export.h"
#include "ipc/wire.h"
#include "me.h"
#include "request.h"

#define ADDRESS_MAX 8192 /* bytes of JSON: parameters and segments are short */
#define SPACES      " \t\r\n"

/* --- the operation
 * ---------------------------------------------------------------------------------------------------- */

/* What the address says beside the route: its segment and its parameters. */
static void
put_address(struct json_writer *w, const struct request *r)
{
	const struct params *p = &r->params;

	json_string(w, "op", r->route->op);
	if (r->route->named != NULL)
		json_string(w, r->route->named, r->segment);
	if (params_has(p, PARAM_USER))
		json_string(w, "user", p->user);
	if (params_has(p, PARAM_OWNER))
		json_string(w, "owner", p->user);
	if (params_has(p, PARAM_ALL))
		json_bool(w, "all", p->all);
	if (params_has(p, PARAM_OTHERS))
		json_bool(w, "others", p->others);
	if (params_has(p, PARAM_FROM))
		json_time_ns(w, "from", p->from_ns);
	if (params_has(p, PARAM_TO))
		json_time_ns(w, "to", p->to_ns);
	if (params_has(p, PARAM_ACTOR))
		json_string(w, "actor", p->actor);
	if (params_has(p, PARAM_KIND))
		json_string(w, "kind", p->kind);
	if (p->as == AS_JSON && params_has(p, PARAM_PLACE))
		json_string(w, "cursor", p->place);
	if (p->as == AS_JSON && params_has(p, PARAM_LIMIT))
		json_uint(w, "limit", p->limit);
}

/* The members of the client's object, as they stand; NULL where there is no object. authd refuses what is
 * given twice, so that nobody says another operation here. */
static const char *
members_of(const char *body)
{
	const char *at = body + strspn(body, SPACES);

	return *at == '{' ? at + 1 : NULL;
}

static bool
is_end(const char *members)
{
	return members[strspn(members, SPACES)] == '}';
}

static void
send_operation(struct request *r, const char *members, admin_fn *fn)
{
	struct json_writer *w = json_new(ADDRESS_MAX);
	size_t len = 0, more = strlen(members);
	const char *text;
	char *whole;

	json_object(w, NULL);
	put_address(w, r);
	json_object_end(w);
	text = json_text(w, &len);
	if (text == NULL) {
		json_free(&w);
		reply_problem(r, 400, "The address is too long.");
		return;
	}
	whole = mem_calloc(1, len + more + 1);
	memcpy(whole, text, len - 1);
	if (!is_end(members))
		whole[len - 1] = ',';
	else
		len--;
	memcpy(whole + len, members, more + 1);
	len += more;
	json_free(&w);
	if (len > ADMIN_BODY_MAX)
		reply_problem(r, 413, "The body is longer than %d bytes.", ADMIN_BODY_MAX);
	else
		admin_call(r, whole, len, fn);
	sodium_memzero(whole, len);
	free(whole);
}

/* The whole list that the route's operation gives. */
static void
send_table(struct request *r)
{
	struct json_writer *w = json_new(ADDRESS_MAX);
	const char *member = NULL, *text;
	bool whole = false;
	const struct table *t = table_of_operation(r->route->op, &member, &whole);
	size_t len = 0;

	json_object(w, NULL);
	put_address(w, r);
	json_object_end(w);
	text = json_text(w, &len);
	if (t == NULL || text == NULL)
		reply_problem(r, 400, "format: there is no such table");
	else
		export_operation(r, text, len, t, member, whole);
	json_free(&w);
}

static void
operate(struct request *r, admin_fn *fn)
{
	char *body = NULL;
	size_t len = 0;

	if (!utf8_valid(r->segment, strlen(r->segment))) {
		reply_problem(r, 404, NULL);
		return;
	}
	if (r->params.as != AS_JSON) {
		send_table(r);
		return;
	}
	if ((r->route->flags & ROUTE_BODY) == 0) {
		send_operation(r, "}", fn);
		return;
	}
	body = request_body(r, &len);
	if (body == NULL || strlen(body) != len || members_of(body) == NULL)
		reply_problem(r, 400, "The body is not the JSON object that is expected here.");
	else
		send_operation(r, members_of(body), fn);
	if (body != NULL)
		sodium_memzero(body, len);
	free(body);
}

/* --- answers
 * ----------------------------------------------------------------------------------------------------------
 */

static bool
is_empty(struct evbuffer *answer)
{
	size_t len = evbuffer_get_length(answer);

	return len == 0 || (len == 2 && memcmp(evbuffer_pullup(answer, 2), "{}", 2) == 0);
}

static void
wipe_bytes(const void *bytes, size_t len, void *arg)
{
	(void)arg;
	sodium_memzero((void *)(uintptr_t)bytes, len);
	free((void *)(uintptr_t)bytes);
}

/* It may hold a new token, or a password that was made up: the copy is wiped once it is sent, as the answer
 * is. */
static struct evbuffer *
wiped_copy(struct evbuffer *answer)
{
	const size_t len = evbuffer_get_length(answer);
	struct evbuffer *text = evbuffer_new();
	char *bytes = mem_calloc(1, len + 1);

	if (text == NULL || evbuffer_copyout(answer, bytes, len) != (ssize_t)len ||
	    evbuffer_add_reference(text, bytes, len, wipe_bytes, NULL) == -1)
		fatalx("no memory for an answer");
	return text;
}

static void
on_done(struct request *r, const struct me *me, struct evbuffer *answer)
{
	size_t len = strlen(r->route->op);
	bool added = len > 4 && strcmp(r->route->op + len - 4, ".add") == 0;
	struct evbuffer *text;

	(void)me;
	if (is_empty(answer) && r->route->method != METHOD_GET) {
		reply_empty(r, 204);
		return;
	}
	text = wiped_copy(answer);
	r->secret = r->route->method != METHOD_GET;
	reply_text(r, added ? 201 : 200, "application/json", &text);
}

void
api_admin(struct request *r)
{
	operate(r, on_done);
}

/* Who it is by the session, and what authd knows of the account. */
static void
on_me(struct request *r, const struct me *me, struct evbuffer *answer)
{
	size_t len = evbuffer_get_length(answer);
	struct json_writer *w = json_new(ME_MAX + len);

	json_object(w, NULL);
	put_me(w, r, me, r->who.kind == CREDENTIAL_COOKIE ? r->who.cookie : NULL);
	json_raw(w, "account", len > 0 ? (const char *)evbuffer_pullup(answer, -1) : "null",
		 len > 0 ? len : 4);
	json_object_end(w);
	reply_json_status(r, 200, &w);
}

void
api_me(struct request *r)
{
	operate(r, on_me);
}
