#include "fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "utf8.h"

static void __attribute__((format(printf, 4, 0)))
set_fault(const struct fields *f, const char *key, const char *index, const char *format, va_list ap)
{
	struct fault *fault = f->fault;

	if (fault->set)
		return;
	fault->set = true;
	/* A path that is longer than this is cut. */
	(void)snprintf(fault->field, sizeof(fault->field), "%.80s%s%.48s%.24s", f->path,
		       f->path[0] == '\0' || key[0] == '\0' ? "" : ".", key, index);
	(void)vsnprintf(fault->detail, sizeof(fault->detail), format, ap);
}

void
fields_wrong(const struct fields *f, const char *key, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_fault(f, key, "", format, ap);
	va_end(ap);
}

void
fields_wrong_at(const struct fields *f, const char *key, size_t i, const char *format, ...)
{
	char index[32];
	va_list ap;

	(void)snprintf(index, sizeof(index), "[%zu]", i);
	va_start(ap, format);
	set_fault(f, key, index, format, ap);
	va_end(ap);
}

struct fields
fields_top(const struct json_doc *d, struct fault *fault)
{
	return (struct fields){ json_root(d), fault, "" };
}

/* The member; one that is missing is a fault where it must be there. */
static const struct json_node *
member(const struct fields *f, const char *key, enum presence p)
{
	const struct json_node *n = json_node_member(f->node, key);

	if (n == NULL && p == REQUIRED)
		fields_wrong(f, key, "It is missing.");
	return n;
}

bool
fields_has(const struct fields *f, const char *key)
{
	return json_node_member(f->node, key) != NULL;
}

bool
fields_object(const struct fields *f, const char *key, enum presence p, struct fields *out)
{
	const struct json_node *n = member(f, key, p);

	*out = (struct fields){ NULL, f->fault, "" };
	(void)snprintf(out->path, sizeof(out->path), "%.*s%s%s", (int)(sizeof(out->path) / 2), f->path,
		       f->path[0] == '\0' ? "" : ".", key);
	if (n == NULL)
		return false;
	if (json_node_kind(n) != JSON_KIND_OBJECT) {
		fields_wrong(f, key, "It must be an object.");
		return false;
	}
	out->node = n;
	return true;
}

struct fields
fields_element(const struct fields *f, const char *key, const struct json_node *list, size_t i)
{
	const struct json_node *n = json_node_at(list, i);
	struct fields e = { NULL, f->fault, "" };

	(void)snprintf(e.path, sizeof(e.path), "%.*s%s%.40s[%zu]", (int)(sizeof(e.path) / 2), f->path,
		       f->path[0] == '\0' ? "" : ".", key, i);
	if (json_node_kind(n) == JSON_KIND_OBJECT)
		e.node = n;
	else
		fields_wrong_at(f, key, i, "It must be an object.");
	return e;
}

