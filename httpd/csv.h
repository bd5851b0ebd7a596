/*
 * Rows as CSV (RFC 4180), made of their JSON: an object within a row is flattened to columns with its
 * members' paths as names (`client.ip`), a list is one cell (its values with "|" between them; a list of
 * objects, or what has no column of its own inside, as JSON). Unknown is an empty cell. Pure.
 *
 * Spreadsheets run what begins with one of = + - @ or a tab as a formula, and a name that a stranger chose
 * may begin so: a text gets an apostrophe in front of such a sign, at its beginning and behind whatever a
 * spreadsheet may take for the end of a cell. Numbers are never changed.
 */
#ifndef WEIR_HTTPD_CSV_H
#define WEIR_HTTPD_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct csv;

/* columns: paths of members with spaces between them, in the order in which rows have them. At most
 * CSV_COLUMNS_MAX. */
#define CSV_COLUMNS_MAX 256
struct csv *csv_new(const char *columns);
void csv_free(struct csv **c);

/* The line of names. */
void csv_head(const struct csv *c, struct text *out);
/* One row, json[len]: an object. Members without a column are left out. False where it is no JSON object, of
 * which nothing is written. */
bool csv_row(struct csv *c, const char *json, size_t len, struct text *out);

#endif
