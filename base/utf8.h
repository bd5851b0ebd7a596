/* Whether bytes are UTF-8 (RFC 3629 section 4). */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the valid sequence at p, of which left (at least one) bytes are there; 0 where there is none. */
size_t utf8_sequence(const unsigned char *p, size_t left);
bool utf8_valid(const char *s, size_t len);

#endif
