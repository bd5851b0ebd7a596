/* Names of flows and hosts: kept once each, counted, in fixed memory. Equal texts have equal numbers. */
#ifndef WEIR_ENGINE_TEXT_H
#define WEIR_ENGINE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "index.h"

#define TEXT_MAX     255
#define TEXT_LONGEST 1536
#define TEXT_CHUNK   64

struct text_chunk;

struct texts {
	struct text_chunk *chunk;
	struct index index;
	uint64_t seed, refused; /* refused: texts that found no room */
	uint32_t max, free, fresh;
	uint32_t most, used; /* texts, however short */
};

/* Room for chunks of 64 bytes, of which one holds 48 bytes of a text and each further one 60, and for at most
 * so many different texts. */
void texts_init(struct texts *s, uint32_t chunks, uint32_t most, uint64_t seed);
void texts_free(struct texts *s);
/* A number for the first TEXT_MAX bytes of text, to be dropped once; 0 where len is 0 or there is no room. */
uint32_t text_hold(struct texts *s, const char *text, size_t len);
/* The same for any bytes, at most TEXT_LONGEST: text_read gives them back. */
uint32_t text_hold_bytes(struct texts *s, const void *bytes, size_t len);
/* 0 is fine. */
void text_drop(struct texts *s, uint32_t number);
/* Copies the text into out and returns its length; 0 for number 0. */
size_t text_copy(const struct texts *s, uint32_t number, char out[static TEXT_MAX]);
/* Copies at most size bytes of it. */
size_t text_read(const struct texts *s, uint32_t number, void *out, size_t size);

#endif
