/* Answers: status, headers, body. Every answer goes through finish(), so that none lacks a header. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <time.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "clients.h"
#include "guard.h"
#include "guide_reply.h"
#include "page.h"
#include "request.h"
#include "wipe.h"
#include "zip.h"

#define PROBLEM_MAX 8192
#define FIELD_MAX   128
#define DETAIL_MAX  512
#define ZIP_FROM    1400 /* bytes: shorter ones fit one packet */

#define ALWAYS                                                                                               \
	"Strict-Transport-Security: max-age=31536000\r\n"                                                    \
	"X-Content-Type-Options: nosniff\r\n"                                                                \
	"Referrer-Policy: no-referrer\r\n"                                                                   \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                                                        \
	"Cross-Origin-Resource-Policy: same-origin\r\n"                                                      \
	"Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n"

/* Data are for their reader alone, and no document. */
static const char api_headers[] =
    ALWAYS "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
	   "form-action 'none'\r\n"
	   "Cache-Control: no-store";

/* Of what is the same for everybody and no data: to be asked for again, but not sent again. */
static const char word_headers[] =
    ALWAYS "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
	   "form-action 'none'\r\n"
	   "Cache-Control: private, no-cache";

static const char page_headers[] = ALWAYS
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].status == status)
			return known[i].text;
	return "Unknown";
}

void
reply_header(struct request *r, const char *name, const char *value)
{
	if (evhttp_add_header(evhttp_request_get_output_headers(r->ev), name, value) == -1)
		log_warn("no header %s", name);
}

