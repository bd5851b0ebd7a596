/* The check of a database: what is whole is sound, and whatever byte is not is named. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check.h"
#include "history_parts.h"
#include "ipc/boot.h"
#include "ipc/errand.h"
#include "series_parts.h"
#include "store_world.h"

#define BASE_NS (INT64_C(1700000000) * NS_PER_S)

#define LOOKED_AT 2500 /* bytes of a block: fewer than it has */

static struct history *h;
static struct names *names;
static struct batch batch;
static char dir[64];
static uint64_t flows;
static uint16_t applications;

static void
open_history(void)
{
	struct history_limits l = { .size = 256 << 20,
				    .keep_flows_ns = 1000 * 86400 * NS_PER_S,
				    .keep_ns = { 3600 * NS_PER_S, 3600 * NS_PER_S, 3600 * NS_PER_S } };

	h = world_history(&l, &names);
}

static void
close_history(void)
{
	history_close(&h);
	names_free(&names);
}

static void
add_flow(uint64_t n, int64_t last_ns)
{
	struct rec_flow f = { .protocol = 6, .end_reason = END_IDLE, .server_name_len = 6 };
	const uint32_t tenant[2] = { 1 + (uint32_t)(n % 3), 0 };
	const struct flow_texts texts = { "name-x", "", "" };

	for (int i = 0; i < 8; i++)
		f.id.b[15 - i] = (uint8_t)(n >> (8 * i));
	f.ip[CLIENT] = ip_from_v4((const uint8_t[4]){ 10, 0, (uint8_t)(n >> 8), (uint8_t)n });
	f.last_ns = last_ns;
	f.first_ns = f.slice_ns = last_ns - NS_PER_S;
	f.count.packets[0] = f.count.bytes[0] = n * n;
	assert_true(batch_add_flow(&batch, tenant, &f, &texts));
}

static void
fill(int64_t from, unsigned n, unsigned each)
{
	char why[HISTORY_WHY_MAX];

	for (unsigned i = 0; i < n; i++) {
		int64_t now = BASE_NS + (from + i) * NS_PER_S;
		struct series_key key = { 1, 1, i % 7 };
		struct series_value value = { .flows_max = 1 };
		uint32_t last = 0;
		char application[24];

		snprintf(application, sizeof(application), "application %d", (int)(from + i));
		for (unsigned k = 0; k < each; k++, flows++)
			add_flow(flows, now - (int64_t)(flows % 900) * NS_PER_MS);
		batch_add_second(&batch, &key, &last, now / NS_PER_S, &value);
		batch_add_name(&batch, NAME_APPLICATION, ++applications, application);
		assert_int_equal(history_write(h, &batch, now, why), DB_OK);
		batch_reset(&batch);
	}
}

