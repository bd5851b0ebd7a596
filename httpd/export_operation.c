/* A list of authd's, page after page: the same operation again with the cursor of the answer before. */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "admin_call.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "export.h"
#include "request.h"

#define ANSWER_MAX (8u << 20)
#define PARSED     4u /* a page takes about so many times its text */

struct operation_source {
	struct httpd *httpd;
	struct credential who;
	struct wire_client from;
	char *text; /* an object's, without the brace that ends it */
	size_t len;
	const char *member;
	bool whole;                    /* it has no pages */
	size_t held;                   /* bytes of the page that are counted among what waits */
	char cursor[EXPORT_PLACE_MAX]; /* "": the first page, or none is left */
	struct export *export;
	struct admin_call *call; /* that is waited for */
	struct json_doc *page;
	const struct json_node *list;
	size_t at, n;
};

/* What waits for slow readers is bounded, whoever it came from (inquiry.c has the same of store's). */
static bool
hold(struct operation_source *s, size_t len)
{
	struct httpd *h = s->httpd;

	h->held -= s->held;
	s->held = 0;
	if (h->held > h->held_max / 2 || len > h->held_max / 2 - h->held)
		return false;
	s->held = len;
	h->held += len;
	return true;
}

static bool
take_page(struct operation_source *s, struct evbuffer *answer)
{
	size_t len = evbuffer_get_length(answer);
	const char *text = len > 0 ? (const char *)evbuffer_pullup(answer, -1) : NULL;
	const char *cursor;
	char err[160];

	json_doc_free(&s->page);
	s->page = text == NULL ? NULL : json_parse(text, len, ANSWER_MAX, err, sizeof(err));
	s->list = s->page == NULL ? NULL : json_node_member(json_root(s->page), s->member);
	cursor = s->page == NULL ? NULL : json_get_string(s->page, "cursor");
	s->at = 0;
	s->n = json_node_count(s->list);
	s->cursor[0] = '\0';
	return json_node_kind(s->list) == JSON_KIND_ARRAY &&
	       (cursor == NULL || str_copy(s->cursor, sizeof(s->cursor), cursor));
}

static void
on_end(void *ctx, const struct admin_end *a)
{
	struct operation_source *s = ctx;
	struct export *e = s->export;
	struct request *r;

	s->call = NULL;
	if (a->end == INQUIRY_OK && a->status == ADMIN_OK) {
		if (!hold(s, PARSED * evbuffer_get_length(a->text)))
			export_fail(e, INQUIRY_TOO_LONG, 0);
		else if (take_page(s, a->text))
			export_page(e, &a->me);
		else
			export_fail(e, INQUIRY_NO_AUTHD, 0);
		return;
	}
	r = export_give_up(e);
	if (r != NULL)
		admin_refuse(r, a);
	else
		export_fail(e, a->end == INQUIRY_OK ? INQUIRY_DENIED : a->end, 0);
}

static void
operation_ask(void *source, struct export *e, unsigned rows)
{
	struct operation_source *s = source;
	struct json_writer *w = json_new(4 * EXPORT_PLACE_MAX);
	struct admin_call *call;
	size_t len = 0, more = 0;
	const char *text;
	char *body;

	json_object(w, NULL);
	if (s->cursor[0] != '\0')
		json_string(w, "cursor", s->cursor);
	if (!s->whole)
		json_uint(w, "limit", rows);
	json_object_end(w);
	text = json_text(w, &more);
	body = mem_calloc(1, s->len + more + 1);
	memcpy(body, s->text, s->len);
	len = s->len;
	if (more > 2) /* "{}" */
		body[len++] = ',';
	memcpy(body + len, text + 1, more - 1);
	len += more - 1;
	json_free(&w);
	s->export = e;
	call = admin_ask(s->httpd, &s->who, &s->from, body, len, on_end, s);
	if (call != NULL)
		s->call = call; /* else it has ended, and the source may be gone */
	free(body);
}

static bool
operation_next(void *source, struct json_writer *w)
{
	struct operation_source *s = source;
	char *row;

	if (s->at == s->n)
		return false;
	row = json_node_dump(json_node_at(s->list, s->at++));
	if (row != NULL)
		json_raw(w, NULL, row, strlen(row));
	free(row);
	return row != NULL;
}

static bool
operation_more(const void *source, char place[static EXPORT_PLACE_MAX])
{
	const struct operation_source *s = source;

	(void)str_copy(place, EXPORT_PLACE_MAX, s->cursor);
	return s->cursor[0] != '\0';
}

static void
operation_free(void *source)
{
	struct operation_source *s = source;

	admin_forget(s->call);
	json_doc_free(&s->page);
	s->httpd->held -= s->held;
	credential_wipe(&s->who);
	free(s->text);
	free(s);
}

void
export_operation(struct request *r, const char *text, size_t len, const struct table *t, const char *member,
		 bool whole)
{
	static const struct export_source how = { operation_ask, operation_next, operation_more,
						  operation_free };
	struct operation_source *s = mem_calloc(1, sizeof(*s));

	s->httpd = r->httpd;
	s->who = r->who;
	s->from = r->from;
	s->text = mem_calloc(1, len);
	s->len = len - 1;
	memcpy(s->text, text, s->len);
	s->member = member;
	s->whole = whole;
	if (params_has(&r->params, PARAM_PLACE))
		(void)str_copy(s->cursor, sizeof(s->cursor), r->params.place);
	export_begin(r, t, NULL, &how, s);
}
