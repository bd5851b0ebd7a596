#include "base/json_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* An object or array that is open. */
struct level {
	bool object;
	bool named; /* object: a name has been read, its value is being read */
	size_t index;
	const char *name; /* object: the last name, without quotes */
	size_t len;
};

struct scan {
	struct level level[JSON_PATH_DEPTH];
	size_t depth; /* levels that are open, those past the end of the table included */
};

static struct level *
innermost(struct scan *s)
{
	return s->depth == 0 || s->depth > JSON_PATH_DEPTH ? NULL : &s->level[s->depth - 1];
}

static void
open_level(struct scan *s, bool object)
{
	if (s->depth++ < JSON_PATH_DEPTH)
		s->level[s->depth - 1] = (struct level){ .object = object };
}

static void
on_string(struct scan *s, const char *text, size_t len)
{
	struct level *l = innermost(s);

	if (l == NULL || !l->object || l->named)
		return;
	l->name = text;
	l->len = len;
}

static void
on_mark(struct scan *s, char c)
{
	struct level *l = innermost(s);

	if (c == '{' || c == '[') {
		open_level(s, c == '{');
	} else if ((c == '}' || c == ']') && s->depth > 0) {
		s->depth--;
	} else if (c == ':' && l != NULL) {
		l->named = l->object && l->name != NULL;
	} else if (c == ',' && l != NULL) {
		l->named = false;
		l->name = NULL;
		l->index++;
	}
}

/* Index of the quote that ends the string which begins behind at, or end. */
static size_t
string_end(const char *text, size_t at, size_t end)
{
	while (at < end && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < end ? at : end;
}

static void
put(char *out, size_t size, const char *s, size_t n)
{
	size_t at = strlen(out);

	for (size_t i = 0; i < n && at + 1 < size; i++, at++)
		out[at] = s[i] > ' ' && s[i] <= '~' ? s[i] : '?';
	out[at] = '\0';
}

void
json_path_at(const char *text, size_t len, size_t offset, char *out, size_t size)
{
	size_t end = offset < len ? offset : len;
	struct scan s = { .depth = 0 };

	for (size_t i = 0; i < end; i++) {
		if (text[i] == '"') {
			size_t quote = string_end(text, i + 1, end);

			if (quote < end)
				on_string(&s, text + i + 1, quote - i - 1);
			i = quote;
		} else {
			on_mark(&s, text[i]);
		}
	}
	out[0] = '\0';
	for (size_t i = 0; i < s.depth && i < JSON_PATH_DEPTH; i++) {
		const struct level *l = &s.level[i];
		char index[32];

		if (!l->object) {
			(void)snprintf(index, sizeof(index), "[%zu]", l->index);
			put(out, size, index, strlen(index));
		} else if (l->named) {
			put(out, size, ".", out[0] == '\0' ? 0 : 1);
			put(out, size, l->name, l->len);
		}
	}
}
