/* Dial connects to servers that the settings name, however they write them, and to no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "named.h"

static struct settings s;

#define ADD(list, text) (void)str_copy((list).item[(list).n++], sizeof((list).item[0]), text)

static int
setup(void **state)
{
	(void)state;
	settings_default(&s);
	return 0;
}

static void
nothing_is_named_by_default(void **state)
{
	(void)state;
	assert_false(named_has(&s, "", 0));
	assert_false(named_has(&s, "127.0.0.1", 443));
	assert_false(named_has(&s, "localhost", 80));
}

static void
servers_of_a_directory(void **state)
{
	(void)state;
	ADD(s.ldap_servers, "ldaps://dc1.example.com");
	ADD(s.ldap_servers, "ldap://[2001:db8::1]:3890/");
	ADD(s.ldap_referrals, "ldap://other.example.com");
	assert_true(named_has(&s, "dc1.example.com", 636));
	assert_true(named_has(&s, "DC1.Example.com", 636));
	assert_false(named_has(&s, "dc1.example.com", 389));
	assert_false(named_has(&s, "dc1.example.com.evil.example", 636));
	assert_false(named_has(&s, "dc1.example.co", 636));
	assert_true(named_has(&s, "2001:db8:0::1", 3890));
	assert_false(named_has(&s, "2001:db8::2", 3890));
	assert_true(named_has(&s, "other.example.com", 389));
	assert_false(named_has(&s, "other.example.com", 636));
}

static void
servers_of_providers(void **state)
{
	(void)state;
	(void)str_copy(s.oidc[0].name, sizeof(s.oidc[0].name), "corp");
	(void)str_copy(s.oidc[0].issuer, sizeof(s.oidc[0].issuer), "https://login.example.com/realms/noc");
	ADD(s.oidc[0].hosts, "keys.example.com");
	ADD(s.oidc[0].hosts, "192.0.2.7:8443");
	(void)str_copy(s.oidc[1].name, sizeof(s.oidc[1].name), "lab");
	(void)str_copy(s.oidc[1].issuer, sizeof(s.oidc[1].issuer), "http://[::1]:8080");
	assert_true(named_has(&s, "login.example.com", 443));
	assert_false(named_has(&s, "login.example.com", 80));
	assert_true(named_has(&s, "keys.example.com", 443));
	assert_false(named_has(&s, "keys.example.com", 8443));
	assert_true(named_has(&s, "192.0.2.7", 8443));
	assert_true(named_has(&s, "::1", 8080));
	/* Of one that is not there nothing counts. */
	s.oidc[1].name[0] = '\0';
	assert_false(named_has(&s, "::1", 8080));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_named_by_default, setup),
		cmocka_unit_test_setup(servers_of_a_directory, setup),
		cmocka_unit_test_setup(servers_of_providers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
