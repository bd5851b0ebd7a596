#include "apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/settings.h"
#include "events.h"
#include "ipc/wire.h"
#include "mistakes.h"

#define PATH_TEXT_MAX 192
#define LINES_MAX     262144u /* values of one document: a whole policy has fewer */

enum form {
	FORM_TEXT,
	FORM_COUNT,
	FORM_FLAG,
	FORM_BYTES,
	FORM_SECONDS, /* a time with its unit */
	FORM_TEXTS,   /* lists of them */
	FORM_COUNTS,
	FORM_OBJECT,
	FORM_OBJECTS /* a list of them */
};

/* Which keys there are. A "[]" stands for any element of a list. */
/* clang-format off */
static const struct row {
	const char *key;
	enum form form;
} rows[] = {
	{ "tenants",                                FORM_OBJECTS },
	{ "tenants[].name",                         FORM_TEXT },
	{ "tenants[].title",                        FORM_TEXT },
	{ "tenants[].selectors",                    FORM_OBJECTS },
	{ "tenants[].selectors[].interface",        FORM_TEXT },
	{ "tenants[].selectors[].vlan",             FORM_COUNT },
	{ "tenants[].selectors[].exporter",         FORM_TEXT },
	{ "tenants[].selectors[].exporter_interface", FORM_COUNT },
	{ "tenants[].selectors[].network",          FORM_TEXT },
	{ "tenants[].address_spaces",               FORM_COUNTS },
	{ "tenants[].quotas",                       FORM_OBJECT },
	{ "tenants[].quotas.flows_per_s",           FORM_COUNT },
	{ "tenants[].quotas.stored_bytes",          FORM_BYTES },
	{ "tenants[].quotas.retention",             FORM_SECONDS },
	{ "tenants[].quotas.series",                FORM_COUNT },
	{ "tenants[].quotas.keep_minutes",          FORM_SECONDS },
	{ "tenants[].quotas.keep_five_minutes",     FORM_SECONDS },
	{ "tenants[].quotas.keep_hours",            FORM_SECONDS },
	{ "tenants[].quotas.keep_days",             FORM_SECONDS },
	{ "tenants[].labels",                       FORM_OBJECTS },
	{ "tenants[].labels[].kind",                FORM_TEXT },
	{ "tenants[].labels[].key",                 FORM_TEXT },
	{ "tenants[].labels[].vlan",                FORM_COUNT },
	{ "tenants[].labels[].address_space",       FORM_COUNT },
	{ "tenants[].labels[].label",               FORM_TEXT },
	{ "tenants[].watched",                      FORM_OBJECTS },
	{ "tenants[].watched[].kind",               FORM_TEXT },
	{ "tenants[].watched[].key",                FORM_TEXT },
	{ "tenants[].watched[].vlan",               FORM_COUNT },
	{ "tenants[].watched[].address_space",      FORM_COUNT },
	{ "users",                                  FORM_OBJECTS },
	{ "users[].name",                           FORM_TEXT },
	{ "users[].kind",                           FORM_TEXT },
	{ "users[].title",                          FORM_TEXT },
	{ "users[].disabled",                       FORM_FLAG },
	{ "users[].access",                         FORM_OBJECTS },
	{ "users[].access[].tenant",                FORM_TEXT },
	{ "users[].access[].role",                  FORM_TEXT },
	{ "users[].access[].interfaces",            FORM_TEXTS },
	{ "users[].access[].exporters",             FORM_TEXTS },
	{ "users[].access[].networks",              FORM_TEXTS },
	{ "users[].access[].masked",                FORM_FLAG },
	{ "groups",                                 FORM_OBJECTS },
	{ "groups[].name",                          FORM_TEXT },
	{ "groups[].title",                         FORM_TEXT },
	{ "groups[].members",                       FORM_TEXTS },
	{ "groups[].access",                        FORM_OBJECTS },
	{ "groups[].access[].tenant",               FORM_TEXT },
	{ "groups[].access[].role",                 FORM_TEXT },
	{ "groups[].access[].interfaces",           FORM_TEXTS },
	{ "groups[].access[].exporters",            FORM_TEXTS },
	{ "groups[].access[].networks",             FORM_TEXTS },
	{ "groups[].access[].masked",               FORM_FLAG },
};
/* clang-format on */

/* Where a value stands. */
struct place {
	char *path;
	unsigned line;
};

struct document {
	struct json_writer *json;
	struct place *places;
	size_t n, size;
};

/* A list or mapping that is open. */
struct level {
	bool is_list;
	enum form form;           /* of the elements of a list */
	size_t count;             /* of elements so far */
	size_t first;             /* the first place within */
	char key[PATH_TEXT_MAX];  /* as in rows[] */
	char path[PATH_TEXT_MAX]; /* with the numbers of elements */
};

struct reader {
	struct document *d;
	struct mistakes mistakes;
	struct events *events;
	unsigned depth;
	struct level level[EVENT_DEPTH_MAX];
};

/* --- places
 * -----------------------------------------------------------------------------------------------------------
 */

