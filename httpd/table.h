/* The tables of /api/v1 as rows of one kind: their columns in CSV, and their rows as JSON. */
#ifndef WEIR_HTTPD_TABLE_H
#define WEIR_HTTPD_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct json_writer;
struct row;
struct text;
struct wire_grouping;

struct table {
	const char *name;    /* of files */
	const char *columns; /* csv.h; NULL: table_group_columns */
	void (*present)(struct json_writer *w, const char *key, const struct row *r); /* of store's rows */
	bool (*wants)(const struct row *r);                                           /* NULL: every row */
};

extern const struct table table_interfaces, table_hosts, table_devices, table_flows, table_groups,
    table_applications, table_series, table_subjects, table_networks, table_as, table_countries,
    table_categories, table_alerts;

/* A list of authd's by the operation that gives it ("user.list"); NULL where it is none. *member: the name of
 * the list in the answer; *whole: it has no pages. */
const struct table *table_of_operation(const char *op, const char **member, bool *whole);

/* The columns of a table of groups, terminated. */
void table_group_columns(const struct wire_grouping *by, struct text *out);

#endif
