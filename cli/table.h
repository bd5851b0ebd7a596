/* Numbers and columns for people. */
#ifndef WEIR_CLI_TABLE_H
#define WEIR_CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "1.5 MB", "12 kB", "99 B" (powers of 1000) into out[16]; returns out. */
const char *show_bytes(uint64_t bytes, char out[static 16]);
/* Bytes a second as bits: "12.3 Mbit/s" into out[20]. */
const char *show_rate(uint64_t bytes_per_s, char out[static 20]);

/* Columns as wide as their widest cell, two spaces between them. Cells are copied. */
#define TABLE_COLUMNS_MAX 16
struct table;
struct table *table_new(void);
void table_cell(struct table *t, const char *text);
void table_row_end(struct table *t);
/* head is the first row. */
void table_print(const struct table *head, const struct table *t, FILE *f);
void table_free(struct table **t);

#endif
