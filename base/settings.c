#include "base/settings.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct row {
	const char *key;
	enum settings_kind kind;
	enum settings_unit unit;
	size_t offset; /* of the field; of a list: of its n */
	size_t items, size, item_offset;
	int64_t min, max, def;
	const char *def_text;
	const char *help;
};

static const struct row rows[] = {
#define NUMBER(k, u, f, lo, hi, d, h)                                                                        \
	{ .key = k,                                                                                          \
	  .kind = SETTINGS_NUMBER,                                                                           \
	  .unit = u,                                                                                         \
	  .offset = offsetof(struct settings, f),                                                            \
	  .min = lo,                                                                                         \
	  .max = hi,                                                                                         \
	  .def = d,                                                                                          \
	  .help = h },
#define FLAG(k, f, d, h)                                                                                     \
	{ .key = k, .kind = SETTINGS_FLAG, .offset = offsetof(struct settings, f), .def = d, .help = h },
#define TEXT(k, f, n, d, h)                                                                                  \
	{ .key = k,                                                                                          \
	  .kind = SETTINGS_TEXT,                                                                             \
	  .offset = offsetof(struct settings, f),                                                            \
	  .size = n,                                                                                         \
	  .def_text = d,                                                                                     \
	  .help = h },
#define LIST(k, f, count, n_, h)                                                                             \
	{ .key = k,                                                                                          \
	  .kind = SETTINGS_LIST,                                                                             \
	  .offset = offsetof(struct settings, f.n),                                                          \
	  .items = count,                                                                                    \
	  .size = n_,                                                                                        \
	  .item_offset = offsetof(struct settings, f.item),                                                  \
	  .help = h },
#include "base/settings.def"
#undef NUMBER
#undef FLAG
#undef TEXT
#undef LIST
};

static const struct {
	const char *text;
	enum settings_unit unit;
	int64_t factor;
} suffixes[] = {
	{ "ms", UNIT_TIME, 1 },
	{ "s", UNIT_TIME, 1000 },
	{ "min", UNIT_TIME, 60000 },
	{ "h", UNIT_TIME, 3600000 },
	{ "d", UNIT_TIME, 86400000 },
	{ "KiB", UNIT_BYTES, INT64_C(1) << 10 },
	{ "MiB", UNIT_BYTES, INT64_C(1) << 20 },
	{ "GiB", UNIT_BYTES, INT64_C(1) << 30 },
	{ "TiB", UNIT_BYTES, INT64_C(1) << 40 },
	{ "B", UNIT_BYTES, 1 },
};

static const struct row *
find(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	return NULL;
}

static void *
field(struct settings *s, size_t offset)
{
	return (char *)s + offset;
}

void
settings_default(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		switch (r->kind) {
		case SETTINGS_NUMBER:
			memcpy(field(s, r->offset), &r->def, sizeof(r->def));
			break;
		case SETTINGS_FLAG:
			*(bool *)field(s, r->offset) = r->def != 0;
			break;
		case SETTINGS_TEXT:
			str_copy(field(s, r->offset), r->size, r->def_text);
			break;
		case SETTINGS_LIST:
			break;
		}
	}
}

/* Writes v with the largest unit that divides it: "32 MiB", "5 min". */
static const char *
show_number(const struct row *r, int64_t v, char *out, size_t size)
{
	const char *best = "";
	int64_t factor = 1;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (suffixes[i].unit != r->unit || v == 0 || v % suffixes[i].factor != 0 ||
		    suffixes[i].factor < factor)
			continue;
		factor = suffixes[i].factor;
		best = suffixes[i].text;
	}
	if (r->unit == UNIT_TIME && *best == '\0')
		best = "ms";
	(void)snprintf(out, size, "%" PRId64 "%s%s", v / factor, *best != '\0' ? " " : "", best);
	return out;
}

