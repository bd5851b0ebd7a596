#include "base/json_read.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json_path.h"
#include "base/log.h"
#include "base/mem.h"

#define DEPTH_MAX JSON_PATH_DEPTH

struct json_doc {
	json_t *root;
};

/* jansson's own limit of depth is in the thousands: ours is counted before it sees the text. */
static bool
too_deep(const char *text, size_t len)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

/* jansson would open /dev/urandom for the seed of its tables, which no sandbox allows: it gets one from the
 * kernel's call. */
static void
seed_tables(void)
{
	static bool seeded;
	size_t seed = 0;

	while (!seeded && seed == 0)
		if (getrandom(&seed, sizeof(seed), 0) == -1)
			fatal("no random numbers");
	if (!seeded)
		json_object_seed(seed);
	seeded = true;
}

struct json_doc *
json_parse(const char *text, size_t len, size_t max, char *err, size_t errsize)
{
	char where[1];

	return json_parse_where(text, len, max, where, sizeof(where), err, errsize);
}

struct json_doc *
json_parse_where(const char *text, size_t len, size_t max, char *where, size_t wheresize, char *err,
		 size_t errsize)
{
	json_error_t e;
	json_t *root;
	struct json_doc *d;

	where[0] = '\0';
	if (len > max) {
		(void)snprintf(err, errsize, "the document is longer than %zu bytes", max);
		return NULL;
	}
	if (too_deep(text, len)) {
		(void)snprintf(err, errsize, "the document is nested deeper than %d levels", DEPTH_MAX);
		return NULL;
	}
	seed_tables();
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (root == NULL) {
		(void)snprintf(err, errsize, "line %d, column %d: %s", e.line, e.column,
			       json_error_code(&e) == json_error_invalid_utf8 ? "not valid UTF-8"
									      : "not valid JSON");
		json_path_at(text, len, e.position < 0 ? 0 : (size_t)e.position, where, wheresize);
		return NULL;
	}
	if (!json_is_object(root)) {
		(void)snprintf(err, errsize, "the document is not an object");
		json_decref(root);
		return NULL;
	}
	d = mem_calloc(1, sizeof(*d));
	d->root = root;
	return d;
}

void
json_doc_free(struct json_doc **d)
{
	if (*d == NULL)
		return;
	json_decref((*d)->root);
	free(*d);
	*d = NULL;
}

const char *
json_get_string(const struct json_doc *d, const char *key)
{
	const json_t *v = json_object_get(d->root, key);

	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
		return NULL;
	return json_string_value(v);
}

bool
json_get_int(const struct json_doc *d, const char *key, int64_t *v)
{
	const json_t *j = json_object_get(d->root, key);

	if (!json_is_integer(j))
		return false;
	*v = json_integer_value(j);
	return true;
}

bool
json_get_bool(const struct json_doc *d, const char *key, bool *v)
{
	const json_t *j = json_object_get(d->root, key);

	if (!json_is_boolean(j))
		return false;
	*v = json_is_true(j);
	return true;
}

const char *
json_member(const struct json_doc *d, size_t n)
{
	void *it = json_object_iter(d->root);

	while (it != NULL && n-- > 0)
		it = json_object_iter_next(d->root, it);
	return it == NULL ? NULL : json_object_iter_key(it);
}

/* --- values within --- */

static const json_t *
value_of(const struct json_node *n)
{
	return (const json_t *)n;
}

static const struct json_node *
node_of(const json_t *v)
{
	return (const struct json_node *)v;
}

const struct json_node *
json_root(const struct json_doc *d)
{
	return node_of(d->root);
}

enum json_kind
json_node_kind(const struct json_node *n)
{
	if (n == NULL)
		return JSON_KIND_NONE;
	switch (json_typeof(value_of(n))) {
	case JSON_OBJECT:
		return JSON_KIND_OBJECT;
	case JSON_ARRAY:
		return JSON_KIND_ARRAY;
	case JSON_STRING:
		return JSON_KIND_STRING;
	case JSON_INTEGER:
		return JSON_KIND_INTEGER;
	case JSON_REAL:
		return JSON_KIND_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_KIND_BOOL;
	case JSON_NULL:
		break;
	}
	return JSON_KIND_NULL;
}

const struct json_node *
json_node_member(const struct json_node *n, const char *key)
{
	return node_of(json_object_get(value_of(n), key));
}

const char *
json_node_name(const struct json_node *n, size_t i)
{
	json_t *object = (json_t *)(uintptr_t)n; /* jansson's iterators take no const */
	void *it = json_object_iter(object);

	while (it != NULL && i-- > 0)
		it = json_object_iter_next(object, it);
	return it == NULL ? NULL : json_object_iter_key(it);
}

const char *
json_node_stranger(const struct json_node *n, const char *const *known, size_t nknown)
{
	json_t *object = (json_t *)(uintptr_t)n; /* jansson's iterators take no const */

	for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
		const char *key = json_object_iter_key(it);
		size_t i = 0;

		while (i < nknown && strcmp(known[i], key) != 0)
			i++;
		if (i == nknown)
			return key;
	}
	return NULL;
}

size_t
json_node_count(const struct json_node *n)
{
	return json_array_size(value_of(n));
}

const struct json_node *
json_node_at(const struct json_node *n, size_t i)
{
	return node_of(json_array_get(value_of(n), i));
}

const char *
json_node_text(const struct json_node *n)
{
	const json_t *v = value_of(n);

	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
		return NULL;
	return json_string_value(v);
}

bool
json_node_int(const struct json_node *n, int64_t *v)
{
	if (!json_is_integer(value_of(n)))
		return false;
	*v = json_integer_value(value_of(n));
	return true;
}

bool
json_node_number(const struct json_node *n, double *v)
{
	if (!json_is_number(value_of(n)))
		return false;
	*v = json_number_value(value_of(n));
	return true;
}

bool
json_node_bool(const struct json_node *n, bool *v)
{
	if (!json_is_boolean(value_of(n)))
		return false;
	*v = json_is_true(value_of(n));
	return true;
}

char *
json_node_dump(const struct json_node *n)
{
	return n == NULL ? NULL : json_dumps(value_of(n), JSON_COMPACT | JSON_ENCODE_ANY);
}
