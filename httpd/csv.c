#include "csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define PATH_LEN  128
#define DEPTH_MAX 16

/* A value as it stands in the row's JSON. */
struct slice {
	const char *at;
	size_t len;
};

struct csv {
	char *names; /* of all columns, each terminated */
	size_t n;
	struct {
		const char *path;
		size_t len;
		struct slice value;
	} column[CSV_COLUMNS_MAX];
	size_t next; /* where the next member is looked for first: rows have one order */
	struct text scratch;
	/* the row */
	const char *at, *end;
	char path[PATH_LEN];
};

/* --- columns
 * ------------------------------------------------------------------------------------------------------ */

struct csv *
csv_new(const char *columns)
{
	struct csv *c = mem_calloc(1, sizeof(*c));
	size_t size = strlen(columns) + 1;

	c->names = mem_calloc(size, 1);
	memcpy(c->names, columns, size);
	for (char *at = c->names; *at != '\0';) {
		size_t len = strcspn(at, " ");
		char *behind = at + len + strspn(at + len, " ");

		if (c->n == CSV_COLUMNS_MAX || len == 0)
			fatalx("a table has no columns, or too many");
		c->column[c->n].path = at;
		c->column[c->n++].len = len;
		at[len] = '\0';
		at = behind;
	}
	return c;
}

void
csv_free(struct csv **c)
{
	if (*c == NULL)
		return;
	text_free(&(*c)->scratch);
	free((*c)->names);
	free(*c);
	*c = NULL;
}

/* The column of a path; NULL: none has it. */
static struct slice *
column_of(struct csv *c, size_t path_len)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t k = (c->next + i) % c->n;

		if (c->column[k].len != path_len || memcmp(c->column[k].path, c->path, path_len) != 0)
			continue;
		c->next = k + 1;
		return &c->column[k].value;
	}
	return NULL;
}

/* --- the row's JSON
 * ------------------------------------------------------------------------------------------------ */

static void
skip_spaces(struct csv *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
		c->at++;
}

static bool
take(struct csv *c, char sign)
{
	skip_spaces(c);
	if (c->at == c->end || *c->at != sign)
		return false;
	c->at++;
	return true;
}

/* What is between the quotes, escapes as they stand. */
static bool
take_string(struct csv *c, struct slice *s)
{
	if (!take(c, '"'))
		return false;
	s->at = c->at;
	while (c->at < c->end && *c->at != '"')
		c->at += *c->at == '\\' && c->end - c->at > 1 ? 2 : 1;
	s->len = (size_t)(c->at - s->at);
	return take(c, '"');
}

/* Passes over one value, whatever it is. */
static bool
take_value(struct csv *c, struct slice *s)
{
	struct slice inner;
	unsigned depth = 0;

	skip_spaces(c);
	s->at = c->at;
	do {
		skip_spaces(c);
		if (c->at == c->end)
			return false;
		if (*c->at == '"') {
			if (!take_string(c, &inner))
				return false;
		} else if (*c->at == '{' || *c->at == '[') {
			depth++;
			c->at++;
		} else if (*c->at == '}' || *c->at == ']') {
			if (depth == 0)
				return false;
			depth--;
			c->at++;
		} else if (depth > 0 && (*c->at == ',' || *c->at == ':')) {
			c->at++;
		} else {
			size_t n = 0;

			while (c->at + n < c->end && strchr(",:{}[]\" \t\r\n", c->at[n]) == NULL)
				n++;
			if (n == 0)
				return false;
			c->at += n;
		}
	} while (depth > 0);
	s->len = (size_t)(c->at - s->at);
	return true;
}

/* Adds a member's name to the path; false where it is too long for any column. */
static bool
extend(struct csv *c, size_t before, const struct slice *name, size_t *len)
{
	size_t dot = before > 0;

	if (before + dot + name->len > sizeof(c->path))
		return false;
	if (dot != 0)
		c->path[before] = '.';
	memcpy(c->path + before + dot, name->at, name->len);
	*len = before + dot + name->len;
	return true;
}

