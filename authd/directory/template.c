#include "template.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct text {
	char *p;
	size_t n, size;
	bool bad;
};

static void
put(struct text *t, char c)
{
	if (t->n + 1 >= t->size)
		t->bad = true;
	else
		t->p[t->n++] = c;
}

static void
put_hex(struct text *t, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	put(t, '\\');
	put(t, digits[c >> 4]);
	put(t, digits[c & 15]);
}

static bool
is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

static void
put_filter(struct text *t, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (strchr("()*\\", c) != NULL || is_control(c))
			put_hex(t, c);
		else
			put(t, *s);
	}
}

static void
put_dn(struct text *t, const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		bool edge = (c == ' ' && (i == 0 || i == len - 1)) || (c == '#' && i == 0);

		if (is_control(c) || edge || strchr("\"+,;<>\\=", c) != NULL)
			put_hex(t, c);
		else
			put(t, s[i]);
	}
}

static void
put_plain(struct text *t, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		t->bad |= is_control(c) || strchr("()*\\\"+,;<>=# ", c) != NULL;
		put(t, *s);
	}
}

static void
put_value(struct text *t, enum template_kind kind, const char *s)
{
	if (!utf8_valid(s, strlen(s)))
		t->bad = true;
	else if (kind == TEMPLATE_FILTER)
		put_filter(t, s);
	else if (kind == TEMPLATE_DN)
		put_dn(t, s);
	else
		put_plain(t, s);
}

bool
template_expand(const char *text, enum template_kind kind, const char *username, const char *userdn,
		char *out, size_t size)
{
	static const char name[] = "%username%", dn[] = "%userdn%";
	struct text t = { out, 0, size, size == 0 };

	while (*text != '\0' && !t.bad) {
		if (strncmp(text, name, sizeof(name) - 1) == 0) {
			put_value(&t, kind, username);
			text += sizeof(name) - 1;
		} else if (userdn != NULL && strncmp(text, dn, sizeof(dn) - 1) == 0) {
			/* It is a name as a whole, so it can only be compared with. */
			put_value(&t, kind == TEMPLATE_FILTER ? kind : TEMPLATE_PLAIN, userdn);
			text += sizeof(dn) - 1;
		} else if (*text == '%') {
			t.bad = true;
		} else {
			put(&t, *text++);
		}
	}
	if (size > 0)
		out[t.bad ? 0 : t.n] = '\0';
	return !t.bad;
}

bool
template_attribute(const char *filter, char *out, size_t size)
{
	static const char what[] = "=%username%)";
	const char *end = strstr(filter, what);
	size_t len = 0;

	/* RFC 4512 section 2.5: letters, digits and hyphens, with options behind semicolons. */
	while (end != NULL && end - len > filter && strchr("(:<>~", end[-(ptrdiff_t)len - 1]) == NULL)
		len++;
	if (len == 0 || len >= size || end - len == filter || end[-(ptrdiff_t)len - 1] != '(')
		return false;
	memcpy(out, end - len, len);
	out[len] = '\0';
	return true;
}
