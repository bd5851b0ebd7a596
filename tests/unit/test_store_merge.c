/* Merging: what came every second becomes blocks of one tenant each, and every question is answered as
 * before, whenever store dies. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "find.h"
#include "policy/snapshot.h"
#include "store_world.h"

#define TENANTS 5u
#define BASE_NS (INT64_C(1700000000) * NS_PER_S)

static struct history *h;
static struct names *names;
static struct batch batch;
static char dir[64];
static uint64_t flows; /* made so far */
static uint64_t size;  /* of the store */

static void
open_history(void)
{
	struct history_limits l = { .size = size,
				    .keep_flows_ns = 1000 * 86400 * NS_PER_S,
				    .keep_ns = { NS_PER_S, NS_PER_S, NS_PER_S } };

	h = world_history(&l, &names);
}

static void
close_history(void)
{
	history_close(&h);
	names_free(&names);
}

static int
setup(void **state)
{
	(void)state;
	str_copy(dir, sizeof(dir), "/dev/shm/weir-merge-test-XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	batch_init(&batch, 8 << 20, 1024);
	flows = 0;
	size = 256 << 20;
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

static void
add_flow(uint64_t n, int64_t last_ns)
{
	struct rec_flow f = { .protocol = 17, .end_reason = END_IDLE, .server_name_len = 6 };
	char name[8] = "name-x";
	const uint32_t tenant[2] = { 1 + (uint32_t)(n % TENANTS),
				     n % 7 == 0 ? 1 + (uint32_t)((n + 1) % TENANTS) : 0 };

	for (int i = 0; i < 8; i++)
		f.id.b[15 - i] = (uint8_t)(n >> (8 * i));
	f.ip[CLIENT] = ip_from_v4((const uint8_t[4]){ 10, 0, (uint8_t)(n % 3), (uint8_t)n });
	f.last_ns = last_ns;
	f.first_ns = f.slice_ns = last_ns - (int64_t)(n % 60) * NS_PER_S;
	f.count.packets[0] = f.count.bytes[0] = n;
	f.count.packets[1] = hash_mix(n, UINT64_C(0x9e3779b97f4a7c15)); /* what cannot be packed */
	f.count.bytes[1] = ~f.count.packets[1];
	name[5] = (char)('a' + n % 26);

	const struct flow_texts texts = { name, "", "" };

	assert_true(batch_add_flow(&batch, tenant, &f, &texts));
}

static void
commit(int64_t now_ns)
{
	char why[HISTORY_WHY_MAX];

	assert_int_equal(history_write(h, &batch, now_ns, why), DB_OK);
	batch_reset(&batch);
}

/* n commits, a second apart, from `from` seconds on. */
static void
fill(int64_t from, unsigned n, unsigned each)
{
	for (unsigned i = 0; i < n; i++) {
		int64_t now = BASE_NS + (from + i) * NS_PER_S;

		for (unsigned k = 0; k < each; k++, flows++)
			add_flow(flows, now - (int64_t)(flows * 37 % 90000) * NS_PER_MS);
		commit(now);
	}
}

/* One more flow, an hour later: the segment before is over. */
static void
next_hour(int64_t hour)
{
	fill(3600 * hour + 1, 1, 1);
}

/* What a tenant sees of everything, as one hash; the rows must come in order. */
struct sight {
	crypto_generichash_state st;
	struct flow_position before;
	unsigned rows;
	uint8_t hash[32];
};

static bool
see(void *ctx, const struct kept_flow *k)
{
	struct sight *s = ctx;

	assert_true(s->rows == 0 || k->f.last_ns <= s->before.last_ns);
	s->before.last_ns = k->f.last_ns;
	s->rows++;
	crypto_generichash_update(&s->st, (const uint8_t *)&k->f, sizeof(k->f));
	crypto_generichash_update(&s->st, (const uint8_t *)&k->tenant, sizeof(k->tenant));
	crypto_generichash_update(&s->st, (const uint8_t *)k->texts.server_name, k->f.server_name_len);
	return true;
}

static void
look(uint32_t tenant, struct sight *s)
{
	struct flow_query q = { .tenant = tenant, .to_ns = INT64_MAX, .visits = UINT32_MAX };
	struct flow_position last;
	struct find *f = find_new(h);
	bool finished;

	*s = (struct sight){ .rows = 0 };
	crypto_generichash_init(&s->st, NULL, 0, sizeof(s->hash));
	assert_int_equal(history_flows(f, &q, see, s, &last, &finished), DB_OK);
	assert_true(finished);
	find_free(&f);
	crypto_generichash_final(&s->st, s->hash, sizeof(s->hash));
}

static void
look_all(struct sight s[static TENANTS + 1])
{
	look(TENANT_PLATFORM, &s[0]);
	for (uint32_t t = 1; t <= TENANTS; t++)
		look(t, &s[t]);
}

static void
assert_same_sight(const struct sight *a, const struct sight *b)
{
	for (uint32_t t = 0; t <= TENANTS; t++) {
		assert_int_equal(a[t].rows, b[t].rows);
		assert_memory_equal(a[t].hash, b[t].hash, sizeof(a[t].hash));
	}
}

static bool
count_block(void *ctx, const struct block_entry *e)
{
	unsigned *n = ctx;

	assert_int_equal(e->tenants, 1);
	++*n;
	return true;
}

/* Blocks in segments that are merged; *others: segments that could be. */
static unsigned
merged_blocks(unsigned *others)
{
	struct segment_entry e;
	struct db_txn x;
	unsigned n = 0;

	*others = 0;
	db_begin(h->db, &x, false);
	for (uint32_t at = 0; catalogue_segment(&x, at, &e); at = e.number + 1) {
		if (!e.gone && e.merged)
			catalogue_blocks(&x, e.number, false, count_block, &n);
		else if (!e.gone && e.number != h->fresh.segment.number)
			++*others;
	}
	db_end(&x);
	return n;
}

static void
tidy_all(void)
{
	for (unsigned steps = 0; history_tidy(h); steps++)
		assert_true(steps < 10000);
}

static void
many_small_blocks_become_few(void **state)
{
	struct sight before[TENANTS + 1], after[TENANTS + 1];
	unsigned others;

	(void)state;
	fill(0, 200, 30);
	assert_false(history_tidy(h)); /* it is still written */
	next_hour(1);
	look_all(before);
	assert_int_equal(before[0].rows, 6001);
	tidy_all();
	assert_int_equal(merged_blocks(&others), TENANTS);
	assert_int_equal(others, 0);
	look_all(after);
	assert_same_sight(before, after);
	assert_int_equal(access("flows-00000001.mdb", F_OK), -1);
	close_history();
	open_history();
	look_all(after);
	assert_same_sight(before, after);

	/* The next hour goes behind the first, in the same segment of the day. */
	fill(3700, 50, 20);
	next_hour(2);
	look_all(before);
	tidy_all();
	assert_int_equal(merged_blocks(&others), 2 * TENANTS);
	look_all(after);
	assert_same_sight(before, after);
	assert_true(history_write(h, &batch, BASE_NS + 8000 * NS_PER_S, (char[HISTORY_WHY_MAX]){ 0 }) ==
		    DB_OK);
}

static void
one_tenant_fills_several_blocks(void **state)
{
	struct sight before[TENANTS + 1], after[TENANTS + 1];
	unsigned others;

	(void)state;
	fill(0, 60, 10000);
	next_hour(1);
	look_all(before);
	assert_int_equal(before[0].rows, 600001);
	tidy_all();
	/* 137,143 rows of each tenant: three blocks at least, of 8,192 rows at least */
	assert_in_range(merged_blocks(&others), 3 * TENANTS, 17 * TENANTS);
	look_all(after);
	assert_same_sight(before, after);
}

/* Dies after each step; then it is begun again, and in the end done once. */
static void
a_death_between_steps_costs_nothing(void **state)
{
	struct sight before[TENANTS + 1], after[TENANTS + 1];
	unsigned others, whole = 0;

	(void)state;
	fill(0, 150, 40);
	next_hour(1);
	look_all(before);
	for (unsigned steps = 1; steps < 100 && whole == 0; steps++) {
		for (unsigned i = 0; i < steps && history_tidy(h); i++)
			;
		close_history();
		open_history();
		look_all(after);
		assert_same_sight(before, after);
		whole = merged_blocks(&others);
	}
	assert_int_equal(whole, TENANTS);
	assert_int_equal(others, 0);
}

/* A slice ends anew while its segment is merged, and after. */
static void
what_is_replaced_meanwhile_is_gone(void **state)
{
	struct sight s;

	(void)state;
	fill(0, 100, 40);
	next_hour(1);
	for (unsigned steps = 0; steps < 30; steps++) {
		for (unsigned i = 0; i < steps && history_tidy(h); i++)
			;
		add_flow(1700, BASE_NS + (3700 + steps) * NS_PER_S);
		commit(BASE_NS + (3700 + steps) * NS_PER_S);
		look(TENANT_PLATFORM, &s);
		assert_int_equal(s.rows, 4001);
	}
	tidy_all();
	add_flow(1700, BASE_NS + 3800 * NS_PER_S);
	add_flow(1701, BASE_NS + 3800 * NS_PER_S);
	commit(BASE_NS + 3800 * NS_PER_S);
	look(TENANT_PLATFORM, &s);
	assert_int_equal(s.rows, 4001);
	assert_int_equal(s.before.last_ns > 0, 1);
}

/* Blocks in a segment's file, whether the catalogue names them or not. */
static unsigned
blocks_in_file(uint32_t segment)
{
	enum db_status status;
	struct db *db = segments_read(h->segments, segment, &status);
	struct db_bytes key;
	struct db_cursor c;
	struct db_txn x;
	unsigned n = 0;

	assert_non_null(db);
	db_begin(db, &x, false);
	db_cursor_open(&x, DB_ONLY, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, NULL); more;
	     more = db_next(&c, &key, NULL))
		n += key.n == sizeof(uint64_t);
	db_cursor_close(&c);
	assert_int_equal(db_end(&x), DB_OK);
	segments_end(h->segments, db);
	return n;
}

/* Segments of the catalogue that are merged: how many, and the dead rows of all. */
static unsigned
merged_segments(uint64_t *dead)
{
	struct segment_entry e;
	struct db_txn x;
	unsigned n = 0;

	*dead = 0;
	db_begin(h->db, &x, false);
	for (uint32_t at = 0; catalogue_segment(&x, at, &e); at = e.number + 1) {
		n += !e.gone && e.merged;
		*dead += !e.gone && e.merged ? e.dead : 0;
	}
	db_end(&x);
	return n;
}

static unsigned
files_of_segments(void)
{
	unsigned n = 0;
	struct dirent *e;
	DIR *d = opendir(".");

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += segments_number(e->d_name) != 0;
	closedir(d);
	return n;
}

static uint64_t
sequence_now(void)
{
	return h->merged[0].sequence;
}

/* A slice ends anew: what was made of its segment is given up. */
static void
end_anew(uint64_t flow, int64_t second)
{
	add_flow(flow, BASE_NS + second * NS_PER_S);
	commit(BASE_NS + second * NS_PER_S);
}

/* What a merge had made when it was given up, or when store died, is not left in the file. */
static void
what_is_given_up_is_not_left(void **state)
{
	uint64_t dead;

	(void)state;
	fill(-5 * 3600, 100, 40); /* all on one day */
	next_hour(-4);
	tidy_all();
	assert_int_equal(sequence_now(), TENANTS);
	for (unsigned died = 0; died < 2; died++) {
		fill((died == 0 ? -4 : -3) * 3600 + 100, 100, 40);
		next_hour(died == 0 ? -3 : -2);
		while (sequence_now() < TENANTS * (1 + died) + 3)
			assert_true(history_tidy(h));
		assert_int_equal(blocks_in_file(h->merged[0].segment.number), TENANTS * (1 + died) + 3);
		if (died) {
			close_history();
			open_history();
		} else {
			end_anew(flows - 5, -3 * 3600 + 50);
			assert_true(history_tidy(h));
		}
		assert_int_equal(sequence_now(), TENANTS * (1 + died));
		assert_int_equal(blocks_in_file(h->merged[0].segment.number), TENANTS * (1 + died));
		tidy_all();
		assert_int_equal(blocks_in_file(h->merged[0].segment.number), TENANTS * (2 + died));
	}
	assert_int_equal(merged_segments(&dead), 1);
	assert_int_equal(dead, 0);
}

/* Steps of a merge until what it makes goes into the n-th further segment. */
static void
tidy_until_segment(unsigned n)
{
	uint32_t before = h->merged[0].segment.number;

	while (n > 0) {
		assert_true(history_tidy(h));
		if (h->merged[0].segment.number != before && before != 0)
			n--;
		before = h->merged[0].segment.number;
	}
}

/* Of segments that it had filled up, those that it had begun go at once; the one that was there before has
 * dead rows, and is written anew where they are many. */
static void
what_is_given_up_gives_its_room_back(void **state)
{
	struct sight before[TENANTS + 1], after[TENANTS + 1];
	uint64_t dead = 0;
	unsigned files;

	(void)state;
	close_history();
	size = 16 << 20; /* segments of a sixteenth */
	open_history();
	fill(-5 * 3600, 1, 20000); /* all on one day */
	next_hour(-4);
	tidy_all();
	assert_int_equal(merged_segments(&dead), 1);
	fill(-4 * 3600 + 100, 2, 24000);
	next_hour(-3);
	tidy_until_segment(2);
	files = files_of_segments();
	end_anew(flows - 5, -3 * 3600 + 50);
	look_all(before);
	assert_true(history_tidy(h));
	assert_int_equal(files_of_segments(), files - 1);
	assert_int_equal(merged_segments(&dead), 1);
	assert_true(dead > 10000);
	tidy_all();
	look_all(after);
	assert_same_sight(before, after);
	(void)merged_segments(&dead);
	assert_int_equal(dead, 0);
}

static bool
is_there(uint32_t number)
{
	char name[SEGMENT_NAME_LEN];

	segments_name(number, name);
	return access(name, F_OK) == 0;
}

static void
make_file(uint32_t number)
{
	char name[SEGMENT_NAME_LEN];
	int fd;

	segments_name(number, name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd != -1);
	close(fd);
}

/* Where one question begins before the last one ends, for hours, what went goes from the disk all the same.
 */
static void
somebody_always_reads(void **state)
{
	struct segments *s = h->segments;
	unsigned reader = segments_reader_begins(s), next;

	(void)state;
	for (uint32_t number = 1000; number < 1020; number++) {
		make_file(number);
		segments_retire(s, number);
		next = segments_reader_begins(s);
		/* Of the first: it may look into it still. */
		assert_true(is_there(number));
		segments_reader_ends(s, reader);
		if (number > 1000)
			assert_false(is_there(number - 1));
		reader = next;
	}
	segments_reader_ends(s, reader);
	assert_false(is_there(1019));
	/* Nobody reads: at once. */
	make_file(1020);
	segments_retire(s, 1020);
	assert_false(is_there(1020));
}

/* Rows of the blocks that are listed, a block in each transaction. */
static uint64_t
listed_rows(struct find *f, uint32_t portion)
{
	enum db_status status;
	uint64_t n = 0;

	f->portion = portion;
	if (!find_blocks(f, TENANT_PLATFORM, INT64_MIN, INT64_MAX, &status))
		return 0;
	for (size_t i = 0; i < f->nblocks; i++)
		n += f->block[i].rows;
	return n;
}

static struct lister {
	pthread_t thread;
	uint64_t rows;
	atomic_bool stop;
	_Atomic unsigned listings, wrong;
} lister;

static void *
list(void *arg)
{
	struct lister *l = arg;
	struct find *f = find_new(h);

	while (!atomic_load(&l->stop)) {
		unsigned reader = segments_reader_begins(h->segments);

		if (listed_rows(f, 1) != l->rows)
			atomic_fetch_add(&l->wrong, 1);
		atomic_fetch_add(&l->listings, 1);
		segments_reader_ends(h->segments, reader);
	}
	find_free(&f);
	return NULL;
}

/* Blocks of a tenant take the place of those of a second while somebody goes through the catalogue. */
static void
a_list_in_portions_has_every_row_once(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		struct find *f = find_new(h);

		fill(3600 * round + 10, 100, 5);
		next_hour(round + 1);
		lister.rows = listed_rows(f, UINT32_MAX);
		lister.listings = 0;
		lister.stop = false;
		assert_int_equal(pthread_create(&lister.thread, NULL, list, &lister), 0);
		while (atomic_load(&lister.listings) == 0)
			(void)sched_yield();
		tidy_all();
		atomic_store(&lister.stop, true);
		assert_int_equal(pthread_join(lister.thread, NULL), 0);
		assert_int_equal(listed_rows(f, UINT32_MAX), lister.rows);
		find_free(&f);
	}
	assert_int_equal(lister.wrong, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_small_blocks_become_few),
		TEST(one_tenant_fills_several_blocks),
		TEST(a_death_between_steps_costs_nothing),
		TEST(what_is_replaced_meanwhile_is_gone),
		TEST(what_is_given_up_is_not_left),
		TEST(what_is_given_up_gives_its_room_back),
		TEST(somebody_always_reads),
		TEST(a_list_in_portions_has_every_row_once),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