/* Reads a row's members into the columns; objects that have no column themselves are gone into. */
static bool
take_members(struct csv *c)
{
	size_t outer[DEPTH_MAX]; /* lengths of the paths of the objects that are open */
	unsigned depth = 0;
	bool first = true;

	if (!take(c, '{'))
		return false;
	outer[0] = 0;
	for (;;) {
		struct slice name, value, *column = NULL;
		size_t len = 0;
		bool known;

		if (take(c, '}')) {
			if (depth-- == 0)
				return true;
			first = false;
			continue;
		}
		if ((!first && !take(c, ',')) || !take_string(c, &name) || !take(c, ':'))
			return false;
		known = extend(c, outer[depth], &name, &len);
		if (known)
			column = column_of(c, len);
		skip_spaces(c);
		if (column == NULL && known && depth + 1 < DEPTH_MAX && take(c, '{')) {
			outer[++depth] = len;
			first = true;
			continue;
		}
		if (!take_value(c, &value))
			return false;
		if (column != NULL)
			*column = value;
		first = false;
	}
}

/* --- cells
 * -------------------------------------------------------------------------------------------------------- */

static int
hex4(const char *at, const char *end)
{
	int value = 0;

	if (end - at < 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *d = at[i] == '\0' ? NULL : strchr(digits, at[i]);

		if (d == NULL)
			return -1;
		value = value << 4 | (int)((d - digits) & 15);
	}
	return value;
}

static void
add_code(struct text *t, unsigned code)
{
	char b[4];

	if (code == 0 || (code >= 0xd800 && code < 0xe000))
		code = 0xfffd;
	if (code < 0x80) {
		b[0] = (char)code;
		text_add(t, b, 1);
	} else if (code < 0x800) {
		b[0] = (char)(0xc0 | code >> 6);
		b[1] = (char)(0x80 | (code & 63));
		text_add(t, b, 2);
	} else if (code < 0x10000) {
		b[0] = (char)(0xe0 | code >> 12);
		b[1] = (char)(0x80 | (code >> 6 & 63));
		b[2] = (char)(0x80 | (code & 63));
		text_add(t, b, 3);
	} else {
		b[0] = (char)(0xf0 | code >> 18);
		b[1] = (char)(0x80 | (code >> 12 & 63));
		b[2] = (char)(0x80 | (code >> 6 & 63));
		b[3] = (char)(0x80 | (code & 63));
		text_add(t, b, 4);
	}
}

/* What an escape means, behind its backslash; how many bytes it has. */
static size_t
add_escape(struct text *t, const char *at, const char *end)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *plain = at == end || *at == '\0' ? NULL : strchr(from, *at);
	int code, low;

	if (at == end)
		return 0;
	if (plain != NULL) {
		text_add(t, &to[plain - from], 1);
		return 1;
	}
	if (*at != 'u' || (code = hex4(at + 1, end)) < 0) {
		text_add(t, at, 1);
		return 1;
	}
	low = code >= 0xd800 && code < 0xdc00 && end - at >= 11 && at[5] == '\\' && at[6] == 'u'
		  ? hex4(at + 7, end)
		  : -1;
	if (low >= 0xdc00 && low < 0xe000) {
		add_code(t, 0x10000 + (((unsigned)code - 0xd800) << 10) + ((unsigned)low - 0xdc00));
		return 11;
	}
	add_code(t, (unsigned)code);
	return 5;
}

/* A string's text, without quotes and escapes. */
static void
add_plain(struct text *t, const struct slice *s)
{
	const char *at = s->at + 1, *end = s->at + s->len - 1;

	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));

		text_add(t, at, (size_t)((escape == NULL ? end : escape) - at));
		if (escape == NULL)
			return;
		at = escape + 1;
		at += add_escape(t, at, end);
	}
}

static bool
is_null(const struct slice *s)
{
	return s->len == 4 && memcmp(s->at, "null", 4) == 0;
}

