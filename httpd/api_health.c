/* Whether Weir works: for anyone in one word, for the platform's administrator in full. What it is: its
 * version, and the API's own description. */
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "gate.h"
#include "inquiry.h"
#include "page.h"
#include "refuse.h"
#include "request.h"
#include "state.h"

#define HEALTH_MAX  (8u << 20)
#define VERSION_MAX 1024
#define TEXT(s)     (s), sizeof(s) - 1

enum { COMPONENTS, COUNTERS };

static void
one_word(struct request *r)
{
	if (serve_has(r->httpd, PROC_STORE) && serve_has(r->httpd, PROC_AUTHD))
		reply_static(r, "application/json", TEXT("{\"status\":\"ok\"}"));
	else
		reply_static(r, "application/json", TEXT("{\"status\":\"degraded\"}"));
}

static void
in_full(struct request *r, const struct inquiry *q)
{
	static const struct part none;
	struct json_writer *w = json_new(HEALTH_MAX);
	const struct part *counters = q == NULL ? &none : &q->part[COUNTERS];

	json_object(w, NULL);
	json_time_ns(w, "now", q == NULL ? clock_utc_ns() : q->part[COMPONENTS].now_ns);
	if (q == NULL)
		put_state_without_store(w, r->httpd);
	else
		put_state(w, r->httpd, &q->part[COMPONENTS]);
	put_counters(w, "drops", counters, COUNTER_DROP);
	put_events(w, "counters", r->httpd, counters);
	put_counters(w, "undecoded", counters, COUNTER_UNDECODED);
	json_object_end(w);
	reply_json(r, &w);
}

/* Always 200: whoever watches Weir from outside wants an answer and not a riddle. */
static void
on_health(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct request *r = ctx;

	if (end == INQUIRY_NO_SESSION || end == INQUIRY_NO_TENANT || end == INQUIRY_NO_AUTHD)
		one_word(r);
	else if (!role_sees_platform(q->me.role))
		one_word(r);
	else
		in_full(r, end == INQUIRY_OK ? q : NULL);
	inquiry_free(&q);
}

static void
on_session(void *ctx, enum session_end end, const struct session *s)
{
	struct request *r = ctx;
	struct inquiry *q;

	if (end != SESSION_OK || !role_sees_platform(s->me.role)) {
		one_word(r);
		return;
	}
	q = inquiry_new(r->httpd, &r->who, &r->from, on_health, r);
	(void)inquiry_add(q, ASK_COMPONENTS);
	(void)inquiry_add(q, ASK_COUNTERS);
	inquiry_run(q);
}

void
api_health(struct request *r)
{
	/* authd is asked about whatever is shown: guesses are within the quota of whoever makes them. */
	if (r->who.kind != CREDENTIAL_NONE && gate_pass_address(r))
		session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_session, r);
	else
		one_word(r);
}

/* nDPI: the one that engines were built for. */
static void
on_version(void *ctx, enum session_end end, const struct session *s)
{
	struct request *r = ctx;
	struct json_writer *w;

	(void)s;
	if (end != SESSION_OK) {
		refuse_inquiry(r, inquiry_end_of(end));
		return;
	}
	w = json_new(VERSION_MAX);
	json_object(w, NULL);
	json_string(w, "version", WEIR_VERSION);
	json_string(w, "api", "1");
	json_string(w, "ndpi", WEIR_NDPI_VERSION);
	json_object_end(w);
	reply_json(r, &w);
}

void
api_version(struct request *r)
{
	session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_version, r);
}

void
api_openapi(struct request *r)
{
	reply_page(r, &page_openapi);
}
