/* What tenants may not keep: too old, too much, or of one that was deleted. It goes, from the disk too, and
 * the others keep theirs. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check.h"
#include "find.h"
#include "history_parts.h"
#include "ipc/errand.h"
#include "policy/snapshot.h"
#include "store_world.h"

#define TENANTS 3u
#define BASE_NS (INT64_C(1700006400) * NS_PER_S) /* a day's beginning */
#define HOUR    3600
#define EACH    600u

static struct history *h;
static struct names *names;
static struct batch batch;
static char dir[64];
static uint64_t flows;

static void
open_history(void)
{
	struct history_limits l = { .size = 256 << 20, .keep_flows_ns = 1000 * 86400 * NS_PER_S };

	h = world_history(&l, &names);
}

static void
close_history(void)
{
	history_close(&h);
	names_free(&names);
}

/* A commit of flows of tenants 1, 2, 3 in turn, `seconds` after the beginning, that ended then or before. */
static void
commit_late(int64_t ended, int64_t seconds, unsigned n)
{
	const struct flow_texts texts = { "name", "", "" };
	char why[HISTORY_WHY_MAX];

	for (unsigned k = 0; k < n; k++, flows++) {
		struct rec_flow f = { .protocol = 6, .end_reason = END_IDLE, .server_name_len = 4 };
		const uint32_t tenant[2] = { 1 + (uint32_t)(flows % TENANTS), 0 };

		for (int b = 0; b < 8; b++)
			f.id.b[15 - b] = (uint8_t)(flows >> (8 * b));
		randombytes_buf(&f.mac, sizeof(f.mac));
		f.last_ns = f.first_ns = f.slice_ns = BASE_NS + ended * NS_PER_S;
		assert_true(batch_add_flow(&batch, tenant, &f, &texts));
	}
	assert_int_equal(history_write(h, &batch, BASE_NS + seconds * NS_PER_S, why), DB_OK);
	batch_reset(&batch);
}

static void
commit(int64_t seconds, unsigned n)
{
	commit_late(seconds, seconds, n);
}

static void
tidy(void)
{
	unsigned steps = 0;

	while (history_tidy(h))
		assert_true(++steps < 100000);
}

/* Hours of flows, merged. */
static void
hours(int64_t from, int64_t to)
{
	for (int64_t hour = from; hour < to; hour++) {
		commit(hour * HOUR + hour, EACH);
		tidy();
	}
}

static int
setup(void **state)
{
	(void)state;
	str_copy(dir, sizeof(dir), "/dev/shm/weir-sweep-test-XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	batch_init(&batch, 8 << 20, 1024);
	flows = 0;
	open_history();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close_history();
	batch_free(&batch);
	world_delete_files();
	return chdir("/") != 0 || rmdir(dir) != 0;
}

struct seen_rows {
	uint64_t n;
	int64_t oldest_ns;
};

static bool
see(void *ctx, const struct kept_flow *k)
{
	struct seen_rows *s = ctx;

	s->n++;
	s->oldest_ns = k->f.last_ns;
	return true;
}

static struct seen_rows
rows_of(uint32_t tenant)
{
	struct flow_query q = { .tenant = tenant, .to_ns = INT64_MAX, .visits = UINT32_MAX };
	struct find *f = find_new(h);
	struct flow_position last;
	struct seen_rows s = { 0 };
	bool finished;

	assert_int_equal(history_flows(f, &q, see, &s, &last, &finished), DB_OK);
	assert_true(finished);
	find_free(&f);
	return s;
}

/* Rows of a tenant in any block of any file, whether a catalogue names it or not. */
static uint64_t
rows_on_disk(uint32_t tenant)
{
	struct block_reader *r = block_reader_new();
	DIR *d = opendir(".");
	uint64_t n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		uint32_t number = segments_number(e->d_name), from, to;
		enum db_status status;
		struct db *db = number == 0 ? NULL : segments_read(h->segments, number, &status);
		static struct block b;
		struct db_bytes key, v;
		struct db_cursor c;
		struct db_txn x;

		if (db == NULL)
			continue;
		db_begin(db, &x, false);
		db_cursor_open(&x, DB_ONLY, &c);
		for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, &v); more;
		     more = db_next(&c, &key, &v))
			if (key.n == 8 && block_open(&b, v.p, v.n) &&
			    block_rows_of(r, &b, tenant, &from, &to))
				n += to - from;
		db_cursor_close(&c);
		db_end(&x);
		segments_end(h->segments, db);
	}
	closedir(d);
	block_reader_free(&r);
	return n;
}

static void
assert_sound(void)
{
	int told = memfd_create("told", 0), status;
	struct errand_word w;
	bool done = false;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check_database(told));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (off_t at = 0; pread(told, &w, sizeof(w), at) == (ssize_t)sizeof(w); at += (off_t)sizeof(w)) {
		if (w.kind == ERRAND_FAULT)
			fail_msg("%s, block %llu, %s: %s", w.file, (unsigned long long)w.block, w.part,
				 w.text);
		done |= w.kind == ERRAND_DONE;
	}
	assert_true(done);
	close(told);
}

