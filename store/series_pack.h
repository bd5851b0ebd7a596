/*
 * Chunks of neighbouring series together under one check, as a value of series.mdb: alone they would be too
 * small for a page, or a little too large. In the order of their keys.
 */
#ifndef WEIR_STORE_SERIES_PACK_H
#define WEIR_STORE_SERIES_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "batch.h"
#include "bytes.h"

#define PACK_MAX (64u << 10) /* bytes of chunks, from which on a pack is divided */

int series_key_compare(const struct series_key *a, const struct series_key *b);

/* A key as its distance from the one before, which it replaces: as small as keys in order allow. */
#define SERIES_KEY_MAX 15u
void series_key_put(struct wcur *w, struct series_key *before, const struct series_key *key);
bool series_key_get(struct rcur *r, struct series_key *before);

struct pack {
	struct rcur entries;
	const uint8_t *chunk, *end;
	uint32_t left;
	struct series_key key;
};
/* False where the bytes are no pack, or damaged. */
bool pack_open(struct pack *p, const uint8_t *bytes, size_t len);
/* The next series and its chunk; false behind the last (left is then 0) and where the rest is no pack. */
bool pack_next(struct pack *p, struct series_key *key, const uint8_t **chunk, size_t *len);
/* The chunk of one series. */
bool pack_find(struct pack *p, const struct series_key *key, const uint8_t **chunk, size_t *len);

struct pack_writer {
	struct bytes entries, chunks, whole;
	struct series_key key;
	uint32_t n;
};
void pack_begin(struct pack_writer *w);
void pack_add(struct pack_writer *w, const struct series_key *key, const uint8_t *chunk, size_t len);
/* The bytes: they live until the next pack_end. */
const uint8_t *pack_end(struct pack_writer *w, size_t *len);
void pack_writer_free(struct pack_writer *w);

#endif