void
fields_only(const struct fields *f, const char *const *known, size_t nknown)
{
	const char *stranger = json_node_stranger(f->node, known, nknown);
	char name[64];

	if (f->node == NULL || stranger == NULL)
		return;
	/* It is a stranger's text: only as much of it as can be shown. */
	(void)snprintf(name, sizeof(name), "%.60s", stranger);
	for (char *p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '?';
	fields_wrong(f, name, "There is no such member here.");
}

bool
field_text(const struct fields *f, const char *key, enum presence p, text_judge *judge, char *out,
	   size_t size)
{
	const struct json_node *n = member(f, key, p);
	const char *text = json_node_text(n), *wrong;

	out[0] = '\0';
	if (n == NULL)
		return false;
	if (text == NULL) {
		fields_wrong(f, key, "It must be a text.");
		return false;
	}
	if (strlen(text) >= size) {
		fields_wrong(f, key, "It is longer than %zu bytes.", size - 1);
		return false;
	}
	wrong = judge(text);
	if (wrong != NULL) {
		fields_wrong(f, key, "%s", wrong);
		return false;
	}
	return str_copy(out, size, text);
}

bool
field_int(const struct fields *f, const char *key, enum presence p, int64_t min, int64_t max, int64_t *out)
{
	const struct json_node *n = member(f, key, p);

	if (n == NULL)
		return false;
	if (!json_node_int(n, out) || *out < min || *out > max) {
		fields_wrong(f, key, "It must be a whole number from %lld to %lld.", (long long)min,
			     (long long)max);
		return false;
	}
	return true;
}

bool
field_flag(const struct fields *f, const char *key, bool *out)
{
	const struct json_node *n = member(f, key, OPTIONAL);

	if (n == NULL)
		return false;
	if (!json_node_bool(n, out)) {
		fields_wrong(f, key, "It must be true or false.");
		return false;
	}
	return true;
}

#define LAST_S 9223372036.0 /* what 64 bits of nanoseconds hold */

bool
field_time(const struct fields *f, const char *key, int64_t *ns)
{
	const struct json_node *n = member(f, key, OPTIONAL);
	double seconds;

	if (n == NULL || json_node_kind(n) == JSON_KIND_NULL)
		return false;
	if (!json_node_number(n, &seconds) || !(seconds >= 0 && seconds < LAST_S)) {
		fields_wrong(f, key, "It must be a time: seconds since 1970, before the year 2262.");
		return false;
	}
	*ns =
	    (int64_t)seconds * NS_PER_S + (int64_t)((seconds - (double)(int64_t)seconds) * (double)NS_PER_S);
	return true;
}

bool
field_list(const struct fields *f, const char *key, enum presence p, size_t max,
	   const struct json_node **list)
{
	*list = member(f, key, p);
	if (*list == NULL)
		return false;
	if (json_node_kind(*list) != JSON_KIND_ARRAY) {
		fields_wrong(f, key, "It must be a list.");
		*list = NULL;
		return false;
	}
	if (json_node_count(*list) > max) {
		fields_wrong(f, key, "It has more than %zu entries.", max);
		*list = NULL;
		return false;
	}
	return true;
}

const char *
element_text(const struct fields *f, const char *key, const struct json_node *list, size_t i, size_t size,
	     text_judge *judge)
{
	const char *text = json_node_text(json_node_at(list, i)), *wrong;

	if (text == NULL) {
		fields_wrong_at(f, key, i, "It must be a text.");
		return NULL;
	}
	if (strlen(text) >= size) {
		fields_wrong_at(f, key, i, "It is longer than %zu bytes.", size - 1);
		return NULL;
	}
	wrong = judge(text);
	if (wrong != NULL) {
		fields_wrong_at(f, key, i, "%s", wrong);
		return NULL;
	}
	return text;
}

bool
element_prefix(const struct fields *f, const char *key, const struct json_node *list, size_t i,
	       struct ip_prefix *out)
{
	const char *text = element_text(f, key, list, i, PREFIX_TEXT_MAX, any_text);

	if (text == NULL)
		return false;
	if (prefix_parse(text, out))
		return true;
	fields_wrong_at(f, key, i, "It is no network: write it as 192.0.2.0/24 or 2001:db8::/32.");
	return false;
}

/* --- judges --- */

const char *
any_text(const char *text)
{
	(void)text;
	return NULL;
}

/* Control characters, and what could make a text look like another. */
static bool
is_printable(const char *text)
{
	while (*text != '\0') {
		uint32_t c = utf8_next(&text);

		if (c == UTF8_BAD || c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2060 && c <= 0x206f) || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
			return false;
	}
	return true;
}

const char *
title_judge(const char *text)
{
	return is_printable(text) ? NULL : "It has a character that cannot be printed.";
}

const char *
interface_judge(const char *text)
{
	if (text[0] == '\0')
		return "It is empty.";
	return title_judge(text);
}

const char *
tenant_name_judge(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (text[0] == '\0')
		return "It is empty.";
	if (strchr(letters, text[0]) == NULL ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] != '\0')
		return "It may have letters, digits, and . _ - after the first.";
	return NULL;
}
