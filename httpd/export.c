#include "export.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "clients.h"
#include "csv.h"
#include "gate.h"
#include "guard.h"
#include "rate.h"
#include "refuse.h"
#include "request.h"
#include "tally.h"
#include "text.h"
#include "zip.h"

#define PIECE      (64u << 10) /* bytes of rows that are made at a time */
#define ROW_MAX    (1u << 20)
#define SWEEP_MS   250
#define STALLED_S  30  /* for so long a client may take nothing of a piece */
#define CHECK_S    10  /* so old may a page be, before it is asked again whether its reader still may */
#define AGAIN_MS   500 /* until a question that found no place is asked once more */
#define AGAIN_MAX  60
#define HOLDER_MAX 4 /* exports of one session or token at a time */

enum export_state {
	WAITS_PAGE,   /* the source was asked */
	WAITS_AGAIN,  /* until again_ns */
	WAITS_CLIENT, /* a piece is being sent */
	WAITS_CHECK,  /* authd was asked whether its reader still may */
	LAST_WORD     /* what went wrong is being sent: then the connection is cut */
};

struct export
{
	TAILQ_ENTRY(export) entry;
	struct exports *set;
	const struct export_source *how;
	void *source;
	struct request *request;   /* until it is answered */
	struct evhttp_request *ev; /* from then on */
	struct client *client;
	struct credential who;
	struct wire_client from;
	uint64_t holder_hash, tenant_hash; /* that it is counted by */
	uint64_t rights;                   /* that it began with */
	enum representation as;
	const struct table *table;
	struct csv *csv;        /* NULL: NDJSON */
	struct zip_stream *zip; /* NULL: as it is */
	struct json_writer *row;
	struct text piece, zipped;
	struct inquiry *check;
	enum export_state state;
	unsigned tries;
	uint64_t rows, limit;
	char place[EXPORT_PLACE_MAX]; /* that the page was asked for with: "", the beginning */
	uint64_t before;              /* rows that were sent before that page */
	int64_t began_ns, page_ns, waits_ns, again_ns;
};

struct exports {
	struct httpd *httpd;
	struct event *sweep;
	size_t n;
	TAILQ_HEAD(, export) all;
};

static const struct timeval often = { 0, SWEEP_MS * 1000 };
static const char no_room[] = "Too many tables are being sent: try again.";

static void make_piece(struct export *e);

/* --- ends
 * ---------------------------------------------------------------------------------------------------------
 */

static void
export_free(struct export *e)
{
	struct exports *x = e->set;

	TAILQ_REMOVE(&x->all, e, entry);
	tally_table(x->httpd->tally, e->holder_hash, e->tenant_hash, -1);
	if (--x->n == 0)
		(void)event_del(x->sweep);
	e->how->free(e->source);
	inquiry_free(&e->check);
	csv_free(&e->csv);
	zip_stream_free(&e->zip);
	json_free(&e->row);
	text_free(&e->piece);
	text_free(&e->zipped);
	credential_wipe(&e->who);
	free(e);
}

struct request *
export_give_up(struct export *e)
{
	struct request *r = e->request;

	if (r != NULL)
		export_free(e);
	return r;
}

/* The client is gone. evhttp has let go of a request that was still being answered, which is then ours to
 * free. */
static void
on_closed(struct evhttp_connection *connection, void *arg)
{
	struct export *e = arg;

	(void)connection;
	if (evhttp_request_get_connection(e->ev) == NULL)
		evhttp_request_free(e->ev);
	export_free(e);
}

