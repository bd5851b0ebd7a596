/* The table of what is served under /api/v1, and /metrics: an auditor reads who may ask what in one place. */
#ifndef WEIR_HTTPD_ROUTES_H
#define WEIR_HTTPD_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

/* HEAD is a GET whose answer has no body. */
enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_PATCH = 4, METHOD_DELETE = 8, METHOD_PUT = 16 };

enum route_flags {
	ROUTE_SESSION = 1,  /* only with a session's cookie or a token */
	ROUTE_CSRF = 2,     /* with a cookie, X-Weir-CSRF: the session's */
	ROUTE_LOGIN = 4,    /* X-Weir-CSRF: 1, since there is no session yet */
	ROUTE_BODY = 8,     /* a JSON object comes along */
	ROUTE_STREAM = 16,  /* no HEAD: the answer does not end */
	ROUTE_PERSON = 32,  /* only with a session's cookie: what a token may never do, whatever its rights */
	ROUTE_LOCAL = 64,   /* from loopback also with neither, where httpd.metrics_loopback says so */
	ROUTE_TAGGED = 128, /* what it says changes seldom: with an ETag */
	ROUTE_ONCE = 256,   /* no HEAD: to ask is to do */
	ROUTE_ARRIVAL =
	    512,          /* another site sends its browser here: what it says stands in a query of its own */
	ROUTE_FORM = 1024 /* a form comes along, from another server */
};

struct route {
	const char *path; /* below /api/v1, or METRICS_PATH; a "{}" stands for one segment */
	enum method method;
	void (*serve)(struct request *r);
	unsigned flags;
	uint64_t params; /* PARAM() bits */
	uint32_t sorts;  /* SORTABLE() bits */
	const char *op;  /* of authd, for api_admin; the segment is its member `named` */
	const char *named;
};

#define API_PREFIX   "/api/v1"
#define METRICS_PATH "/metrics" /* where Prometheus looks */
#define SEGMENT_MAX  128

/* The route of a path (without query), and the decoded segment where it has one. NULL where there is
 * none: *methods then says which METHOD_ bits the path has with others (0: no such path). */
const struct route *route_find(const char *path, unsigned method, char segment[static SEGMENT_MAX],
			       unsigned *methods);

#endif
