/* Second factors, tickets between the two steps, and the text of tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"
#include "factor.h"
#include "tickets.h"
#include "token_text.h"
#include "totp.h"

#define NOW (INT64_C(1800000000) * NS_PER_S)

/* RFC 6238, appendix B: the last six of its eight digits. */
static void
codes_are_those_of_the_rfc(void **state)
{
	static const uint8_t secret[] = "12345678901234567890";
	static const struct {
		int64_t second;
		const char *code;
	} vectors[] = {
		{ 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
		{ 1234567890, "005924" }, { 2000000000, "279037" }, { INT64_C(20000000000), "353130" },
	};
	char code[TOTP_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		assert_true(totp_code(secret, (uint64_t)vectors[i].second / TOTP_STEP_S, code));
		assert_string_equal(code, vectors[i].code);
	}
}

static void
a_code_counts_once_and_near_its_time(void **state)
{
	uint64_t step = (uint64_t)(NOW / NS_PER_S) / TOTP_STEP_S;
	struct factor_record f;
	struct factor_offer offer;
	char code[TOTP_DIGITS + 1];

	(void)state;
	assert_true(factor_begin(FACTOR_TOTP, "al ice", NOW, &f, &offer));
	assert_non_null(strstr(offer.uri, "otpauth://totp/Weir:al%20ice?secret="));
	assert_int_equal(strlen(offer.secret), 32);
	assert_true(totp_code(f.secret, step, code));
	assert_false(factor_check(&f, "", NOW));
	assert_false(factor_check(&f, "00000", NOW));
	assert_false(factor_check(&f, code, NOW + 61 * NS_PER_S + 30 * NS_PER_S));
	assert_false(factor_check(&f, code, NOW - 61 * NS_PER_S));
	assert_true(factor_check(&f, code, NOW + 30 * NS_PER_S)); /* the clock is off by a step */
	assert_false(factor_check(&f, code, NOW + 30 * NS_PER_S));
	assert_true(totp_code(f.secret, step - 1, code));
	assert_false(factor_check(&f, code, NOW)); /* older than one that was taken */
	assert_true(totp_code(f.secret, step + 1, code));
	assert_true(factor_check(&f, code, NOW));
}

static void
recovery_codes_count_once_each(void **state)
{
	char codes[RECOVERY_CODES][RECOVERY_TEXT_MAX], typed[32];
	struct factor_record f;
	struct factor_offer offer;

	(void)state;
	assert_true(factor_begin(FACTOR_TOTP, "alice", NOW, &f, &offer));
	factor_draw_recovery(&f, codes);
	assert_false(factor_check(&f, codes[0], NOW)); /* not confirmed */
	f.confirmed = true;
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(codes[i], codes[k]);
	/* As people type it: in capitals, with spaces or nothing between. */
	(void)snprintf(typed, sizeof(typed), "%.4s %.4s%.4s %.4s", codes[4], codes[4] + 5, codes[4] + 10,
		       codes[4] + 15);
	for (char *p = typed; *p != '\0'; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	assert_true(factor_check(&f, typed, NOW));
	assert_int_equal(f.nrecovery, RECOVERY_CODES - 1);
	assert_false(factor_check(&f, codes[4], NOW));
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		assert_int_equal(factor_check(&f, codes[i], NOW), i != 4);
	assert_int_equal(f.nrecovery, 0);
	assert_false(factor_check(&f, "", NOW));
}

static void
tickets_are_few_and_short(void **state)
{
	static struct tickets t;
	uint8_t first[TICKET_BYTES], other[TICKET_BYTES], none[TICKET_BYTES] = { 0 };

	(void)state;
	assert_null(tickets_try(&t, none, NOW));
	tickets_draw(&t, 7, "alice", NOW, first);
	for (int i = 0; i < TICKET_TRIES; i++) {
		assert_non_null(tickets_try(&t, first, NOW + 1));
		assert_int_equal(tickets_try(&t, none, NOW) == NULL, true);
	}
	assert_null(tickets_try(&t, first, NOW + 1));
	tickets_draw(&t, 7, "alice", NOW, first);
	assert_int_equal(tickets_try(&t, first, NOW)->account, 7);
	assert_null(tickets_try(&t, first, NOW + TICKET_LIFE_S * NS_PER_S));
	/* One alone voids only his own. */
	tickets_draw(&t, 7, "alice", NOW, first);
	tickets_draw(&t, 8, "bob", NOW, none);
	for (int i = 0; i < TICKETS_MAX; i++)
		tickets_draw(&t, 8, "bob", NOW + 1, other);
	assert_non_null(tickets_try(&t, first, NOW + 1));
	assert_null(tickets_try(&t, none, NOW + 1));
	assert_non_null(tickets_try(&t, other, NOW + 1));
	/* The table is full: the oldest goes. */
	for (uint64_t i = 0; i < TICKETS_MAX; i++)
		tickets_draw(&t, 100 + i, "many", NOW + 2, none);
	assert_null(tickets_try(&t, first, NOW + 2));
	assert_non_null(tickets_try(&t, none, NOW + 2));
}

static void
tickets_of_one_are_voided(void **state)
{
	static struct tickets t;
	uint8_t his[2][TICKET_BYTES], hers[TICKET_BYTES];

	(void)state;
	tickets_draw(&t, 7, "alice", NOW, hers);
	tickets_draw(&t, 8, "bob", NOW, his[0]);
	tickets_draw(&t, 8, "bob", NOW, his[1]);
	tickets_forget(&t, 8);
	assert_null(tickets_try(&t, his[0], NOW));
	assert_null(tickets_try(&t, his[1], NOW));
	assert_non_null(tickets_try(&t, hers, NOW));
}

static void
tokens_check_themselves(void **state)
{
	char text[TOKEN_TEXT_LEN + 1], spoilt[TOKEN_TEXT_LEN + 2];

	(void)state;
	for (int round = 0; round < 100; round++) {
		token_text_draw(text);
		assert_int_equal(strlen(text), TOKEN_TEXT_LEN);
		assert_true(token_text_good(text));
		for (size_t i = 0; i < TOKEN_TEXT_LEN; i++) {
			(void)str_copy(spoilt, sizeof(spoilt), text);
			spoilt[i] = spoilt[i] == 'a' ? 'b' : 'a';
			assert_false(token_text_good(spoilt));
		}
		(void)snprintf(spoilt, sizeof(spoilt), "%sa", text);
		assert_false(token_text_good(spoilt));
		(void)snprintf(spoilt, sizeof(spoilt), "%.*s", (int)TOKEN_TEXT_LEN - 1, text);
		assert_false(token_text_good(spoilt));
	}
	/* One that a scanner can be tried with: its check never changes. */
	assert_true(token_text_good("weir_00000000000000000000000000011A0GA"));
	assert_false(token_text_good(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_the_rfc),
		cmocka_unit_test(a_code_counts_once_and_near_its_time),
		cmocka_unit_test(recovery_codes_count_once_each),
		cmocka_unit_test(tickets_are_few_and_short),
		cmocka_unit_test(tickets_of_one_are_voided),
		cmocka_unit_test(tokens_check_themselves),
	};

	if (sodium_init() < 0)
		return 1;
	totp_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
