/* From a command line to an operation: what was given, in order, then written as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text.h"

/* --- the command line
 * -------------------------------------------------------------------------------------------------- */

static bool
has_value(const struct admin_option *o)
{
	return o->form != VALUE_NOTHING && o->form != VALUE_NOTHING_NO && o->form != VALUE_NOTHING_EMPTY &&
	       o->form != VALUE_NOTHING_UNSET;
}

static bool
may_come_again(const struct admin_option *o)
{
	return o->place == PLACE_ACCESS || o->place == PLACE_SELECTOR || o->form == VALUE_TEXTS ||
	       o->form == VALUE_COUNTS;
}

static bool
is_good_text(const char *name, const char *value)
{
	if (utf8_valid(value, strlen(value)))
		return true;
	say("%s: the value is not valid UTF-8", name);
	return false;
}

static bool
give(struct admin_line *l, const struct admin_option *o, const char *value)
{
	if (l->n == ADMIN_GIVEN_MAX) {
		say("%s: more than %d options", o->name, ADMIN_GIVEN_MAX);
		return false;
	}
	for (unsigned i = 0; i < l->n; i++)
		if (l->given[i].option == o && !may_come_again(o)) {
			say("%s: given twice", o->name);
			return false;
		}
	if (value != NULL && value[0] == '\0') {
		say("%s: the value is empty", o->name);
		return false;
	}
	if (value != NULL && !is_good_text(o->name, value))
		return false;
	l->given[l->n++] = (struct admin_given){ o, value };
	return true;
}

/* -c, --set and --json are the same for every command of weir; 1: it was one, -1: a wrong one. */
static int
take_common(struct admin_line *l, const char *word, const char *value, int *at)
{
	bool is_config = strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0;

	if (strcmp(word, "--json") == 0) {
		l->options.json = true;
		return 1;
	}
	if (!is_config && strcmp(word, "--set") != 0)
		return 0;
	(*at)++;
	if (value == NULL || l->options.set.n == OPTION_NAMES_MAX) {
		say("%s: %s", word, value == NULL ? "a value is missing behind it" : "given too often");
		return -1;
	}
	if (is_config)
		l->options.config = value;
	else
		l->options.set.name[l->options.set.n++] = value;
	return 1;
}

static bool
take_option(struct admin_line *l, const char *word, const char *next, int *at)
{
	const struct admin_option *o = admin_option_find(l->command, word);
	int common = take_common(l, word, next, at);

	if (common != 0)
		return common == 1;
	if (o == NULL) {
		say("%s: `weir %s %s` takes no such option; `weir %s --help` lists them", word,
		    l->command->object, l->command->verb, l->command->object);
		return false;
	}
	if (!has_value(o))
		return give(l, o, NULL);
	(*at)++;
	if (next == NULL) {
		say("%s: a value is missing behind it", word);
		return false;
	}
	return give(l, o, next);
}

static bool
take_argument(struct admin_line *l, const char *word)
{
	const struct admin_command *c = l->command;

	if (c->argument == NULL || l->argument != NULL) {
		say("%s: `weir %s %s` takes %s", word, c->object, c->verb,
		    c->argument == NULL ? "no such argument" : "one argument");
		return false;
	}
	if (word[0] == '\0') {
		say("%s: is empty", c->argument);
		return false;
	}
	l->argument = word;
	return is_good_text(c->argument, word);
}

bool
admin_line_parse(struct admin_line *l, int argc, char **argv)
{
	memset(l, 0, sizeof(*l));
	l->command = argc > 1 ? admin_command_find(argv[0], argv[1]) : NULL;
	if (l->command == NULL) {
		say("%s%s%s: no such command; `weir %s --help` lists them", argv[0], argc > 1 ? " " : "",
		    argc > 1 ? argv[1] : "", argv[0]);
		return false;
	}
	for (int at = 2; at < argc; at++) {
		const char *next = at + 1 < argc ? argv[at + 1] : NULL;

		if (argv[at][0] == '-' && argv[at][1] != '\0' ? !take_option(l, argv[at], next, &at)
							      : !take_argument(l, argv[at]))
			return false;
	}
	if (l->command->argument != NULL && l->argument == NULL) {
		say("%s %s: %s is missing", l->command->object, l->command->verb, l->command->argument);
		return false;
	}
	return true;
}

static const struct admin_given *
find_given(const struct admin_line *l, const char *name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->given[i].option->name, name) == 0)
			return &l->given[i];
	return NULL;
}

