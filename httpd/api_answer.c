#include "api_answer.h"

#include <sodium.h>
#include <string.h>

#include "base/json_write.h"
#include "clients.h"
#include "export.h"
#include "refuse.h"

#define POINT_NONE (ANY_POINT - 1) /* the number of no observation point: its lists are empty */

void
answer_with(struct request *r, struct inquiry *q, enum inquiry_end end, shape_fn *shape)
{
	struct json_writer *w;

	if (end != INQUIRY_OK) {
		refuse_inquiry(r, end);
	} else {
		w = json_new(ANSWER_TEXT_MAX);
		json_object(w, NULL);
		json_time_ns(w, "now", q->part[0].now_ns);
		shape(w, r, q);
		json_object_end(w);
		reply_json(r, &w);
	}
	inquiry_free(&q);
}

struct inquiry *
inquiry_of(struct request *r, inquiry_fn *fn)
{
	struct inquiry *q = inquiry_new(r->httpd, &r->who, &r->from, fn, r);

	inquiry_watch(q, client_socket(r->client));
	return q;
}

uint32_t
point_number(const struct request *r, const char *name)
{
	const struct boot *b = r->httpd->boot;

	for (uint32_t i = 0; i < b->npoints; i++)
		if (strcmp(b->points[i].name, name) == 0)
			return b->points[i].id;
	return POINT_NONE;
}

uint32_t
common_space(const struct request *r)
{
	const struct boot *b = r->httpd->boot;
	uint32_t space = b->npoints > 0 ? b->points[0].space : 0;

	for (uint32_t i = 1; i < b->npoints; i++)
		if (b->points[i].space != space)
			return 0;
	return space;
}

void
run_list(struct request *r, struct inquiry *q, const struct table *t)
{
	if (r->params.as == AS_JSON)
		inquiry_run(q);
	else
		export_rows(r, &q, t);
}

uint32_t
rows_at_once(const struct params *p)
{
	if (!params_has(p, PARAM_LIMIT))
		return p->as == AS_JSON ? 100 : EXPORT_PAGE;
	return p->limit < EXPORT_PAGE ? p->limit : EXPORT_PAGE;
}

struct part *
ask_list(struct inquiry *q, enum question_kind kind, const struct request *r)
{
	const struct params *p = &r->params;
	struct part *part = inquiry_add(q, kind);

	part->q.limit = rows_at_once(p);
	part->q.sort = p->sort;
	/* What goes on for long is in an order that does not change meanwhile: nothing is missed or twice. */
	if (p->as != AS_JSON && !params_has(p, PARAM_SORT) &&
	    (kind == ASK_FLOWS || kind == ASK_HOSTS || kind == ASK_DEVICES))
		part->q.sort = SORT_FIRST;
	part->q.ascending = p->ascending;
	if (params_has(p, PARAM_INTERFACE))
		part->q.point = point_number(r, p->interface);
	part->q.cursor_len = p->cursor_len;
	memcpy(part->q.cursor, p->cursor, p->cursor_len);
	return part;
}

void
put_cursor(struct json_writer *w, const struct part *p)
{
	char text[sodium_base64_ENCODED_LEN(CURSOR_MAX, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

	if (p->cursor_len == 0) {
		json_null(w, "next_cursor");
		return;
	}
	(void)sodium_bin2base64(text, sizeof(text), p->cursor, p->cursor_len,
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	json_string(w, "next_cursor", text);
}