/* Sends what there is of e->piece, the last of it where last is set. */
static void
send_piece(struct export *e, bool last, void (*on_taken)(struct evhttp_connection *c, void *export))
{
	struct evbuffer *b = evbuffer_new();
	struct text *t = &e->piece;

	if (e->zip != NULL) {
		e->zipped.len = 0;
		zip_stream_add(e->zip, t->bytes, t->len, last, &e->zipped);
		t = &e->zipped;
	}
	if (b == NULL || evbuffer_add(b, t->bytes, t->len) == -1)
		fatalx("no memory for rows");
	e->waits_ns = clock_boot_ns();
	if (evbuffer_get_length(b) > 0)
		evhttp_send_reply_chunk_with_cb(e->ev, b, on_taken, e);
	evbuffer_free(b);
}

static void
finish(struct export *e)
{
	struct evhttp_request *ev = e->ev;

	send_piece(e, true, NULL);
	evhttp_connection_set_closecb(evhttp_request_get_connection(ev), NULL, NULL);
	client_enter(e->client, CLIENT_ANSWERING); /* the rest has a deadline of its own */
	export_free(e);
	evhttp_send_reply_end(ev);
}

/* The body lacks its end: whoever reads it knows that it is not all. */
static void
on_last_word(struct evhttp_connection *connection, void *arg)
{
	struct export *e = arg;

	(void)connection;
	client_cut(e->client);
}

/* Cursors lead to pages: of the one that was being sent, the first rows are there already. */
static void
break_off(struct export *e, const char *why)
{
	struct json_writer *w = e->row;
	size_t len = 0;
	const char *text;

	log_debug("rows of %s end after %llu: %s", e->table->name, (unsigned long long)e->rows, why);
	if (e->csv != NULL) {
		e->state = LAST_WORD;
		e->waits_ns = clock_boot_ns();
		client_cut(e->client);
		return;
	}
	json_reset(w);
	json_object(w, NULL);
	json_object(w, "error");
	json_string(w, "detail", why);
	json_uint(w, "rows", e->rows);
	json_string(w, "next_cursor", e->place[0] != '\0' ? e->place : NULL);
	json_uint(w, "skip", e->rows - e->before);
	json_object_end(w);
	json_object_end(w);
	text = json_text(w, &len);
	e->piece.len = 0;
	text_add(&e->piece, text, len);
	text_add(&e->piece, "\n", 1);
	e->state = LAST_WORD;
	send_piece(e, false, on_last_word);
}

void
export_fail(struct export *e, enum inquiry_end end, unsigned retry_after_s)
{
	struct request *r = export_give_up(e);
	const char *why = inquiry_why(end);

	if (r != NULL) {
		r->retry_after_s = retry_after_s;
		refuse_inquiry(r, end);
		return;
	}
	if ((end == INQUIRY_BUSY || end == INQUIRY_TOO_LONG) && ++e->tries < AGAIN_MAX) {
		e->state = WAITS_AGAIN;
		e->again_ns = clock_boot_ns() + AGAIN_MS * NS_PER_MS;
		return;
	}
	if (end == INQUIRY_DENIED || end == INQUIRY_NO_SESSION || end == INQUIRY_NO_TENANT)
		why = "What its reader may see has changed.";
	else if (end == INQUIRY_BAD)
		why = "The process that keeps the data was started anew.";
	break_off(e, why == NULL ? "It cannot go on." : why);
}

/* --- pages
 * --------------------------------------------------------------------------------------------------------
 */

static unsigned
rows_wanted(const struct export *e)
{
	uint64_t left = e->limit - e->rows;

	if (e->request != NULL && e->request->head)
		return 1;
	return left < EXPORT_PAGE ? (unsigned)left : EXPORT_PAGE;
}

static void
ask(struct export *e)
{
	e->state = WAITS_PAGE;
	e->how->ask(e->source, e, rows_wanted(e));
}

/* The next page, or the first. */
static void
turn(struct export *e)
{
	(void)e->how->more(e->source, e->place);
	e->before = e->rows;
}

