/* Whether a block of flows is what was written: its head, each column, and the rows that they make. */
#ifndef WEIR_STORE_CHECK_BLOCK_H
#define WEIR_STORE_CHECK_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue.h"

struct block_checker;
struct block_checker *block_checker_new(void);
void block_checker_free(struct block_checker **c);

/* Where a block is not as it was written, or not what the catalogue says of it: the part ("head", "column
 * bytes_sent", "rows", "catalogue") and a sentence. */
struct block_fault {
	char part[40];
	char text[160];
};

/* Calls told for each fault. True where there is none. e: what the catalogue says of it. */
bool block_check(struct block_checker *c, const struct block_entry *e, const void *bytes, size_t len,
		 void (*told)(void *ctx, const struct block_fault *f), void *ctx);

#endif