/* A list of plain values as a|b|c; false where it holds anything else. */
static bool
add_list(struct csv *c, struct text *t, const struct slice *list)
{
	const char *at = c->at, *end = c->end;
	size_t before = t->len;
	bool good = true, any = false;
	struct slice s;

	c->at = list->at + 1;
	c->end = list->at + list->len - 1;
	for (skip_spaces(c); good && c->at < c->end; skip_spaces(c)) {
		if (any && !take(c, ','))
			break;
		good = take_value(c, &s) && *s.at != '{' && *s.at != '[';
		if (good && any)
			text_add(t, "|", 1);
		if (good && *s.at == '"')
			add_plain(t, &s);
		else if (good && !is_null(&s))
			text_add(t, s.at, s.len);
		any = true;
	}
	c->at = at;
	c->end = end;
	if (!good)
		t->len = before;
	return good;
}

/* Whether a spreadsheet takes what begins here for a formula: the signs, and those of full width that some
 * take for them. */
static bool
begins_formula(const char *at, size_t left)
{
	static const char wide[][4] = { "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0" };

	if (left > 0 && *at != '\0' && strchr("=+-@\t\r", *at) != NULL)
		return true;
	for (size_t i = 0; left >= 3 && i < ARRAY_LEN(wide); i++)
		if (memcmp(at, wide[i], 3) == 0)
			return true;
	return false;
}

/* What ends a cell, somewhere. */
static bool
ends_cell(char sign)
{
	return sign == ',' || sign == ';' || sign == '"' || sign == '\r' || sign == '\n' || sign == '\t';
}

/* Writes a text as a cell: harmless, and quoted where it has to be. */
static void
put_text(struct text *out, const char *s, size_t len)
{
	bool begins = true, quoted = len > 0 && (s[0] == ' ' || s[len - 1] == ' ');

	for (size_t i = 0; !quoted && i < len; i++)
		quoted = ends_cell(s[i]);
	if (!quoted) {
		if (begins_formula(s, len))
			text_add(out, "'", 1);
		text_add(out, s, len);
		return;
	}
	text_add(out, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		if (begins && begins_formula(s + i, len - i))
			text_add(out, "'", 1);
		text_add(out, s + i, 1);
		if (s[i] == '"')
			text_add(out, "\"", 1);
		/* Where other signs end cells, this could be the beginning of one; spaces in front of it are
		 * passed over by some. */
		begins = ends_cell(s[i]) || (begins && s[i] == ' ');
	}
	text_add(out, "\"", 1);
}

static void
put_cell(struct csv *c, const struct slice *s, struct text *out)
{
	struct text *scratch = &c->scratch;

	if (s->len == 0 || is_null(s))
		return;
	if (*s->at != '"' && *s->at != '[' && *s->at != '{') {
		text_add(out, s->at, s->len);
		return;
	}
	scratch->len = 0;
	if (*s->at == '"')
		add_plain(scratch, s);
	else if (*s->at != '[' || !add_list(c, scratch, s))
		text_add(scratch, s->at, s->len);
	put_text(out, scratch->bytes, scratch->len);
}

void
csv_head(const struct csv *c, struct text *out)
{
	for (size_t i = 0; i < c->n; i++) {
		if (i > 0)
			text_add(out, ",", 1);
		text_add(out, c->column[i].path, c->column[i].len);
	}
	text_add(out, "\r\n", 2);
}

bool
csv_row(struct csv *c, const char *json, size_t len, struct text *out)
{
	for (size_t i = 0; i < c->n; i++)
		c->column[i].value = (struct slice){ 0 };
	c->next = 0;
	c->at = json;
	c->end = json + len;
	if (!take_members(c))
		return false;
	for (size_t i = 0; i < c->n; i++) {
		if (i > 0)
			text_add(out, ",", 1);
		put_cell(c, &c->column[i].value, out);
	}
	text_add(out, "\r\n", 2);
	return true;
}
