#include "request.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/mem.h"
#include "clients.h"
#include "gate.h"
#include "guard.h"
#include "guide.h"
#include "page.h"
#include "refuse.h"

#define HEADERS_MAX 100 /* each look for one goes through all of them */

const char *
request_header(const struct request *r, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(r->ev), name);
}

const char *
request_query(const struct request *r)
{
	const char *mark = strchr(evhttp_request_get_uri(r->ev), '?');

	return mark == NULL ? NULL : mark + 1;
}

char *
request_body(const struct request *r, size_t *len)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(r->ev);
	char *text;

	*len = evbuffer_get_length(in);
	if (*len > BODY_MAX)
		return NULL;
	text = mem_calloc(*len + 1, 1);
	if (evbuffer_copyout(in, text, *len) != (ssize_t)*len) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- where one request ends and the next begins
 * ------------------------------------------------------------------------ */

/*
 * evhttp is generous about how a request's length is told. A proxy in front may read the same bytes
 * otherwise, and what it takes for one request could be two here (RFC 9112 section 11.2). So whatever has two
 * readings ends the connection. Returns the reason, or NULL.
 */
static const char *
ambiguity(const struct request *r, int *status)
{
	const struct evkeyval *h;
	unsigned headers = 0, hosts = 0, lengths = 0, identities = 0, tenants = 0;
	size_t length = 0;

	*status = 400;
	TAILQ_FOREACH(h, evhttp_request_get_input_headers(r->ev), next)
	{
		if (++headers > HEADERS_MAX)
			return "A request has 100 headers at most.";
		if (!header_name_is_valid(h->key))
			return "A header has a name that is none.";
		hosts += strcasecmp(h->key, "Host") == 0;
		identities += strcasecmp(h->key, "Authorization") == 0;
		tenants += strcasecmp(h->key, "Weir-Tenant") == 0;
		if (strcasecmp(h->key, "Content-Length") == 0) {
			lengths++;
			if (!length_parse(h->value, &length))
				return "Content-Length is not a number.";
		}
		if (strcasecmp(h->key, "Transfer-Encoding") == 0) {
			*status = 411;
			return "Bodies are sent with Content-Length here, not with Transfer-Encoding.";
		}
	}
	if (hosts != 1 || !host_is_valid(request_header(r, "Host")))
		return "A request has one Host header with the name of this server.";
	if (lengths > 1)
		return "A request has one Content-Length.";
	if (identities > 1 || tenants > 1)
		return "A request has one Authorization and one Weir-Tenant at most.";
	if (length > 0 && evhttp_request_get_command(r->ev) != EVHTTP_REQ_POST &&
	    evhttp_request_get_command(r->ev) != EVHTTP_REQ_PUT &&
	    evhttp_request_get_command(r->ev) != EVHTTP_REQ_PATCH)
		return "A request of this method has no body.";
	return NULL;
}

/* --- dispatch
 * -----------------------------------------------------------------------------------------------------------
 */

static void
refuse_method(struct request *r, unsigned methods)
{
	static const struct {
		enum method method;
		const char *name;
	} names[] = { { METHOD_GET, "GET, HEAD" },
		      { METHOD_POST, "POST" },
		      { METHOD_PUT, "PUT" },
		      { METHOD_PATCH, "PATCH" },
		      { METHOD_DELETE, "DELETE" } };
	char allow[64];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((methods & names[i].method) != 0)
			n += (size_t)snprintf(allow + n, sizeof(allow) - n, "%s%s", n > 0 ? ", " : "",
					      names[i].name);
	reply_header(r, "Allow", allow);
	reply_problem(r, 405, "This address does not know the method.");
}

static bool
is_of_type(const char *type, const char *wanted)
{
	size_t n = type == NULL ? 0 : strcspn(type, "; \t");

	return n == strlen(wanted) && strncasecmp(type, wanted, n) == 0;
}

