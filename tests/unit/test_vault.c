/* Master keys and what is sealed with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/mem.h"
#include "vault/box.h"
#include "vault/master.h"

static struct master_keys
drawn(unsigned n)
{
	struct master_keys k = { .n = n };

	for (unsigned i = 0; i < n; i++)
		master_draw(&k.key[i]);
	return k;
}

static void
file_comes_back(void **state)
{
	struct master_keys k = drawn(2), again;
	char text[MASTER_FILE_MAX], err[200];
	size_t n = master_format(&k, text, sizeof(text));

	(void)state;
	assert_true(n > 0 && strlen(text) == n);
	assert_true(master_parse(text, n, &again, err, sizeof(err)));
	assert_memory_equal(&k, &again, sizeof(k));
	assert_true(
	    master_parse(text, n / 2, &again, err, sizeof(err))); /* the first line, without its end */
	assert_int_equal(again.n, 1);
	for (size_t size = 0; size <= n; size++)
		assert_int_equal(master_format(&k, text, size), 0);
}

static const char *
wrong(const char *text)
{
	static char err[200];
	struct master_keys k;
	static const struct master_keys none;

	assert_false(master_parse(text, strlen(text), &k, err, sizeof(err)));
	assert_memory_equal(&k, &none, sizeof(k));
	return err;
}

static void
files_that_are_none_are_named(void **state)
{
	struct master_keys k = drawn(2), third = drawn(1);
	char text[MASTER_FILE_MAX], line[200];
	size_t n = master_format(&k, text, sizeof(text));

	(void)state;
	assert_true(n > 0);
	assert_string_equal(wrong(""), "no master key is in it (`weir key new FILE` makes one)");
	assert_string_equal(wrong("# a word\n\n\r\n"),
			    "no master key is in it (`weir key new FILE` makes one)");
	assert_string_equal(wrong("# a word\nsecret\n"),
			    "line 2: it is no master key (`weir key new FILE` makes one)");
	assert_true(master_format(&third, line, sizeof(line)) > 0);
	memcpy(text + n, line, strlen(line));
	text[n + strlen(line)] = '\0';
	assert_string_equal(wrong(text), "line 3: there are more than two keys");
	/* Every character counts, and no byte of a key is told. */
	for (size_t i = 0; i + 1 < strlen(line); i++) {
		char was = line[i];
		const char *why;

		line[i] = was == '0' ? '1' : '0';
		why = wrong(line);
		assert_true(strncmp(why, "line 1: it is no", 16) == 0);
		line[i] = was;
	}
	line[strlen(line) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "%s\r\n%s", line, line);
	assert_string_equal(wrong(text), "line 2: the key stands there twice");
	(void)snprintf(text, sizeof(text), "%s \n", line);
	(void)wrong(text);
}

static void
box_opens_at_its_place_only(void **state)
{
	static const char secret[] = "a secret of twenty-eight bytes";
	struct master_keys k = drawn(1), other = drawn(1), none = { 0 };
	struct box_place at = { "accounts", "\0\1", 2 };
	struct box_place elsewhere[] = {
		{ "factors", "\0\1", 2 }, { "accounts", "\0\2", 2 }, { "accounts", "\0\1\0", 3 },
		{ "accounts", "\0", 1 },  { "account", "s\0\1", 3 },
	};
	uint8_t box[sizeof(secret) + BOX_OVERHEAD], again[sizeof(box)], out[sizeof(secret)];
	struct master_id id;
	size_t n, got;

	(void)state;
	n = box_seal(&k, &at, secret, sizeof(secret), box, sizeof(box));
	assert_int_equal(n, sizeof(box));
	assert_null(memmem(box, n, secret, 8));
	assert_int_equal(box_open(&k, &at, box, n, out, sizeof(out), &got, &id), BOX_OPENED);
	assert_int_equal(got, sizeof(secret));
	assert_memory_equal(out, secret, sizeof(secret));
	assert_memory_equal(&id, &k.key[0].id, sizeof(id));
	assert_int_equal(box_seal(&k, &at, secret, sizeof(secret), again, sizeof(again)), n);
	assert_memory_not_equal(box, again, n); /* each time with another nonce */
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		assert_int_equal(box_open(&k, &elsewhere[i], box, n, out, sizeof(out), &got, &id),
				 BOX_BROKEN);
	assert_int_equal(box_open(&other, &at, box, n, out, sizeof(out), &got, &id), BOX_NO_KEY);
	assert_memory_equal(&id, &k.key[0].id, sizeof(id));
	assert_int_equal(box_open(NULL, &at, box, n, out, sizeof(out), &got, NULL), BOX_NO_KEY);
	assert_int_equal(box_open(&none, &at, box, n, out, sizeof(out), &got, NULL), BOX_NO_KEY);
	/* Under the id of one key, sealed with another. */
	other.key[0].id = k.key[0].id;
	assert_int_equal(box_open(&other, &at, box, n, out, sizeof(out), &got, NULL), BOX_BROKEN);
	assert_int_equal(box_open(&k, &at, box, n, out, sizeof(out) - 1, &got, NULL), BOX_BROKEN);
}