enum number_verdict
settings_number(const char *value, enum settings_unit unit, int64_t *v)
{
	int64_t factor = 1;
	char *end;

	errno = 0;
	*v = strtoll(value, &end, 10);
	if (end == value || errno != 0)
		return NUMBER_NONE;
	while (*end == ' ')
		end++;
	if (*end != '\0') {
		size_t i = 0;

		while (i < ARRAY_LEN(suffixes) &&
		       (suffixes[i].unit != unit || strcmp(suffixes[i].text, end) != 0))
			i++;
		if (i == ARRAY_LEN(suffixes))
			return NUMBER_STRANGE_UNIT;
		factor = suffixes[i].factor;
	} else if (unit == UNIT_TIME && *v != 0)
		return NUMBER_NO_UNIT;
	return __builtin_mul_overflow(*v, factor, v) ? NUMBER_TOO_LARGE : NUMBER_GOOD;
}

const char *
settings_units(enum settings_unit unit)
{
	return unit == UNIT_TIME    ? "ms, s, min, h, d"
	       : unit == UNIT_BYTES ? "KiB, MiB, GiB, TiB"
				    : "it takes none";
}

static bool
set_number(const struct row *r, struct settings *s, const char *value, char *err, size_t errsize)
{
	char limit[48];
	int64_t v;

	switch (settings_number(value, r->unit, &v)) {
	case NUMBER_NONE:
		(void)snprintf(err, errsize, "%s: \"%s\" is not a number", r->key, value);
		return false;
	case NUMBER_STRANGE_UNIT:
		(void)snprintf(err, errsize, "%s: \"%s\" has no unit that is known here (%s)", r->key, value,
			       settings_units(r->unit));
		return false;
	case NUMBER_NO_UNIT:
		(void)snprintf(err, errsize, "%s: %s has no unit: write ms, s, min, h or d behind it", r->key,
			       value);
		return false;
	case NUMBER_TOO_LARGE:
		v = INT64_MAX;
		break;
	case NUMBER_GOOD:
		break;
	}
	if (v > r->max) {
		(void)snprintf(err, errsize, "%s: %s is above the most, %s", r->key, value,
			       show_number(r, r->max, limit, sizeof(limit)));
		return false;
	}
	if (v < r->min) {
		(void)snprintf(err, errsize, "%s: %s is below the least, %s", r->key, value,
			       show_number(r, r->min, limit, sizeof(limit)));
		return false;
	}
	memcpy(field(s, r->offset), &v, sizeof(v));
	return true;
}

static bool
set_flag(const struct row *r, struct settings *s, const char *value, char *err, size_t errsize)
{
	static const char *const yes[] = { "yes", "true", "on" }, *const no[] = { "no", "false", "off" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*(bool *)field(s, r->offset) = strcmp(value, yes[i]) == 0;
			return true;
		}
	}
	(void)snprintf(err, errsize, "%s: \"%s\" is neither yes nor no", r->key, value);
	return false;
}

static bool
copy_text(const struct row *r, void *dst, const char *value, char *err, size_t errsize)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			(void)snprintf(err, errsize, "%s: holds a control character", r->key);
			return false;
		}
	}
	if (strlen(value) >= r->size) {
		(void)snprintf(err, errsize, "%s: longer than %zu bytes", r->key, r->size - 1);
		return false;
	}
	return str_copy(dst, r->size, value);
}

static bool
append_item(const struct row *r, struct settings *s, const char *value, char *err, size_t errsize)
{
	uint32_t *n = field(s, r->offset);
	char *items = field(s, r->item_offset);

	if (*value == '\0') {
		(void)snprintf(err, errsize, "%s: an item is empty", r->key);
		return false;
	}
	for (uint32_t i = 0; i < *n; i++) {
		if (strcmp(items + i * r->size, value) == 0) {
			(void)snprintf(err, errsize, "%s: \"%s\" is there twice", r->key, value);
			return false;
		}
	}
	if (*n == r->items) {
		(void)snprintf(err, errsize, "%s: more than %zu items", r->key, r->items);
		return false;
	}
	if (!copy_text(r, items + *n * r->size, value, err, errsize))
		return false;
	(*n)++;
	return true;
}

bool
settings_set(struct settings *s, const char *key, const char *value, char *err, size_t errsize)
{
	const struct row *r = find(key);

	if (r == NULL) {
		(void)snprintf(err, errsize, "%s: no such key", key);
		return false;
	}
	switch (r->kind) {
	case SETTINGS_NUMBER:
		return set_number(r, s, value, err, errsize);
	case SETTINGS_FLAG:
		return set_flag(r, s, value, err, errsize);
	case SETTINGS_TEXT:
		return copy_text(r, field(s, r->offset), value, err, errsize);
	case SETTINGS_LIST:
		return append_item(r, s, value, err, errsize);
	}
	return false;
}

