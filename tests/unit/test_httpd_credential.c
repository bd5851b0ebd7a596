/* Who a request says that it is: cookies, tokens, tenants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "credential.h"

#define DIGITS_50 "01234567890123456789012345678901234567890123456789"
#include "guard.h"

#define COOKIE COOKIE_NAME "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define TOKEN  "weir_0123456789abcdefABCDEFxyz"

static void
nobody(void **state)
{
	struct credential c;

	(void)state;
	assert_int_equal(credential_read(&c, NULL, NULL, NULL), CREDENTIAL_GOOD);
	assert_int_equal(c.kind, CREDENTIAL_NONE);
	assert_int_equal(credential_read(&c, "other=1", NULL, NULL), CREDENTIAL_GOOD);
	assert_int_equal(c.kind, CREDENTIAL_NONE);
}

static void
cookies_and_tokens(void **state)
{
	struct credential c;

	(void)state;
	assert_int_equal(credential_read(&c, COOKIE, NULL, "acme"), CREDENTIAL_GOOD);
	assert_int_equal(c.kind, CREDENTIAL_COOKIE);
	assert_string_equal(c.tenant, "acme");
	assert_int_equal(credential_read(&c, "other=1", "bearer  " TOKEN, NULL), CREDENTIAL_GOOD);
	assert_int_equal(c.kind, CREDENTIAL_TOKEN);
	assert_string_equal(c.token, TOKEN);
	assert_string_equal(c.tenant, "");
	assert_int_equal(credential_read(&c, COOKIE, "Bearer " TOKEN, NULL), CREDENTIAL_BOTH);
	assert_int_equal(credential_read(&c, COOKIE, "Basic YTpi", NULL), CREDENTIAL_BOTH);
}

/* What ntopng's clients send; to /api/v1 none of it is a credential. */
static void
the_guides_schemes(void **state)
{
	/* alice:a:b */
	static const char basic[] = "Basic YWxpY2U6YTpi";
	static const char *const bad[] = { "Basic",
					   "Basic ",
					   "Basic YWxpY2U",
					   "Basic YWxpY2U=",
					   "Basic OmE=",
					   "Basic !",
					   "Basic YQ== x",
					   "Basic YWxpY2U6CgA=" /* "alice:" and a line's end */,
					   "Basic /zpi" /* no UTF-8 */,
					   "Token",
					   "Token abc",
					   "Tokenweir_abc",
					   "Digest x" };
	struct credential c, other;
	struct ip_addr here = { { 1 } }, there = { { 2 } };

	(void)state;
	assert_int_equal(credential_read(&c, NULL, basic, NULL), CREDENTIAL_NO_TOKEN);
	assert_int_equal(credential_read(&c, NULL, "Token " TOKEN, NULL), CREDENTIAL_NO_TOKEN);
	assert_int_equal(credential_read_guide(&c, NULL, basic, "acme"), CREDENTIAL_GOOD);
	assert_int_equal(c.kind, CREDENTIAL_BASIC);
	assert_string_equal(c.name, "alice");
	assert_string_equal(c.password, "a:b");
	assert_string_equal(c.tenant, "acme");
	assert_int_equal(credential_read_guide(&other, NULL, "basic  YWxpY2U6YTpi", "acme"), CREDENTIAL_GOOD);
	assert_true(credential_same(&c, &here, &other, &here));
	assert_false(credential_same(&c, &here, &other, &there));
	assert_int_equal(credential_read_guide(&other, NULL, "Basic YWxpY2U6YTpj", "acme"), CREDENTIAL_GOOD);
	assert_false(credential_same(&c, &here, &other, &here));
	assert_int_equal(credential_read_guide(&c, NULL, "Token " TOKEN, NULL), CREDENTIAL_GOOD);
	assert_int_equal(c.kind, CREDENTIAL_TOKEN);
	assert_string_equal(c.token, TOKEN);
	assert_int_equal(credential_read_guide(&c, NULL, "Bearer " TOKEN, NULL), CREDENTIAL_GOOD);
	assert_int_equal(credential_read_guide(&c, COOKIE, basic, NULL), CREDENTIAL_BOTH);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(credential_read_guide(&c, NULL, bad[i], NULL), CREDENTIAL_NO_TOKEN);
}

static void
what_is_no_token(void **state)
{
	static const char *const bad[] = {
		"",
		"Bearer",
		"Bearer ",
		"Bearer weir_",
		"Bearer xweir_abc",
		"Bearer weir_a b",
		"Bearer weir_a-b",
		"Bearer weir_a\xc3\xbc",
		"Bearer\tweir_abc",
		"Basic YTpi",
		"weir_abc",
		"Bearers weir_abc",
		("Bearer weir_" DIGITS_50 DIGITS_50),
	};
	struct credential c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(credential_read(&c, NULL, bad[i], NULL), CREDENTIAL_NO_TOKEN);
		assert_int_equal(c.kind, CREDENTIAL_NONE);
	}
}

static void
what_is_no_tenant(void **state)
{
	static const char *const bad[] = {
		"", "a\x01", "a\x7f", "a\xff",
		"0123456789012345678901234567890123456789012345678901234567890123"
	};
	struct credential c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(credential_read(&c, COOKIE, NULL, bad[i]), CREDENTIAL_NO_TENANT);
	assert_int_equal(credential_read(&c, COOKIE, NULL, "caf\xc3\xa9"), CREDENTIAL_GOOD);
}

/* A grant is kept for this credential, this tenant and (of a token) this address, and for none beside. */
static void
keys(void **state)
{
	static const uint8_t here[4] = { 10, 0, 0, 1 }, there[4] = { 10, 0, 0, 2 };
	struct ip_addr a = ip_from_v4(here), b = ip_from_v4(there);
	struct credential cookie, token, elsewhere;

	(void)state;
	assert_int_equal(credential_read(&cookie, COOKIE, NULL, NULL), CREDENTIAL_GOOD);
	assert_int_equal(credential_read(&token, NULL, "Bearer " TOKEN, NULL), CREDENTIAL_GOOD);
	assert_int_equal(credential_read(&elsewhere, COOKIE, NULL, "acme"), CREDENTIAL_GOOD);
	assert_true(credential_same(&cookie, &a, &cookie, &a));
	assert_true(credential_same(&cookie, &a, &cookie, &b));
	assert_true(credential_same(&token, &a, &token, &a));
	assert_false(credential_same(&token, &a, &token, &b));
	assert_false(credential_same(&cookie, &a, &token, &a));
	assert_false(credential_same(&cookie, &a, &elsewhere, &a));
	elsewhere = token;
	assert_true(credential_set_tenant(&elsewhere, "acme"));
	assert_false(credential_same(&token, &a, &elsewhere, &a));
	elsewhere = token;
	elsewhere.token[6] = 'x';
	assert_false(credential_same(&token, &a, &elsewhere, &a));
	credential_wipe(&token);
	assert_int_equal(token.kind, CREDENTIAL_NONE);
	assert_string_equal(token.token, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody),
		cmocka_unit_test(cookies_and_tokens),
		cmocka_unit_test(the_guides_schemes),
		cmocka_unit_test(what_is_no_token),
		cmocka_unit_test(what_is_no_tenant),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
