/*
 * A table that is sent to its end, row after row, as CSV or NDJSON: in memory that does not depend on how
 * long it is. Its source is asked for a page, the page becomes pieces, and the next thing is done only once
 * the client has taken the one before. What goes wrong before the first row is a problem document as ever;
 * afterwards the connection is cut without the end of the chunked body, so that nobody takes a part for the
 * whole (NDJSON says why in a last line).
 */
#ifndef WEIR_HTTPD_EXPORT_H
#define WEIR_HTTPD_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "inquiry.h"
#include "table.h"

struct export;
struct exports;
struct httpd;
struct json_writer;
struct request;

#define EXPORT_PAGE      1000 /* rows that are asked for at a time, at most */
#define EXPORT_PLACE_MAX 160

/* Where the rows come from; `source` is what export_begin was given. */
struct export_source {
	/* Asks for the next page, of at most so many rows: export_page or export_fail are called once,
	 * perhaps at once. A grant that is refused is renewed once (authd was started anew); a page under
	 * other rights than the first ends the export. */
	void (*ask)(void *source, struct export *e, unsigned rows);
	/* Writes the page's next row; false: it has no more. */
	bool (*next)(void *source, struct json_writer *w);
	/* Whether there is a page behind this one; place: the cursor that a client may ask for it with. */
	bool (*more)(const void *source, char place[static EXPORT_PLACE_MAX]);
	/* At any time: what it waits for finds nobody. */
	void (*free)(void *source);
};

/* Answers r with a table; takes r and source. columns: terminated; NULL: the table's. */
void export_begin(struct request *r, const struct table *t, const char *columns,
		  const struct export_source *how, void *source);
/* The page is there: it was given to whom me says. The source may be gone when this returns. */
void export_page(struct export *e, const struct me *me);
void export_fail(struct export *e, enum inquiry_end end, unsigned retry_after_s);
/* The request of an export that has not begun, for the source to answer: the export and its source are gone
 * then. NULL where it has begun. */
struct request *export_give_up(struct export *e);

/* Whether there is room for another table of all workers', of whoever asks and of the tenant (rate_hash). */
bool export_has_room(const struct httpd *h, uint64_t holder, uint64_t tenant);

struct exports *exports_new(struct httpd *h);
/* All that are open are cut. */
void exports_free(struct exports **x);

/* export_rows.c: the rows of q's one question, page after page; takes r and q. */
void export_rows(struct request *r, struct inquiry **q, const struct table *t);
/* export_operation.c: the list that an operation of authd's gives (text[len], an object without limit and
 * cursor; whole: it knows neither); takes r. */
void export_operation(struct request *r, const char *text, size_t len, const struct table *t,
		      const char *member, bool whole);

#endif
