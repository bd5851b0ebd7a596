/* zstd, and the only file that knows it. One thread at a time. */
#ifndef WEIR_STORE_SQUEEZE_H
#define WEIR_STORE_SQUEEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct squeeze;

struct squeeze *squeeze_new(void);
void squeeze_free(struct squeeze **s);
/* The shorter form of n bytes, of at most room bytes: its length; 0 where it does not fit. */
size_t squeeze(struct squeeze *s, const void *bytes, size_t n, uint8_t *out, size_t room);
/* Gives back exactly n bytes; false where the len bytes do not. */
bool squeeze_undo(struct squeeze *s, const void *bytes, size_t len, void *out, size_t n);
/* As it, where it is not known how many there are: at most room, *n of them. */
bool squeeze_undo_some(struct squeeze *s, const void *bytes, size_t len, void *out, size_t room, size_t *n);

#endif
