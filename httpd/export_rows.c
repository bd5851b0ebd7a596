/* The rows of one question to store, page after page: behind a cursor comes what stands behind it. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "clients.h"
#include "export.h"
#include "request.h"
#include "text.h"

struct rows_source {
	struct httpd *httpd;
	struct credential who;
	struct wire_client from;
	int client;             /* its socket, as long as it is not answered; -1 */
	struct wire_question q; /* the next page's */
	uint8_t *filter;
	size_t filter_len;
	const struct table *table;
	struct export *export;
	struct inquiry *page; /* that is asked for, or there */
	struct rows rows;
};

static void
on_page(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct rows_source *s = ctx;
	const struct part *p = &q->part[0];
	struct me me = q->me;

	s->client = -1;
	if (end != INQUIRY_OK) {
		unsigned retry_after_s = q->retry_after_s;

		s->page = NULL;
		inquiry_free(&q);
		export_fail(s->export, end, retry_after_s);
		return;
	}
	s->rows = part_rows(p);
	s->q.cursor_len = p->cursor_len;
	memcpy(s->q.cursor, p->cursor, p->cursor_len);
	export_page(s->export, &me);
}

static void
rows_ask(void *source, struct export *e, unsigned rows)
{
	struct rows_source *s = source;
	struct inquiry *q = inquiry_new(s->httpd, &s->who, &s->from, on_page, s);
	struct part *p = inquiry_add(q, (enum question_kind)s->q.kind);

	inquiry_free(&s->page);
	s->export = e;
	s->page = q;
	inquiry_watch(q, s->client);
	q->slow = true;
	p->q = s->q;
	if (s->q.limit == 0 || s->q.limit > rows)
		p->q.limit = rows;
	if (s->filter_len > 0) {
		p->filter = mem_calloc(1, s->filter_len);
		memcpy(p->filter, s->filter, s->filter_len);
		p->filter_len = s->filter_len;
	}
	inquiry_run(q);
}

static bool
rows_have_next(void *source, struct json_writer *w)
{
	struct rows_source *s = source;
	struct row r;

	while (rows_next(&s->rows, &r)) {
		if (s->table->wants != NULL && !s->table->wants(&r))
			continue;
		s->table->present(w, NULL, &r);
		return true;
	}
	return false;
}

static bool
rows_have_more(const void *source, char place[static EXPORT_PLACE_MAX])
{
	static_assert(EXPORT_PLACE_MAX >=
			  sodium_base64_ENCODED_LEN(CURSOR_MAX, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
		      "a place has room for a cursor");
	const struct rows_source *s = source;

	if (s->q.cursor_len > 0)
		(void)sodium_bin2base64(place, EXPORT_PLACE_MAX, s->q.cursor, s->q.cursor_len,
					sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return s->q.cursor_len > 0;
}

static void
rows_free(void *source)
{
	struct rows_source *s = source;

	inquiry_free(&s->page);
	free(s->filter);
	credential_wipe(&s->who);
	free(s);
}

void
export_rows(struct request *r, struct inquiry **qp, const struct table *t)
{
	static const struct export_source how = { rows_ask, rows_have_next, rows_have_more, rows_free };
	struct rows_source *s = mem_calloc(1, sizeof(*s));
	struct text columns = { 0 };
	struct inquiry *q = *qp;

	s->httpd = r->httpd;
	s->who = r->who;
	s->from = r->from;
	s->client = client_socket(r->client);
	s->table = t;
	s->q = q->part[0].q;
	s->filter = q->part[0].filter;
	s->filter_len = q->part[0].filter_len;
	q->part[0].filter = NULL;
	q->part[0].filter_len = 0;
	inquiry_free(qp);
	if (t->columns == NULL)
		table_group_columns(&s->q.grouping, &columns);
	export_begin(r, t, columns.bytes, &how, s);
	text_free(&columns);
}
