/* Disks that are full, small, damaged or forbidden; a store that is killed. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commit.h"
#include "flow_id.h"
#include "flow_row.h"
#include "history_parts.h"
#include "pump.h"
#include "store_world.h"

#define FULL_FROM 8192 /* bytes: no file can grow beyond, and each has more already */

static struct world *w;

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
put_ends(uint64_t first, unsigned n, int64_t last_ns)
{
	for (uint64_t i = first; i < first + n; i++) {
		struct rec_flow f = world_flow(w, i, ETH0, "10.1.0.1", "192.0.2.1");

		f.ip[CLIENT].b[15] = (uint8_t)i;
		f.last_ns = last_ns;
		f.end_reason = END_IDLE;
		world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
	}
}

static unsigned
kept_flows(void)
{
	struct wire_question q = world_question(ASK_FLOWS);
	unsigned rows = 0;

	q.from_ns = 1;
	q.limit = 1000;
	for (;;) {
		assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
		rows += w->nrows;
		if (!w->has_cursor)
			return rows;
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	}
}

/* As put_ends, of flows that nothing makes small. */
static void
put_random_ends(uint64_t first, unsigned n, int64_t last_ns)
{
	for (uint64_t i = first; i < first + n; i++) {
		struct rec_flow f = world_flow(w, i, ETH0, "10.1.0.1", "192.0.2.1");

		randombytes_buf(f.mac, sizeof(f.mac));
		randombytes_buf(&f.tcp, sizeof(f.tcp));
		randombytes_buf(&f.exporter, sizeof(f.exporter));
		randombytes_buf(&f.next_hop, sizeof(f.next_hop));
		f.last_ns = last_ns;
		f.end_reason = END_IDLE;
		world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
	}
}

static off_t
bytes_on_disk(void)
{
	DIR *d = opendir(".");
	off_t sum = 0;
	struct stat st;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' && stat(e->d_name, &st) == 0)
			sum += st.st_size;
	closedir(d);
	return sum;
}

/* --- a map that is too small for everything: the oldest goes, writing goes on
 * ------------------------------------------------ */

static void
a_small_store_keeps_the_newest(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	uint64_t n = 1, forgotten, damaged;

	(void)state;
	w = world_new(16 << 20, 0);
	world_engine(w, 0, 1000);
	for (int round = 0; round < 100; round++) {
		put_random_ends(n, 2000, (w->utc - 3600 + round * 36) * NS_PER_S);
		n += 2000;
		world_pump(w);
		world_commit(w);
		assert_false(w->s->degraded);
	}
	assert_int_equal(w->s->counters.n[OWN_HISTORY_FULL], 0);
	assert_true(bytes_on_disk() <= 16 << 20);

	/* The newest are there, the oldest are not. */
	q.from_ns = (w->utc - 3600 + 99 * 36) * NS_PER_S;
	q.limit = 1000;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1000);
	history_counts(w->s->history, &forgotten, &damaged);
	assert_in_range(kept_flows(), 20000, 180000);
	assert_int_equal(kept_flows() + forgotten, 200000);
	assert_int_equal(damaged, 0);
}

/* --- LMDB's tables of readers are written in memory: without blocks of their own a full disk would kill
 * ----------------------------------------------------------------------------------------------------------
 */

static void
tables_of_readers_have_their_room(void **state)
{
	unsigned found = 0;
	struct stat st;

	(void)state;
	w = world_new(16 << 20, 0);
	world_engine(w, 0, 1000);
	put_ends(1, 10, w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);

	DIR *d = opendir(".");

	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strstr(e->d_name, "lock") == NULL)
			continue;
		assert_int_equal(stat(e->d_name, &st), 0);
		assert_true(st.st_blocks * 512 >= st.st_size);
		found++;
	}
	closedir(d);
	/* Of data.mdb, of series.mdb, of the segment and of what it may be merged into. */
	assert_true(found >= 3);
}

/* --- a full disk: RLIMIT_FSIZE stands for it, LMDB gets EFBIG instead of ENOSPC
 * ----------------------------------------------- */

