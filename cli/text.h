/* Text of strangers made harmless for a terminal. */
#ifndef WEIR_CLI_TEXT_H
#define WEIR_CLI_TEXT_H

#include <stddef.h>

/* Copies len bytes into out[size], terminated: what is not printable ASCII as \xNN. What does not fit is left
 * out. Returns out. */
const char *text_escape(char *out, size_t size, const char *text, size_t len);

#endif
