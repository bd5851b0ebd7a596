#include "guide_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "clients.h"

#define ROWS_AT_ONCE 1000
#define PAGES_MAX    64 /* questions that one page costs at most */

struct guide_list {
	struct guide *g;
	const struct guide_list_kind *kind;
	void *filter;
	bool narrows, ascending;
	const struct guide_column *column;
	int64_t page, per;
	uint64_t skip; /* rows before the page */
	/* the walk */
	uint64_t scanned, wanted;
	bool whole; /* to the end of the list */
	uint8_t cursor[CURSOR_MAX];
	uint16_t cursor_len;
	unsigned npages, nheld;
	struct inquiry *held[PAGES_MAX]; /* whose answers the rows below point into */
	struct row *row;
	size_t nrows, room;
};

static void walk(struct guide_list *l);

static void
list_free(struct guide_list *l)
{
	for (unsigned i = 0; i < l->nheld; i++)
		inquiry_free(&l->held[i]);
	free(l->filter);
	free(l->row);
	free(l);
}

static void
fail(struct guide_list *l, const char *detail)
{
	guide_fail(l->g, GUIDE_INVALID_ARGUMENTS, detail);
	list_free(l);
}

/* --- the answer
 * ------------------------------------------------------------------------------------------------- */

/* Exact where the walk came to the end; with a filter it says how many were found as far as it went. */
static uint64_t
total(const struct guide_list *l)
{
	uint64_t known = l->narrows ? 0 : l->kind->count(&l->g->point);

	return l->whole || known < l->wanted ? l->wanted : known;
}

static void
put_sort(struct json_writer *w, const struct guide_list *l)
{
	char column[GUIDE_VALUE_MAX + 8];
	const char *name = l->g->p.value[GUIDE_SORT];

	if (name != NULL && strncmp(name, "column_", 7) == 0)
		name += 7;
	(void)snprintf(column, sizeof(column), "column_%s", name == NULL ? "" : name);
	json_array(w, "sort");
	json_array(w, NULL);
	json_string(w, NULL, column);
	json_string(w, NULL, l->ascending ? "asc" : "desc");
	json_array_end(w);
	json_array_end(w);
}

static void
reverse(struct guide_list *l)
{
	for (size_t i = 0; i < l->nrows / 2; i++) {
		struct row other = l->row[i];

		l->row[i] = l->row[l->nrows - 1 - i];
		l->row[l->nrows - 1 - i] = other;
	}
}

/* Of a list that was read whole, its page; of one that store sorted, there is nothing else. */
static void
order_rows(struct guide_list *l, size_t *from)
{
	*from = 0;
	if (l->column->order == NULL)
		return;
	if (l->nrows > 0)
		qsort(l->row, l->nrows, sizeof(*l->row), l->column->order);
	if (!l->ascending)
		reverse(l);
	*from = l->skip < l->nrows ? (size_t)l->skip : l->nrows;
}

static void
answer(struct guide_list *l)
{
	struct json_writer *w;
	size_t from;

	if (l->column->order != NULL && !l->whole) {
		fail(l, "sortColumn: sorts lists of up to 10000 rows, and this one is longer");
		return;
	}
	order_rows(l, &from);
	w = guide_begin();
	json_object(w, "rsp");
	json_int(w, "perPage", l->per);
	json_int(w, "currentPage", l->page);
	json_uint(w, "totalRows", total(l));
	json_array(w, "data");
	for (size_t i = from; i < l->nrows && i - from < (size_t)l->per; i++)
		l->kind->put(w, l->g, &l->row[i]);
	json_array_end(w);
	put_sort(w, l);
	json_object_end(w);
	guide_answer(l->g, &w);
	list_free(l);
}

/* --- the walk
 * --------------------------------------------------------------------------------------------------- */

static void
keep_row(struct guide_list *l, const struct row *r)
{
	if (l->nrows == l->room) {
		l->room = l->room == 0 ? 64 : 2 * l->room;
		l->row = mem_reallocarray(l->row, l->room, sizeof(*l->row));
	}
	l->row[l->nrows++] = *r;
}

/* Whether any of its rows was kept: its memory then is. */
static bool
take_rows(struct guide_list *l, const struct part *p)
{
	struct rows rows = part_rows(p);
	size_t before = l->nrows;
	struct row r;

	while (rows_next(&rows, &r)) {
		l->scanned++;
		if (l->kind->wants != NULL && !l->kind->wants(l->filter, &r))
			continue;
		l->wanted++;
		if (l->column->order != NULL ||
		    (l->wanted > l->skip && l->wanted <= l->skip + (uint64_t)l->per))
			keep_row(l, &r);
	}
	return l->nrows > before;
}

