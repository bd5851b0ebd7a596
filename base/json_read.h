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
/* As json_parse; where gets the path of the member in which the text is no JSON ("access[2].role"), "" where
 * that is none. */
struct json_doc *json_parse_where(const char *text, size_t len, size_t max, char *where, size_t wheresize,
				  char *err, size_t errsize);
void json_doc_free(struct json_doc **d);

/* The member key of the top object, where it is a string without NUL bytes: NULL otherwise. Owned by d. */
const char *json_get_string(const struct json_doc *d, const char *key);
bool json_get_int(const struct json_doc *d, const char *key, int64_t *v);
bool json_get_bool(const struct json_doc *d, const char *key, bool *v);
/* The n-th member name, or NULL past the end: lets a caller refuse members that it does not know. */
const char *json_member(const struct json_doc *d, size_t n);

/* --- values within a document, owned by it; every function takes NULL as a value that is not there --- */

struct json_node;

enum json_kind {
	JSON_KIND_NONE, /* not there */
	JSON_KIND_OBJECT,
	JSON_KIND_ARRAY,
	JSON_KIND_STRING,
	JSON_KIND_INTEGER,
	JSON_KIND_REAL,
	JSON_KIND_BOOL,
	JSON_KIND_NULL
};

const struct json_node *json_root(const struct json_doc *d);
enum json_kind json_node_kind(const struct json_node *n);
/* NULL where n is no object or has no such member. */
const struct json_node *json_node_member(const struct json_node *n, const char *key);
/* The name of the i-th member of an object, or NULL past the end. */
const char *json_node_name(const struct json_node *n, size_t i);
/* The name of a member that is none of the known ones, or NULL. */
const char *json_node_stranger(const struct json_node *n, const char *const *known, size_t nknown);
/* Elements of an array; 0 of anything else. */
size_t json_node_count(const struct json_node *n);
const struct json_node *json_node_at(const struct json_node *n, size_t i);
/* NULL where it is no string, or one with NUL bytes. */
const char *json_node_text(const struct json_node *n);
bool json_node_int(const struct json_node *n, int64_t *v);
/* Integers too. */
bool json_node_number(const struct json_node *n, double *v);
bool json_node_bool(const struct json_node *n, bool *v);
/* The value as JSON, to be freed by the caller; NULL where it is not there. */
char *json_node_dump(const struct json_node *n);

#endif
