/* Reads the configuration file by libyaml's events: nothing is built in memory, and what is not needed is
 * refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/auto.h"
#include "base/mem.h"
#include "config.h"
#include "text.h"

#define DEPTH_MAX 4 /* the document, a section, a list, and one for good measure */
#define KEY_MAX   128
#define VALUE_MAX 512

static const char *const keys[] = {
#define NUMBER(key, unit, field, min, max, def, help) key,
#define FLAG(key, field, def, help)                   key,
#define TEXT(key, field, size, def, help)             key,
#define LIST(key, field, items, size, help)           key,
#include "base/settings.def"
#undef NUMBER
#undef FLAG
#undef TEXT
#undef LIST
};
#define NKEYS ARRAY_LEN(keys)

struct reader {
	const char *name;
	struct settings *s;
	config_report report;
	void *ctx;
	yaml_parser_t yaml;
	unsigned mistakes;
	unsigned line;              /* of the event at hand, from 1 */
	unsigned first_line[NKEYS]; /* where each key was given; 0: not yet */
};

/* One event, copied out of libyaml's so that it is freed in one place. */
struct event {
	yaml_event_type_t type;
	bool plain;
	bool cut; /* longer than any value may be */
	char text[VALUE_MAX];
};

static void __attribute__((format(printf, 3, 4)))
mistake(struct reader *r, unsigned line, const char *fmt, ...)
{
	char text[1024], safe[2048], out[4096];
	va_list ap;

	if (r->mistakes++ >= CONFIG_MISTAKES_MAX) {
		if (r->mistakes == CONFIG_MISTAKES_MAX + 1)
			r->report(r->ctx, "more mistakes follow, which are not named");
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(out, sizeof(out), "%s:%u: %s", r->name, line,
		       text_escape(safe, sizeof(safe), text, strlen(text)));
	r->report(r->ctx, out);
}

/* --- events
 * -----------------------------------------------------------------------------------------------------------
 */

/* Why an event is refused altogether, or NULL. */
static const char *
refuse(const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return "an alias (*name): write the value out";
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return "an anchor (&name): write the value without it";
	return tag != NULL ? "a tag (!name): write the value without it" : NULL;
}

static void
copy_scalar(const yaml_event_t *e, struct event *out)
{
	size_t n = e->data.scalar.length;

	out->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	out->cut = n >= sizeof(out->text) || memchr(e->data.scalar.value, 0, n) != NULL;
	if (n >= sizeof(out->text))
		n = sizeof(out->text) - 1;
	memcpy(out->text, e->data.scalar.value, n);
}

/* The next event; false where the file cannot be read any further, which was then said. */
static bool
next(struct reader *r, struct event *out)
{
	yaml_event_t e;
	const char *wrong;

	memset(out, 0, sizeof(*out));
	if (!yaml_parser_parse(&r->yaml, &e)) {
		mistake(r, (unsigned)r->yaml.problem_mark.line + 1, "not YAML: %s%s%s",
			r->yaml.problem != NULL ? r->yaml.problem : "it cannot be read",
			r->yaml.context != NULL ? ", " : "", r->yaml.context != NULL ? r->yaml.context : "");
		return false;
	}
	out->type = e.type;
	r->line = (unsigned)e.start_mark.line + 1;
	if (e.type == YAML_SCALAR_EVENT)
		copy_scalar(&e, out);
	wrong = refuse(&e);
	yaml_event_delete(&e);
	if (wrong == NULL)
		return true;
	mistake(r, r->line, "%s", wrong);
	return false;
}

static bool
next_but_one(struct reader *r, struct event *out)
{
	if (!next(r, out))
		return false;
	return next(r, out);
}

/* Reads on behind a list or a section that is of no use. */
static bool
skip_nested(struct reader *r)
{
	struct event e;
	unsigned depth = 1;

	while (depth > 0) {
		if (!next(r, &e))
			return false;
		if (e.type == YAML_MAPPING_START_EVENT || e.type == YAML_SEQUENCE_START_EVENT)
			depth++;
		else if (e.type == YAML_MAPPING_END_EVENT || e.type == YAML_SEQUENCE_END_EVENT)
			depth--;
		if (depth > DEPTH_MAX) {
			mistake(r, r->line, "nested too deeply");
			return false;
		}
	}
	return true;
}

/* --- keys and values
 * -------------------------------------------------------------------------------------------------- */

static bool
is_section(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < NKEYS; i++)
		if (strncmp(keys[i], key, n) == 0 && keys[i][n] == '.')
			return true;
	return false;
}