static void
a_full_disk_stops_history_only(void **state)
{
	struct rlimit old, tight;

	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	put_ends(1, 1000, w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = FULL_FROM;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	put_ends(2000, 1500, w->utc * NS_PER_S);
	world_pump(w);
	assert_false(commit_all(w->s, 20000));
	assert_true(w->s->degraded);
	assert_true(w->s->why[0] != '\0');

	/* What was stored can be read, what lives is seen, new records are taken. */
	struct rec_flow live = world_flow(w, 9000, ETH0, "10.1.0.77", "192.0.2.1");
	struct wire_question q = world_question(ASK_FLOWS), c = world_question(ASK_COMPONENTS);

	assert_int_equal(kept_flows(), 2500); /* what waits for the disk, too */
	world_put(w, 0, REC_FLOW_OPEN, &live, sizeof(live), NULL);
	world_pump(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &c), ANSWER_OK);

	/* Trying again is no use while it is full ... */
	w->s->retry_ns = 0;
	assert_false(commit_all(w->s, 20000));
	w->s->retry_ns = 0;
	commit_turn(w->s);
	assert_true(writer_wait(w->s->writer, 20000));
	commit_turn(w->s);
	assert_true(w->s->degraded);

	/* ... however much comes: live views go on, what history misses is counted, memory is bounded. */
	for (uint64_t n = 10000; n < 40000; n += 500) {
		put_ends(n, 500, w->utc * NS_PER_S);
		for (int i = 0; i < 50 && ring_producer_used(w->ring[0]) > (1 << 20) / 4; i++) {
			world_pump(w);
			commit_turn(w->s);
		}
		assert_true(ring_producer_used(w->ring[0]) <= 3 * (1 << 20) / 4);
	}
	assert_true(w->s->counters.n[OWN_HISTORY_FULL] > 0);

	/* Room again: it goes on by itself, with the batch that was kept. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	w->s->retry_ns = 0;
	commit_turn(w->s);
	assert_true(writer_wait(w->s->writer, 20000));
	world_commit(w);
	assert_false(w->s->degraded);
	assert_in_range(kept_flows(), 2500, 32500);
	assert_int_equal(kept_flows() + w->s->counters.n[OWN_HISTORY_FULL],
			 2500 + 30000 + 1); /* and the live one, whose slot was used again */
}

/* --- series have a file of their own, which is full too
 * ----------------------------------------------------------------------------------------------------------
 */

static bool
add_point(void *ctx, const struct series_point *p)
{
	uint64_t *sum = ctx;

	*sum += p->sum.in_bytes;
	return true;
}

/* A second of traffic every 20 s, of ten series, in commits of a second each; how many could be written. */
static unsigned
add_seconds(struct history *h, struct batch *b, int64_t from, unsigned n)
{
	struct series_value value = { .in_bytes = 1000, .flows_max = 1 };
	char why[HISTORY_WHY_MAX];
	unsigned written = 0;

	for (unsigned i = 0; i < n; i++) {
		int64_t second = from + 20 * (int64_t)i;

		for (uint32_t number = 0; number < 10; number++) {
			struct series_key key = { 1, 1, number };
			uint32_t last = 0;

			assert_true(batch_add_second(b, &key, &last, second, &value));
		}
		written += history_write(h, b, second * NS_PER_S, why) == DB_OK;
		for (unsigned steps = 0; steps < 1000 && history_tidy(h); steps++) {
		}
		batch_reset(b);
	}
	return written;
}

