#include "base/json_read.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/mem.h"

#define DEPTH_MAX 8

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
	json_error_t e;
	json_t *root;
	struct json_doc *d;

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
		(void)snprintf(err, errsize, "line %d, column %d: not valid JSON", e.line, e.column);
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
