#include "dn.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "link.h"

#define PARTS_MAX 64u /* of a name: more is none of ours */

/* RFC 4514 section 3: whoever reads a name knows these. */
static const struct {
	const char *oid, *name;
} types[] = {
	{ "2.5.4.3", "cn" },
	{ "2.5.4.7", "l" },
	{ "2.5.4.8", "st" },
	{ "2.5.4.10", "o" },
	{ "2.5.4.11", "ou" },
	{ "2.5.4.6", "c" },
	{ "2.5.4.9", "street" },
	{ "0.9.2342.19200300.100.1.25", "dc" },
	{ "0.9.2342.19200300.100.1.1", "uid" },
};

/* "type=value" of a component, and which component. */
struct part {
	unsigned component;
	char *text;
};

struct parts {
	struct part part[PARTS_MAX];
	size_t n;
	bool too_many;
};

static unsigned char
folded(unsigned char c)
{
	return isascii(c) ? (unsigned char)tolower(c) : c;
}

static char *
escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = hex[c >> 4];
	*out++ = hex[c & 15];
	return out;
}

/* Returns where it ends, without an end. */
static char *
append(char *out, const char *text)
{
	while (*text != '\0')
		*out++ = *text++;
	return out;
}

/* Into out, which has room for 3 * len + 1: what separates parts is escaped, spaces at the ends are left out,
 * several between words are one. */
static char *
fold(const char *value, size_t len, char *out)
{
	bool space = false;

	while (len > 0 && value[len - 1] == ' ')
		len--;
	for (size_t i = 0, begun = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == ' ') {
			space = begun > 0;
			continue;
		}
		if (space)
			*out++ = ' ';
		space = false;
		begun = 1;
		if (c < 0x20 || c == 0x7f || strchr(",+\\=", c) != NULL)
			out = escape(out, c);
		else
			*out++ = (char)folded(c);
	}
	*out = '\0';
	return out;
}

char *
dn_value(const char *value)
{
	size_t len = strlen(value);
	char *out = mem_calloc(3 * len + 1, 1);

	(void)fold(value, len, out);
	return out;
}

static bool
take_part(void *ctx, const struct link_dn_part *from)
{
	struct parts *p = ctx;
	const char *name = NULL;
	struct part *to;
	char *at;

	if (p->n == PARTS_MAX) {
		p->too_many = true;
		return false;
	}
	to = &p->part[p->n++];
	for (size_t i = 0; i < ARRAY_LEN(types) && name == NULL; i++)
		if (strlen(types[i].oid) == from->type_len &&
		    memcmp(types[i].oid, from->type, from->type_len) == 0)
			name = types[i].name;
	to->component = from->component;
	to->text = at = mem_calloc(from->type_len + 32 + 3 * from->value_len, 1);
	for (size_t i = 0; name == NULL && i < from->type_len; i++)
		*at++ = (char)folded((unsigned char)from->type[i]);
	if (name != NULL)
		at = append(at, name);
	*at++ = '=';
	(void)fold(from->value, from->value_len, at);
	return true;
}

/* The order of the parts of one component says nothing (RFC 4512 section 2.3.1). */
static int
by_component(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->component != y->component)
		return x->component < y->component ? -1 : 1;
	return strcmp(x->text, y->text);
}

static void
free_parts(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->part[i].text);
}

static char *
join(const struct parts *p)
{
	size_t len = 1;
	char *out, *at;

	for (size_t i = 0; i < p->n; i++)
		len += strlen(p->part[i].text) + 1;
	out = at = mem_calloc(len, 1);
	for (size_t i = 0; i < p->n; i++) {
		if (i > 0)
			*at++ = p->part[i].component == p->part[i - 1].component ? '+' : ',';
		at = append(at, p->part[i].text);
	}
	return out;
}

char *
dn_normal(const char *dn)
{
	struct parts p = { .n = 0 };
	char *out = NULL;

	if (link_dn_parts(dn, take_part, &p) && !p.too_many) {
		qsort(p.part, p.n, sizeof(p.part[0]), by_component);
		out = join(&p);
	}
	free_parts(&p);
	return out;
}

static bool
take_value(void *ctx, const struct link_dn_part *from)
{
	char **out = ctx;

	*out = mem_calloc(3 * from->value_len + 1, 1);
	(void)fold(from->value, from->value_len, *out);
	return false;
}

char *
dn_first(const char *dn)
{
	char *out = NULL;

	(void)link_dn_parts(dn, take_value, &out);
	return out;
}