static void
limit(uint64_t policy, size_t n, int64_t keep_hours_of_1, uint64_t bytes_of_2)
{
	struct tenant_limits l[TENANTS] = { { .tenant = 1, .keep_ns = keep_hours_of_1 * HOUR * NS_PER_S },
					    { .tenant = 2, .stored_bytes = bytes_of_2 },
					    { .tenant = 3 } };

	const uint32_t gone[TENANTS] = { 1, 2, 3 };

	history_tenants(h, &(struct tenants_said){ l, n, gone + n, TENANTS - n }, policy);
}

static void
say(const struct tenant_limits *l, size_t n, uint64_t policy)
{
	history_tenants(h, &(struct tenants_said){ .tenant = l, .n = n }, policy);
}

/* --- the tests
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
what_is_too_old_for_its_tenant_goes(void **state)
{
	uint64_t bytes, forgotten, each = EACH / TENANTS;

	(void)state;
	limit(1, TENANTS, 10, 0);
	hours(0, 30);
	commit(30 * HOUR, 3);
	tidy();
	/* Ten hours of them, and what is not merged yet. */
	assert_in_range(rows_of(1).n, 9 * each, 12 * each + 1);
	assert_true(rows_of(1).oldest_ns >= BASE_NS + 18 * HOUR * NS_PER_S);
	assert_int_equal(rows_of(2).n, 30 * each + 1);
	assert_int_equal(rows_of(3).n, 30 * each + 1);
	history_tenant_counts(h, 1, &bytes, &forgotten);
	assert_true(bytes > 0 && forgotten >= 17 * each);
	history_tenant_counts(h, 2, &bytes, &forgotten);
	assert_int_equal(forgotten, 0);
	assert_sound();
}

/* Segments by class of retention, so that those of a class end as a whole and nothing of them is written
 * anew. */
static void
what_is_kept_as_long_stands_together(void **state)
{
	uint64_t each = EACH / TENANTS;
	struct segment_entry e;
	unsigned of[2] = { 0, 0 };
	struct db_txn x;

	(void)state;
	limit(1, TENANTS, 24, 0);
	hours(0, 60);
	assert_in_range(rows_of(1).n, 23 * each, 26 * each);
	assert_int_equal(rows_of(2).n, 60 * each);
	/* What was of the first day is gone from the disk, too. */
	assert_in_range(rows_on_disk(1), 23 * each, 38 * each);
	db_begin(h->db, &x, false);
	for (uint32_t n = 0; catalogue_segment(&x, n, &e); n = e.number + 1)
		if (e.merged && !e.gone)
			of[e.retention != tenants_retention(h->tenants, 2)]++;
	db_end(&x);
	assert_int_equal(of[0], 3);
	assert_int_equal(of[1], 2);
	/* One for each hour, two for each day: none was written anew. */
	assert_in_range(h->newest, 60 + 6, 60 + 6 + 1);
	assert_sound();
	/* They are gone on with after a start, each by those of its class. */
	close_history();
	open_history();
	limit(1, TENANTS, 24, 0);
	hours(60, 62);
	assert_in_range(h->newest, 62 + 6, 62 + 6 + 2);
	assert_int_equal(rows_of(3).n, 62 * each);
	assert_sound();
}

/* What is about to end is not written anew for what is dead in it, until somebody may keep it for longer. */
static void
what_ends_no_more_is_written_anew(void **state)
{
	struct tenant_limits l[TENANTS] = { { .tenant = 1, .keep_ns = 8 * HOUR * NS_PER_S },
					    { .tenant = 2, .keep_ns = 24 * HOUR * NS_PER_S },
					    { .tenant = 3 } };
	uint64_t each = EACH / TENANTS;

	(void)state;
	say(l, TENANTS, 1);
	hours(0, 22);
	assert_in_range(rows_of(1).n, 7 * each, 10 * each);
	assert_int_equal(rows_on_disk(1), 22 * each);
	l[1].keep_ns = 0;
	say(l, TENANTS, 2);
	commit(22 * HOUR, 0);
	tidy();
	assert_in_range(rows_on_disk(1), 7 * each, 10 * each);
	assert_int_equal(rows_of(2).n, 22 * each);
	assert_sound();
}

/* A class that nothing more comes into does not keep what is older than the store keeps anything. */
static void
what_is_written_no_more_goes_too(void **state)
{
	struct history_limits keep = { .size = 256 << 20, .keep_flows_ns = 48 * HOUR * NS_PER_S };

	(void)state;
	close_history();
	h = world_history(&keep, &names);
	limit(1, TENANTS, 24 * 90, 0);
	hours(0, 2);
	limit(2, TENANTS, 0, 0); /* of another class from now on */
	commit(3 * 24 * HOUR, EACH);
	tidy();
	commit(3 * 24 * HOUR + 1, 3);
	tidy();
	assert_int_equal(rows_on_disk(1), EACH / TENANTS + 1);
	assert_int_equal(rows_of(1).n, EACH / TENANTS + 1);
	assert_sound();
	/* What comes late does not make a segment of each commit. */
	uint32_t newest = h->newest;

	for (unsigned i = 0; i < 10; i++)
		commit_late(i, 5 * 24 * HOUR + i, 3);
	assert_int_equal(h->newest, newest + 1);
	/* Nor where nothing comes at all. */
	for (int64_t day = 8; day < 10; day++) {
		commit(day * 24 * HOUR, 0);
		tidy();
	}
	assert_int_equal(rows_on_disk(1) + rows_on_disk(2) + rows_on_disk(3), 0);
	assert_sound();
}

