/*
 * Master keys: what secrets at rest are sealed with (vault/box.h), and the file that holds them. Pure.
 *
 * The file is text, a key a line, the newest first: "weir-master-key 1 ID KEY", ID being 16 and KEY 64
 * hexadecimal digits; lines that are empty or begin with # count for nothing. The newest seals; the one
 * behind it, where there is one, still opens what it sealed, until everything is sealed anew. ID is made of
 * the key and tells nothing of it, so that logs and people can name it, and a key that was mistyped is found
 * out.
 */
#ifndef WEIR_VAULT_MASTER_H
#define WEIR_VAULT_MASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASTER_KEYS      2
#define MASTER_KEY_BYTES 32
#define MASTER_ID_BYTES  8
#define MASTER_ID_TEXT   17   /* with its end */
#define MASTER_FILE_MAX  4096 /* bytes of the file */

struct master_id {
	uint8_t b[MASTER_ID_BYTES];
};

struct master_key {
	struct master_id id;
	uint8_t secret[MASTER_KEY_BYTES];
	uint8_t box[32]; /* made of it: what boxes are sealed with */
};

/* Locked memory, always; the owner wipes it. */
struct master_keys {
	uint32_t n; /* 0: nothing is sealed */
	struct master_key key[MASTER_KEYS];
};

/* A new key from the system's generator. */
void master_draw(struct master_key *k);
/* What the file says; false with a sentence in err, which names the line and no byte of a key. Whatever
 * happens, text is the caller's to wipe. */
bool master_parse(const char *text, size_t len, struct master_keys *keys, char *err, size_t errsize);
/* The file of these keys, terminated; the length, 0 where out is too small. */
size_t master_format(const struct master_keys *keys, char *out, size_t size);
const char *master_id_text(const struct master_id *id, char out[static MASTER_ID_TEXT]);
/* The key of this id, or NULL. keys may be NULL. */
const struct master_key *master_find(const struct master_keys *keys, const struct master_id *id);

#endif