/* The time of day as a Date header has it (RFC 9110 section 5.6.7). */
static const char *
date_of(time_t now)
{
	static char text[32];
	static time_t of = -1;
	struct tm tm;

	if (of != now && gmtime_r(&now, &tm) != NULL &&
	    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		of = now;
	return text;
}

/*
 * The headers that all answers of a kind have, and Content-Type (NULL: none). evhttp takes four allocations
 * and a printf for each header, which was a third of what a short answer costs. So these are one to it: the
 * Date, whose value goes on with the lines of the others. Nothing of them comes from a client.
 */
static void
add_headers(struct request *r, const char *lines, const char *type)
{
	struct evkeyval *h = mem_calloc(1, sizeof(*h));
	const char *date = date_of(time(NULL)), *before = type == NULL ? "" : "\r\nContent-Type: ";
	const char *const part[] = { date, "\r\n", lines, before, type == NULL ? "" : type };
	size_t len[ARRAY_LEN(part)], size = 1;
	char *at;

	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		size += len[i] = strlen(part[i]);
	h->key = mem_strdup("Date");
	h->value = at = mem_reallocarray(NULL, size, 1);
	for (size_t i = 0; i < ARRAY_LEN(part); at += len[i], i++)
		memcpy(at, part[i], len[i]);
	*at = '\0';
	TAILQ_INSERT_TAIL(evhttp_request_get_output_headers(r->ev), h, next);
	if (r->httpd->draining)
		reply_header(r, "Connection", "close");
}

static void
on_sent(struct evhttp_request *ev, void *client)
{
	(void)ev;
	client_enter(client, CLIENT_IDLE);
}

/* evhttp goes on after a CONNECT whatever the answer said. */
static void
on_sent_last(struct evhttp_request *ev, void *client)
{
	(void)ev;
	client_enter(client, CLIENT_ANSWERING);
	client_cut(client);
}

/* evhttp frees the headers that came, but leaves in memory what stood there. */
static void
wipe_credentials(struct request *r)
{
	struct evkeyval *h;

	TAILQ_FOREACH(h, evhttp_request_get_input_headers(r->ev), next)
	if (strcasecmp(h->key, "Cookie") == 0 || strcasecmp(h->key, "Authorization") == 0)
		sodium_memzero(h->value, strlen(h->value));
}

/* Sends and frees r. body may be NULL. */
static void
finish(struct request *r, int status, struct evbuffer *body)
{
	char length[24];

	if (status != 204 && status != 304) {
		(void)snprintf(length, sizeof(length), "%zu", body == NULL ? 0 : evbuffer_get_length(body));
		reply_header(r, "Content-Length", length);
	}
	wipe_buffer(evhttp_request_get_input_buffer(r->ev)); /* a password may have come, whoever read it */
	wipe_credentials(r);
	if (body != NULL && r->head)
		(void)evbuffer_drain(body, evbuffer_get_length(body));
	evhttp_request_set_on_complete_cb(
	    r->ev, evhttp_request_get_command(r->ev) == EVHTTP_REQ_CONNECT ? on_sent_last : on_sent,
	    r->client);
	if (!r->secret)
		client_expect(r->client, body == NULL ? 0 : evbuffer_get_length(body));
	evhttp_send_reply(r->ev, status, reason(status), body);
	if (!r->secret)
		client_push(r->client);
	credential_wipe(&r->who);
	free(r);
}

static struct evbuffer *
buffer_new(void)
{
	struct evbuffer *b = evbuffer_new();

	if (b == NULL)
		fatalx("no memory for an answer");
	return b;
}

static void
free_writer(const void *text, size_t len, void *writer)
{
	struct json_writer *w = writer;

	(void)text;
	(void)len;
	json_wipe(&w); /* it may hold a secret: a new token, a password */
}

static void
finish_json(struct request *r, const char *headers, int status, const char *type, struct json_writer **w)
{
	struct evbuffer *b = buffer_new();
	size_t len = 0;
	const char *text = json_text(*w, &len);

	add_headers(r, headers, type);
	if (evbuffer_add_reference(b, text, len, free_writer, *w) == -1)
		fatalx("no memory for an answer");
	*w = NULL;
	finish(r, status, b);
	evbuffer_free(b);
}

#define TAG_BYTES 16

static bool
is_tagged(const struct request *r)
{
	return r->route != NULL && (r->route->flags & ROUTE_TAGGED) != 0;
}

static const char *
headers_of(const struct request *r)
{
	return is_tagged(r) && r->route->op == NULL ? word_headers : api_headers;
}

/* Whether the client has this very text already: r is answered then. */
static bool
is_unchanged(struct request *r, const void *text, size_t len)
{
	uint8_t hash[TAG_BYTES];
	char hex[2 * TAG_BYTES + 1], tag[sizeof(hex) + 4];

	if (!is_tagged(r))
		return false;
	(void)crypto_generichash(hash, sizeof(hash), text, len, NULL, 0);
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	(void)snprintf(tag, sizeof(tag), "W/\"%s\"", hex);
	reply_header(r, "ETag", tag);
	if (!etag_matches(request_header(r, "If-None-Match"), tag + 2))
		return false;
	add_headers(r, headers_of(r), NULL);
	finish(r, 304, NULL);
	return true;
}

static void
free_bytes(const void *bytes, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	free((void *)(uintptr_t)bytes);
}

/* A table, in gzip where its reader takes it and it is long enough to be worth it. Answers with secrets of
 * their own do not come here: how short they get would tell of them. */
static void
finish_table(struct request *r, struct json_writer **w)
{
	size_t len = 0, zipped = 0;
	const char *text = json_text(*w, &len);
	void *bytes = NULL;
	struct evbuffer *b;

	reply_header(r, "Vary", "Accept-Encoding");
	if (is_unchanged(r, text, len)) {
		json_free(w);
		return;
	}
	if (len >= ZIP_FROM && accepts_gzip(request_header(r, "Accept-Encoding")))
		bytes = zip_bytes(r->httpd->zip, text, len, &zipped);
	if (bytes == NULL) {
		finish_json(r, headers_of(r), 200, "application/json", w);
		return;
	}
	json_free(w);
	add_headers(r, headers_of(r), "application/json");
	reply_header(r, "Content-Encoding", "gzip");
	b = buffer_new();
	if (evbuffer_add_reference(b, bytes, zipped, free_bytes, NULL) == -1)
		fatalx("no memory for an answer");
	finish(r, 200, b);
	evbuffer_free(b);
}

static bool
too_long(struct request *r, struct json_writer **w)
{
	if (json_text(*w, NULL) != NULL)
		return false;
	json_free(w);
	reply_problem(r, 500,
		      "The answer is longer than this server gives in one piece: ask with a smaller limit.");
	return true;
}

void
reply_json_status(struct request *r, int status, struct json_writer **w)
{
	r->secret = true;
	if (!too_long(r, w))
		finish_json(r, api_headers, status, "application/json", w);
}

void
reply_json(struct request *r, struct json_writer **w)
{
	if (!too_long(r, w))
		finish_table(r, w);
}

void
reply_text(struct request *r, int status, const char *type, struct evbuffer **text)
{
	const size_t len = evbuffer_get_length(*text);

	if (status != 200 || !is_unchanged(r, evbuffer_pullup(*text, -1), len)) {
		add_headers(r, headers_of(r), type);
		finish(r, status, *text);
	}
	evbuffer_free(*text);
	*text = NULL;
}

void
reply_static(struct request *r, const char *type, const void *text, size_t len)
{
	struct evbuffer *b = buffer_new();

	add_headers(r, api_headers, type);
	if (evbuffer_add_reference(b, text, len, NULL, NULL) == -1)
		fatalx("no memory for an answer");
	finish(r, 200, b);
	evbuffer_free(b);
}

void
reply_empty(struct request *r, int status)
{
	add_headers(r, api_headers, NULL);
	finish(r, status, NULL);
}

/* Where in a parameter something is wrong. */
struct place {
	size_t at, len;
};

static void
put_retry_after(struct request *r)
{
	char seconds[16];

	(void)snprintf(seconds, sizeof(seconds), "%u", r->retry_after_s > 0 ? r->retry_after_s : 1);
	reply_header(r, "Retry-After", seconds);
}

/* RFC 9457. field: what it is about, named as an extension member; NULL: the request as a whole. place: NULL:
 * all of it. */
static void
problem(struct request *r, int status, const char *field, const struct place *place, const char *detail)
{
	struct json_writer *w;
	char whole[FIELD_MAX + DETAIL_MAX + 4];

	if (status == 503 || status == 429)
		put_retry_after(r);
	if (r->guide) {
		guide_problem(r, status, field, detail);
		return;
	}
	w = json_new(PROBLEM_MAX);
	/* RFC 9110 section 15.5.2 wants it of every 401; browsers ask nobody for a bearer's token. */
	if (status == 401)
		reply_header(r, "WWW-Authenticate",
			     r->who.kind == CREDENTIAL_TOKEN || request_header(r, "Authorization") != NULL
				 ? "Bearer realm=\"weir\", error=\"invalid_token\""
				 : "Bearer realm=\"weir\"");
	json_object(w, NULL);
	json_string(w, "type", "about:blank");
	json_string(w, "title", reason(status));
	json_int(w, "status", status);
	if (detail != NULL && field == NULL)
		json_string(w, "detail", detail);
	if (detail != NULL && field != NULL) {
		(void)snprintf(whole, sizeof(whole), "%.*s: %.*s", FIELD_MAX, field, DETAIL_MAX, detail);
		json_string(w, "detail", whole);
		json_array(w, "errors");
		json_object(w, NULL);
		json_string_n(w, "field", field, strnlen(field, FIELD_MAX));
		json_string(w, "detail", detail);
		if (place != NULL) {
			json_uint(w, "at", place->at);
			json_uint(w, "length", place->len);
		}
		json_object_end(w);
		json_array_end(w);
	}
	json_object_end(w);
	finish_json(r, api_headers, status, "application/problem+json", &w);
}

void
reply_problem(struct request *r, int status, const char *detail, ...)
{
	char text[DETAIL_MAX];
	va_list ap;

	if (detail == NULL) {
		problem(r, status, NULL, NULL, NULL);
		return;
	}
	va_start(ap, detail);
	(void)vsnprintf(text, sizeof(text), detail, ap);
	va_end(ap);
	problem(r, status, NULL, NULL, text);
}

void
reply_problem_field(struct request *r, int status, const char *field, const char *detail, ...)
{
	char text[DETAIL_MAX];
	va_list ap;

	va_start(ap, detail);
	(void)vsnprintf(text, sizeof(text), detail, ap);
	va_end(ap);
	problem(r, status, field, NULL, text);
}

void
reply_problem_at(struct request *r, const char *field, size_t at, size_t len, const char *detail)
{
	problem(r, 400, field, &(struct place){ at, len }, detail);
}

void
reply_problem_close(struct request *r, int status, const char *detail)
{
	if (!r->httpd->draining)
		reply_header(r, "Connection", "close");
	problem(r, status, NULL, NULL, detail);
}

void
reply_page(struct request *r, const struct page_file *f)
{
	bool zip = f->gzip != f->gzip_end && accepts_gzip(request_header(r, "Accept-Encoding"));
	const unsigned char *data = zip ? f->gzip : f->data, *end = zip ? f->gzip_end : f->data_end;
	struct evbuffer *b = buffer_new();

	add_headers(r, page_headers, NULL);
	reply_header(r, "Cache-Control", f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	reply_header(r, "ETag", f->etag);
	reply_header(r, "Vary", "Accept-Encoding");
	if (etag_matches(request_header(r, "If-None-Match"), f->etag)) {
		finish(r, 304, NULL);
	} else {
		reply_header(r, "Content-Type", f->type);
		if (zip)
			reply_header(r, "Content-Encoding", "gzip");
		if (evbuffer_add_reference(b, data, (size_t)(end - data), NULL, NULL) == -1)
			fatalx("no memory for an answer");
		finish(r, 200, b);
	}
	evbuffer_free(b);
}

struct evhttp_request *
reply_stream(struct request *r, const char *type)
{
	struct evhttp_request *ev = r->ev;

	add_headers(r, api_headers, type);
	if (!r->httpd->draining)
		reply_header(r, "Connection", "close"); /* nothing follows a stream on its connection */
	client_enter(r->client, CLIENT_LIVE);
	evhttp_send_reply_start(ev, 200, reason(200));
	wipe_credentials(r);
	credential_wipe(&r->who);
	free(r);
	return ev;
}

void
reply_stream_head(struct request *r, const char *type)
{
	add_headers(r, api_headers, type);
	evhttp_request_set_on_complete_cb(r->ev, on_sent, r->client);
	evhttp_send_reply(r->ev, 200, reason(200), NULL); /* of HEAD: no body follows */
	credential_wipe(&r->who);
	free(r);
}
