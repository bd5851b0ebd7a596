/* Sessions: time-outs, the most of one user, what is on disk. The clock is the test's. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_scratch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sessions.h"

#define MINUTE (60 * NS_PER_S)
#define START  (INT64_C(1800000000) * NS_PER_S)

static struct accounts_db *db;
static const struct wire_client client = { .agent = "test" };
static struct sessions *ss;
static unsigned ended;
static struct session *last_ended;
static const struct sessions_rules rules = { 10 * MINUTE, 60 * MINUTE, 3 };

static void
on_ended(void *ctx, struct session *s)
{
	(void)ctx;
	ended++;
	last_ended = s;
}

static void
load(int64_t now)
{
	ended = 0;
	ss = sessions_new(db, &rules, on_ended, NULL);
	assert_true(sessions_load(ss, now));
}

static void
restart(int64_t now)
{
	sessions_free(&ss);
	accounts_db_close(&db);
	db = scratch_reopen();
	load(now);
}

static int
open_sessions(void **state)
{
	(void)state;
	db = scratch_open();
	load(START);
	return 0;
}

static int
close_sessions(void **state)
{
	(void)state;
	sessions_free(&ss);
	scratch_close(&db);
	return 0;
}

static struct session *
begin(uint64_t account, int64_t now, uint8_t cookie[COOKIE_BYTES])
{
	struct session_record r;
	struct session *s;
	enum db_status why;

	sessions_draw(ss, account, &client, now, cookie, &r);
	s = sessions_begin(ss, &r, NULL, NULL, &why);
	assert_non_null(s);
	assert_int_equal(why, DB_OK);
	return s;
}

static void
silence_ends_a_session(void **state)
{
	uint8_t cookie[COOKIE_BYTES];

	(void)state;
	(void)begin(1, START, cookie);
	assert_non_null(sessions_find(ss, cookie, START + 10 * MINUTE - 1)); /* which is a sign of life */
	assert_non_null(sessions_find(ss, cookie, START + 20 * MINUTE - 2));
	assert_null(sessions_find(ss, cookie, START + 30 * MINUTE - 2));
	assert_int_equal(ended, 1);
	assert_null(sessions_find(ss, cookie, START + 20 * MINUTE - 1)); /* not even if the clock goes back */
	assert_int_equal(sessions_sweep(ss, START + 31 * MINUTE), DB_OK);
	assert_int_equal(sessions_count(ss), 0);
	assert_int_equal(ended, 1);
}

static void
no_session_is_for_ever(void **state)
{
	uint8_t cookie[COOKIE_BYTES];
	int64_t now;

	(void)state;
	(void)begin(1, START, cookie);
	for (now = START; now < START + 60 * MINUTE; now += 5 * MINUTE)
		assert_non_null(sessions_find(ss, cookie, now));
	assert_non_null(sessions_find(ss, cookie, START + 60 * MINUTE - 1));
	assert_null(sessions_find(ss, cookie, START + 60 * MINUTE));
}

static void
the_sweep_ends_them_too(void **state)
{
	uint8_t cookie[COOKIE_BYTES];
	struct session *s = begin(1, START, cookie);

	(void)state;
	assert_int_equal(sessions_sweep(ss, START + 10 * MINUTE - 1), DB_OK);
	assert_int_equal(ended, 0);
	assert_int_equal(sessions_sweep(ss, START + 10 * MINUTE), DB_OK);
	assert_int_equal(ended, 1);
	assert_ptr_equal(last_ended, s);
	restart(START);
	assert_int_equal(sessions_count(ss), 0); /* gone from the disk as well */
}

static void
a_clock_set_back_ends_nothing(void **state)
{
	uint8_t cookie[COOKIE_BYTES];

	(void)state;
	(void)begin(1, START, cookie);
	assert_non_null(sessions_find(ss, cookie, START - 1000 * MINUTE));
	assert_int_equal(sessions_sweep(ss, START - 1000 * MINUTE), DB_OK);
	assert_non_null(sessions_find(ss, cookie, START + MINUTE));
}

static void
the_oldest_of_a_user_ends(void **state)
{
	uint8_t cookie[5][COOKIE_BYTES], other[COOKIE_BYTES];

	(void)state;
	(void)begin(2, START - 1, other);
	for (int i = 0; i < 5; i++)
		(void)begin(1, START + i, cookie[i]);
	assert_int_equal(ended, 2);
	for (int i = 0; i < 5; i++)
		assert_int_equal(sessions_find(ss, cookie[i], START + 9) != NULL, i >= 2);
	assert_non_null(sessions_find(ss, other, START + 9));
	restart(START + 10);
	assert_int_equal(sessions_count(ss), 4);
	for (int i = 0; i < 5; i++)
		assert_int_equal(sessions_find(ss, cookie[i], START + 11) != NULL, i >= 2);
}