/* Levenshtein distance of two short keys; longer ones are far from everything. */
static size_t
distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), line[65];

	if (la > 64 || lb > 64)
		return 64;
	for (size_t j = 0; j <= lb; j++)
		line[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = line[0];

		line[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t least = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = line[j];
			if (line[j] + 1 < least)
				least = line[j] + 1;
			if (line[j - 1] + 1 < least)
				least = line[j - 1] + 1;
			line[j] = least;
		}
	}
	return line[lb];
}

bool
settings_known(const char *key, char *near, size_t nearsize)
{
	size_t best = 5;

	if (find(key) != NULL)
		return true;
	str_copy(near, nearsize, "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t d = distance(key, rows[i].key);

		if (d < best) {
			best = d;
			str_copy(near, nearsize, rows[i].key);
		}
	}
	return false;
}

bool
settings_is_list(const char *key)
{
	const struct row *r = find(key);

	return r != NULL && r->kind == SETTINGS_LIST;
}

void
settings_clear_list(struct settings *s, const char *key)
{
	const struct row *r = find(key);

	if (r != NULL && r->kind == SETTINGS_LIST)
		*(uint32_t *)field(s, r->offset) = 0;
}

const char *
settings_key(size_t i)
{
	return i < ARRAY_LEN(rows) ? rows[i].key : NULL;
}

/* Of "oidc.2.name" the place of the provider, from 0; OIDC_PROVIDERS_MAX: it is no such row. */
static size_t
provider_of(const struct row *r)
{
	static const char prefix[] = "oidc.";

	return strncmp(r->key, prefix, sizeof(prefix) - 1) == 0 ? (size_t)(r->key[sizeof(prefix) - 1] - '1')
								: OIDC_PROVIDERS_MAX;
}

bool
settings_row_is_spare(const struct settings *s, size_t i)
{
	size_t place = provider_of(&rows[i]);

	return place < OIDC_PROVIDERS_MAX && s->oidc[place].name[0] == '\0';
}

bool
provider_has_login(const struct provider_settings *p, const char *login)
{
	const char *at = strrchr(login, '@');

	for (uint32_t i = 0; at != NULL && at != login && i < p->domains.n; i++)
		if (strcasecmp(at + 1, p->domains.item[i]) == 0)
			return true;
	return false;
}

struct settings_row
settings_row(size_t i)
{
	const struct row *r = &rows[i];

	return (struct settings_row){ r->key, r->help, r->kind, r->unit, r->min, r->max };
}

#define NUMBER(key, unit, field, min, max, def, help)
#define FLAG(key, field, def, help)
#define TEXT(key, field, size, def, help)   static_assert((size) <= SETTINGS_VALUE_MAX, key);
#define LIST(key, field, items, size, help) static_assert((items) * (size) <= SETTINGS_VALUE_MAX, key);
#include "base/settings.def"
#undef NUMBER
#undef FLAG
#undef TEXT
#undef LIST

static size_t
list_value(const struct row *r, const char *base, char *out)
{
	uint32_t n;
	size_t len = 0;

	memcpy(&n, base + r->offset, sizeof(n));
	for (uint32_t i = 0; i < n && i < r->items; i++) {
		const char *item = base + r->item_offset + i * r->size;
		size_t k = strnlen(item, r->size - 1);

		memcpy(out + len, item, k);
		len += k;
		out[len++] = '\n'; /* no item holds one */
	}
	return len;
}

size_t
settings_value(const struct settings *s, size_t i, char out[static SETTINGS_VALUE_MAX])
{
	const struct row *r = &rows[i];
	const char *base = (const char *)s;
	size_t n = 0;
	int64_t v;

	switch (r->kind) {
	case SETTINGS_NUMBER:
		memcpy(&v, base + r->offset, sizeof(v));
		n = (size_t)snprintf(out, SETTINGS_VALUE_MAX, "%" PRId64, v);
		break;
	case SETTINGS_FLAG:
		n = (size_t)snprintf(out, SETTINGS_VALUE_MAX, "%s",
				     *(const bool *)(base + r->offset) ? "yes" : "no");
		break;
	case SETTINGS_TEXT:
		n = strnlen(base + r->offset, r->size);
		memcpy(out, base + r->offset, n);
		break;
	case SETTINGS_LIST:
		n = list_value(r, base, out);
		break;
	}
	return n;
}