/* Notes that key is given on this line; false after a mistake where it was given before. */
static bool
is_first(struct reader *r, const char *key, unsigned line)
{
	for (size_t i = 0; i < NKEYS; i++) {
		if (strcmp(keys[i], key) != 0)
			continue;
		if (r->first_line[i] != 0) {
			mistake(r, line, "%s: given before, on line %u; remove one of them", key,
				r->first_line[i]);
			return false;
		}
		r->first_line[i] = line;
	}
	return true;
}

static void
set(struct reader *r, const char *key, const struct event *e, unsigned line)
{
	char err[512];

	if (e->cut)
		mistake(r, line, "%s: the value is too long, or holds a NUL byte", key);
	else if (!config_set(r->s, key, e->text, err, sizeof(err)))
		mistake(r, line, "%s", err);
}

static bool
read_list(struct reader *r, const char *key)
{
	struct event e;

	settings_clear_list(r->s, key);
	for (;;) {
		if (!next(r, &e))
			return false;
		if (e.type == YAML_SEQUENCE_END_EVENT)
			return true;
		if (e.type == YAML_SCALAR_EVENT) {
			set(r, key, &e, r->line);
			continue;
		}
		mistake(r, r->line, "%s: each item is one value, not a list or a section", key);
		if (!skip_nested(r))
			return false;
	}
}

static void
take_scalar(struct reader *r, const char *key, const struct event *e)
{
	char near[64];

	if (settings_known(key, near, sizeof(near))) {
		if (!is_first(r, key, r->line))
			return;
		if (settings_is_list(key))
			mistake(r, r->line, "%s: wants a list; write it as [%s]", key, e->text);
		else if (e->plain &&
			 (e->text[0] == '\0' || strcmp(e->text, "~") == 0 || strcmp(e->text, "null") == 0))
			mistake(r, r->line, "%s: has no value; give one, or remove the key", key);
		else
			set(r, key, e, r->line);
	} else if (is_section(key)) {
		if (!e->plain || e->text[0] != '\0') /* an empty section says nothing wrong */
			mistake(r, r->line, "%s: is a section; its keys are written below it, indented", key);
	} else {
		set(r, key, e, r->line); /* names the closest key */
	}
}

static bool
take_list(struct reader *r, const char *key)
{
	char near[64];
	char err[512];

	if (!settings_known(key, near, sizeof(near))) {
		if (is_section(key))
			mistake(r, r->line,
				"%s: is a section, not a list; write its keys below it without dashes", key);
		else if (!config_set(r->s, key, "", err, sizeof(err)))
			mistake(r, r->line, "%s", err);
		return skip_nested(r);
	}
	if (!settings_is_list(key)) {
		mistake(r, r->line, "%s: takes one value, not a list", key);
		return skip_nested(r);
	}
	return is_first(r, key, r->line) ? read_list(r, key) : skip_nested(r);
}

/* The key of a member: "engine" and "workers" make "engine.workers". */
static bool
join(struct reader *r, char key[static KEY_MAX], const char *prefix, const struct event *e)
{
	int n = snprintf(key, KEY_MAX, "%s%s%s", prefix, *prefix != '\0' ? "." : "", e->text);

	if (n > 0 && n < KEY_MAX && !e->cut && e->text[0] != '\0')
		return true;
	mistake(r, r->line, "%.40s: is no key", e->text);
	return false;
}

enum member { MEMBER_READ, MEMBER_IS_SECTION, MEMBER_WRONG };

