/* Texts of any length in one bounded piece of memory, by number: chains of small chunks, so that none has to
 * be moved or looked for. */
#ifndef WEIR_STORE_TEXTS_H
#define WEIR_STORE_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#define TEXT_NONE 0u

struct texts;

/* chunks: how many of TEXT_CHUNK bytes there are. Memory that was never needed is not touched. */
struct texts *texts_new(uint32_t chunks);
void texts_free(struct texts **t);
/* Keeps a copy and gives its number; TEXT_NONE where it is empty or there is no room. */
uint32_t texts_put(struct texts *t, const void *bytes, size_t len);
/* Copies the text out, at most size bytes. Returns its length. */
size_t texts_get(const struct texts *t, uint32_t number, void *out, size_t size);
/* Forgets it. TEXT_NONE: nothing. */
void texts_drop(struct texts *t, uint32_t number);

#define TEXT_CHUNK 59

#endif
