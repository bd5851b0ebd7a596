/* Passwords and user names: what is refused, what is not, and that the list is in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "password.h"
#include "user_name.h"
#include "utf8.h"

static void
good(const char *password, const char *name)
{
	const char *why = password_judge(password, name, 12);

	if (why != NULL)
		fail_msg("'%s' for '%s' was refused: %s", password, name, why);
}

static void
bad(const char *password, const char *name)
{
	if (password_judge(password, name, 12) == NULL)
		fail_msg("'%s' for '%s' was accepted", password, name);
}

static void
passwords_that_are_good(void **state)
{
	(void)state;
	good("a weir in the river", "alice");
	good("correcthorsebatterystapler", "alice");
	good("alice has a garden", "alice");
	good("pässwörter sind lang", "alice");
	good("zwölfzeichen", "al"); /* 12 characters */
	good("            x", "al");
	good("abcdefghijkm", "alice");
	good("bobbobbobxyz", "bobby");
	good("\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf0", "al"); /* bytes are as good as any */
}

static void
passwords_that_are_not(void **state)
{
	char longest[250];

	(void)state;
	bad("", "alice");
	bad("eleven char", "alice");
	bad("elf zäichen", "alice"); /* 11 characters in 12 bytes */
	bad("passwordpassword", "alice");
	bad("PassWordPassword", "alice");
	bad("123456789012", "alice");
	bad("098765432109", "alice");
	bad("111111111111", "alice");
	bad("abcabcabcabc", "alice");
	bad("abcabcabcabcab", "alice");
	bad("abcdefghijklm", "alice");
	bad("ABCDEFGHIJKLM", "alice");
	bad("zyxwvutsrqpo", "alice");
	bad("qwertyuiop123", "alice");
	bad("correcthorsebatterystaple", "alice");
	bad("administrator", "root");
	bad("Administrator123", "root");
	bad("elizabeth2024", "elizabeth");
	bad("ELIZABETH!!!!", "elizabeth");
	bad("aliceALICEalice", "alice");
	bad("12345alice67", "alice");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	bad(longest, "alice");
}

static void
least_length_counts_characters(void **state)
{
	(void)state;
	assert_non_null(password_judge("sieben7", "alice", 8));
	assert_null(password_judge("acht_lng", "alice", 8));
	assert_non_null(strstr(password_judge("sieben7", "alice", 8), " 8 "));
}

static void
list_is_in_order(void **state)
{
	(void)state;
	assert_true(common_passwords_count >= 200);
	for (size_t i = 0; i < common_passwords_count; i++) {
		assert_true(strlen(common_passwords[i]) >= 8);
		for (const char *c = common_passwords[i]; *c != '\0'; c++)
			assert_false(*c >= 'A' && *c <= 'Z');
		if (i > 0)
			assert_true(strcmp(common_passwords[i - 1], common_passwords[i]) < 0);
		assert_non_null(password_judge(common_passwords[i], "somebody", 8));
	}
}

static void
user_names(void **state)
{
	static const char *const fine[] = { "a",      "alice", "Alice Weaver",
					    "zoë",    "山田",  "user@example.com",
					    "o'neil", "-x" };
	/* In bytes: a linter takes the character for an attack on the reader. */
	static const char right_to_left[] = { 'a', (char)0xe2, (char)0x80, (char)0xae, 'b', 0 };
	static const char *const wrong[] = { "",
					     " alice",
					     "alice ",
					     "al\nice",
					     "al\tice",
					     "\x7f",
					     "a\xc2\x80",
					     "\xff",
					     "\xc0\xaf",
					     "\xed\xa0\x80",
					     right_to_left,
					     "a\xe2\x80\x8b",
					     "alice\xc2\xa0",
					     "\xe3\x80\x80x",
					     "a  b",
					     "\xef\xbb\xbfx",
					     "\xf4\x90\x80\x80",
					     "\xe2\x82" };
	char longest[66];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		if (user_name_judge(fine[i]) != NULL)
			fail_msg("'%s' was refused: %s", fine[i], user_name_judge(fine[i]));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (user_name_judge(wrong[i]) == NULL)
			fail_msg("name %zu was accepted", i);
	memset(longest, 'x', 65);
	longest[65] = '\0';
	assert_non_null(user_name_judge(longest));
	longest[64] = '\0';
	assert_null(user_name_judge(longest));
}

static void
utf8(void **state)
{
	static const struct {
		const char *text;
		uint32_t c;
		size_t len;
	} rows[] = {
		{ "A", 'A', 1 },
		{ "\xc3\xa9", 0xe9, 2 },
		{ "\xe2\x82\xac", 0x20ac, 3 },
		{ "\xf0\x9f\x98\x80", 0x1f600, 4 },
		{ "\xc1\x81", UTF8_BAD, 1 },
		{ "\x80", UTF8_BAD, 1 },
		{ "\xe0\x80\x80", UTF8_BAD, 1 },
		{ "\xf8\x88\x80\x80\x80", UTF8_BAD, 1 },
		{ "\xe2\x82", UTF8_BAD, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *p = rows[i].text;

		assert_int_equal(utf8_next(&p), rows[i].c);
		assert_int_equal(p - rows[i].text, rows[i].len);
	}
	assert_int_equal(utf8_length("zoë"), 3);
	assert_int_equal(utf8_length("\xff\xff"), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_that_are_good),
		cmocka_unit_test(passwords_that_are_not),
		cmocka_unit_test(least_length_counts_characters),
		cmocka_unit_test(list_is_in_order),
		cmocka_unit_test(user_names),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