static void
series_go_on_after_a_full_disk(void **state)
{
	struct series_key key = { 1, 1, 7 };
	struct rlimit old, tight;
	struct batch b;
	int64_t begin = 0;
	uint64_t sum = 0;
	unsigned written;

	(void)state;
	w = world_new(64 << 20, 0);
	begin = w->utc / 3600 * 3600;
	batch_init(&b, 1 << 20, 1024);
	writer_free(&w->s->writer); /* this thread writes: one at a time */

	struct history *h = w->s->history;

	written = add_seconds(h, &b, begin, 300);
	assert_int_equal(written, 300);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = FULL_FROM;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_int_equal(add_seconds(h, &b, begin + 6000, 30), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	written += add_seconds(h, &b, begin + 6600, 300);
	assert_int_equal(written, 600);
	assert_int_equal(history_series(h, &key, 60, begin, begin + 20000, add_point, &sum), DB_OK);
	assert_int_equal(sum, 1000 * written);
	batch_free(&b);
}

static void
files_wait_for_a_full_disk(void **state)
{
	struct rlimit old, tight;

	(void)state;
	w = world_new(64 << 20, BOOT_ANALYZE);
	w->s->points.any_interface = false; /* only files */
	world_engine(w, 0, 1000);
	world_commit(w);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = FULL_FROM;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	put_ends(1, 1000, w->utc * NS_PER_S);
	world_pump(w);
	assert_false(commit_all(w->s, 20000));
	for (uint64_t n = 2000; n < 6000; n++) {
		struct rec_flow f = world_flow(w, n, ETH0, "10.1.0.1", "192.0.2.1");
		uint8_t *p = ring_reserve(w->ring[0], sizeof(f));

		f.end_reason = END_IDLE;
		if (p == NULL)
			break; /* the ring pushes back */
		memcpy(p, &f, sizeof(f));
		ring_commit(w->ring[0], REC_FLOW_END, sizeof(f));
	}
	world_pump(w);
	assert_int_equal(w->s->counters.n[OWN_HISTORY_FULL], 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
}

/* --- files that are not as they should be
 * --------------------------------------------------------------------------------------- */

/* Opens the store in a child, in the world's directory; its exit status, and the last line that it said. */
static int
open_in_child(char line[static 512])
{
	int out[2], status;

	assert_int_equal(pipe(out), 0);

	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out[1], 2);
		store_new(&w->boot);
		_exit(0);
	}
	close(out[1]);

	ssize_t n = read(out[0], line, 511);

	line[n > 0 ? n : 0] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
overwrite(const char *file, off_t at, const void *bytes, size_t len)
{
	int fd = open(file, O_WRONLY);

	assert_true(fd != -1);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

/* The segment that is written: the first one, or what it was merged into when the policy came to the writer
 * after its rows. */
static void
find_segment(char name[static 64])
{
	DIR *d = opendir(".");

	assert_non_null(d);
	name[0] = '\0';
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, "flows-", 6) == 0 && strstr(e->d_name, "lock") == NULL &&
		    (name[0] == '\0' || strcmp(e->d_name, name) < 0))
			str_copy(name, 64, e->d_name);
	closedir(d);
	assert_true(name[0] != '\0');
}

static void
damage_is_said_in_one_line(void **state)
{
	uint8_t rubbish[8192];
	char line[512], segment[64];
	struct stat st;

	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	put_ends(1, 3000, w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);
	world_close(w);
	assert_int_equal(open_in_child(line), 0);

	assert_int_equal(stat("data.mdb", &st), 0); /* cut short */
	assert_int_equal(truncate("data.mdb", st.st_size / 2), 0);
	assert_int_equal(open_in_child(line), EXIT_BAD_INPUT);
	assert_non_null(strstr(line, "data.mdb"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);

	randombytes_buf(rubbish, sizeof(rubbish));
	overwrite("data.mdb", 0, rubbish, sizeof(rubbish));
	assert_int_equal(open_in_child(line), EXIT_BAD_INPUT);
	assert_non_null(strstr(line, "damaged"));

	assert_int_equal(unlink("data.mdb"), 0);
	assert_int_equal(open_in_child(line), 0); /* moved away: as new, and what the old one had stays */
	assert_non_null(strstr(line, "left alone"));
	find_segment(segment);
	assert_int_equal(stat(segment, &st), 0);
	assert_int_equal(chmod("data.mdb", 0666), 0);
	assert_int_not_equal(open_in_child(line), 0);
	assert_non_null(strstr(line, "data.mdb"));
	assert_int_equal(chmod("data.mdb", 0600), 0);
	assert_int_equal(chmod(".", 0777), 0);
	assert_int_not_equal(open_in_child(line), 0);
	assert_non_null(strstr(line, "directory"));
	assert_int_equal(chmod(".", 0700), 0);
	assert_int_equal(unlink("data.mdb"), 0);
	assert_int_equal(unlink("lock.mdb"), 0);
	assert_int_equal(symlink("/etc/passwd", "data.mdb"), 0);
	assert_int_not_equal(open_in_child(line), 0);
	assert_int_equal(unlink("data.mdb"), 0);
	world_open(w);
}

/* --- a file that ends before its last page
 * ------------------------------------------------------------------------------------------------------------
 */

static uint64_t
next(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *random >> 24;
}

/* Keys with short and long values come, change and go. */
static void
change_much(struct db *db, uint64_t *random)
{
	static const uint8_t bytes[60000];
	struct db_txn x;

	db_begin(db, &x, true);
	for (uint64_t n = next(random) % 40; n > 0; n--) {
		uint64_t r = next(random);
		uint32_t name = (uint32_t)(r % 300);
		struct db_bytes key = { &name, sizeof(name) };

		if ((r >> 10 & 3) != 0)
			db_put(&x, DB_META, key,
			       (struct db_bytes){ bytes,
						  (r >> 12 & 3) != 0 ? (r >> 14) % 900 : (r >> 14) % 60000 });
		else
			db_delete(&x, DB_META, key);
	}
	assert_int_equal(db_end(&x), DB_OK);
}

/* Where data.mdb was written last. */
static off_t
written(void)
{
	int fd = open("data.mdb", O_RDONLY);
	off_t end = 0, at;

	assert_int_not_equal(fd, -1);
	while ((at = lseek(fd, end, SEEK_DATA)) != -1)
		end = lseek(fd, at, SEEK_HOLE);
	close(fd);
	return end;
}

static off_t
size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_size;
}

