/* Writes JSON (RFC 8259) into a growing buffer with a limit. Errors stick: look at json_text() once at the
 * end. */
#ifndef WEIR_BASE_JSON_WRITE_H
#define WEIR_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer;

/* jansson has functions of the same names, and other libraries (cjose) call those: ours must not stand in
 * their place. */
#pragma GCC visibility push(hidden)

/* A writer whose text may grow to limit bytes. */
struct json_writer *json_new(size_t limit);
void json_free(struct json_writer **w);
/* The same, for a text with secrets. */
void json_wipe(struct json_writer **w);

/* In an object each value is preceded by its key; in an array key is NULL. */
void json_object(struct json_writer *w, const char *key);
void json_object_end(struct json_writer *w);
void json_array(struct json_writer *w, const char *key);
void json_array_end(struct json_writer *w);

/* s may hold anything: control bytes are escaped, bytes that are not UTF-8 become U+FFFD. NULL writes null.
 */
void json_string(struct json_writer *w, const char *key, const char *s);
void json_string_n(struct json_writer *w, const char *key, const char *s, size_t len);
void json_int(struct json_writer *w, const char *key, int64_t v);
void json_uint(struct json_writer *w, const char *key, uint64_t v);
/* Finite numbers only; others are written as null. */
void json_double(struct json_writer *w, const char *key, double v);
/* Nanoseconds UTC as Unix seconds with fraction (microseconds): design.md, Names that the outside sees. */
void json_time_ns(struct json_writer *w, const char *key, int64_t ns);
void json_bool(struct json_writer *w, const char *key, bool v);
void json_null(struct json_writer *w, const char *key);
/* A JSON text of another process of ours, as it stands. */
void json_raw(struct json_writer *w, const char *key, const char *text, size_t len);

/* The text so far, NUL-terminated, owned by the writer; NULL where the limit was passed or the nesting is
 * wrong. */
const char *json_text(const struct json_writer *w, size_t *len);
/* Bytes written so far, also while something is open. */
size_t json_size(const struct json_writer *w);
/* Empties the writer for the next document (or the next part of a stream). */
void json_reset(struct json_writer *w);

#pragma GCC visibility pop

#endif
