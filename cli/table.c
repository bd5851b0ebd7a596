#include "table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void
scale(double v, char *out, size_t size, const char *unit)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;

	while (v >= 999.5 && i + 1 < ARRAY_LEN(prefixes)) {
		v /= 1000;
		i++;
	}
	(void)snprintf(out, size, i > 0 && v < 99.95 ? "%.1f %s%s" : "%.0f %s%s", v, prefixes[i], unit);
}

const char *
show_bytes(uint64_t bytes, char out[static 16])
{
	scale((double)bytes, out, 16, "B");
	return out;
}

const char *
show_rate(uint64_t bytes_per_s, char out[static 20])
{
	scale((double)bytes_per_s * 8, out, 20, "bit/s");
	return out;
}

/* --- columns of the width of their widest cell
 * ------------------------------------------------------------------------------------------ */

struct cell {
	char *text;
	bool last; /* of its row */
};

struct table {
	size_t n, size;
	struct cell *cells;
};

struct table *
table_new(void)
{
	return mem_calloc(1, sizeof(struct table));
}

void
table_cell(struct table *t, const char *text)
{
	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : t->size * 2;
		t->cells = mem_reallocarray(t->cells, t->size, sizeof(*t->cells));
	}
	t->cells[t->n++] = (struct cell){ mem_strdup(text), false };
}

void
table_row_end(struct table *t)
{
	if (t->n > 0)
		t->cells[t->n - 1].last = true;
}

static void
widen(const struct table *t, size_t width[static TABLE_COLUMNS_MAX])
{
	size_t column = 0;

	for (size_t i = 0; i < t->n; i++) {
		size_t len = strlen(t->cells[i].text);

		if (column < TABLE_COLUMNS_MAX && len > width[column])
			width[column] = len;
		column = t->cells[i].last ? 0 : column + 1;
	}
}

static void
print_rows(const struct table *t, const size_t width[static TABLE_COLUMNS_MAX], FILE *f)
{
	size_t column = 0;

	for (size_t i = 0; i < t->n; i++) {
		bool last = t->cells[i].last;
		int pad = last || column >= TABLE_COLUMNS_MAX ? 0 : (int)width[column];

		fprintf(f, "%-*s%s", pad, t->cells[i].text, last ? "\n" : "  ");
		column = last ? 0 : column + 1;
	}
}

void
table_print(const struct table *head, const struct table *t, FILE *f)
{
	size_t width[TABLE_COLUMNS_MAX] = { 0 };

	widen(head, width);
	widen(t, width);
	print_rows(head, width, f);
	print_rows(t, width, f);
}

void
table_free(struct table **t)
{
	for (size_t i = 0; i < (*t)->n; i++)
		free((*t)->cells[i].text);
	free((*t)->cells);
	free(*t);
	*t = NULL;
}