/* LMDB does not write pages that a transaction takes and gives back. Until they are the last ones. */
static off_t
end_with_free_pages(void)
{
	enum db_status status;
	char err[256];
	struct db *db = db_open(64 << 20, true, &status, err, sizeof(err));
	uint64_t random = 1;
	off_t end = 0;

	assert_non_null(db);
	for (unsigned i = 0; i < 20000 && (i == 0 || end == size_of("data.mdb")); i++) {
		change_much(db, &random);
		end = written();
		assert_int_equal(size_of("data.mdb"),
				 db_file_bytes(db)); /* whoever is beside sees a whole file */
	}
	assert_true(end < size_of("data.mdb"));
	db_close(&db);
	return end;
}

static void
pages_that_nobody_uses_need_not_be_there(void **state)
{
	enum db_status status;
	char line[512], err[256];
	struct db *db;
	off_t end, says;

	(void)state;
	w = world_new(64 << 20, 0);
	world_close(w);
	end = end_with_free_pages();
	says = size_of("data.mdb");

	/* It died before it could make the file so long. */
	assert_int_equal(truncate("data.mdb", end), 0);
	db = db_open_file("data.mdb", 0, DB_READ_ONLY, &status, err,
			  sizeof(err)); /* as a segment that is over */
	assert_non_null(db);
	db_close(&db);
	assert_int_equal(size_of("data.mdb"), says);
	assert_int_equal(truncate("data.mdb", end), 0);
	assert_int_equal(open_in_child(line), 0);
	assert_true(size_of("data.mdb") >= says);

	/* Some that are used are missing, too: half of the file is. */
	end = written() / 8192 * 4096;
	assert_int_equal(truncate("data.mdb", end), 0);
	assert_int_equal(open_in_child(line), EXIT_BAD_INPUT);
	assert_non_null(strstr(line, "data.mdb"));
	assert_int_equal(size_of("data.mdb"), end); /* as it was found */
	db = db_open_beside(&status, err, sizeof(err));
	assert_null(db);
	assert_int_equal(status, DB_DAMAGED);
	assert_int_equal(unlink("data.mdb"), 0);
	world_open(w);
}

/* Adds what a file is called and has in it to *sum: of all of them in any order it is the same. */
static void
add_file(const char *name, uint8_t sum[static crypto_generichash_BYTES])
{
	uint8_t hash[crypto_generichash_BYTES], bytes[8192];
	crypto_generichash_state h;
	int fd = open(name, O_RDONLY);
	ssize_t n;

	assert_true(fd != -1);
	crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	crypto_generichash_update(&h, (const uint8_t *)name, strlen(name) + 1);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		crypto_generichash_update(&h, bytes, (size_t)n);
	assert_int_equal(n, 0);
	close(fd);
	crypto_generichash_final(&h, hash, sizeof(hash));
	sodium_add(sum, hash, sizeof(hash));
}

/* LMDB's locks say who is there, nothing of what is kept. */
static void
sum_files(uint8_t sum[static crypto_generichash_BYTES])
{
	DIR *d = opendir(".");

	assert_non_null(d);
	memset(sum, 0, crypto_generichash_BYTES);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' && strstr(e->d_name, "lock") == NULL)
			add_file(e->d_name, sum);
	closedir(d);
}

