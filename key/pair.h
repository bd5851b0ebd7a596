/* A certificate and its private key: OpenSSL, seen by pair.c alone. */
#ifndef WEIR_KEY_PAIR_H
#define WEIR_KEY_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct pair;

#define PAIR_WHY_MAX 384

/* Memory for keys, locked and in no core: once, before the sandbox and the first pair. Dies where it cannot
 * be had. */
void pair_memory(void);

/*
 * Reads a PEM file with the certificate first and one with its key, which may be the same file; neither
 * descriptor is closed or moved, and the text is wiped. Signs once with each scheme that the key has, so that
 * whatever OpenSSL loads is loaded. NULL with a sentence where they are no pair, or the key is of a kind that
 * TLS does not sign with.
 */
struct pair *pair_read(int certificate, int key, char why[static PAIR_WHY_MAX]);
/* Wiped. */
void pair_free(struct pair **p);

/* Whether it is the pair of that certificate. */
bool pair_is(const struct pair *p, const uint8_t certificate[CERTIFICATE_ID_BYTES]);

/* Signs content with a SignatureScheme (RFC 8446 section 4.2.3) of TLS 1.2 or 1.3; *len is the room, then the
 * signature's length. False where the content is not what a server of that version signs (content.h), or the
 * key does not have that scheme. */
bool pair_sign(const struct pair *p, uint32_t scheme, const uint8_t *content, size_t content_len,
	       uint8_t *signature, size_t *len);

#endif
