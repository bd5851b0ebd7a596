/* Reads the configuration file, event by event. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "config.h"
#include "events.h"
#include "mistakes.h"

#define DEPTH_MAX 4 /* the document, a section, a list, and one for good measure */
#define KEY_MAX   128

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
#define NKEYS     ARRAY_LEN(keys)
#define PROVIDERS "oidc" /* a list of sections, all others are sections */

struct reader {
	struct settings *s;
	struct mistakes mistakes;
	struct events *events;
	unsigned first_line[NKEYS]; /* where each key was given; 0: not yet */
	bool providers;             /* they were given */
};

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
			mistake(&r->mistakes, line, "%s: given before, on line %u; remove one of them", key,
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
		mistake(&r->mistakes, line, "%s: the value is too long, or holds a NUL byte", key);
	else if (!config_set(r->s, key, e->text, err, sizeof(err)))
		mistake(&r->mistakes, line, "%s", err);
}

static bool
read_list(struct reader *r, const char *key)
{
	struct event e;

	settings_clear_list(r->s, key);
	for (;;) {
		if (!events_next(r->events, &e))
			return false;
		if (e.kind == EVENT_LIST_END)
			return true;
		if (e.kind == EVENT_SCALAR) {
			set(r, key, &e, events_line(r->events));
			continue;
		}
		mistake(&r->mistakes, events_line(r->events),
			"%s: each item is one value, not a list or a section", key);
		if (!events_skip(r->events))
			return false;
	}
}

static void
take_scalar(struct reader *r, const char *key, const struct event *e)
{
	char near[64];

	if (settings_known(key, near, sizeof(near))) {
		if (!is_first(r, key, events_line(r->events)))
			return;
		if (settings_is_list(key))
			mistake(&r->mistakes, events_line(r->events), "%s: wants a list; write it as [%s]",
				key, e->text);
		else if (e->plain &&
			 (e->text[0] == '\0' || strcmp(e->text, "~") == 0 || strcmp(e->text, "null") == 0))
			mistake(&r->mistakes, events_line(r->events),
				"%s: has no value; give one, or remove the key", key);
		else
			set(r, key, e, events_line(r->events));
	} else if (is_section(key)) {
		if (!e->plain || e->text[0] != '\0') /* an empty section says nothing wrong */
			mistake(&r->mistakes, events_line(r->events),
				"%s: is a section; its keys are written below it, indented", key);
	} else {
		set(r, key, e, events_line(r->events)); /* names the closest key */
	}
}

static bool
take_list(struct reader *r, const char *key)
{
	char near[64];
	char err[512];

	if (!settings_known(key, near, sizeof(near))) {
		if (is_section(key))
			mistake(&r->mistakes, events_line(r->events),
				"%s: is a section, not a list; write its keys below it without dashes", key);
		else if (!config_set(r->s, key, "", err, sizeof(err)))
			mistake(&r->mistakes, events_line(r->events), "%s", err);
		return events_skip(r->events);
	}
	if (!settings_is_list(key)) {
		mistake(&r->mistakes, events_line(r->events), "%s: takes one value, not a list", key);
		return events_skip(r->events);
	}
	return is_first(r, key, events_line(r->events)) ? read_list(r, key) : events_skip(r->events);
}

/* The key of a member: "engine" and "workers" make "engine.workers". */
static bool
join(struct reader *r, char key[static KEY_MAX], const char *prefix, const struct event *e)
{
	int n = snprintf(key, KEY_MAX, "%s%s%s", prefix, *prefix != '\0' ? "." : "", e->text);

	if (n > 0 && n < KEY_MAX && !e->cut && e->text[0] != '\0')
		return true;
	mistake(&r->mistakes, events_line(r->events), "%.40s: is no key", e->text);
	return false;
}

enum member { MEMBER_READ, MEMBER_IS_SECTION, MEMBER_IS_PROVIDERS, MEMBER_WRONG };

