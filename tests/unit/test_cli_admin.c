/* Command lines of administration, as the operations that they become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/wire.h"

#define WORDS_MAX 40

/* The operation of a command line whose words are separated by "|"; NULL where it is refused. */
static const char *
operation(const char *line)
{
	static char words[1024], out[4096];
	char *argv[WORDS_MAX], *at = words;
	struct json_writer *w = json_new(ADMIN_BODY_MAX);
	struct admin_line l;
	const char *text = NULL;
	int argc = 0;

	assert_true(str_copy(words, sizeof(words), line));
	while (at != NULL && argc < WORDS_MAX)
		argv[argc++] = strsep(&at, "|");
	json_object(w, NULL);
	if (admin_line_parse(&l, argc, argv) && admin_line_write(&l, w)) {
		json_object_end(w);
		text = json_text(w, NULL);
		assert_non_null(text);
		assert_true(str_copy(out, sizeof(out), text));
	}
	json_free(&w);
	return text == NULL ? NULL : out;
}

static void
become(const char *line, const char *json)
{
	const char *text = operation(line);

	assert_non_null(text);
	assert_string_equal(text, json);
}

static void
operations(void **state)
{
	(void)state;
	become("tenant|list", "{\"op\":\"tenant.list\"}");
	become("tenant|add|acme|--title|Acme Ltd|--select|interface=eth1,vlan=10|--select|network=10.0.0.0/8|"
	       "--address-space|7|--retention|30d|--stored-bytes|1GiB",
	       "{\"op\":\"tenant.add\",\"name\":\"acme\",\"title\":\"Acme Ltd\",\"address_spaces\":[7],"
	       "\"selectors\":[{\"interface\":\"eth1\",\"vlan\":10},{\"network\":\"10.0.0.0/8\"}],"
	       "\"quotas\":{\"retention\":2592000,\"stored_bytes\":1073741824}}");
	become("tenant|set|acme|--no-select", "{\"op\":\"tenant.set\",\"name\":\"acme\",\"selectors\":[]}");
	become("user|add|alice|--tenant|acme|--role|viewer|--interface|eth1|--network|10.0.0.0/"
	       "8|--interface|eth2",
	       "{\"op\":\"user.add\",\"name\":\"alice\",\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\","
	       "\"interfaces\":[\"eth1\",\"eth2\"],\"networks\":[\"10.0.0.0/8\"]}]}");
	become("user|set|bob|--tenant|a|--role|viewer|--masked|--tenant|b|--role|operator|--disable",
	       "{\"op\":\"user.set\",\"name\":\"bob\",\"disabled\":true,\"access\":[{\"tenant\":\"a\","
	       "\"role\":\"viewer\",\"masked\":true},{\"tenant\":\"b\",\"role\":\"operator\"}]}");
	become("group|set|noc|--member|alice|--member|bob",
	       "{\"op\":\"group.set\",\"name\":\"noc\",\"members\":[\"alice\",\"bob\"]}");
	become("token|list|--user|alice", "{\"op\":\"token.list\",\"owner\":\"alice\"}");
	become("key|rotate|grants", "{\"op\":\"key.rotate\",\"which\":\"grants\"}");
	become("session|end|ab12|--json", "{\"op\":\"session.end\",\"id\":\"ab12\"}");
	become("label|list|--tenant|acme", "{\"op\":\"label.list\",\"tenant\":\"acme\"}");
	become("label|set|10.0.0.5|--kind|host|--vlan|7|--address-space|2|--label|Mail server|--tenant|acme",
	       "{\"op\":\"label.set\",\"key\":\"10.0.0.5\",\"kind\":\"host\",\"vlan\":7,\"address_space\":2,"
	       "\"label\":\"Mail server\",\"tenant\":\"acme\"}");
	become("label|remove|eth1|--kind|interface",
	       "{\"op\":\"label.remove\",\"key\":\"eth1\",\"kind\":\"interface\"}");
	become("watched|list", "{\"op\":\"watched.list\"}");
	become(
	    "watched|add|10.0.0.5|--kind|host|--vlan|7|--tenant|acme",
	    "{\"op\":\"watched.set\",\"key\":\"10.0.0.5\",\"kind\":\"host\",\"vlan\":7,\"tenant\":\"acme\"}");
	become("watched|remove|10.0.0.0/8|--kind|network",
	       "{\"op\":\"watched.remove\",\"key\":\"10.0.0.0/8\",\"kind\":\"network\"}");
	become("user|remove|\xc3\xa9", "{\"op\":\"user.remove\",\"name\":\"\xc3\xa9\"}");
	become("audit|list|--from|2026-01-31|--to|2026-01-31T12:00:00Z|--limit|5",
	       "{\"op\":\"audit.list\",\"from\":1769817600,\"to\":1769860800,\"limit\":5}");
}