/* The bounds that the settings set to an export: false where it has ended. */
static bool
goes_on(struct export *e)
{
	const struct settings *s = &e->set->httpd->boot->settings;

	if (s->stream_rows > 0 && e->rows >= (uint64_t)s->stream_rows) {
		break_off(e, "More rows than one answer may have (httpd.stream_rows).");
		return false;
	}
	if (clock_boot_ns() - e->began_ns > s->stream_time_ms * NS_PER_MS) {
		break_off(e, "It took longer than one answer may (httpd.stream_time).");
		return false;
	}
	return true;
}

static void
on_taken(struct evhttp_connection *connection, void *arg)
{
	struct export *e = arg;

	(void)connection;
	if (e->state == WAITS_CLIENT)
		make_piece(e);
}

/* False: the table has ended, as it would lack a row. */
static bool
add_row(struct export *e)
{
	size_t len = 0;
	const char *text = json_text(e->row, &len);

	if (text == NULL) {
		log_warn("a row of %s is longer than %u bytes: the table ends", e->table->name, ROW_MAX);
		break_off(e, "A row is longer than a table may have.");
		return false;
	}
	if (e->csv != NULL) {
		(void)csv_row(e->csv, text, len, &e->piece);
	} else {
		text_add(&e->piece, text, len);
		text_add(&e->piece, "\n", 1);
	}
	e->rows++;
	return true;
}

static void
on_check(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct export *e = ctx;
	bool same = end == INQUIRY_OK && q->me.rights == e->rights;

	e->check = NULL;
	inquiry_free(&q);
	if (same) {
		e->page_ns = clock_boot_ns();
		make_piece(e);
	} else
		export_fail(e, end == INQUIRY_OK ? INQUIRY_DENIED : end, 0);
}

/* A client that takes its time keeps rows from being sent for long: whether it still may have them is asked
 * again. */
static void
check(struct export *e)
{
	struct inquiry *q = inquiry_new(e->set->httpd, &e->who, &e->from, on_check, e);

	q->max_age_s = CHECK_S;
	e->state = WAITS_CHECK;
	e->check = q;
	inquiry_run(q);
}

static void
make_piece(struct export *e)
{
	char place[EXPORT_PLACE_MAX] = "";
	bool row = true;

	if (clock_boot_ns() - e->page_ns > CHECK_S * NS_PER_S) {
		check(e);
		return;
	}
	while (e->piece.len < PIECE && e->rows < e->limit && row) {
		json_reset(e->row);
		row = e->how->next(e->source, e->row);
		if (row && !add_row(e))
			return;
	}
	if (e->rows >= e->limit || (!row && !e->how->more(e->source, place))) {
		finish(e);
		return;
	}
	if (e->piece.len == 0) {
		turn(e);
		if (goes_on(e))
			ask(e);
		return;
	}
	e->state = WAITS_CLIENT;
	send_piece(e, false, on_taken);
	e->piece.len = 0;
}

/* --- the answer begins
 * -------------------------------------------------------------------------------------------- */

static void
put_name(const struct export *e)
{
	time_t now = (time_t)(clock_utc_ns() / NS_PER_S);
	char header[128], when[32];
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(header, sizeof(header), "attachment; filename=\"weir-%s-%s.%s\"", e->table->name, when,
		       representation_suffix(e->as));
	reply_header(e->request, "Content-Disposition", header);
}

static void
begin_answer(struct export *e)
{
	struct request *r = e->request;

	reply_header(r, "Vary", "Accept, Accept-Encoding");
	put_name(e);
	if (accepts_gzip(request_header(r, "Accept-Encoding"))) {
		reply_header(r, "Content-Encoding", "gzip");
		e->zip = r->head ? NULL : zip_stream_new();
	}
	e->request = NULL;
	if (r->head) {
		reply_stream_head(r, representation_type(e->as));
		export_free(e);
		return;
	}
	e->ev = reply_stream(r, representation_type(e->as));
	evhttp_connection_set_closecb(evhttp_request_get_connection(e->ev), on_closed, e);
	if (e->csv != NULL)
		csv_head(e->csv, &e->piece);
	make_piece(e);
}