/* Nor is any byte of it changed: the newer Weir finds what it left. */
static void
a_newer_format_is_refused(void **state)
{
	uint8_t before[crypto_generichash_BYTES], after[crypto_generichash_BYTES];
	const uint32_t format = 99;
	enum db_status status;
	struct db_txn x;
	char line[512];

	(void)state;
	w = world_new(16 << 20, 0);
	world_engine(w, 0, 1000);
	put_ends(1, 100, w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);
	world_close(w);

	struct db *db = db_open(16 << 20, true, &status, line, sizeof(line));

	assert_non_null(db);
	db_begin(db, &x, true);
	db_put(&x, DB_META, (struct db_bytes){ "format", 7 }, (struct db_bytes){ &format, sizeof(format) });
	assert_int_equal(db_end(&x), DB_OK);
	db_close(&db);
	sum_files(before);
	assert_int_equal(open_in_child(line), EXIT_BAD_INPUT);
	assert_non_null(strstr(line, "format 99"));
	sum_files(after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(unlink("data.mdb"), 0);
	world_open(w);
}

/* Segments: the one that was written last has to be whole, what is damaged in others is left out. */
static void
damaged_segments(void **state)
{
	uint8_t rubbish[8192];
	char line[512], segment[64];

	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	put_ends(1, 3000, w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);
	world_close(w);
	randombytes_buf(rubbish, sizeof(rubbish));
	find_segment(segment);
	overwrite(segment, 0, rubbish, sizeof(rubbish));
	assert_int_equal(open_in_child(line), EXIT_BAD_INPUT);
	assert_non_null(strstr(line, segment));
	assert_non_null(strstr(line, "damaged"));

	/* Gone altogether: what the catalogue names is missed, and writing goes on. */
	assert_int_equal(unlink(segment), 0);
	world_open(w);
	assert_int_equal(kept_flows(), 0);

	uint64_t forgotten, damaged;

	history_counts(w->s->history, &forgotten, &damaged);
	assert_true(damaged > 0);
	world_engine(w, 0, 2000);
	put_ends(5000, 100, w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);
	assert_int_equal(kept_flows(), 100);
}

/* --- a database of an older Weir
 * -------------------------------------------------------------------------------------------------------- */

/* A row of format 1: key (tenant, end, id, slice), value (secondary or not, row). */
static void
put_old_row(struct db_txn *x, uint32_t tenant, bool secondary, const struct rec_flow *f)
{
	const struct flow_texts texts = flow_texts_of(f, "name");
	uint8_t key[32], value[1 + FLOW_ROW_MAX] = { secondary };
	struct wcur c = wcur_of(key, sizeof(key));
	size_t len = flow_row_encode(f, &texts, value + 1);

	assert_true(len > 0);
	wcur_be32(&c, tenant);
	wcur_be64(&c, (uint64_t)f->last_ns);
	wcur_put(&c, f->id.b, sizeof(f->id.b));
	wcur_be32(&c, f->slice);
	db_put(x, DB_OLD_FLOWS, (struct db_bytes){ key, sizeof(key) }, (struct db_bytes){ value, 1 + len });
}

static void
format_1_is_brought_over(void **state)
{
	const uint32_t format = 1;
	struct wire_question q = world_question(ASK_FLOWS);
	enum db_status status;
	struct db_txn x;
	char line[512];

	(void)state;
	w = world_new(64 << 20, 0);
	world_close(w);

	struct db *db = db_open(64 << 20, true, &status, line, sizeof(line));

	assert_non_null(db);
	db_begin(db, &x, true);
	db_make(&x, DB_OLD_FLOWS);
	db_make(&x, DB_OLD_IDS);
	for (uint64_t n = 1; n <= 40000; n++) { /* more than one block takes */
		struct rec_flow f = world_flow(w, n, ETH0, "10.1.0.1", "192.0.2.1");

		f.server_name_len = 4;
		put_old_row(&x, ALPHA, false, &f);
		if (n <= 10)
			put_old_row(&x, BETA, true, &f);
	}
	db_put(&x, DB_OLD_FLOWS, (struct db_bytes){ "rubbish", 7 }, (struct db_bytes){ "\0\1", 2 });
	db_put(&x, DB_META, (struct db_bytes){ "format", 7 }, (struct db_bytes){ &format, sizeof(format) });
	assert_int_equal(db_end(&x), DB_OK);
	db_close(&db);

	for (int start = 0; start < 2; start++) { /* once is enough */
		world_open(w);
		assert_false(db_has(w->s->history->db, DB_OLD_FLOWS));
		assert_int_equal(kept_flows(), 40000);
		q.from_ns = 1;
		q.limit = 1000;
		assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 10);

		const struct row_flow *r = world_row(w, 0, sizeof(*r), NULL);

		assert_int_equal(r->server_name_len, 4);
		assert_int_equal(r->flow.port[SERVER], 443);
		if (start == 0)
			world_close(w);
	}
}