static void
times_from_now(void **state)
{
	const char *text = operation("token|add|--user|alice|--label|ci|--scope|traffic:read|--expires|30d");
	int64_t now = clock_utc_ns() / NS_PER_S;
	char expected[256];
	bool found = false;

	(void)state;
	assert_non_null(text);
	for (int64_t t = now - 5; t <= now; t++) {
		(void)snprintf(expected, sizeof(expected),
			       "{\"op\":\"token.add\",\"owner\":\"alice\",\"label\":\"ci\",\"scopes\":"
			       "[\"traffic:read\"],\"expires\":%lld}",
			       (long long)(t + 30 * 86400));
		found = found || strcmp(expected, text) == 0;
	}
	assert_true(found);
}

static void
refusals(void **state)
{
	static const char *const bad[] = {
		"user",
		"user|fly",
		"user|add",
		"user|add|",
		"user|add|a|b",
		"user|list|a",
		"user|add|a\xff",
		"user|add|a|--title",
		"user|add|a|--title|",
		"user|add|a|--title|\xff",
		"user|add|a|--title|x|--title|y",
		"user|add|a|--tite|x",
		"user|add|a|--label|x",
		"user|add|a|--role|viewer",
		"user|add|a|--tenant|t|--role|viewer|--role|operator",
		"tenant|add|a|--select|interface",
		"tenant|add|a|--select|interface=",
		"tenant|add|a|--select|=eth1",
		"tenant|add|a|--select|colour=red",
		"tenant|add|a|--select|vlan=x",
		"tenant|add|a|--select|interface=eth1,",
		"tenant|add|a|--address-space|x",
		"tenant|add|a|--retention|30",
		"tenant|add|a|--retention|30GiB",
		"tenant|add|a|--stored-bytes|99999999999999999999",
		"token|add|--user|a|--expires|soon",
		"token|add|--user|a|--expires|2026-13-41",
		"token|add|--user|a|--expires|-3d",
		"audit|list|--limit|many",
		"user|list|-c",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(operation(bad[i]));
}

/* What authd calls a field is an option here. */
static void
options_of_members(void **state)
{
	const struct admin_command *add = admin_command_find("user", "add");

	(void)state;
	assert_non_null(add);
	assert_string_equal(admin_option_of(add, "networks")->name, "--network");
	assert_string_equal(admin_option_of(add, "role")->name, "--role");
	assert_null(admin_option_of(add, "scopes"));
	assert_true(admin_is_object("audit"));
	assert_false(admin_is_object("users"));
}

static void
values_for_people(void **state)
{
	static const char text[] =
	    "{\"when\":1769817600.5,\"list\":[\"a\",2],\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\","
	    "\"networks\":[\"10.0.0.0/"
	    "8\"],\"masked\":true}],\"selectors\":[{\"interface\":\"eth1\",\"vlan\":3},{}],"
	    "\"use\":{\"time\":1769817600,\"address\":\"10.0.0.1\"},\"evil\":\"\\u001b[31m\",\"no\":null}";
	char err[100], out[200];
	struct json_doc *d = json_parse(text, strlen(text), sizeof(text), err, sizeof(err));
	const struct json_node *n;

	(void)state;
	assert_non_null(d);
	n = json_root(d);
	assert_string_equal(show_moment(json_node_member(n, "when"), out, sizeof(out)),
			    "2026-01-31 00:00:00Z");
	assert_string_equal(show_texts(json_node_member(n, "list"), out, sizeof(out)), "a, 2");
	assert_string_equal(show_access(json_node_member(n, "access"), out, sizeof(out)),
			    "viewer of acme (narrowed) (masked)");
	assert_string_equal(show_selectors(json_node_member(n, "selectors"), out, sizeof(out)),
			    "interface=eth1,vlan=3; everything");
	assert_string_equal(show_use(json_node_member(n, "use"), out, sizeof(out)),
			    "2026-01-31 00:00:00Z 10.0.0.1");
	assert_string_equal(show_text(json_node_member(n, "evil"), out, sizeof(out)), "\\x1b[31m");
	assert_string_equal(show_text(json_node_member(n, "no"), out, sizeof(out)), "");
	assert_string_equal(show_moment(NULL, out, sizeof(out)), "");
	assert_string_equal(show_texts(json_node_member(n, "list"), out, 3), "a,");
	json_doc_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations),        cmocka_unit_test(times_from_now),
		cmocka_unit_test(refusals),          cmocka_unit_test(options_of_members),
		cmocka_unit_test(values_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
