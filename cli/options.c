/* Command lines: one table of options for all subcommands. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd.h"
#include "config.h"
#include "text.h"

void
say(const char *fmt, ...)
{
	char text[1024], line[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "weir: %s\n", text_escape(line, sizeof(line), text, strlen(text)));
}

enum what {
	OPT_CONFIG,
	OPT_INTERFACE,
	OPT_FILE,
	OPT_DATA,
	OPT_SET,
	OPT_WORKERS,
	OPT_JSON,
	OPT_TOTALS,
	OPT_ANCHORS,
	OPT_COPY,
	OPT_UNITS
};

static const struct {
	const char *name;
	enum what what;
	unsigned takes; /* of which commands */
	bool has_value;
} known[] = {
	{ "-c", OPT_CONFIG, TAKES_CONFIG, true },
	{ "--config", OPT_CONFIG, TAKES_CONFIG, true },
	{ "-i", OPT_INTERFACE, TAKES_MONITOR, true },
	{ "--interface", OPT_INTERFACE, TAKES_MONITOR, true },
	{ "--pcap", OPT_FILE, TAKES_MONITOR, true },
	{ "--data", OPT_DATA, TAKES_MONITOR | TAKES_ANCHORS | TAKES_DATA, true },
	{ "--anchors", OPT_ANCHORS, TAKES_ANCHORS, true },
	{ "--set", OPT_SET, TAKES_MONITOR | TAKES_JSON, true },
	{ "--workers", OPT_WORKERS, TAKES_MONITOR | TAKES_TOTALS, true },
	{ "--json", OPT_JSON, TAKES_JSON, false },
	{ "--totals", OPT_TOTALS, TAKES_TOTALS, false },
	{ "--copy", OPT_COPY, TAKES_COPY, false },
	{ "--units", OPT_UNITS, TAKES_MONITOR, false },
};

static bool
add_name(const char *option, unsigned *n, const char **names, const char *name)
{
	if (*n == OPTION_NAMES_MAX) {
		say("%s: more than %d times", option, OPTION_NAMES_MAX);
		return false;
	}
	names[(*n)++] = name;
	return true;
}

static bool
take(struct options *o, const char *option, enum what what, const char *value)
{
	char *end;

	switch (what) {
	case OPT_CONFIG:
		o->config = value;
		return true;
	case OPT_INTERFACE:
		return add_name(option, &o->interfaces.n, o->interfaces.name, value);
	case OPT_FILE:
		return add_name(option, &o->files.n, o->files.name, value);
	case OPT_DATA:
		o->data = value;
		return true;
	case OPT_SET:
		return add_name(option, &o->set.n, o->set.name, value);
	case OPT_ANCHORS:
		return add_name(option, &o->anchors.n, o->anchors.name, value);
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_TOTALS:
		o->totals = true;
		return true;
	case OPT_COPY:
		o->copy = true;
		return true;
	case OPT_UNITS:
		o->units = true;
		return true;
	case OPT_WORKERS:
		if (value == NULL)
			return false;
		o->workers = strtol(value, &end, 10);
		if (*value != '\0' && *end == '\0' && o->workers > 0)
			return true;
		say("%s %s: wants a number above 0", option, value);
		return false;
	}
	return false;
}

bool
options_parse(struct options *o, unsigned takes, int argc, char **argv)
{
	memset(o, 0, sizeof(*o));
	for (int at = 1; at < argc; at++) {
		const char *word = argv[at];
		size_t i = 0;

		if (word[0] != '-' && (takes & TAKES_FILES)) {
			if (!add_name("files", &o->files.n, o->files.name, word))
				return false;
			continue;
		}
		while (i < ARRAY_LEN(known) &&
		       ((known[i].takes & takes) == 0 || strcmp(known[i].name, word) != 0))
			i++;
		if (i == ARRAY_LEN(known)) {
			say("%s: `weir %s` takes no such argument; `weir --help` lists them", word, argv[0]);
			return false;
		}
		if (known[i].has_value && ++at == argc) {
			say("%s: a value is missing behind it", word);
			return false;
		}
		if (!take(o, word, known[i].what, known[i].has_value ? argv[at] : NULL))
			return false;
	}
	return true;
}

/* KEY=VALUE. The first item set of a list replaces what the file said, the next ones are added. */
static bool
set_one(struct settings *s, const char *text, unsigned before, const char *const *earlier)
{
	const char *equals = strchr(text, '=');
	char key[128], err[512];
	bool first = true;

	if (equals == NULL || (size_t)(equals - text) >= sizeof(key)) {
		say("--set %s: wants KEY=VALUE", text);
		return false;
	}
	memcpy(key, text, (size_t)(equals - text));
	key[equals - text] = '\0';
	for (unsigned i = 0; i < before; i++)
		first = first && strncmp(earlier[i], text, (size_t)(equals - text) + 1) != 0;
	if (first && settings_is_list(key))
		settings_clear_list(s, key);
	if (config_set(s, key, equals + 1, err, sizeof(err)))
		return true;
	say("--set: %s", err);
	return false;
}

static void
report(void *ctx, const char *line)
{
	(void)ctx;
	say("%s", line);
}

bool
options_settings(const struct options *o, struct settings *s)
{
	char err[512], workers[24];
	bool ok;

	settings_default(s);
	/* The default file may be missing, one that was asked for may not. */
	ok = (o->config == NULL && access(CONFIG_DEFAULT_FILE, F_OK) == -1 && errno == ENOENT) ||
	     config_load(o->config != NULL ? o->config : CONFIG_DEFAULT_FILE, s, report, NULL);
	for (unsigned i = 0; i < o->set.n; i++)
		ok = set_one(s, o->set.name[i], i, o->set.name) && ok;
	if (o->data != NULL && !config_set(s, "data_directory", o->data, err, sizeof(err))) {
		say("--data: %s", err);
		ok = false;
	}
	(void)snprintf(workers, sizeof(workers), "%ld", o->workers);
	if (o->workers > 0 && !config_set(s, "engine.workers", workers, err, sizeof(err))) {
		say("--workers: %s", err);
		ok = false;
	}
	if (ok && !config_agrees(s, err, sizeof(err))) {
		say("%s", err);
		ok = false;
	}
	return ok;
}