static bool
keep_place(struct reader *r, const char *path, unsigned line)
{
	struct document *d = r->d;

	if (d->n == LINES_MAX) {
		mistake(&r->mistakes, line, "the file has more than %u values: split it", LINES_MAX);
		return false;
	}
	if (d->n == d->size) {
		d->size = d->size == 0 ? 256 : d->size * 2;
		d->places = mem_reallocarray(d->places, d->size, sizeof(*d->places));
	}
	d->places[d->n++] = (struct place){ mem_strdup(path), line };
	return true;
}

/* Whether a key stands in the mapping at hand already. */
static const struct place *
find_place(const struct reader *r, const char *path)
{
	for (size_t i = r->level[r->depth - 1].first; i < r->d->n; i++)
		if (strcmp(r->d->places[i].path, path) == 0)
			return &r->d->places[i];
	return NULL;
}

const char *
document_field(const char *field)
{
	static const char whole[] = "document.";

	return strncmp(field, whole, sizeof(whole) - 1) == 0 ? field + sizeof(whole) - 1 : field;
}

unsigned
document_line(const struct document *d, const char *field)
{
	size_t best = 0;
	unsigned line = 0;

	field = document_field(field);
	for (size_t i = 0; i < d->n; i++) {
		const char *path = d->places[i].path;
		size_t len = strlen(path);

		if (len > best && strncmp(path, field, len) == 0 && strchr("[.", field[len]) != NULL) {
			best = len;
			line = d->places[i].line;
		}
	}
	return line;
}

/* --- values
 * -----------------------------------------------------------------------------------------------------------
 */

static const struct row *
find_row(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	return NULL;
}

static bool
put_flag(struct reader *r, const char *name, const char *path, const struct event *e)
{
	static const char *const yes[] = { "yes", "true", "on" }, *const no[] = { "no", "false", "off" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(e->text, yes[i]) != 0 && strcmp(e->text, no[i]) != 0)
			continue;
		json_bool(r->d->json, name, strcmp(e->text, yes[i]) == 0);
		return true;
	}
	mistake(&r->mistakes, e->line, "%s: \"%s\" is neither yes nor no", path, e->text);
	return false;
}

static bool
put_number(struct reader *r, const char *name, const char *path, enum form form, const struct event *e)
{
	enum settings_unit unit = form == FORM_BYTES     ? UNIT_BYTES
				  : form == FORM_SECONDS ? UNIT_TIME
							 : UNIT_COUNT;
	int64_t v;

	switch (settings_number(e->text, unit, &v)) {
	case NUMBER_GOOD:
		json_int(r->d->json, name, form == FORM_SECONDS ? v / 1000 : v);
		return true;
	case NUMBER_STRANGE_UNIT:
	case NUMBER_NO_UNIT:
		mistake(&r->mistakes, e->line, "%s: %s has no unit that is known here (%s)", path, e->text,
			settings_units(unit));
		return false;
	default:
		mistake(&r->mistakes, e->line, "%s: \"%s\" is not a number that can be", path, e->text);
		return false;
	}
}

/* A scalar of a form; name NULL: as an element. */
static bool
put_scalar(struct reader *r, const char *name, const char *path, enum form form, const struct event *e)
{
	if (e->cut) {
		mistake(&r->mistakes, e->line, "%s: is longer than %d bytes", path, EVENT_TEXT_MAX - 1);
		return false;
	}
	if (e->plain && (e->text[0] == '\0' || strcmp(e->text, "~") == 0 || strcmp(e->text, "null") == 0)) {
		mistake(&r->mistakes, e->line, "%s: has no value; give one, or remove the key", path);
		return false;
	}
	switch (form) {
	case FORM_TEXT:
	case FORM_TEXTS:
		json_string(r->d->json, name, e->text);
		return true;
	case FORM_FLAG:
		return put_flag(r, name, path, e);
	case FORM_COUNT:
	case FORM_COUNTS:
	case FORM_BYTES:
	case FORM_SECONDS:
		return put_number(r, name, path, form, e);
	case FORM_OBJECT:
	case FORM_OBJECTS:
		break;
	}
	mistake(&r->mistakes, e->line, "%s: keys or a list are expected below it, indented", path);
	return false;
}

static bool
is_list(enum form form)
{
	return form == FORM_TEXTS || form == FORM_COUNTS || form == FORM_OBJECTS;
}

/* Opens what begins with e below name; what is of no use is read over. */
static bool
open_nested(struct reader *r, const char *name, const char *key, const char *path, enum form form,
	    const struct event *e)
{
	bool list = e->kind == EVENT_LIST;
	struct level *l = &r->level[r->depth];

	if (list != is_list(form) || (!list && form != FORM_OBJECT)) {
		mistake(&r->mistakes, e->line, "%s: %s is expected", path,
			is_list(form)         ? "a list"
			: form == FORM_OBJECT ? "keys below it, not a list,"
					      : "one value");
		return events_skip(r->events);
	}
	if (r->depth == EVENT_DEPTH_MAX) {
		mistake(&r->mistakes, e->line, "%s: nested too deeply", path);
		return false;
	}
	*l = (struct level){ .is_list = list, .form = form, .first = r->d->n };
	(void)str_copy(l->key, sizeof(l->key), key);
	(void)str_copy(l->path, sizeof(l->path), path);
	r->depth++;
	if (list)
		json_array(r->d->json, name);
	else
		json_object(r->d->json, name);
	return true;
}

