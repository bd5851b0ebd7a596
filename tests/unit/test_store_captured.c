/* A captured httpd gets nothing for grants that are none: forged, of others, over, revoked or played again.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store_walls.h"

/* Every kind of question with every grant that is none: nothing but the refusal. */
static void
no_question_without_a_grant(void **state)
{
	struct walls_who who = { .tenant = BETA };
	struct wire_question q;
	struct rec_flow f = world_flow(walls.all, 1, ETH1, "10.2.0.1", "192.0.2.1");

	(void)state;
	walls_put(walls.all, &f, true);
	walls_pump(walls.all);
	world_commit(walls.all);
	for (unsigned i = 0; walls_question_at(walls.all, i, &q); i++) {
		uint8_t good[GRANT_BYTES_MAX], bad[GRANT_BYTES_MAX];
		struct grant g = walls_grant_of(walls.all, &who, true), other;
		size_t len = world_grant_as(walls.all, &g, true, good), n;

#define REFUSED(bytes, size)                                                                                 \
	do {                                                                                                 \
		assert_int_equal(world_ask_with(walls.all, &q, bytes, size), ANSWER_NOT_GRANTED);            \
		assert_int_equal(walls.all->rows_len, 0);                                                    \
	} while (0)
		grants_heard(walls.all->s->grants, clock_boot_ns());
		assert_int_not_equal(world_ask_with(walls.all, &q, good, len), ANSWER_NOT_GRANTED);
		memcpy(bad, good, len); /* forged: one bit, anywhere */
		bad[randombytes_uniform((uint32_t)len)] ^= (uint8_t)(1u << randombytes_uniform(8));
		REFUSED(bad, len);
		memcpy(bad, good, len); /* signed with another's key */
		crypto_sign_detached(bad + len - 64, NULL, bad, len - 64, walls.some->sign_secret);
		REFUSED(bad, len);
		other = walls_grant_of(walls.all, &who, true); /* of another httpd */
		other.audience_instance = 7;
		n = world_grant_as(walls.all, &other, true, bad);
		REFUSED(bad, n);
		other = walls_grant_of(walls.all, &who, true); /* over */
		other.issued_ns -= 60 * NS_PER_S;
		other.expires_ns -= 60 * NS_PER_S;
		n = world_grant_as(walls.all, &other, true, bad);
		REFUSED(bad, n);
		other = walls_grant_of(walls.all, &who, true); /* of a time when authd was another */
		n = world_grant_as(walls.all, &other, false, bad);
		REFUSED(bad, n);
		other = walls_grant_of(walls.all, &who, true); /* for something else */
		other.scopes = UINT64_C(1) << ACTION_READ_AUDIT;
		n = world_grant_as(walls.all, &other, true, bad);
		REFUSED(bad, n);
		grants_revoke(walls.all->s->grants, g.id); /* and the good one, played again */
		REFUSED(good, len);
	}
}

/* Keys rotate: for as long as store is told of both, what either signed is good; then it is not. */
static void
keys_rotate_under_grants(void **state)
{
	const struct walls_who who = { .tenant = BETA };
	struct wire_question q = world_question(ASK_FLOWS);
	struct wire_grant_keys keys = { .n = 2 };
	struct grant g = walls_grant_of(walls.all, &who, true);
	uint8_t before[GRANT_BYTES_MAX], after[GRANT_BYTES_MAX];
	size_t nbefore = world_grant_as(walls.all, &g, true, before), nafter;

	(void)state;
	assert_int_equal(world_ask_with(walls.all, &q, before, nbefore), ANSWER_OK);
	memcpy(keys.key[1], walls.all->sign_public, sizeof(keys.key[1]));
	crypto_sign_keypair(walls.all->sign_public, walls.all->sign_secret);
	memcpy(keys.key[0], walls.all->sign_public, sizeof(keys.key[0]));
	assert_true(grants_keys(walls.all->s->grants, &keys));
	g = walls_grant_of(walls.all, &who, true);
	nafter = world_grant_as(walls.all, &g, true, after);
	assert_int_equal(world_ask_with(walls.all, &q, before, nbefore), ANSWER_OK);
	assert_int_equal(world_ask_with(walls.all, &q, after, nafter), ANSWER_OK);
	world_policy(walls.all, NULL, 0); /* signed with the new one */
	assert_int_equal(world_ask_with(walls.all, &q, before, nbefore), ANSWER_OK);
	keys.n = 1;
	assert_true(grants_keys(walls.all->s->grants, &keys));
	assert_int_equal(world_ask_with(walls.all, &q, before, nbefore), ANSWER_NOT_GRANTED);
	assert_int_equal(world_ask_with(walls.all, &q, after, nafter), ANSWER_OK);
}

/* A cursor tells nothing of where it stands, and is nobody else's. */
static void
cursors_are_opaque(void **state)
{
	struct walls_who who = { .tenant = BETA };
	struct wire_question q = world_question(ASK_HOSTS);

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct rec_flow f = world_flow(walls.all, i + 1, ETH1, "10.2.0.1", "192.0.2.1");

		f.ip[CLIENT].b[15] = (uint8_t)(i + 1);
		walls_put(walls.all, &f, false);
	}
	walls_pump(walls.all);
	q.limit = 5;
	assert_int_equal(walls_ask_as(walls.all, &who, true, &q), ANSWER_OK);
	assert_true(walls.all->has_cursor);
	for (size_t at = 0; at + 4 <= walls.all->cursor_len; at++)
		assert_true(memcmp(walls.all->cursor + at, "\x0a\x02\x00", 3) != 0 &&
			    memcmp(walls.all->cursor + at, "\xc0\x00\x02", 3) != 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, walls_setup, walls_teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_question_without_a_grant),
		TEST(keys_rotate_under_grants),
		TEST(cursors_are_opaque),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
