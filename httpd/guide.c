#include "guide.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "clients.h"
#include "gate.h"
#include "guard.h"
#include "refuse.h"

#define IFID_MAX 999999999

/* --- ends
 * ---------------------------------------------------------------------------------------------------------
 */

struct request *
guide_release(struct guide *g)
{
	struct request *r = g->request;

	guide_params_free(&g->p);
	free(g);
	return r;
}

void
guide_answer(struct guide *g, struct json_writer **w)
{
	guide_end(guide_release(g), w);
}

void
guide_fail(struct guide *g, enum guide_rc rc, const char *detail)
{
	guide_refuse(guide_release(g), rc, rc == GUIDE_NOT_FOUND ? 404 : 400, detail);
}

void
guide_fail_inquiry(struct guide *g, const struct inquiry *q, enum inquiry_end end)
{
	struct request *r = guide_release(g);

	r->retry_after_s = q->retry_after_s;
	refuse_inquiry(r, end);
}

/* --- questions
 * -------------------------------------------------------------------------------------------------- */

struct inquiry *
guide_inquiry(struct guide *g, inquiry_fn *fn)
{
	struct inquiry *q = inquiry_new(g->request->httpd, &g->request->who, &g->request->from, fn, g);

	inquiry_watch(q, client_socket(g->request->client));
	return q;
}

struct part *
guide_ask(struct guide *g, struct inquiry *q, enum question_kind kind, uint32_t limit, enum sort_key sort)
{
	struct part *p = inquiry_add(q, kind);

	p->q.point = g->point.id;
	p->q.limit = limit;
	p->q.sort = sort;
	return p;
}

/* Observation points are numbered from 1 on. */
uint32_t
guide_ifid(const struct row_point *p)
{
	return p->id - 1;
}

/* 0 is the first of those that are seen, whatever its number. */
static bool
choose_point(struct guide *g, const struct part *points)
{
	struct rows rows = part_rows(points);
	int64_t ifid = -1;
	char err[GUIDE_ERROR_MAX];
	bool found = false, exact = false;
	struct row row;

	if (!guide_number(&g->p, GUIDE_IFID, 0, IFID_MAX, &ifid, err) || ifid < 0)
		return false;
	while (!exact && rows_next(&rows, &row)) {
		exact = guide_ifid(&row.point) == (uint32_t)ifid;
		if (!exact && !(ifid == 0 && (!found || row.point.id < g->point.id)))
			continue;
		g->point = row.point;
		found = true;
	}
	return found;
}

static void
on_points(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct guide *g = ctx;

	if (end != INQUIRY_OK)
		guide_fail_inquiry(g, q, end);
	else if (!choose_point(g, &q->part[0]))
		guide_fail(g, GUIDE_INVALID_INTERFACE, "");
	else
		g->route->sampled(g);
	inquiry_free(&q);
}

void
guide_find_point(struct guide *g)
{
	struct inquiry *q;

	if (g->p.value[GUIDE_IFID] == NULL) {
		guide_fail(g, GUIDE_INVALID_INTERFACE, "ifid: is missing");
		return;
	}
	q = guide_inquiry(g, on_points);
	(void)inquiry_add(q, ASK_POINTS);
	inquiry_run(q);
}

/* --- what comes in
 * ---------------------------------------------------------------------------------------------- */

static bool
identify(struct request *r)
{
	switch (credential_read_guide(&r->who, request_header(r, "Cookie"),
				      request_header(r, "Authorization"), request_header(r, "Weir-Tenant"))) {
	case CREDENTIAL_GOOD:
		break;
	case CREDENTIAL_BOTH:
		reply_problem(r, 400,
			      "A request carries a session's cookie, a token or a password: one of them.");
		return false;
	case CREDENTIAL_NO_TOKEN:
		reply_problem(r, 401, NULL);
		return false;
	case CREDENTIAL_NO_TENANT:
		reply_problem(r, 400, "Weir-Tenant: a name of 1 to %d bytes is expected.",
			      TENANT_TEXT_MAX - 1);
		return false;
	}
	if (r->who.kind != CREDENTIAL_NONE)
		return true;
	reply_problem(r, 401, NULL);
	return false;
}

/* The route's conditions; false where r was answered. */
static bool
admit(struct request *r, const struct guide_route *route, unsigned method)
{
	/* A browser may know a password that it adds by itself. */
	if (!origin_is_ours(request_header(r, "Origin"), request_header(r, "Sec-Fetch-Site"),
			    request_header(r, "Host"))) {
		reply_problem(r, 403, "The request comes from another site.");
		return false;
	}
	if ((route->methods & method) == 0) {
		reply_header(r, "Allow", (route->methods & METHOD_GET) != 0 ? "GET, HEAD, POST" : "POST");
		reply_problem(r, 405, "This address does not know the method.");
		return false;
	}
	if (!identify(r))
		return false;
	if (route->changes && r->who.kind == CREDENTIAL_COOKIE &&
	    !csrf_matches(r->who.cookie, request_header(r, "X-Weir-CSRF"))) {
		reply_problem(r, 403, "X-Weir-CSRF is missing or not this session's.");
		return false;
	}
	return true;
}

/* curl -d sends JSON as a form: what begins as an object is one. */
static bool
read_body(struct guide_params *p, const char *body, size_t len, char err[static GUIDE_ERROR_MAX],
	  enum guide_rc *rc)
{
	*rc = GUIDE_INVALID_ARGUMENTS;
	if (strlen(body) != len) {
		(void)snprintf(err, GUIDE_ERROR_MAX, "the body is no text");
		*rc = GUIDE_BAD_FORMAT;
		return false;
	}
	if (body[strspn(body, " \t\r\n")] == '{')
		return guide_params_json(p, body, len, err);
	return guide_params_query(p, body, err);
}

static bool
read_params(struct request *r, const char *query, unsigned method, struct guide_params *p,
	    char err[static GUIDE_ERROR_MAX], enum guide_rc *rc)
{
	size_t len = 0;
	char *body;
	bool good;

	*rc = GUIDE_INVALID_ARGUMENTS;
	if (!guide_params_query(p, query, err))
		return false;
	if (method != METHOD_POST)
		return true;
	body = request_body(r, &len);
	if (body == NULL) {
		(void)snprintf(err, GUIDE_ERROR_MAX, "the body is too long");
		*rc = GUIDE_BAD_FORMAT;
		return false;
	}
	good = read_body(p, body, len, err, rc);
	free(body);
	return good;
}

static void
on_gate(struct request *r, enum inquiry_end end)
{
	struct guide *g = r->data;

	r->data = NULL;
	if (end == INQUIRY_OK)
		g->route->serve(g);
	else
		refuse_inquiry(guide_release(g), end);
}

void
guide_serve(struct request *r, const char *path, const char *query, unsigned method)
{
	const struct guide_route *route = guide_route_find(path);
	char err[GUIDE_ERROR_MAX];
	struct guide *g;
	enum guide_rc rc;

	r->guide = true;
	if (route == NULL) {
		reply_problem(r, 404, NULL);
		return;
	}
	if (!admit(r, route, method))
		return;
	g = mem_calloc(1, sizeof(*g));
	g->request = r;
	g->route = route;
	r->data = g;
	if (read_params(r, query, method, &g->p, err, &rc))
		gate_pass(r, on_gate);
	else
		guide_fail(g, rc, err);
}
