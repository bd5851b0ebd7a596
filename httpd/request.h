/*
 * One request of a browser, from the moment it is whole to its answer. evhttp reads nothing from a connection
 * whose request waits for us, so the connection cannot go meanwhile: each request is answered exactly once,
 * by one of the reply_ functions, which free it. (A stream of events outlives its request: live.c.)
 */
#ifndef WEIR_HTTPD_REQUEST_H
#define WEIR_HTTPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credential.h"
#include "httpd.h"
#include "params.h"
#include "routes.h"

struct client;
struct evbuffer;
struct evhttp_request;
struct json_writer;
struct page_file;

struct request {
	struct httpd *httpd;
	struct evhttp_request *ev;
	struct client *client;
	const struct route *route; /* NULL: the page, the guide's API, or nothing */
	bool guide;                /* errors are ntopng's envelope */
	struct wire_client from;
	bool head;
	bool secret; /* the answer may hold one: it goes out of the memory that is wiped behind it, and is
			copied nowhere */
	struct credential who;
	char tenant[64]; /* that it is in: once gate_pass has let it pass */
	char segment[SEGMENT_MAX];
	struct params params;
	void *data;             /* the handler's */
	unsigned retry_after_s; /* of a 429; 0: a second */
};

#define BODY_MAX 65536

/* evhttp's callback for every request: guards, finds the route, serves. */
void request_serve(struct evhttp_request *ev, void *httpd);
/* A request's header, or NULL. */
const char *request_header(const struct request *r, const char *name);
/* What stands behind the ? of its address, as it came; NULL: nothing. */
const char *request_query(const struct request *r);
/* The whole body (terminated copy in out, wiped by the caller where it holds secrets); false where it is
 * longer than BODY_MAX. */
char *request_body(const struct request *r, size_t *len);

/* --- answers: each frees r
 * ------------------------------------------------------------------------------------------- */

/* A header of the answer to come. */
void reply_header(struct request *r, const char *name, const char *value);
/* 200 with the rows that w holds, in gzip where the client takes it; takes *w. A writer that passed its limit
 * gives 500. */
void reply_json(struct request *r, struct json_writer **w);
/* The same with any status of success, and never in gzip: for what holds a secret. */
void reply_json_status(struct request *r, int status, struct json_writer **w);
/* A text that is there already; takes *text. */
void reply_text(struct request *r, int status, const char *type, struct evbuffer **text);
/* A JSON text that lives for ever. */
void reply_static(struct request *r, const char *type, const void *text, size_t len);
/* A status without body. */
void reply_empty(struct request *r, int status);
/* RFC 9457; the detail is for whoever reads it, NULL: none. A 401 also says how a token is shown. */
void reply_problem(struct request *r, int status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
/* A problem with one member or parameter, which is named in "errors" and before the detail. */
void reply_problem_field(struct request *r, int status, const char *field, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
/* The same of a parameter with the place that is wrong: len characters (0: the end) from character `at` on.
 */
void reply_problem_at(struct request *r, const char *field, size_t at, size_t len, const char *detail);
/* A problem after which the connection ends: where one ends and the next request begins is not certain. */
void reply_problem_close(struct request *r, int status, const char *detail);
/* A file of the page. */
void reply_page(struct request *r, const struct page_file *f);
/* The headers of an answer that is going to be sent in pieces by whoever owns r->ev afterwards; r is freed.
 */
struct evhttp_request *reply_stream(struct request *r, const char *type);
/* The head of such an answer alone, for HEAD. */
void reply_stream_head(struct request *r, const char *type);

#endif