const char *
admin_line_value(const struct admin_line *l, const char *name)
{
	const struct admin_given *g = find_given(l, name);

	return g == NULL ? NULL : g->value;
}

bool
admin_line_has(const struct admin_line *l, const char *name)
{
	return find_given(l, name) != NULL;
}

/* --- values
 * -----------------------------------------------------------------------------------------------------------
 */

static bool
put_number(struct json_writer *w, const char *member, const char *name, enum settings_unit unit,
	   const char *value)
{
	int64_t v;

	switch (settings_number(value, unit, &v)) {
	case NUMBER_GOOD:
		json_int(w, member, unit == UNIT_TIME ? v / 1000 : v);
		return true;
	case NUMBER_STRANGE_UNIT:
	case NUMBER_NO_UNIT:
		say("%s: %s has no unit that is known here (%s)", name, value, settings_units(unit));
		return false;
	default:
		say("%s: \"%s\" is not a number that can be", name, value);
		return false;
	}
}

/* "2027-01-31" or "2027-01-31T12:00:00Z", or a time from now: back in time where it is for looking back. */
static bool
put_moment(struct json_writer *w, const char *member, const char *name, bool ago, const char *value)
{
	struct tm tm = { 0 };
	const char *end = strptime(value, "%Y-%m-%d", &tm);
	int64_t now = clock_utc_ns() / NS_PER_S, v;

	if (end != NULL && *end == 'T')
		end = strptime(end, "T%H:%M:%SZ", &tm);
	if (end != NULL && *end == '\0') {
		json_int(w, member, (int64_t)timegm(&tm));
		return true;
	}
	if (settings_number(value, UNIT_TIME, &v) == NUMBER_GOOD && v >= 0 && v / 1000 < INT64_C(1) << 32) {
		json_int(w, member, ago ? now - v / 1000 : now + v / 1000);
		return true;
	}
	say("%s: \"%s\" is neither a time, as 30d, nor a date, as 2027-01-31", name, value);
	return false;
}

static bool
put_value(struct json_writer *w, const char *member, const struct admin_given *g)
{
	const struct admin_option *o = g->option;

	switch (o->form) {
	case VALUE_TEXT:
	case VALUE_TEXTS:
		json_string(w, member, g->value);
		return true;
	case VALUE_COUNT:
	case VALUE_COUNTS:
		return put_number(w, member, o->name, UNIT_COUNT, g->value);
	case VALUE_BYTES:
		return put_number(w, member, o->name, UNIT_BYTES, g->value);
	case VALUE_PERIOD:
		return put_number(w, member, o->name, UNIT_TIME, g->value);
	case VALUE_MOMENT:
		return put_moment(w, member, o->name, strcmp(o->member, "expires") != 0, g->value);
	case VALUE_NOTHING:
		json_bool(w, member, true);
		return true;
	case VALUE_NOTHING_NO:
		json_bool(w, member, false);
		return true;
	case VALUE_NOTHING_EMPTY:
		json_array(w, member);
		json_array_end(w);
		return true;
	case VALUE_NOTHING_UNSET:
		json_object(w, member);
		json_object_end(w);
		return true;
	case VALUE_PAIRS:
		break;
	}
	return false;
}

/* --- what has members of its own
 * --------------------------------------------------------------------------------------- */

/* "interface=eth1,vlan=10" */
static bool
put_selector(struct json_writer *w, const char *name, const char *value)
{
	static const char *const texts[] = { "interface", "exporter", "network" };
	static const char *const counts[] = { "vlan", "exporter_interface" };
	char pair[256], *equals;
	bool known, good = true;

	json_object(w, NULL);
	for (const char *at = value; good; at += strcspn(at, ",") + 1) {
		size_t n = strcspn(at, ",");

		(void)snprintf(pair, sizeof(pair), "%.*s", (int)(n < sizeof(pair) ? n : sizeof(pair) - 1),
			       at);
		equals = strchr(pair, '=');
		if (equals == NULL || equals == pair || equals[1] == '\0' || n >= sizeof(pair)) {
			say("%s: \"%s\" is not KEY=VALUE", name, pair);
			return false;
		}
		*equals = '\0';
		known = false;
		for (size_t i = 0; i < ARRAY_LEN(texts); i++)
			if (strcmp(pair, texts[i]) == 0) {
				json_string(w, texts[i], equals + 1);
				known = true;
			}
		for (size_t i = 0; i < ARRAY_LEN(counts); i++)
			if (strcmp(pair, counts[i]) == 0) {
				good = put_number(w, counts[i], name, UNIT_COUNT, equals + 1);
				known = true;
			}
		if (!known) {
			say("%s: %s: there is no such key (interface, vlan, exporter, exporter_interface, "
			    "network)",
			    name, pair);
			return false;
		}
		if (at[n] == '\0')
			break;
	}
	json_object_end(w);
	return good;
}

