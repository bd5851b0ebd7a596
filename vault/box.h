/*
 * Secrets at rest, sealed: XChaCha20-Poly1305 (libsodium) with a random nonce each time, under a key that is
 * made of a master key (vault/master.h). A box opens at its own place only: the file or table and the key of
 * the row are what libsodium calls additional data, so that a row that was moved or swapped does not open.
 * That a row is an older one of the same place is not seen. Pure.
 */
#ifndef WEIR_VAULT_BOX_H
#define WEIR_VAULT_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "master.h"

#define BOX_OVERHEAD  (1 + MASTER_ID_BYTES + 24 + 16) /* bytes that a box is longer than what is in it */
#define BOX_PLACE_MAX 600                             /* bytes of a place's name and key */

/* Where a box stands. */
struct box_place {
	const char *name; /* of a table or file */
	const void *key;  /* of the row */
	size_t key_len;
};

enum box_status {
	BOX_OPENED,
	BOX_NONE,   /* these bytes are no box */
	BOX_NO_KEY, /* it was sealed with a key that is not here: *id says with which */
	BOX_BROKEN  /* it was altered, stood elsewhere, or does not fit into out */
};

/* Whether bytes look like a box, by their first one and their length. */
bool box_is(const void *bytes, size_t len);
/* Seals plain[len] with the newest key into out: the length, 0 where out is too small or the place too long.
 */
size_t box_seal(const struct master_keys *keys, const struct box_place *at, const void *plain, size_t len,
		uint8_t *out, size_t size);
/* Opens box[len] into out[size]; *got: bytes of it. id may be NULL. What was in it is the caller's to wipe.
 */
enum box_status box_open(const struct master_keys *keys, const struct box_place *at, const void *box,
			 size_t len, uint8_t *out, size_t size, size_t *got, struct master_id *id);

#endif