static void
what_is_more_than_its_bytes_goes_oldest_first(void **state)
{
	uint64_t before, bytes, forgotten, each = EACH / TENANTS;

	(void)state;
	limit(1, TENANTS, 0, 0);
	hours(0, 20);
	tidy();
	commit(20 * HOUR + 120, 3);
	tidy();
	history_tenant_counts(h, 2, &before, &forgotten);
	assert_true(before > 0 && forgotten == 0);
	limit(2, TENANTS, 0, before / 2);
	commit(20 * HOUR + 240, 3);
	tidy();
	history_tenant_counts(h, 2, &bytes, &forgotten);
	assert_true(bytes <= before / 2 && bytes > before / 4);
	assert_true(forgotten >= 9 * each);
	assert_true(rows_of(2).oldest_ns >= BASE_NS + 9 * HOUR * NS_PER_S);
	assert_int_equal(rows_of(1).n, 20 * each + 2);
	assert_int_equal(rows_of(3).n, 20 * each + 2);
	assert_sound();
	/* And what is forgotten leaves the disk once it is enough of a segment: 30 % of the rows. */
	limit(3, TENANTS, 0, 1);
	commit(20 * HOUR + 360, 3);
	tidy();
	assert_in_range(rows_on_disk(2), 0, 2 * each);
	assert_sound();
}

static void
nothing_of_a_deleted_tenant_stays(void **state)
{
	uint64_t each = EACH / TENANTS;

	(void)state;
	limit(1, TENANTS, 0, 0);
	hours(0, 5);
	commit(5 * HOUR, EACH); /* in what is written, too */
	tidy();
	assert_true(rows_on_disk(3) > 0);
	limit(2, TENANTS - 1, 0, 0);
	commit(5 * HOUR + 1, 0);
	tidy();
	assert_int_equal(rows_of(3).n, 0);
	assert_int_equal(rows_on_disk(3), 0);
	/* What was under way still. */
	commit(5 * HOUR + 2, EACH);
	assert_int_equal(rows_on_disk(3), 0);
	assert_int_equal(rows_of(1).n, 7 * each);
	assert_int_equal(rows_of(2).n, 7 * each);
	assert_int_equal(rows_of(TENANT_PLATFORM).n, 14 * each);
	assert_sound();
	close_history();
	open_history();
	assert_int_equal(rows_of(1).n, 7 * each);
}

/* Accounts that were put back from an older copy do not know the tenants that came since; nor do they where
 * they were changed so often that their policy is newer. */
static void
only_what_was_removed_is_deleted(void **state)
{
	static const struct tenant_limits two[] = { { .tenant = 1 }, { .tenant = 2 } };
	uint64_t each = EACH / TENANTS;

	(void)state;
	limit(7, TENANTS, 0, 0);
	hours(0, 3);
	close_history();
	open_history();
	say(two, 2, 6);
	commit(3 * HOUR, EACH);
	tidy();
	assert_int_equal(rows_of(3).n, 4 * each);
	say(two, 2, 9);
	commit(3 * HOUR + 1, 0);
	tidy();
	assert_int_equal(rows_of(3).n, 4 * each);
	assert_sound();
	limit(10, TENANTS - 1, 0, 0);
	commit(3 * HOUR + 2, 0);
	tidy();
	assert_int_equal(rows_on_disk(3), 0);
}

/* Of another store in the same directory, say: what has its mark is not written over, nor deleted. */
static void
files_of_others_are_left_alone(void **state)
{
	static const uint8_t ours[SEGMENT_IDENTITY] = { 1 }, theirs[SEGMENT_IDENTITY] = { 2 };
	enum db_status status;
	char err[512] = "";

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct segments *s = segments_new(ours, false);
		struct db *db = segments_write(s, 4000, 4 << 20, &status, err, sizeof(err));

		assert_non_null(db);
		assert_true(segments_is_ours(db, ours));
		segments_sealed(s, 4000);
		segments_free(&s);
		s = segments_new(theirs, false);
		assert_null(segments_write(s, 4000, 4 << 20, &status, err, sizeof(err)));
		assert_int_equal(status, DB_FOREIGN);
		assert_true(strlen(err) > 0);
		segments_free(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_too_old_for_its_tenant_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_kept_as_long_stands_together, setup, teardown),
		cmocka_unit_test_setup_teardown(what_ends_no_more_is_written_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_written_no_more_goes_too, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_more_than_its_bytes_goes_oldest_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_of_a_deleted_tenant_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_was_removed_is_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(files_of_others_are_left_alone, setup, teardown),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