static bool
put_selectors(const struct admin_line *l, struct json_writer *w)
{
	bool any = false, good = true;

	for (unsigned i = 0; i < l->n && good; i++) {
		if (l->given[i].option->place != PLACE_SELECTOR)
			continue;
		if (!any)
			json_array(w, "selectors");
		any = true;
		good = put_selector(w, l->given[i].option->name, l->given[i].value);
	}
	if (any)
		json_array_end(w);
	return good;
}

static bool
put_quotas(const struct admin_line *l, struct json_writer *w)
{
	bool any = false, good = true;

	for (unsigned i = 0; i < l->n && good; i++) {
		if (l->given[i].option->place != PLACE_QUOTA)
			continue;
		if (!any)
			json_object(w, "quotas");
		any = true;
		good = put_value(w, l->given[i].option->member, &l->given[i]);
	}
	if (any)
		json_object_end(w);
	return good;
}

/* The values of one option among given[from..to), as a list. */
static bool
put_list(const struct admin_line *l, struct json_writer *w, unsigned from, unsigned to,
	 const struct admin_option *o)
{
	bool good = true;

	json_array(w, o->member);
	for (unsigned i = from; i < to && good; i++)
		if (l->given[i].option == o)
			good = put_value(w, NULL, &l->given[i]);
	json_array_end(w);
	return good;
}

/* Whether an option stands among given[from..at) already. */
static bool
is_repeated(const struct admin_line *l, unsigned from, unsigned at)
{
	for (unsigned i = from; i < at; i++)
		if (l->given[i].option == l->given[at].option)
			return true;
	return false;
}

/* One access: what stands from one --tenant to the next. */
static bool
put_access(const struct admin_line *l, struct json_writer *w, unsigned from, unsigned to)
{
	bool tenant = false, good = true;

	json_object(w, NULL);
	for (unsigned i = from; i < to && good; i++) {
		const struct admin_option *o = l->given[i].option;

		if (o->place != PLACE_ACCESS)
			continue;
		tenant = tenant || strcmp(o->member, "tenant") == 0;
		if (o->form == VALUE_TEXTS) {
			good = is_repeated(l, from, i) || put_list(l, w, from, to, o);
		} else if (is_repeated(l, from, i)) {
			say("%s: given twice for one access; --tenant begins the next", o->name);
			good = false;
		} else {
			good = put_value(w, o->member, &l->given[i]);
		}
	}
	json_object_end(w);
	if (good && !tenant)
		say("--tenant: is missing: name the tenant of the access, or \"*\" for the platform");
	return good && tenant;
}

static bool
put_accesses(const struct admin_line *l, struct json_writer *w)
{
	unsigned from = 0;
	bool good = true;

	while (from < l->n && l->given[from].option->place != PLACE_ACCESS)
		from++;
	if (from == l->n)
		return true;
	json_array(w, "access");
	while (from < l->n && good) {
		unsigned to = from + 1;

		while (to < l->n && !(l->given[to].option->place == PLACE_ACCESS &&
				      strcmp(l->given[to].option->member, "tenant") == 0))
			to++;
		good = put_access(l, w, from, to);
		from = to;
	}
	json_array_end(w);
	return good;
}

static bool
put_plain(const struct admin_line *l, struct json_writer *w)
{
	bool good = true;

	for (unsigned i = 0; i < l->n && good; i++) {
		const struct admin_option *o = l->given[i].option;

		if (o->place != PLACE_OPERATION)
			continue;
		if (!may_come_again(o))
			good = put_value(w, o->member, &l->given[i]);
		else if (!is_repeated(l, 0, i))
			good = put_list(l, w, 0, l->n, o);
	}
	return good;
}

bool
admin_line_write(const struct admin_line *l, struct json_writer *w)
{
	json_string(w, "op", l->command->op);
	if (l->command->named != NULL)
		json_string(w, l->command->named, l->argument);
	return put_plain(l, w) && put_selectors(l, w) && put_quotas(l, w) && put_accesses(l, w);
}