/* A client of this machine, not one whose request a proxy of this machine passes on. */
static bool
is_local(const struct request *r)
{
	static const char *const passed_on[] = { "Forwarded", "X-Forwarded-For", "X-Real-IP", "Via" };

	if (!r->httpd->boot->settings.metrics_loopback || !ip_is_loopback(&r->from.ip))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
		if (request_header(r, passed_on[i]) != NULL)
			return false;
	return true;
}

/* Who it is, as far as the route asks; false where r was answered. */
static bool
identify(struct request *r)
{
	unsigned flags = r->route->flags;

	switch (credential_read(&r->who, request_header(r, "Cookie"), request_header(r, "Authorization"),
				request_header(r, "Weir-Tenant"))) {
	case CREDENTIAL_GOOD:
		break;
	case CREDENTIAL_BOTH:
		reply_problem(r, 400, "A request carries a session's cookie or a token, not both.");
		return false;
	case CREDENTIAL_NO_TOKEN:
		reply_problem(r, 401, "The token is not valid.");
		return false;
	case CREDENTIAL_NO_TENANT:
		reply_problem_field(r, 400, "Weir-Tenant", "a name of 1 to %d bytes is expected.",
				    TENANT_TEXT_MAX - 1);
		return false;
	}
	/* authd is shown a token of no letters: it decides what that is worth. */
	if ((flags & ROUTE_LOCAL) != 0 && r->who.kind == CREDENTIAL_NONE && is_local(r))
		r->who.kind = CREDENTIAL_TOKEN;
	if ((flags & ROUTE_SESSION) != 0 && r->who.kind == CREDENTIAL_NONE) {
		reply_problem(r, 401, "Log in first.");
		return false;
	}
	if ((flags & ROUTE_PERSON) != 0 && r->who.kind == CREDENTIAL_TOKEN) {
		reply_problem(r, 403, "No token may do this: log in.");
		return false;
	}
	return true;
}

/* The first words of a sentence of params.c name the parameter. */
static void
refuse_parameter(struct request *r, char *why)
{
	char *colon = strchr(why, ':');

	if (colon == NULL) {
		reply_problem(r, 400, "%s", why);
		return;
	}
	*colon = '\0';
	reply_problem_field(r, 400, why, "%s", colon + 1 + strspn(colon + 1, " "));
}

/* The route's conditions; false where r was answered. */
static bool
admit(struct request *r, const char *query)
{
	unsigned flags = r->route->flags;
	const char *csrf = request_header(r, "X-Weir-CSRF");
	char why[160];

	if ((flags & ROUTE_ARRIVAL) == 0 &&
	    !origin_is_ours(request_header(r, "Origin"), request_header(r, "Sec-Fetch-Site"),
			    request_header(r, "Host"))) {
		reply_problem(r, 403, "The request comes from another site.");
		return false;
	}
	/* Another site's page could otherwise have its readers fail logins here that they never see, until
	 * their addresses are held back. */
	if ((flags & ROUTE_ARRIVAL) != 0 && !arrival_is_a_page(request_header(r, "Sec-Fetch-Dest"))) {
		reply_problem(r, 403, "A browser comes here as a page, and not for a part of another.");
		return false;
	}
	if ((flags & (ROUTE_STREAM | ROUTE_ONCE)) != 0 && r->head) {
		reply_header(r, "Allow", "GET");
		reply_problem(r, 405,
			      (flags & ROUTE_STREAM) != 0
				  ? "A stream has no head alone."
				  : "To ask for it is to do it: it has no head alone.");
		return false;
	}
	if (!identify(r))
		return false;
	/* A token is no browser's: nobody can make one send it. */
	if (((flags & ROUTE_CSRF) != 0 && r->who.kind == CREDENTIAL_COOKIE &&
	     !csrf_matches(r->who.cookie, csrf)) ||
	    ((flags & ROUTE_LOGIN) != 0 && (csrf == NULL || strcmp(csrf, "1") != 0))) {
		reply_problem(r, 403, "X-Weir-CSRF is missing or not this session's.");
		return false;
	}
	if ((flags & ROUTE_BODY) != 0 && !is_of_type(request_header(r, "Content-Type"), "application/json")) {
		reply_problem(r, 415, "Send application/json.");
		return false;
	}
	if ((flags & ROUTE_FORM) != 0 &&
	    !is_of_type(request_header(r, "Content-Type"), "application/x-www-form-urlencoded")) {
		reply_problem(r, 415, "Send application/x-www-form-urlencoded.");
		return false;
	}
	if ((flags & ROUTE_ARRIVAL) != 0)
		return true;
	if ((r->route->params & PARAM(FORMAT)) != 0)
		r->params.as = representation_of(request_header(r, "Accept"));
	if (!params_parse(query, r->route->params, r->route->sorts, &r->params, why, sizeof(why))) {
		refuse_parameter(r, why);
		return false;
	}
	/* Links and a browser's EventSource send no header of their own. */
	if (params_has(&r->params, PARAM_TENANT))
		(void)credential_set_tenant(&r->who, r->params.tenant);
	return true;
}