static enum member
read_member(struct reader *r, const char *key)
{
	struct event e;
	char near[64];

	if (!events_next(r->events, &e))
		return MEMBER_WRONG;
	switch (e.kind) {
	case EVENT_SCALAR:
		take_scalar(r, key, &e);
		return MEMBER_READ;
	case EVENT_LIST:
		if (strcmp(key, PROVIDERS) == 0 && !r->providers)
			return MEMBER_IS_PROVIDERS;
		if (strcmp(key, PROVIDERS) == 0) {
			mistake(&r->mistakes, events_line(r->events),
				"%s: given before; make one list of both", key);
			return events_skip(r->events) ? MEMBER_READ : MEMBER_WRONG;
		}
		return take_list(r, key) ? MEMBER_READ : MEMBER_WRONG;
	case EVENT_MAPPING:
		if (strcmp(key, PROVIDERS) == 0)
			mistake(&r->mistakes, events_line(r->events),
				"%s: is a list; begin each provider with a dash", key);
		else if (!settings_known(key, near, sizeof(near)))
			return MEMBER_IS_SECTION;
		else
			mistake(&r->mistakes, events_line(r->events), "%s: takes a value, not a section",
				key);
		return events_skip(r->events) ? MEMBER_READ : MEMBER_WRONG;
	default:
		mistake(&r->mistakes, events_line(r->events), "%s: has no value", key);
		return MEMBER_WRONG;
	}
}

/* What stands between the items of the list of providers: *item is the place of the next, 0 once the list is
 * over. Each item is a section with the keys of one provider, oidc.1.name and so on: true where it begins. */
static bool
begins_provider(struct reader *r, const struct event *e, unsigned *item, bool *good)
{
	unsigned n = *item;

	*good = true;
	if (e->kind == EVENT_LIST_END) {
		*item = 0;
		return false;
	}
	(*item)++;
	if (e->kind == EVENT_MAPPING && n <= OIDC_PROVIDERS_MAX)
		return true;
	if (n <= OIDC_PROVIDERS_MAX)
		mistake(&r->mistakes, events_line(r->events),
			PROVIDERS ": each item has the keys of one provider, as in \"- name: corp\"");
	else if (n == OIDC_PROVIDERS_MAX + 1)
		mistake(&r->mistakes, events_line(r->events), PROVIDERS ": more than %d providers",
			OIDC_PROVIDERS_MAX);
	*good = e->kind == EVENT_SCALAR || events_skip(r->events);
	return false;
}

/* The members of the document's mapping, whose start was read, and of the sections within it. */
static bool
read_sections(struct reader *r)
{
	char prefix[DEPTH_MAX][KEY_MAX] = { "" }, key[KEY_MAX];
	unsigned depth = 1, item = 0; /* in the list of providers; 0: not in it */
	struct event e;
	bool good;

	for (;;) {
		if (!events_next(r->events, &e))
			return false;
		if (item > 0 && depth == 1) {
			if (begins_provider(r, &e, &item, &good))
				(void)snprintf(prefix[depth++], KEY_MAX, PROVIDERS ".%u", item - 1);
			if (!good)
				return false;
			continue;
		}
		if (e.kind == EVENT_MAPPING_END) {
			if (--depth == 0)
				return true;
			continue;
		}
		if (e.kind != EVENT_SCALAR) {
			mistake(&r->mistakes, events_line(r->events), "a key must be a word");
			return false;
		}
		if (!join(r, key, prefix[depth - 1], &e))
			return false;
		switch (read_member(r, key)) {
		case MEMBER_READ:
			break;
		case MEMBER_IS_PROVIDERS:
			r->providers = true;
			item = 1;
			break;
		case MEMBER_IS_SECTION:
			if (depth == DEPTH_MAX) {
				mistake(&r->mistakes, events_line(r->events), "%s: nested too deeply", key);
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
read_document(struct reader *r)
{
	struct event e;

	if (!events_next(r->events, &e))
		return false;
	if (e.kind == EVENT_END)
		return true; /* empty: all defaults */
	if (e.kind == EVENT_MAPPING) {
		if (!read_sections(r))
			return false;
	} else if (e.kind != EVENT_SCALAR || e.text[0] != '\0') {
		mistake(&r->mistakes, events_line(r->events),
			"wants keys with values, as in \"engine:\" and below it \"  workers: 2\"");
		return false;
	}
	return events_next(r->events, &e); /* the end: a second document is refused there */
}

bool
config_load_text(const char *name, const char *text, size_t len, struct settings *s, config_report report,
		 void *ctx)
{
	AUTO(mem_drop) struct reader *r = mem_calloc(1, sizeof(*r));
	char err[512];

	r->s = s;
	r->mistakes = (struct mistakes){ .name = name, .report = report, .ctx = ctx };
	r->events = events_new(&r->mistakes, text, len);
	if (!read_document(r) && r->mistakes.n == 0)
		mistake(&r->mistakes, events_line(r->events), "cannot be understood");
	if (r->mistakes.n == 0 && !config_agrees(s, err, sizeof(err)))
		mistake(&r->mistakes, events_line(r->events), "%s", err);
	events_free(&r->events);
	return r->mistakes.n == 0;
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