static void
altered_and_cut_boxes_do_not_open(void **state)
{
	struct master_keys k = drawn(1);
	struct box_place at = { "factors", "k", 1 };
	uint8_t box[20 + BOX_OVERHEAD], out[20];
	size_t n = box_seal(&k, &at, "twenty bytes of it..", 20, box, sizeof(box)), got;

	(void)state;
	assert_int_equal(n, sizeof(box));
	for (size_t i = 0; i < 8 * n; i++) {
		box[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(box_open(&k, &at, box, n, out, sizeof(out), &got, NULL), BOX_OPENED);
		assert_int_equal(got, 0);
		box[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t len = 0; len < n; len++)
		assert_int_not_equal(box_open(&k, &at, box, len, out, sizeof(out), &got, NULL), BOX_OPENED);
	/* A record as it is without a key begins with its version. */
	memset(box, 1, sizeof(box));
	assert_int_equal(box_open(&k, &at, box, n, out, sizeof(out), &got, NULL), BOX_NONE);
}

static void
former_key_opens_and_the_newest_seals(void **state)
{
	struct master_keys before = drawn(1), now = drawn(2), only = { .n = 1 };
	struct box_place at = { "meta", "signing-key", 11 };
	uint8_t box[4 + BOX_OVERHEAD], out[4];
	size_t n = box_seal(&before, &at, "four", 4, box, sizeof(box)), got;
	struct master_id id;

	(void)state;
	now.key[1] = before.key[0];
	only.key[0] = now.key[0];
	assert_int_equal(box_open(&now, &at, box, n, out, sizeof(out), &got, &id), BOX_OPENED);
	assert_int_equal(box_open(&only, &at, box, n, out, sizeof(out), &got, &id), BOX_NO_KEY);
	n = box_seal(&now, &at, "four", 4, box, sizeof(box));
	assert_int_equal(box_open(&only, &at, box, n, out, sizeof(out), &got, &id), BOX_OPENED);
	assert_int_equal(box_open(&before, &at, box, n, out, sizeof(out), &got, &id), BOX_NO_KEY);
}

static void
what_does_not_fit_is_not_sealed(void **state)
{
	static char long_key[BOX_PLACE_MAX];
	struct master_keys k = drawn(1), none = { 0 };
	struct box_place at = { "t", long_key, BOX_PLACE_MAX - 2 },
			 longer = { "t", long_key, BOX_PLACE_MAX - 1 };
	uint8_t box[4 + BOX_OVERHEAD];

	(void)state;
	assert_int_equal(box_seal(&k, &at, "four", 4, box, sizeof(box)), sizeof(box));
	assert_int_equal(box_seal(&k, &longer, "four", 4, box, sizeof(box)), 0);
	assert_int_equal(box_seal(&k, &at, "four", 4, box, sizeof(box) - 1), 0);
	assert_int_equal(box_seal(&k, &at, "four", 4, box, 3), 0);
	assert_int_equal(box_seal(&none, &at, "four", 4, box, sizeof(box)), 0);
}

#define TEST(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_comes_back),
		TEST(files_that_are_none_are_named),
		TEST(box_opens_at_its_place_only),
		TEST(altered_and_cut_boxes_do_not_open),
		TEST(former_key_opens_and_the_newest_seals),
		TEST(what_does_not_fit_is_not_sealed),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