static void
serve_page(struct request *r, const char *path, unsigned method)
{
	const struct page_file *f = page_find(path);

	if (f == NULL)
		reply_problem(r, 404, NULL);
	else if (method != METHOD_GET)
		refuse_method(r, METHOD_GET);
	else
		reply_page(r, f);
}

static void
on_gate(struct request *r, enum inquiry_end end)
{
	if (end == INQUIRY_OK)
		r->route->serve(r);
	else
		refuse_inquiry(r, end);
}

static void
dispatch(struct request *r, const char *path, const char *query, unsigned method)
{
	unsigned methods;

	if (strncmp(path, GUIDE_PREFIX, sizeof(GUIDE_PREFIX) - 1) == 0) {
		guide_serve(r, path, query, method);
		return;
	}
	r->route = route_find(path, method, r->segment, &methods);
	if (r->route != NULL) {
		if (!admit(r, query))
			return;
		if ((r->route->flags & ROUTE_SESSION) != 0)
			gate_pass(r, on_gate);
		else
			r->route->serve(r);
	} else if (methods != 0)
		refuse_method(r, methods);
	else if (strncmp(path, "/api/", 5) == 0 || strcmp(path, "/api") == 0)
		reply_problem(r, 404, NULL);
	else
		serve_page(r, path, method);
}

static unsigned
method_of(struct request *r)
{
	enum evhttp_cmd_type command = evhttp_request_get_command(r->ev);

	r->head = command == EVHTTP_REQ_HEAD;
	return command == EVHTTP_REQ_GET || r->head ? METHOD_GET
	       : command == EVHTTP_REQ_POST         ? METHOD_POST
	       : command == EVHTTP_REQ_PUT          ? METHOD_PUT
	       : command == EVHTTP_REQ_PATCH        ? METHOD_PATCH
	       : command == EVHTTP_REQ_DELETE       ? METHOD_DELETE
						    : 0;
}

void
request_serve(struct evhttp_request *ev, void *httpd)
{
	struct httpd *h = httpd;
	struct request *r = mem_calloc(1, sizeof(*r));
	const char *target = evhttp_request_get_uri(ev), *agent, *why;
	char path[1024];
	size_t n = strcspn(target, "?");
	int status;

	r->httpd = h;
	r->ev = ev;
	r->client = client_of(evhttp_connection_get_bufferevent(evhttp_request_get_connection(ev)));
	client_enter(r->client, CLIENT_ANSWERING);
	why = ambiguity(r, &status);
	if (why == NULL && (target[0] != '/' || strchr(target, '#') != NULL))
		why = "The address of a request begins with a slash.";
	if (why == NULL && !client_ip(r->client, &r->from.ip))
		why = "The connection is gone.";
	if (why != NULL) {
		reply_problem_close(r, status, why);
		return;
	}
	if (n >= sizeof(path)) {
		reply_problem(r, 404, NULL);
		return;
	}
	memcpy(path, target, n);
	path[n] = '\0';
	agent = request_header(r, "User-Agent");
	(void)str_copy(r->from.agent, sizeof(r->from.agent), agent == NULL ? "" : agent);
	dispatch(r, path, target[n] == '?' ? target + n + 1 : NULL, method_of(r));
}
