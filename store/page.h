/* Cursors of long lists: opaque to the asker, sealed with a key of store's, good only for the tenant, kind
 * and order that they were made for. */
#ifndef WEIR_STORE_PAGE_H
#define WEIR_STORE_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/wire.h"
#include "topk.h"

#define PAGE_LEN 56

/* Where the page before ended. */
struct page {
	uint32_t kind; /* enum question_kind, and 256 where it is about history */
	uint16_t sort;
	uint16_t ascending;
	struct topk_entry at; /* without ref */
};

void page_seal(const uint8_t key[static 32], uint32_t tenant, const struct page *p,
	       uint8_t out[static PAGE_LEN]);
/* False where it is forged, or made for another tenant; the caller compares kind and order. */
bool page_open(const uint8_t key[static 32], uint32_t tenant, const uint8_t *bytes, size_t len,
	       struct page *p);

#endif
