/* Anchors: lines that hold a log fast from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/anchor.h"

#define ENTRIES 12

static uint8_t secret[64], public_key[32];

/* A log of one epoch, walked up to its end. */
static struct audit_walk
walked(unsigned entries, const char *detail)
{
	struct audit_head h = { 0 };
	struct audit_walk w = { 0 };

	for (unsigned i = 1; i <= entries; i++) {
		struct audit_entry e = { .kind = i == 1 ? AUDIT_BEGUN : AUDIT_LOGIN,
					 .outcome = AUDIT_DONE,
					 .actor = "user:a" };
		uint8_t record[AUDIT_RECORD_MAX];
		size_t n;

		(void)snprintf(e.detail, sizeof(e.detail), "%s", detail);
		n = audit_chain_append(&h, &e, i == 1 ? public_key : NULL, secret, record);
		assert_true(audit_walk_step(&w, i, record, n, true, &e));
	}
	return w;
}

static struct audit_anchor
anchor(const struct audit_walk *w)
{
	return audit_anchor_make(&w->head, INT64_C(1790000000123456789), secret);
}

static void
text_comes_back(void **state)
{
	struct audit_walk w = walked(ENTRIES, "");
	struct audit_anchor a = anchor(&w), b;
	char text[AUDIT_ANCHOR_TEXT_MAX], line[2 * AUDIT_ANCHOR_TEXT_MAX];

	(void)state;
	(void)audit_anchor_format(&a, text);
	assert_non_null(
	    strstr(text, "weir-audit-anchor 1 sequence=12 epoch=1 time=1790000000.123456789 hash="));
	assert_true(audit_anchor_parse(text, strlen(text), &b));
	assert_memory_equal(&a.hash, &b.hash, sizeof(a.hash));
	assert_true(audit_anchor_holds(&w, &b));
	/* As a line of a log. */
	(void)snprintf(line, sizeof(line), "Sep 21 10:00:00 host weir[1]: info weir-authd@0: %s", text);
	assert_true(audit_anchor_parse(line, strlen(line), &b));
	/* Nothing less, and nothing more. */
	for (size_t n = 0; n < strlen(text); n++)
		assert_false(audit_anchor_parse(text, n, &b));
	(void)snprintf(line, sizeof(line), "%s ", text);
	assert_false(audit_anchor_parse(line, strlen(line), &b));
	/* Nor a time beyond what 64 bits hold. */
	(void)snprintf(line, sizeof(line), "%.*stime=9790000000.%s", (int)(strstr(text, "time=") - text),
		       text, strchr(text, '.') + 1);
	assert_false(audit_anchor_parse(line, strlen(line), &b));
}

static void
each_edited_character_is_found(void **state)
{
	struct audit_walk w = walked(ENTRIES, "");
	struct audit_anchor a = anchor(&w), b;
	char text[AUDIT_ANCHOR_TEXT_MAX];

	(void)state;
	(void)audit_anchor_format(&a, text);
	for (size_t i = 0; i < strlen(text); i++) {
		char was = text[i];
		struct audit_walk again = w;

		text[i] = was == '1' ? '2' : '1';
		assert_false(audit_anchor_parse(text, strlen(text), &b) && b.sequence == ENTRIES &&
			     audit_anchor_holds(&again, &b));
		text[i] = was;
	}
}

/* Who has the key and begins the log anew: the anchor that was written before says so. */
static void
rewritten_log_is_found(void **state)
{
	struct audit_walk w = walked(ENTRIES, ""), other = walked(ENTRIES, "other");
	struct audit_anchor a = anchor(&w);

	(void)state;
	assert_true(audit_anchor_holds(&w, &a));
	assert_false(audit_anchor_holds(&other, &a));
	assert_int_equal(other.found.fault, AUDIT_ANCHOR_DIFFERS);
	assert_int_equal(other.found.sequence, ENTRIES);
}

static void
forged_anchor_is_told_apart(void **state)
{
	struct audit_walk w = walked(ENTRIES, "");
	struct audit_anchor a = anchor(&w);

	(void)state;
	a.hash[0] ^= 1;
	assert_false(audit_anchor_holds(&w, &a));
	assert_int_equal(w.found.fault, AUDIT_ANCHOR_BAD);
}

static void
cut_off_log_is_found(void **state)
{
	struct audit_walk w = walked(ENTRIES, ""), shorter = walked(ENTRIES - 3, ""),
			  by_one = walked(ENTRIES - 1, "");
	struct audit_anchor a = anchor(&w);

	(void)state;
	assert_true(audit_anchor_reached(&w, &a));
	assert_false(audit_anchor_reached(&shorter, &a));
	assert_int_equal(shorter.found.fault, AUDIT_CUT_OFF);
	assert_int_equal(shorter.found.sequence, ENTRIES - 2);
	assert_non_null(strstr(shorter.found.text, "10 to 12"));
	assert_false(audit_anchor_reached(&by_one, &a));
	assert_non_null(strstr(by_one.found.text, "entry 12 is"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_comes_back),        cmocka_unit_test(each_edited_character_is_found),
		cmocka_unit_test(rewritten_log_is_found), cmocka_unit_test(forged_anchor_is_told_apart),
		cmocka_unit_test(cut_off_log_is_found),
	};

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(public_key, secret);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
