/*
 * The guide's API under /lua/rest/v2: what clients of ntopng ask, answered in ntopng's shapes out of the same
 * questions to store and authd, under the same grants, as /api/v1. guide_routes.c is the table.
 */
#ifndef WEIR_HTTPD_GUIDE_H
#define WEIR_HTTPD_GUIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guide_params.h"
#include "guide_reply.h"
#include "inquiry.h"
#include "request.h"

#define GUIDE_PREFIX "/lua/rest/"

/* One request, from its parameters to its answer. */
struct guide {
	struct request *request;
	const struct guide_route *route;
	struct guide_params p;
	struct row_point point; /* the interface that it names */
	void *data;             /* the endpoint's; it frees it */
};

/* What goes on once the interface is known. */
typedef void guide_fn(struct guide *g);

struct guide_route {
	const char *path; /* below /lua/rest/v2, without ".lua" */
	unsigned methods; /* METHOD_ bits */
	guide_fn *serve;
	bool changes;      /* with a cookie it needs X-Weir-CSRF */
	guide_fn *sampled; /* where the endpoint asks for an interface first: what it does then */
};

/* The route of a path below GUIDE_PREFIX, or NULL. */
const struct guide_route *guide_route_find(const char *path);

/* Serves a request whose path begins with GUIDE_PREFIX. query may be NULL. */
void guide_serve(struct request *r, const char *path, const char *query, unsigned method);

/* --- what endpoints share: guide.c
 * ------------------------------------------------------------------------------- */

/* Finds the interface that ifid names, of those that the caller may see, and calls the route's `sampled`; or
 * answers. */
void guide_find_point(struct guide *g);
/* As it is counted here: from 0, as ntopng does. */
uint32_t guide_ifid(const struct row_point *p);
/* Each of these answers and frees g. */
void guide_answer(struct guide *g, struct json_writer **w);
void guide_fail(struct guide *g, enum guide_rc rc, const char *detail);
void guide_fail_inquiry(struct guide *g, const struct inquiry *q, enum inquiry_end end);
/* Takes what was made of g's parameters and frees g; the request is the caller's to answer. */
struct request *guide_release(struct guide *g);

struct inquiry *guide_inquiry(struct guide *g, inquiry_fn *fn);
/* A question about g's interface. */
struct part *guide_ask(struct guide *g, struct inquiry *q, enum question_kind kind, uint32_t limit,
		       enum sort_key sort);

/* --- endpoints
 * -------------------------------------------------------------------------------------------------- */

/* guide_interface.c */
guide_fn guide_interfaces, guide_interface_data, guide_interface_data_of, guide_interface_l7, guide_top_hosts,
    guide_top_talkers;
/* guide_list.c */
guide_fn guide_hosts, guide_flows;
/* guide_host.c */
guide_fn guide_host_data, guide_host_l7;
/* guide_series.c */
guide_fn guide_series, guide_series_of;
/* guide_alerts.c */
guide_fn guide_alerts;
/* guide_admin.c */
guide_fn guide_users, guide_api_token;

#endif
