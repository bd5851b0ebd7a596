/* Answers of authd for people: lists as tables, single things line by line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "base/mem.h"
#include "table.h"
#include "text.h"

#define CELL_MAX  256
#define INDENT    2
#define DEPTH_MAX 8

/* --- values
 * -----------------------------------------------------------------------------------------------------------
 */

/* Appends to out, which stays terminated; what does not fit is left out. */
static void
add(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	if (n < size)
		(void)snprintf(out + n, size - n, "%s", text);
}

static const char *
show_number(double v, char *out, size_t size)
{
	(void)snprintf(out, size, "%.15g", v);
	return out;
}

const char *
show_text(const struct json_node *v, char *out, size_t size)
{
	const char *text = json_node_text(v);
	double number;
	bool flag;

	out[0] = '\0';
	if (text != NULL)
		return text_escape(out, size, text, strlen(text));
	if (json_node_number(v, &number))
		return show_number(number, out, size);
	if (json_node_bool(v, &flag))
		add(out, size, flag ? "yes" : "no");
	return out;
}

const char *
show_flag(const struct json_node *v, char *out, size_t size)
{
	bool flag = false;

	(void)snprintf(out, size, "%s", json_node_bool(v, &flag) && flag ? "yes" : "");
	return out;
}

const char *
show_moment(const struct json_node *v, char *out, size_t size)
{
	double seconds;
	struct tm tm;
	time_t t;

	out[0] = '\0';
	if (!json_node_number(v, &seconds) || seconds < 1 || seconds > 1e11)
		return out;
	t = (time_t)seconds;
	if (gmtime_r(&t, &tm) == NULL || strftime(out, size, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
	return out;
}

const char *
show_texts(const struct json_node *v, char *out, size_t size)
{
	char one[CELL_MAX];

	out[0] = '\0';
	for (size_t i = 0; i < json_node_count(v); i++) {
		if (i > 0)
			add(out, size, ", ");
		add(out, size, show_text(json_node_at(v, i), one, sizeof(one)));
	}
	return out;
}

/* "viewer of acme (narrowed), auditor of *" */
const char *
show_access(const struct json_node *v, char *out, size_t size)
{
	static const char *const lists[] = { "interfaces", "exporters", "networks" };
	char one[CELL_MAX];

	out[0] = '\0';
	for (size_t i = 0; i < json_node_count(v); i++) {
		const struct json_node *a = json_node_at(v, i);
		bool masked = false, narrowed = false;

		for (size_t k = 0; k < ARRAY_LEN(lists); k++)
			narrowed = narrowed || json_node_count(json_node_member(a, lists[k])) > 0;
		(void)json_node_bool(json_node_member(a, "masked"), &masked);
		add(out, size, i > 0 ? ", " : "");
		add(out, size, show_text(json_node_member(a, "role"), one, sizeof(one)));
		add(out, size, " of ");
		add(out, size, show_text(json_node_member(a, "tenant"), one, sizeof(one)));
		add(out, size, narrowed ? " (narrowed)" : "");
		add(out, size, masked ? " (masked)" : "");
	}
	return out;
}

/* "interface=eth1,vlan=10; network=10.0.0.0/8" */
const char *
show_selectors(const struct json_node *v, char *out, size_t size)
{
	static const char *const keys[] = { "interface", "vlan", "exporter", "exporter_interface",
					    "network" };
	char one[CELL_MAX];

	out[0] = '\0';
	for (size_t i = 0; i < json_node_count(v); i++) {
		const char *comma = "";

		add(out, size, i > 0 ? "; " : "");
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			const struct json_node *m = json_node_member(json_node_at(v, i), keys[k]);

			if (show_text(m, one, sizeof(one))[0] == '\0')
				continue;
			add(out, size, comma);
			add(out, size, keys[k]);
			add(out, size, "=");
			add(out, size, one);
			comma = ",";
		}
		add(out, size, *comma == '\0' ? "everything" : "");
	}
	return out;
}

/* When, and from where. */
const char *
show_use(const struct json_node *v, char *out, size_t size)
{
	char one[CELL_MAX];

	(void)show_moment(json_node_member(v, "time"), out, size);
	if (show_text(json_node_member(v, "address"), one, sizeof(one))[0] != '\0') {
		add(out, size, " ");
		add(out, size, one);
	}
	return out;
}

/* --- tables
 * -----------------------------------------------------------------------------------------------------------
 */

void
admin_show_row(const struct admin_command *c, struct table *t, const struct json_node *row)
{
	char cell[CELL_MAX];

	for (const struct admin_column *k = c->columns; k->title != NULL; k++)
		table_cell(t, k->show(json_node_member(row, k->member), cell, sizeof(cell)));
	table_row_end(t);
}

void
admin_show_table(const struct admin_command *c, const struct table *rows)
{
	struct table *head = table_new();

	for (const struct admin_column *k = c->columns; k->title != NULL; k++)
		table_cell(head, k->title);
	table_row_end(head);
	table_print(head, rows, stdout);
	table_free(&head);
}

/* --- single things
 * ----------------------------------------------------------------------------------------------------- */

static bool
is_plain(const struct json_node *n)
{
	enum json_kind kind = json_node_kind(n);

	return kind != JSON_KIND_OBJECT && kind != JSON_KIND_ARRAY;
}

/* Times are known by their names. */
static const char *
show_plain(const char *name, const struct json_node *n, char *out, size_t size)
{
	static const char *const moments[] = { "created", "last_login", "last_seen",
					       "expires", "expiry",     "time" };

	for (size_t i = 0; name != NULL && i < ARRAY_LEN(moments); i++)
		if (strcmp(name, moments[i]) == 0 && json_node_kind(n) != JSON_KIND_STRING)
			return show_moment(n, out, size);
	return show_text(n, out, size);
}

static bool
all_plain(const struct json_node *list)
{
	for (size_t i = 0; i < json_node_count(list); i++)
		if (!is_plain(json_node_at(list, i)))
			return false;
	return true;
}

/* An object or list that is being shown, and how far. */
struct shown {
	const struct json_node *node;
	size_t at;
	int indent;
};

/* A value of one line. */
static void
show_line(const char *name, const struct json_node *n, int indent)
{
	char text[4096];

	if (is_plain(n))
		printf("%*s%s: %s\n", indent, "", name, show_plain(name, n, text, sizeof(text)));
	else
		printf("%*s%s: %s\n", indent, "", name, show_texts(n, text, sizeof(text)));
}

/* The next value of s that has values itself, in *inner; false where there is none any more. */
static bool
show_until_nested(struct shown *s, struct shown *inner)
{
	bool list = json_node_kind(s->node) == JSON_KIND_ARRAY;
	const struct json_node *n;
	const char *name = NULL;

	for (;;) {
		if (list)
			n = json_node_at(s->node, s->at);
		else {
			name = json_node_name(s->node, s->at);
			n = name == NULL ? NULL : json_node_member(s->node, name);
		}
		if (n == NULL)
			return false;
		s->at++;
		if (list)
			printf("%*s-\n", s->indent, "");
		else if (is_plain(n) || (json_node_kind(n) == JSON_KIND_ARRAY && all_plain(n))) {
			show_line(name, n, s->indent);
			continue;
		} else
			printf("%*s%s:\n", s->indent, "", name);
		*inner = (struct shown){ n, 0, s->indent + INDENT };
		return true;
	}
}

void
admin_show_node(const struct json_node *n, int indent)
{
	struct shown stack[DEPTH_MAX] = { { n, 0, indent } };
	unsigned depth = 1;

	while (depth > 0) {
		struct shown inner;

		if (!show_until_nested(&stack[depth - 1], &inner))
			depth--;
		else if (depth < DEPTH_MAX) /* base/json_read.h lets none be deeper */
			stack[depth++] = inner;
	}
}

void
admin_show(const struct admin_command *c, const struct json_doc *answer)
{
	const struct json_node *root = json_root(answer), *one = json_node_member(root, c->object);

	/* {"user": {...}} is about the user alone. */
	admin_show_node(
	    json_node_kind(one) == JSON_KIND_OBJECT && json_node_name(root, 1) == NULL ? one : root, 0);
}