/* --- what is acknowledged survives a kill
 * ----------------------------------------------------------------------------------------- */

/* Writes flows without end and says through the pipe how many were acknowledged: until it is killed. */
static void
write_until_killed(int out, uint64_t first)
{
	uint64_t n = first;

	world_open(w);
	w->boot.settings.commit_interval_ms = 100;
	world_engine(w, 0, (int64_t)first + 1);
	for (;;) {
		put_ends(n, 100, w->utc * NS_PER_S);
		n += 100;
		world_pump(w);
		commit_turn(w->s);
		if (n / 100 % 4 != 0)
			continue;
		world_commit(w);
		/* Everything that was put is given back: it is on disk. */
		if (ring_producer_used(w->ring[0]) != 0 || write(out, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct flow_id));
}

/* Each of the flows [1, end) is kept, and none of all twice. */
static void
each_is_kept_once(uint64_t end)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct flow_id *id = mem_calloc(end + 100000, sizeof(*id));
	struct flow_id_key key;
	size_t n = 0;

	q.from_ns = 1;
	q.limit = 1000;
	for (;;) {
		assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
		for (uint32_t i = 0; i < w->nrows; i++) {
			const struct row_flow *r = world_row(w, i, sizeof(*r), NULL);

			assert_true(n < end + 100000);
			id[n++] = r->flow.id;
		}
		if (!w->has_cursor)
			break;
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	}
	qsort(id, n, sizeof(*id), by_id);
	for (size_t i = 1; i < n; i++)
		assert_int_not_equal(by_id(&id[i - 1], &id[i]), 0);
	flow_id_key(history_secret(w->s->history), ALPHA, &key);
	for (uint64_t i = 1; i < end; i++) {
		const struct rec_flow f = world_flow(w, i, ETH0, "10.1.0.1", "192.0.2.1");
		const struct flow_id veiled = flow_id_veil(&key, &f.id);

		if (bsearch(&veiled, id, n, sizeof(*id), by_id) == NULL)
			fail_msg("flow %llu of %llu is gone", (unsigned long long)i, (unsigned long long)end);
	}
	free(id);
}

static void
acknowledged_flows_survive_sigkill(void **state)
{
	uint64_t first = 1, acknowledged = 1;

	(void)state;
	w = world_new(256 << 20, 0);
	world_close(w);
	for (int round = 0; round < 12; round++) {
		int out[2], status;
		unsigned reports = 1 + randombytes_uniform(12);

		assert_int_equal(pipe(out), 0);

		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			write_until_killed(out[1], first);
		close(out[1]);
		for (uint64_t n; reports > 0 && read(out[0], &n, sizeof(n)) == sizeof(n); reports--)
			acknowledged = n;
		/* Killed at any moment of its work. */
		assert_int_equal(kill(pid, SIGKILL), 0);
		for (uint64_t n; read(out[0], &n, sizeof(n)) == sizeof(n);)
			acknowledged = n;
		close(out[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));

		world_open(w);
		each_is_kept_once(acknowledged);
		world_close(w);
		first = acknowledged;
	}
	assert_true(acknowledged > 1000);
	world_open(w);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_store_keeps_the_newest),
		TEST(tables_of_readers_have_their_room),
		TEST(a_full_disk_stops_history_only),
		TEST(files_wait_for_a_full_disk),
		TEST(series_go_on_after_a_full_disk),
		TEST(damage_is_said_in_one_line),
		TEST(pages_that_nobody_uses_need_not_be_there),
		TEST(damaged_segments),

		TEST(a_newer_format_is_refused),
		TEST(format_1_is_brought_over),
		TEST(acknowledged_flows_survive_sigkill),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