static enum member
read_member(struct reader *r, const char *key)
{
	struct event e;
	char near[64];

	if (!next(r, &e))
		return MEMBER_WRONG;
	switch (e.type) {
	case YAML_SCALAR_EVENT:
		take_scalar(r, key, &e);
		return MEMBER_READ;
	case YAML_SEQUENCE_START_EVENT:
		return take_list(r, key) ? MEMBER_READ : MEMBER_WRONG;
	case YAML_MAPPING_START_EVENT:
		if (!settings_known(key, near, sizeof(near)))
			return MEMBER_IS_SECTION;
		mistake(r, r->line, "%s: takes a value, not a section", key);
		return skip_nested(r) ? MEMBER_READ : MEMBER_WRONG;
	default:
		mistake(r, r->line, "%s: has no value", key);
		return MEMBER_WRONG;
	}
}

/* The members of the document's mapping, whose start was read, and of the sections within it. */
static bool
read_sections(struct reader *r)
{
	char prefix[DEPTH_MAX][KEY_MAX] = { "" }, key[KEY_MAX];
	unsigned depth = 1;
	struct event e;

	for (;;) {
		if (!next(r, &e))
			return false;
		if (e.type == YAML_MAPPING_END_EVENT) {
			if (--depth == 0)
				return true;
			continue;
		}
		if (e.type != YAML_SCALAR_EVENT) {
			mistake(r, r->line, "a key must be a word");
			return false;
		}
		if (!join(r, key, prefix[depth - 1], &e))
			return false;
		switch (read_member(r, key)) {
		case MEMBER_READ:
			break;
		case MEMBER_IS_SECTION:
			if (depth == DEPTH_MAX) {
				mistake(r, r->line, "%s: nested too deeply", key);
				return false;
			}
			str_copy(prefix[depth++], KEY_MAX, key);
			break;
		case MEMBER_WRONG:
			return false;
		}
	}
}

static bool
read_stream(struct reader *r)
{
	struct event e;

	if (!next_but_one(r, &e)) /* the stream's beginning, then the document's */
		return false;
	if (e.type == YAML_STREAM_END_EVENT)
		return true; /* empty: all defaults */
	if (e.type != YAML_DOCUMENT_START_EVENT || !next(r, &e))
		return false;
	if (e.type == YAML_MAPPING_START_EVENT) {
		if (!read_sections(r))
			return false;
	} else if (e.type != YAML_SCALAR_EVENT || e.text[0] != '\0') {
		mistake(r, r->line,
			"wants keys with values, as in \"engine:\" and below it \"  workers: 2\"");
		return false;
	}
	if (!next_but_one(r, &e))
		return false;
	if (e.type != YAML_STREAM_END_EVENT)
		mistake(r, r->line, "a second document (---) begins: remove it");
	return true;
}

bool
config_load_text(const char *name, const char *text, size_t len, struct settings *s, config_report report,
		 void *ctx)
{
	AUTO(mem_drop) struct reader *r = mem_calloc(1, sizeof(*r));
	char err[512];

	r->name = name;
	r->s = s;
	r->report = report;
	r->ctx = ctx;
	if (!yaml_parser_initialize(&r->yaml)) {
		report(ctx, "no memory to read the configuration");
		return false;
	}
	yaml_parser_set_input_string(&r->yaml, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&r->yaml, YAML_UTF8_ENCODING);
	if (!read_stream(r) && r->mistakes == 0)
		mistake(r, r->line, "cannot be understood");
	if (r->mistakes == 0 && !config_agrees(s, err, sizeof(err)))
		mistake(r, r->line, "%s", err);
	yaml_parser_delete(&r->yaml);
	return r->mistakes == 0;
}

static bool
cannot(const char *path, const char *why, config_report report, void *ctx)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%s: %s", path, why);
	report(ctx, line);
	return false;
}

bool
config_load(const char *path, struct settings *s, config_report report, void *ctx)
{
	AUTO(mem_drop) char *text = mem_calloc(1, CONFIG_FILE_MAX + 1);
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t len = 0;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1)
		return cannot(path, strerror(errno), report, ctx);
	if (!S_ISREG(st.st_mode))
		return cannot(path, "is no file", report, ctx);
	while ((n = read(fd, text + len, CONFIG_FILE_MAX + 1 - len)) > 0)
		len += (size_t)n;
	if (n == -1)
		return cannot(path, strerror(errno), report, ctx);
	if (len > CONFIG_FILE_MAX)
		return cannot(path, "is larger than 256 KiB, which no configuration needs", report, ctx);
	return config_load_text(path, text, len, s, report, ctx);
}