void
export_page(struct export *e, const struct me *me)
{
	e->page_ns = clock_boot_ns();
	e->tries = 0;
	if (e->request == NULL) {
		if (me->rights == e->rights)
			make_piece(e);
		else
			export_fail(e, INQUIRY_DENIED, 0);
		return;
	}
	e->rights = me->rights;
	begin_answer(e);
}

/* One tenant never has all places, also not with tables whose first row is still waited for. */
bool
export_has_room(const struct httpd *h, uint64_t holder, uint64_t tenant)
{
	const struct tally *t = h->tally;
	const size_t all = (size_t)h->boot->settings.streams;

	return tally_tables(t) < all && tally_tables_of(t, holder) < HOLDER_MAX &&
	       tally_tables_of(t, tenant) < all - all / 4;
}

void
export_begin(struct request *r, const struct table *t, const char *columns, const struct export_source *how,
	     void *source)
{
	struct exports *x = r->httpd->exports;
	struct tally *tally = r->httpd->tally;
	uint64_t holder, tenant;
	struct export *e;

	if (r->ev->major < 1 || (r->ev->major == 1 && r->ev->minor < 1)) {
		how->free(source);
		reply_header(r, "Upgrade", "HTTP/1.1");
		reply_problem(r, 426, "In HTTP/1.0 a part of a table could be taken for the whole.");
		return;
	}
	holder = gate_holder(r);
	tenant = rate_hash(tally, "tenant", r->tenant, strlen(r->tenant));
	if (!export_has_room(r->httpd, holder, tenant)) {
		how->free(source);
		reply_problem(r, 503, "%s", no_room);
		return;
	}
	e = mem_calloc(1, sizeof(*e));
	e->set = x;
	e->how = how;
	e->source = source;
	e->request = r;
	e->client = r->client;
	e->holder_hash = holder;
	e->tenant_hash = tenant;
	e->who = r->who;
	e->from = r->from;
	e->as = r->params.as;
	e->table = t;
	e->csv = e->as == AS_CSV ? csv_new(columns == NULL ? t->columns : columns) : NULL;
	e->row = json_new(ROW_MAX);
	e->limit = params_has(&r->params, PARAM_LIMIT) ? r->params.limit : UINT64_MAX;
	e->began_ns = clock_boot_ns();
	TAILQ_INSERT_TAIL(&x->all, e, entry);
	x->n++;
	tally_table(tally, holder, tenant, 1);
	if (!event_pending(x->sweep, EV_TIMEOUT, NULL) && event_add(x->sweep, &often) == -1)
		fatalx("no memory for a table");
	turn(e);
	ask(e);
}

/* --- all of them
 * ------------------------------------------------------------------------------------------------------- */

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct exports *x = arg;
	const int64_t now = clock_boot_ns(), most = x->httpd->boot->settings.stream_time_ms * NS_PER_MS;
	struct export *e, *next;

	(void)fd;
	(void)what;
	for (e = TAILQ_FIRST(&x->all); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		if ((e->state == WAITS_CLIENT || e->state == LAST_WORD) &&
		    (now - e->waits_ns > STALLED_S * NS_PER_S || now - e->began_ns > most))
			client_cut(e->client);
		else if (e->state == WAITS_AGAIN && now >= e->again_ns)
			ask(e);
	}
}

struct exports *
exports_new(struct httpd *h)
{
	struct exports *x = mem_calloc(1, sizeof(*x));

	x->httpd = h;
	x->sweep = event_new(h->base, -1, EV_PERSIST, on_sweep, x);
	if (x->sweep == NULL)
		fatalx("no memory for tables");
	TAILQ_INIT(&x->all);
	return x;
}

void
exports_free(struct exports **x)
{
	if (*x == NULL)
		return;
	event_free((*x)->sweep);
	free(*x);
	*x = NULL;
}