static void
a_restart_keeps_them(void **state)
{
	uint8_t cookie[2][COOKIE_BYTES];
	struct session *s;

	(void)state;
	(void)begin(1, START, cookie[0]);
	(void)begin(1, START + 1, cookie[1]);
	s = sessions_find(ss, cookie[0], START + 8 * MINUTE);
	assert_non_null(s);
	assert_int_equal(sessions_end(ss, sessions_find(ss, cookie[1], START + 8 * MINUTE), NULL, NULL),
			 DB_OK);
	assert_int_equal(sessions_flush(ss), DB_OK);
	restart(START + 17 * MINUTE);
	/* Seen at minute 8, as the disk learnt: not silent for ten minutes yet. */
	assert_non_null(sessions_find(ss, cookie[0], START + 17 * MINUTE));
	assert_null(sessions_find(ss, cookie[1], START + 17 * MINUTE));
	restart(START + 40 * MINUTE);
	assert_int_equal(ended, 1); /* over while nobody ran */
	assert_null(sessions_find(ss, cookie[0], START + 40 * MINUTE));
}

static bool
on_disk(const uint8_t *bytes, size_t n)
{
	static uint8_t file[1 << 20];
	int fd = open(scratch_file, O_RDONLY);
	ssize_t len = read(fd, file, sizeof(file));

	assert_true(len > 0 && len < (ssize_t)sizeof(file));
	close(fd);
	return memmem(file, (size_t)len, bytes, n) != NULL;
}

static void
only_the_hash_is_on_disk(void **state)
{
	uint8_t cookie[COOKIE_BYTES], wrong[COOKIE_BYTES];
	struct session *s = begin(1, START, cookie);

	(void)state;
	assert_false(on_disk(cookie, sizeof(cookie)));
	for (size_t i = 0; i + 8 <= sizeof(cookie); i++)
		assert_false(on_disk(cookie + i, 8));
	assert_true(on_disk(s->r.id, sizeof(s->r.id)));
	/* Whoever reads the disk learns nothing that opens a session. */
	memcpy(wrong, s->r.id, sizeof(wrong));
	assert_null(sessions_find(ss, wrong, START));
	for (size_t i = 0; i < sizeof(cookie) * 8; i++) {
		memcpy(wrong, cookie, sizeof(wrong));
		wrong[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_null(sessions_find(ss, wrong, START));
	}
}

/* The disk will not have it: no new session, the old one goes on, and one that was ended stays so and is
 * removed later. */
static void
full_disk(void **state)
{
	uint8_t cookie[COOKIE_BYTES], other[COOKIE_BYTES], fresh[COOKIE_BYTES];
	struct session_record r;
	struct rlimit was, none;
	enum db_status why;

	(void)state;
	(void)begin(1, START, cookie);
	(void)begin(1, START, other);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){ 0, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	sessions_draw(ss, 1, &client, START, fresh, &r);
	assert_null(sessions_begin(ss, &r, NULL, NULL, &why));
	assert_int_equal(why, DB_UNWRITABLE);
	assert_null(sessions_find(ss, fresh, START));
	assert_non_null(sessions_find(ss, cookie, START + 1));
	assert_int_equal(sessions_end(ss, sessions_find(ss, other, START + 1), NULL, NULL), DB_UNWRITABLE);
	assert_int_equal(ended, 1);
	assert_null(sessions_find(ss, other, START + 1));
	assert_int_equal(sessions_sweep(ss, START + 2), DB_UNWRITABLE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(sessions_sweep(ss, START + 3), DB_OK);
	assert_int_equal(ended, 1);
	restart(START + 4);
	assert_int_equal(sessions_count(ss), 1);
	assert_non_null(sessions_find(ss, cookie, START + 4));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_sessions, close_sessions)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(silence_ends_a_session),    TEST(no_session_is_for_ever),
		TEST(the_sweep_ends_them_too),   TEST(a_clock_set_back_ends_nothing),
		TEST(the_oldest_of_a_user_ends), TEST(a_restart_keeps_them),
		TEST(only_the_hash_is_on_disk),  TEST(full_disk),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
