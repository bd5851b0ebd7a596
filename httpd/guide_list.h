/*
 * Pages by number on top of store's cursors: a list is walked from its beginning, as far as GUIDE_ROWS_MAX
 * rows, through what store cannot sort or filter. What both kinds of lists share.
 */
#ifndef WEIR_HTTPD_GUIDE_LIST_H
#define WEIR_HTTPD_GUIDE_LIST_H

#include "guide.h"

struct guide_list;

/* A column that a list can be sorted by. */
struct guide_column {
	const char *name;
	enum sort_key sort; /* store's */
	int (*order)(const void *a,
		     const void *b); /* of two struct row, where store has none; then all is read */
};

struct guide_list_kind {
	enum question_kind question;
	const struct guide_column *columns; /* ends with a name of NULL */
	/* Whether a row is wanted; NULL: all are. */
	bool (*wants)(void *filter, const struct row *r);
	/* What is asked of store beside the order; may be NULL. */
	void (*ask)(void *filter, struct part *p);
	void (*put)(struct json_writer *w, const struct guide *g, const struct row *r);
	uint64_t (*count)(const struct row_point *p); /* how many there are without a filter */
};

/* Reads the page and order, walks, and answers. filter is freed (it is one piece of memory) when that is
 * done; narrows: it wants some rows only. */
void guide_list_begin(struct guide *g, const struct guide_list_kind *kind, void *filter, bool narrows);

#endif
