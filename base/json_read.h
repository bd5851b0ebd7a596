/* Reads small JSON documents (RFC 8259) of strangers: bounded size and depth, duplicate keys refused. Wraps
 * jansson. */
#ifndef WEIR_BASE_JSON_READ_H
#define WEIR_BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_doc;

/* Parses an object of at most max bytes. NULL on error, with a sentence naming place and cause in err. */
struct json_doc *json_parse(const char *text, size_t len, size_t max, char *err, size_t errsize);
void json_doc_free(struct json_doc **d);

/* The member key of the top object, where it is a string without NUL bytes: NULL otherwise. Owned by d. */
const char *json_get_string(const struct json_doc *d, const char *key);
bool json_get_int(const struct json_doc *d, const char *key, int64_t *v);
bool json_get_bool(const struct json_doc *d, const char *key, bool *v);
/* The n-th member name, or NULL past the end: lets a caller refuse members that it does not know. */
const char *json_member(const struct json_doc *d, size_t n);

#endif
