#include "base/json_write.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

#define DEPTH_MAX 16

struct json_writer {
	char *text;
	size_t len, size, limit;
	bool bad;
	bool any[DEPTH_MAX + 1]; /* whether the level has a member already */
	char close[DEPTH_MAX + 1];
	unsigned depth;
};

struct json_writer *
json_new(size_t limit)
{
	struct json_writer *w = mem_calloc(1, sizeof(*w));

	w->limit = limit;
	return w;
}

void
json_free(struct json_writer **w)
{
	if (*w == NULL)
		return;
	free((*w)->text);
	free(*w);
	*w = NULL;
}

void
json_wipe(struct json_writer **w)
{
	if (*w != NULL && (*w)->text != NULL)
		explicit_bzero((*w)->text, (*w)->size);
	json_free(w);
}

size_t
json_size(const struct json_writer *w)
{
	return w->len;
}

void
json_reset(struct json_writer *w)
{
	w->len = 0;
	w->bad = false;
	w->depth = 0;
	w->any[0] = false;
}

static void
put(struct json_writer *w, const char *s, size_t n)
{
	if (w->bad || n >= w->limit || w->len > w->limit - n - 1) {
		w->bad = true;
		return;
	}
	if (w->len + n + 1 > w->size) {
		size_t size = w->size == 0 ? 1024 : w->size * 2;

		while (size < w->len + n + 1)
			size *= 2;
		w->text = mem_reallocarray(w->text, size, 1);
		w->size = size;
	}
	memcpy(w->text + w->len, s, n);
	w->len += n;
	w->text[w->len] = '\0';
}

static void
put_quoted(struct json_writer *w, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t plain = 0;

	put(w, "\"", 1);
	for (size_t i = 0; i < len;) {
		char escape[8];
		size_t n;

		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
			i++;
			continue;
		}
		n = utf8_sequence(p + i, len - i);

		if (n > 0 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f) {
			i += n;
			continue;
		}
		put(w, s + plain, i - plain);
		if (n == 0)
			put(w, "\xef\xbf\xbd", 3);
		else {
			int m = p[i] == '"' || p[i] == '\\'
				    ? snprintf(escape, sizeof(escape), "\\%c", p[i])
				    : snprintf(escape, sizeof(escape), "\\u%04x", p[i]);

			put(w, escape, (size_t)m);
		}
		plain = ++i;
	}
	put(w, s + plain, len - plain);
	put(w, "\"", 1);
}

/* Comma and key before a value. A key belongs in an object and nowhere else. */
static void
lead(struct json_writer *w, const char *key)
{
	bool in_object = w->depth > 0 && w->close[w->depth] == '}';

	if (in_object != (key != NULL) || (w->depth == 0 && w->any[0]))
		w->bad = true;
	if (w->any[w->depth])
		put(w, ",", 1);
	w->any[w->depth] = true;
	if (key != NULL) {
		put_quoted(w, key, strlen(key));
		put(w, ":", 1);
	}
}

static void
nest(struct json_writer *w, const char *key, char open, char close)
{
	lead(w, key);
	put(w, &open, 1);
	if (w->depth == DEPTH_MAX) {
		w->bad = true;
		return;
	}
	w->depth++;
	w->any[w->depth] = false;
	w->close[w->depth] = close;
}

static void
unnest(struct json_writer *w, char close)
{
	if (w->depth == 0 || w->close[w->depth] != close) {
		w->bad = true;
		return;
	}
	w->depth--;
	put(w, &close, 1);
}

void
json_object(struct json_writer *w, const char *key)
{
	nest(w, key, '{', '}');
}

void
json_object_end(struct json_writer *w)
{
	unnest(w, '}');
}

void
json_array(struct json_writer *w, const char *key)
{
	nest(w, key, '[', ']');
}

void
json_array_end(struct json_writer *w)
{
	unnest(w, ']');
}

void
json_string_n(struct json_writer *w, const char *key, const char *s, size_t len)
{
	lead(w, key);
	if (s == NULL)
		put(w, "null", 4);
	else
		put_quoted(w, s, len);
}

void
json_string(struct json_writer *w, const char *key, const char *s)
{
	json_string_n(w, key, s, s == NULL ? 0 : strlen(s));
}

#define DIGITS_MAX 20 /* of a uint64_t */

/* The digits of v, at least so many, written up to end; where they begin. Most of a table is numbers, and
 * printf takes several times as long. */
static char *
digits(char *end, uint64_t v, unsigned at_least)
{
	char *p = end;

	for (; v > 0 || end - p < (ptrdiff_t)at_least; v /= 10)
		*--p = (char)('0' + v % 10);
	return p;
}

void
json_int(struct json_writer *w, const char *key, int64_t v)
{
	char b[DIGITS_MAX + 1], *end = b + sizeof(b);
	/* the most negative value has no positive twin */
	char *p = digits(end, v < 0 ? -(uint64_t)v : (uint64_t)v, 1);

	if (v < 0)
		*--p = '-';
	lead(w, key);
	put(w, p, (size_t)(end - p));
}

void
json_uint(struct json_writer *w, const char *key, uint64_t v)
{
	char b[DIGITS_MAX], *end = b + sizeof(b), *p = digits(end, v, 1);

	lead(w, key);
	put(w, p, (size_t)(end - p));
}

void
json_double(struct json_writer *w, const char *key, double v)
{
	char b[32];

	lead(w, key);
	if (isfinite(v))
		put(w, b, (size_t)snprintf(b, sizeof(b), "%.17g", v));
	else
		put(w, "null", 4);
}

void
json_time_ns(struct json_writer *w, const char *key, int64_t ns)
{
	char b[DIGITS_MAX + 2], *end = b + sizeof(b);
	uint64_t us = (ns < 0 ? -(uint64_t)ns : (uint64_t)ns) / 1000;
	char *p = digits(end, us % 1000000, 6);

	*--p = '.';
	p = digits(p, us / 1000000, 1);
	if (ns < 0)
		*--p = '-';
	lead(w, key);
	put(w, p, (size_t)(end - p));
}

void
json_bool(struct json_writer *w, const char *key, bool v)
{
	lead(w, key);
	if (v)
		put(w, "true", 4);
	else
		put(w, "false", 5);
}

void
json_null(struct json_writer *w, const char *key)
{
	lead(w, key);
	put(w, "null", 4);
}

void
json_raw(struct json_writer *w, const char *key, const char *text, size_t len)
{
	lead(w, key);
	put(w, text, len);
}

const char *
json_text(const struct json_writer *w, size_t *len)
{
	if (w->bad || w->depth != 0 || w->text == NULL || w->len == 0)
		return NULL;
	if (len != NULL)
		*len = w->len;
	return w->text;
}