static int
setup(void **state)
{
	(void)state;
	str_copy(dir, sizeof(dir), "/dev/shm/weir-check-test-XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	batch_init(&batch, 8 << 20, 1024);
	flows = applications = 0;
	open_history();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (h != NULL)
		close_history();
	batch_free(&batch);
	world_delete_files();
	return chdir("/") != 0 || rmdir(dir) != 0;
}

/* What the check says. */
static struct errand_word word[64];
static unsigned nwords;

/* In a child: what is damaged far enough ends it. */
static int
check(void)
{
	int told = memfd_create("told", 0), status;
	pid_t pid = fork();

	assert_int_not_equal(told, -1);
	if (pid == 0)
		_exit(check_database(told));
	assert_int_equal(waitpid(pid, &status, 0), pid);

	ssize_t n = pread(told, word, sizeof(word), 0);

	assert_true(n >= 0 && n % (ssize_t)sizeof(word[0]) == 0);
	nwords = (unsigned)((size_t)n / sizeof(word[0]));
	close(told);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const struct errand_word *
said(enum errand_kind kind)
{
	for (unsigned i = 0; i < nwords; i++)
		if (word[i].kind == kind)
			return &word[i];
	return NULL;
}

static void
assert_sound(uint64_t rows)
{
	assert_int_equal(check(), EXIT_OK);
	if (said(ERRAND_FAULT) != NULL)
		fail_msg("%s, block %llu, %s: %s", said(ERRAND_FAULT)->file,
			 (unsigned long long)said(ERRAND_FAULT)->block, said(ERRAND_FAULT)->part,
			 said(ERRAND_FAULT)->text);
	assert_non_null(said(ERRAND_DONE));
	assert_int_equal(said(ERRAND_DONE)->count[ERRAND_ROWS], rows);
	assert_int_equal(said(ERRAND_DONE)->count[ERRAND_FAULTS], 0);
}

static void
name_of_fresh(char name[static SEGMENT_NAME_LEN])
{
	segments_name(h->fresh.segment.number, name);
}

/* --- the tests
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
whole_while_it_is_written_and_after(void **state)
{
	(void)state;
	fill(0, 20, 50);
	assert_sound(1000);
	assert_true(said(ERRAND_DONE)->count[ERRAND_CHUNKS] > 0);
	assert_int_equal(said(ERRAND_DONE)->count[ERRAND_NAMES], 20);
	fill(3700, 1, 50); /* the segment before is over, and is merged */
	while (history_tidy(h)) {
	}
	assert_sound(1050);
	assert_int_equal(said(ERRAND_DONE)->count[ERRAND_SEGMENTS], 2);
	close_history();
	assert_sound(1050);
}

/* The format in data.mdb; set: another one before. */
static uint32_t
format_there(uint32_t set)
{
	enum db_status status;
	char err[256];
	struct db *db = db_open(256 << 20, true, &status, err, sizeof(err));
	uint32_t format = 0;
	struct db_bytes v;
	struct db_txn x;

	assert_non_null(db);
	db_begin(db, &x, true);
	if (set != 0)
		db_put(&x, DB_META, history_format_at, (struct db_bytes){ &set, sizeof(set) });
	if (db_get(&x, DB_META, history_format_at, &v) && v.n == sizeof(format))
		memcpy(&format, v.p, sizeof(format));
	assert_int_equal(db_end(&x), DB_OK);
	db_close(&db);
	return format;
}

static void
the_format_before_is_sound_and_brought_over(void **state)
{
	(void)state;
	fill(0, 3, 50);
	close_history();
	assert_int_equal(format_there(HISTORY_FORMAT_BLOCKS), HISTORY_FORMAT_BLOCKS);
	assert_sound(150);
	open_history();
	close_history();
	assert_int_equal(format_there(0), HISTORY_FORMAT);
	assert_sound(150);
}

/* Bytes of the blocks are found wherever they are turned; those of pages that nothing uses matter to nobody.
 */
static void
every_turned_byte_of_a_block_is_named(void **state)
{
	char name[SEGMENT_NAME_LEN];
	unsigned found = 0, tried = 0;
	uint8_t head[4] = { 'W', 'F', 'B', '2' }, *p;
	struct stat st;
	int fd;

	(void)state;
	fill(0, 3, 2000); /* a block has pages of its own */
	name_of_fresh(name);
	close_history();
	fd = open(name, O_RDWR);
	assert_true(fd != -1 && fstat(fd, &st) == 0);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_ptr_not_equal(p, MAP_FAILED);
	for (off_t at = 0; at + LOOKED_AT < st.st_size; at++) {
		if (memcmp(p + at, head, sizeof(head)) != 0)
			continue;
		for (off_t k = 0; k < LOOKED_AT; k += 97) {
			p[at + k] ^= 0x40;
			tried++;
			assert_int_equal(check(), EXIT_OK);

			const struct errand_word *f = said(ERRAND_FAULT);

			if (f != NULL) {
				found++;
				assert_string_equal(f->file, name);
				assert_true(f->block > 0 && f->part[0] != '\0' && f->text[0] != '\0');
				assert_true(said(ERRAND_DONE)->count[ERRAND_FAULTS] > 0);
			}
			p[at + k] ^= 0x40;
		}
	}
	munmap(p, (size_t)st.st_size);
	assert_true(tried >= 3 * LOOKED_AT / 97);
	assert_int_equal(found, tried);
	assert_sound(6000);
}

static void
missing_and_short_files_are_named(void **state)
{
	char name[SEGMENT_NAME_LEN];

	(void)state;
	fill(0, 3, 50);
	name_of_fresh(name);
	close_history();
	assert_int_equal(truncate(name, 8192), 0);
	assert_int_equal(check(), EXIT_OK);
	assert_string_equal(said(ERRAND_FAULT)->file, name);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(check(), EXIT_OK);
	assert_non_null(strstr(said(ERRAND_FAULT)->text, "150 flows are lost"));
}

/* What the catalogue says is held against what is there. */
static void
a_catalogue_that_lies_is_found(void **state)
{
	struct segment_entry s;
	struct block_entry b = { .segment = 4711, .sequence = 1, .rows = 1, .tenants = 1 };
	struct db_txn x;

	(void)state;
	fill(0, 3, 50);
	s = h->fresh.segment;
	s.rows++;
	db_begin(h->db, &x, true);
	catalogue_put_segment(&x, &s);
	assert_int_equal(db_end(&x), DB_OK);
	assert_int_equal(check(), EXIT_OK);
	assert_string_equal(said(ERRAND_FAULT)->part, "catalogue");
	s.rows--;
	b.segment = s.number;
	b.sequence = 77;
	b.least_last_ns = s.least_last_ns;
	b.most_last_ns = s.most_last_ns;
	db_begin(h->db, &x, true);
	catalogue_put_segment(&x, &s);
	catalogue_put_block(&x, &b);
	assert_int_equal(db_end(&x), DB_OK);
	assert_int_equal(check(), EXIT_OK);
	assert_non_null(said(ERRAND_FAULT));
	assert_int_equal(said(ERRAND_DONE)->count[ERRAND_FAULTS], 2); /* a block too many, and missing */
}

/* Looks at each file as the check does, without end. */
static void
look_until_killed(int out)
{
	enum db_status status;
	char why[512];
	struct db *db[] = { db_open_beside(&status, why, sizeof(why)),
			    db_open_file(SERIES_FILE, 0, DB_BESIDE, &status, why, sizeof(why)),
			    db_open_file("flows-00000001.mdb", 0, DB_BESIDE, &status, why, sizeof(why)) };
	struct db_txn x[ARRAY_LEN(db)];

	for (size_t i = 0; i < ARRAY_LEN(db); i++) {
		if (db[i] == NULL)
			_exit(1);
		db_begin(db[i], &x[i], false);
	}
	if (write(out, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* What it looked at is not kept for one who was killed, or files would grow until the next start. */
static void
killed_readers_keep_nothing(void **state)
{
	int out[2], status;
	char byte;

	(void)state;
	fill(0, 2, 50);
	assert_int_equal(pipe(out), 0);

	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		look_until_killed(out[1]);
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	close(out[0]);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fill(2, 1, 50);
	assert_int_equal(h->fresh.segment.number, 1);
	assert_int_equal(db_clear_readers(h->db), 0);
	assert_int_equal(db_clear_readers(h->series->db), 0);
	assert_int_equal(db_clear_readers(h->fresh.db), 0);
}

static void
what_is_no_database_is_refused(void **state)
{
	(void)state;
	fill(0, 1, 50);
	close_history();
	assert_int_equal(truncate("data.mdb", 4096), 0);
	assert_int_not_equal(check(), EXIT_OK);
	assert_null(said(ERRAND_DONE));
	assert_int_equal(unlink("data.mdb"), 0);
	assert_int_not_equal(check(), EXIT_OK);
	assert_non_null(said(ERRAND_REFUSED));
	assert_int_equal(access("data.mdb", F_OK), -1); /* nothing was made */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_while_it_is_written_and_after, setup, teardown),
		cmocka_unit_test_setup_teardown(the_format_before_is_sound_and_brought_over, setup, teardown),
		cmocka_unit_test_setup_teardown(every_turned_byte_of_a_block_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_and_short_files_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_catalogue_that_lies_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_readers_keep_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_database_is_refused, setup, teardown),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
