/* Groups of a directory as groups of Weir's: what means what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mapping.h"

static void
sides_are_read(void **state)
{
	char from[16], to[16];

	(void)state;
	assert_true(mapping_read("cn=a,dc=b => ops", from, sizeof(from), to, sizeof(to)));
	assert_string_equal(from, "cn=a,dc=b");
	assert_string_equal(to, "ops");
	assert_true(mapping_read("a b=>c", from, sizeof(from), to, sizeof(to)));
	assert_string_equal(from, "a b");
	assert_false(mapping_read("a", from, sizeof(from), to, sizeof(to)));
	assert_false(mapping_read(" => b", from, sizeof(from), to, sizeof(to)));
	assert_false(mapping_read("a =>  ", from, sizeof(from), to, sizeof(to)));
	assert_false(mapping_read("0123456789abcdef => b", from, sizeof(from), to, sizeof(to)));
}

static bool
admits(const struct settings *s, const struct person_told *t)
{
	const struct mapping m = mapping_of_directory(s);

	return mapping_admits(&m, t);
}

static void
words_are_groups_as_they_are(void **state)
{
	static struct provider_settings o;
	const char *const groups[] = { "noc", "cn=night,dc=x" };
	const struct person_told t = { .verdict = DIRECTORY_RIGHT,
				       .ngroups = ARRAY_LEN(groups),
				       .group = groups };
	struct mapping m;

	(void)state;
	o.groups.n = 1;
	assert_true(str_copy(o.groups.item[0], sizeof(o.groups.item[0]), "NOC => operators"));
	m = mapping_of_provider(&o);
	assert_false(mapping_admits(&m, &t));
	assert_true(str_copy(o.groups.item[0], sizeof(o.groups.item[0]), "night => operators"));
	assert_false(mapping_admits(&m, &t));
	assert_true(str_copy(o.groups.item[0], sizeof(o.groups.item[0]), "noc => operators"));
	assert_true(mapping_admits(&m, &t));
	assert_true(mapping_has(&m, &t, "cn=night,dc=x"));
	assert_false(mapping_has(&m, NULL, "noc"));
}

/* weir-directory says which of them count: what they are called is not looked at here. */
static void
who_is_in_no_group_is_not_admitted(void **state)
{
	static struct settings s;
	const char *const groups[] = { "cn=cooks,dc=x", "cn=noc,dc=x" }, *const named[] = { "Night" };
	struct person_told t = { .verdict = DIRECTORY_RIGHT, .ngroups = ARRAY_LEN(groups), .group = groups };

	(void)state;
	assert_false(admits(&s, &t));
	s.ldap_groups.n = 1;
	assert_true(str_copy(s.ldap_groups.item[0], sizeof(s.ldap_groups.item[0]), "noc => operators"));
	assert_false(admits(&s, &t));
	s.ldap_groups.n = 2;
	assert_true(str_copy(s.ldap_groups.item[1], sizeof(s.ldap_groups.item[1]), "Night => viewers"));
	assert_false(admits(&s, &t));
	t.named = named;
	t.nnamed = 1;
	assert_true(admits(&s, &t));
	s.ldap_groups.n = 1;
	assert_false(admits(&s, &t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_are_read),
		cmocka_unit_test(words_are_groups_as_they_are),
		cmocka_unit_test(who_is_in_no_group_is_not_admitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
