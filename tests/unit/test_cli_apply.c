/* The file of `weir apply`, as the document that it becomes, and its mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply.h"
#include "base/mem.h"

static char said[8192];

static void
hear(void *ctx, const char *line)
{
	size_t n = strlen(said);

	(void)ctx;
	(void)snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

static struct document *
read_text(const char *text)
{
	said[0] = '\0';
	return document_read("f", text, strlen(text), hear, NULL);
}

static void
a_document(void **state)
{
	struct document *d = read_text("# two customers\n"
				       "tenants:\n"
				       "  - name: acme\n"
				       "    title: \"Acme: Ltd\"\n"
				       "    selectors:\n"
				       "      - {interface: eth1, vlan: 10}\n"
				       "      - network: 10.0.0.0/8\n"
				       "    address_spaces: [1, 2]\n"
				       "    quotas:\n"
				       "      stored_bytes: 10 GiB\n"
				       "      retention: 30d\n"
				       "users:\n"
				       "  - name: alice\n"
				       "    disabled: no\n"
				       "    access:\n"
				       "      - tenant: \"*\"\n"
				       "        role: auditor\n"
				       "        masked: yes\n"
				       "groups:\n"
				       "  - name: \"7\"\n"
				       "    members: []\n");

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(d);
	assert_string_equal(
	    document_json(d, NULL),
	    "{\"tenants\":[{\"name\":\"acme\",\"title\":\"Acme: Ltd\",\"selectors\":[{\"interface\":\"eth1\","
	    "\"vlan\":10},{\"network\":\"10.0.0.0/"
	    "8\"}],\"address_spaces\":[1,2],\"quotas\":{\"stored_bytes\":"
	    "10737418240,\"retention\":2592000}}],\"users\":[{\"name\":\"alice\",\"disabled\":false,"
	    "\"access\":"
	    "[{\"tenant\":\"*\",\"role\":\"auditor\",\"masked\":true}]}],\"groups\":[{\"name\":\"7\","
	    "\"members\":"
	    "[]}]}");
	assert_int_equal(document_line(d, "tenants[0].name"), 3);
	assert_int_equal(document_line(d, "document.tenants[0].selectors[1].network"), 7);
	assert_int_equal(document_line(d, "tenants[0].selectors[0].nothing"), 6);
	assert_int_equal(document_line(d, "users[0].access[0].role"), 17);
	assert_int_equal(document_line(d, "groups[0]"), 20);
	assert_int_equal(document_line(d, "elsewhere"), 0);
	document_free(&d);
}

/* Each is named with line and key. */
static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *line;
	} bad[] = {
		{ "", "f:1: wants tenants:" },
		{ "- a\n", "f:1: wants tenants:" },
		{ "tenants: x\n", "f:1: tenants: keys or a list" },
		{ "tenants:\n  name: x\n", "f:2: tenants: a list is expected" },
		{ "tenants:\n  - x\n", "f:2: tenants[0]: keys or a list" },
		{ "tenants:\n  - [x]\n", "f:2: tenants[0]: keys below it" },
		{ "tenants:\n  - nam: x\n", "f:2: tenants[0].nam: there is no such key" },
		{ "tenants:\n  - name: x\n    name: y\n", "f:3: tenants[0].name: given before, on line 2" },
		{ "tenants:\n  - name:\n", "f:2: tenants[0].name: has no value" },
		{ "tenants:\n  - name: [x]\n", "f:2: tenants[0].name: one value is expected" },
		{ "tenants:\n  - selectors:\n      - vlan: many\n",
		  "f:3: tenants[0].selectors[0].vlan: \"many\" is not a number" },
		{ "tenants:\n  - quotas: {retention: 30}\n",
		  "f:2: tenants[0].quotas.retention: 30 has no unit" },
		{ "tenants:\n  - quotas: {stored_bytes: 30d}\n",
		  "f:2: tenants[0].quotas.stored_bytes: 30d has no unit" },
		{ "tenants:\n  - address_spaces: [[1]]\n",
		  "f:2: tenants[0].address_spaces[0]: each item is one value" },
		{ "users:\n  - disabled: maybe\n",
		  "f:2: users[0].disabled: \"maybe\" is neither yes nor no" },
		{ "users:\n  - title: a\xff"
		  "b\n",
		  "f:2: title: has a byte that is no UTF-8 text" },
		{ "users:\n  - &a name: x\n", "f:2: an anchor" },
		{ "users:\n  - name: *a\n", "f:2: " },
		{ "users: []\n---\nusers: []\n", "f:2: a second document" },
		{ "users: [\n", "f:2: not YAML" },
		{ "? [a]\n: b\n", "f:1: a key must be a word" },
		{ "passwords: x\n", "f:1: passwords: there is no such key" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct document *d = read_text(bad[i].text);

		if (d != NULL || strncmp(said, bad[i].line, strlen(bad[i].line)) != 0)
			fail_msg("%s: wanted %s, heard %s", bad[i].text, bad[i].line, said);
	}
}

static void
many_mistakes_at_once(void **state)
{
	struct document *d = read_text("users:\n  - nam: a\n    kin: b\n  - disabled: x\ngroup: 1\n");

	(void)state;
	assert_null(d);
	assert_string_equal(said, "f:2: users[0].nam: there is no such key\n"
				  "f:3: users[0].kin: there is no such key\n"
				  "f:4: users[1].disabled: \"x\" is neither yes nor no\n"
				  "f:5: group: there is no such key\n");
}

static void
what_is_too_much(void **state)
{
	const size_t size = 8u << 20;
	char *text = mem_calloc(1, size);
	struct document *d;
	size_t n = (size_t)snprintf(text, size, "users:\n");

	(void)state;
	for (int i = 0; i < 30000; i++)
		n += (size_t)snprintf(text + n, size - n, "  - {name: user%d, title: %0200d}\n", i, i);
	d = read_text(text);
	assert_null(d);
	assert_non_null(strstr(said, "more than 4194304 bytes"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(many_mistakes_at_once),
		cmocka_unit_test(what_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