static bool
is_enough(const struct guide_list *l)
{
	if (l->whole || l->scanned >= GUIDE_ROWS_MAX || l->npages == PAGES_MAX)
		return true;
	return !l->narrows && l->column->order == NULL && l->wanted >= l->skip + (uint64_t)l->per;
}

static void
on_rows(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct guide_list *l = ctx;
	struct part *p = &q->part[0];

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(l->g, q, end);
		inquiry_free(&q);
		list_free(l);
		return;
	}
	l->whole = p->cursor_len == 0;
	l->cursor_len = p->cursor_len;
	memcpy(l->cursor, p->cursor, p->cursor_len);
	if (take_rows(l, p))
		l->held[l->nheld++] = q;
	else
		inquiry_free(&q);
	if (is_enough(l))
		answer(l);
	else
		walk(l);
}

static uint32_t
rows_at_once(const struct guide_list *l)
{
	uint64_t left = l->skip + (uint64_t)l->per - l->wanted;

	return l->narrows || l->column->order != NULL || left > ROWS_AT_ONCE ? ROWS_AT_ONCE : (uint32_t)left;
}

static void
walk(struct guide_list *l)
{
	struct request *r = l->g->request;
	struct inquiry *q = inquiry_new(r->httpd, &r->who, &r->from, on_rows, l);
	struct part *p;

	inquiry_watch(q, client_socket(r->client));
	p = guide_ask(l->g, q, l->kind->question, rows_at_once(l), l->column->sort);

	p->q.ascending = l->ascending && l->column->order == NULL;
	p->q.cursor_len = l->cursor_len;
	memcpy(p->q.cursor, l->cursor, l->cursor_len);
	if (l->kind->ask != NULL)
		l->kind->ask(l->filter, p);
	l->npages++;
	inquiry_run(q);
}

/* --- what is asked
 * ---------------------------------------------------------------------------------------------- */

static bool
find_column(struct guide_list *l)
{
	const char *name = l->g->p.value[GUIDE_SORT];

	l->column = l->kind->columns;
	if (name != NULL && strncmp(name, "column_", 7) == 0)
		name += 7;
	if (name == NULL || name[0] == '\0')
		return true;
	while (l->column->name != NULL && strcmp(l->column->name, name) != 0)
		l->column++;
	return l->column->name != NULL;
}

static bool
read_page(struct guide_list *l, char err[static GUIDE_ERROR_MAX])
{
	const char *order = l->g->p.value[GUIDE_ORDER];

	l->page = 1;
	l->per = 10;
	if (!guide_number(&l->g->p, GUIDE_PAGE, 1, GUIDE_ROWS_MAX, &l->page, err) ||
	    !guide_number(&l->g->p, GUIDE_PER_PAGE, 1, GUIDE_PER_PAGE_MAX, &l->per, err))
		return false;
	l->skip = (uint64_t)(l->page - 1) * (uint64_t)l->per;
	if (l->skip + (uint64_t)l->per > GUIDE_ROWS_MAX) {
		(void)snprintf(err, GUIDE_ERROR_MAX,
			       "currentPage: pages reach to row %d; /api/v1 goes on by cursors",
			       GUIDE_ROWS_MAX);
		return false;
	}
	l->ascending = order != NULL && strcasecmp(order, "asc") == 0;
	if (order != NULL && !l->ascending && strcasecmp(order, "desc") != 0) {
		(void)snprintf(err, GUIDE_ERROR_MAX, "sortOrder: is not asc or desc");
		return false;
	}
	if (!find_column(l)) {
		(void)snprintf(err, GUIDE_ERROR_MAX, "sortColumn: is no column of this list");
		return false;
	}
	return true;
}

void
guide_list_begin(struct guide *g, const struct guide_list_kind *kind, void *filter, bool narrows)
{
	struct guide_list *l = mem_calloc(1, sizeof(*l));
	char err[GUIDE_ERROR_MAX];

	l->g = g;
	l->kind = kind;
	l->filter = filter;
	l->narrows = narrows;
	if (read_page(l, err))
		walk(l);
	else
		fail(l, err);
}