/* --- the document
 * ----------------------------------------------------------------------------------------------------- */

static bool
read_element(struct reader *r, const struct event *e)
{
	struct level *l = &r->level[r->depth - 1];
	enum form form = l->form == FORM_OBJECTS ? FORM_OBJECT : l->form;
	char key[PATH_TEXT_MAX + 2], path[PATH_TEXT_MAX + 24];

	(void)snprintf(key, sizeof(key), "%s[]", l->key);
	(void)snprintf(path, sizeof(path), "%s[%zu]", l->path, l->count++);
	if (!keep_place(r, path, e->line))
		return false;
	if (e->kind == EVENT_SCALAR) {
		(void)put_scalar(r, NULL, path, form, e);
		return true;
	}
	if (form != FORM_OBJECT) {
		mistake(&r->mistakes, e->line, "%s: each item is one value, not a list or keys", path);
		return events_skip(r->events);
	}
	return open_nested(r, NULL, key, path, form, e);
}

static bool
read_member(struct reader *r, const struct event *name)
{
	struct level *l = &r->level[r->depth - 1];
	char key[PATH_TEXT_MAX + EVENT_TEXT_MAX + 2], path[PATH_TEXT_MAX + EVENT_TEXT_MAX + 2];
	const char *dot = l->key[0] != '\0' ? "." : "";
	const struct place *before;
	const struct row *row;
	struct event e;

	(void)snprintf(key, sizeof(key), "%s%s%s", l->key, dot, name->text);
	(void)snprintf(path, sizeof(path), "%s%s%s", l->path, dot, name->text);
	row = find_row(key);
	if (!events_next(r->events, &e))
		return false;
	if (row == NULL) {
		mistake(&r->mistakes, name->line, "%.80s: there is no such key", path);
		return e.kind == EVENT_SCALAR || events_skip(r->events);
	}
	before = find_place(r, path);
	if (before != NULL) {
		mistake(&r->mistakes, name->line, "%s: given before, on line %u; remove one of them", path,
			before->line);
		return e.kind == EVENT_SCALAR || events_skip(r->events);
	}
	if (!keep_place(r, path, name->line))
		return false;
	if (e.kind != EVENT_SCALAR)
		return open_nested(r, name->text, key, path, row->form, &e);
	(void)put_scalar(r, name->text, path, row->form, &e);
	return true;
}

static void
close_nested(struct reader *r)
{
	if (r->level[--r->depth].is_list)
		json_array_end(r->d->json);
	else
		json_object_end(r->d->json);
}

static bool
read_document(struct reader *r)
{
	struct event e;

	if (!events_next(r->events, &e))
		return false;
	if (e.kind != EVENT_MAPPING) {
		mistake(&r->mistakes, e.line, "wants tenants:, users: or groups:, and lists below them");
		return false;
	}
	r->level[0] = (struct level){ .form = FORM_OBJECT };
	r->depth = 1;
	json_object(r->d->json, NULL);
	while (r->depth > 0) {
		if (!events_next(r->events, &e))
			return false;
		if (e.kind == EVENT_MAPPING_END || e.kind == EVENT_LIST_END) {
			close_nested(r);
		} else if (r->level[r->depth - 1].is_list) {
			if (!read_element(r, &e))
				return false;
		} else if (e.kind != EVENT_SCALAR || e.cut) {
			mistake(&r->mistakes, e.line, "a key must be a word");
			return false;
		} else if (!read_member(r, &e))
			return false;
	}
	return events_next(r->events, &e); /* the end: a second document is refused there */
}

struct document *
document_read(const char *name, const char *text, size_t len, config_report report, void *ctx)
{
	struct reader r = { .mistakes = { .name = name, .report = report, .ctx = ctx } };

	r.d = mem_calloc(1, sizeof(*r.d));
	r.d->json = json_new(APPLY_BODY_MAX);
	r.events = events_new(&r.mistakes, text, len);
	if (!read_document(&r) && r.mistakes.n == 0)
		mistake(&r.mistakes, events_line(r.events), "cannot be understood");
	if (r.mistakes.n == 0 && json_text(r.d->json, NULL) == NULL)
		mistake(&r.mistakes, 1, "the file says more than %u bytes: split it", APPLY_BODY_MAX);
	events_free(&r.events);
	if (r.mistakes.n > 0)
		document_free(&r.d);
	return r.d;
}

void
document_free(struct document **d)
{
	if (*d == NULL)
		return;
	for (size_t i = 0; i < (*d)->n; i++)
		free((*d)->places[i].path);
	free((*d)->places);
	json_free(&(*d)->json);
	free(*d);
	*d = NULL;
}

const char *
document_json(const struct document *d, size_t *len)
{
	return json_text(d->json, len);
}
