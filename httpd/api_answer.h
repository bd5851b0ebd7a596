/* What the answers to questions about traffic have in common: an inquiry of the request, lists, pages. */
#ifndef WEIR_HTTPD_API_ANSWER_H
#define WEIR_HTTPD_API_ANSWER_H

#include "inquiry.h"
#include "request.h"
#include "table.h"

#define ANSWER_TEXT_MAX (32u << 20)

/* Writes the answer's members into an object that is open already. */
typedef void shape_fn(struct json_writer *w, const struct request *r, const struct inquiry *q);

/* Answers r: a refusal, or an object with "now" and what shape writes. Frees q. */
void answer_with(struct request *r, struct inquiry *q, enum inquiry_end end, shape_fn *shape);

/* One that ends with its client. */
struct inquiry *inquiry_of(struct request *r, inquiry_fn *fn);
/* Asks for a list, as the request's limit, cursor, sort, order and interface say. */
struct part *ask_list(struct inquiry *q, enum question_kind kind, const struct request *r);
/* How many rows are asked for at a time. */
uint32_t rows_at_once(const struct params *p);
/* Asks q, or sends its rows to their end where r wants a table of them; takes q. */
void run_list(struct request *r, struct inquiry *q, const struct table *t);
/* "next_cursor": null where nothing is left. */
void put_cursor(struct json_writer *w, const struct part *p);

/* The number of an interface. One that nobody knows and one that the caller may not see give the same:
 * nothing. */
uint32_t point_number(const struct request *r, const char *name);
/* The address space of a host that the caller does not name: where all interfaces are in one, that one, else
 * 0. */
uint32_t common_space(const struct request *r);

#endif