/* A key as it is told of: all providers have the rows of the first. False: it is one of the others. */
static bool
shown_key(const struct row *r, char *key, size_t size)
{
	size_t place = provider_of(r);

	if (place > 0 && place < OIDC_PROVIDERS_MAX)
		return false;
	(void)snprintf(key, size, "%s%s", place == 0 ? "oidc[]." : "",
		       place == 0 ? r->key + sizeof("oidc.1.") - 1 : r->key);
	return true;
}

void
settings_print_markdown(FILE *f)
{
	char a[48], b[48], c[48];

	fputs("# Configuration\n\n"
	      "One YAML file, /etc/weir/weir.yaml (or `weir run -c FILE`). `weir check-config` names file, "
	      "line and key of each mistake.\n"
	      "A key `engine.workers` is written as `workers` below `engine:`; those of `oidc[]` below a "
	      "dash each "
	      "provider, at most 4. Printed by `weir config-doc` from base/settings.def.\n\n"
	      "| key | takes | default | meaning |\n|---|---|---|---|\n",
	      f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		char key[64];

		if (!shown_key(r, key, sizeof(key)))
			continue;
		switch (r->kind) {
		case SETTINGS_NUMBER:
			fprintf(f, "| `%s` | %s to %s | %s | %s |\n", key,
				show_number(r, r->min, a, sizeof(a)), show_number(r, r->max, b, sizeof(b)),
				show_number(r, r->def, c, sizeof(c)), r->help);
			break;
		case SETTINGS_FLAG:
			fprintf(f, "| `%s` | yes or no | %s | %s |\n", key, r->def ? "yes" : "no", r->help);
			break;
		case SETTINGS_TEXT:
			fprintf(f, "| `%s` | text, at most %zu bytes | %s%s%s | %s |\n", key, r->size - 1,
				*r->def_text ? "`" : "", *r->def_text ? r->def_text : "none",
				*r->def_text ? "`" : "", r->help);
			break;
		case SETTINGS_LIST:
			fprintf(f, "| `%s` | list, at most %zu items | none | %s |\n", key, r->items,
				r->help);
			break;
		}
	}
}

/* What a line of mdoc would take for its own: a leading dot or quote, and backslashes. */
static void
put_mdoc(FILE *f, const char *text)
{
	if (text[0] == '.' || text[0] == '\'')
		fputs("\\&", f);
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\e", f);
		else if (text[0] == '.' && text[1] == ' ' && text[2] != '.' && text[2] != '\0') {
			fputs(".\n", f); /* a sentence begins a line */
			text++;
		} else
			fputc(*text, f);
	}
	fputc('\n', f);
}

void
settings_print_mdoc(FILE *f)
{
	char a[48], b[48], c[48];

	fputs(".Bl -tag -width Ds\n", f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		char key[64];

		if (!shown_key(r, key, sizeof(key)))
			continue;
		fprintf(f, ".It Ic %s\n", key);
		put_mdoc(f, r->help);
		fputs(".br\n", f);
		switch (r->kind) {
		case SETTINGS_NUMBER:
			fprintf(f, "%s to %s; default %s\n", show_number(r, r->min, a, sizeof(a)),
				show_number(r, r->max, b, sizeof(b)), show_number(r, r->def, c, sizeof(c)));
			break;
		case SETTINGS_FLAG:
			fprintf(f, "yes or no; default %s\n", r->def ? "yes" : "no");
			break;
		case SETTINGS_TEXT:
			fprintf(f, "Text, at most %zu bytes; default %s\n", r->size - 1,
				*r->def_text ? r->def_text : "none");
			break;
		case SETTINGS_LIST:
			fprintf(f, "A list, at most %zu items; default none\n", r->items);
			break;
		}
	}
	fputs(".El\n", f);
}
