/* UTF-8 (RFC 3629), one character at a time. */
#ifndef WEIR_AUTHD_UTF8_H
#define WEIR_AUTHD_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD UINT32_MAX

/* The character that begins at *p, which moves behind it; UTF8_BAD where there is none (overlong forms and
 * surrogates included), and *p then moves by one byte. The text ends with NUL; do not call at its end. */
uint32_t utf8_next(const char **p);

/* Characters of s; a byte that is none counts as one. */
size_t utf8_length(const char *s);

#endif
