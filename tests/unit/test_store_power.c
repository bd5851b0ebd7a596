/*
 * The power goes, at any moment: what LMDB wrote and did not sync may be on the disk or not, page by page.
 * Every write and sync of a store at work is recorded; then the disk is made anew as it may have looked after
 * each of many moments, and opened: what was acknowledged by then must be there, once, and the rest may not
 * harm.
 *
 * The calls of liblmdb come here first, because the symbols of a program go before those of libraries.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

#define BASE_NS    (INT64_C(1700000000) * NS_PER_S)
#define EACH       100u /* flows of a commit */
#define MOMENTS    150u /* that the power goes at */
#define EVENTS_MAX 65536u
#define FILES_MAX  256u
#define PAGE       4096u

enum event_kind { EVENT_WRITE, EVENT_SYNC, EVENT_SYNC_DIRECTORY, EVENT_REMOVE };

struct event {
	enum event_kind kind;
	unsigned file;
	bool durable; /* a write by a descriptor that waits for the disk */
	off_t at;
	size_t len;
	uint8_t *bytes;
	uint64_t acknowledged; /* flows, before it */
};

/* Files by inode: a name can come again. */
struct file {
	ino_t inode;
	char name[40];
};

static struct event event[EVENTS_MAX];
static size_t nevents;
static struct file file[FILES_MAX];
static unsigned nfiles;
static bool recording;
static uint64_t acknowledged;
static char from[64], image[64];
static struct batch batch;

/* --- recording
 * ---------------------------------------------------------------------------------------------------------------
 */

static struct event *
add_event(enum event_kind kind)
{
	struct event *e = &event[nevents++];

	assert_true(nevents < EVENTS_MAX);
	*e = (struct event){ .kind = kind, .acknowledged = acknowledged };
	return e;
}

/* The file of a descriptor, where it is one of a database. */
static bool
file_of(int fd, unsigned *out)
{
	char link[64], path[256] = "";
	const char *name;
	struct stat st;

	if (!recording || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	for (*out = 0; *out < nfiles; ++*out)
		if (file[*out].inode == st.st_ino)
			return true;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) <= 0 || strstr(path, ".mdb") == NULL ||
	    strstr(path, "lock") != NULL)
		return false;
	name = strrchr(path, '/') + 1;
	assert_true(nfiles < FILES_MAX);
	file[nfiles].inode = st.st_ino;
	str_copy(file[nfiles].name, sizeof(file[nfiles].name), name);
	*out = nfiles++;
	return true;
}

static void
record_write(int fd, const void *bytes, size_t len, off_t at)
{
	unsigned of;

	if (len == 0 || !file_of(fd, &of))
		return;

	struct event *e = add_event(EVENT_WRITE);

	e->file = of;
	e->at = at;
	e->len = len;
	e->durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
	e->bytes = malloc(len);
	assert_non_null(e->bytes);
	memcpy(e->bytes, bytes, len);
}

static void
record_sync(int fd)
{
	struct stat st;
	unsigned of;

	if (file_of(fd, &of))
		add_event(EVENT_SYNC)->file = of;
	else if (recording && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		add_event(EVENT_SYNC_DIRECTORY);
}

/* What the C library has by these names. */
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fdatasync)(int), (*real_fsync)(int);
static int (*real_unlinkat)(int, const char *, int);

static void
find_real(void *to, const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	assert_non_null(p);
	memcpy(to, &p, sizeof(p));
}

static void
find_all_real(void)
{
	if (real_unlinkat != NULL)
		return;
	find_real(&real_pwrite, "pwrite");
	find_real(&real_writev, "writev");
	find_real(&real_fdatasync, "fdatasync");
	find_real(&real_fsync, "fsync");
	find_real(&real_unlinkat, "unlinkat");
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t n;

	find_all_real();
	n = real_pwrite(fd, bytes, len, at);
	if (n > 0)
		record_write(fd, bytes, (size_t)n, at);
	return n;
}

/* LMDB writes runs of pages so, from where it has sought to. */
ssize_t
writev(int fd, const struct iovec *v, int count)
{
	off_t at = recording ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t n, left;

	find_all_real();
	n = left = real_writev(fd, v, count);
	for (int i = 0; i < count && left > 0; i++) {
		size_t len = (size_t)left < v[i].iov_len ? (size_t)left : v[i].iov_len;

		record_write(fd, v[i].iov_base, len, at);
		at += (off_t)len;
		left -= (ssize_t)len;
	}
	return n;
}

int
fdatasync(int fd)
{
	find_all_real();
	record_sync(fd);
	return real_fdatasync(fd);
}

int
fsync(int fd)
{
	find_all_real();
	record_sync(fd);
	return real_fsync(fd);
}

int
unlinkat(int directory, const char *name, int flags)
{
	find_all_real();
	for (unsigned i = nfiles; recording && i-- > 0;)
		if (strcmp(file[i].name, name) == 0) {
			add_event(EVENT_REMOVE)->file = i;
			file[i].inode = 0; /* the number can be another file's now */
			break;
		}
	return real_unlinkat(directory, name, flags);
}

/* --- a store at work
 * --------------------------------------------------------------------------------------------------------------
 */

static struct history *
open_history(struct names **names)
{
	struct history_limits l = { .size = 256 << 20, .keep_flows_ns = 1000 * 86400 * NS_PER_S };
	enum db_status status;
	char err[512];
	struct history *h;

	*names = names_new();
	h = history_open(&l, *names, &status, err, sizeof(err));
	if (h == NULL)
		fprintf(stderr, "%s\n", err);
	return h;
}

static void
commit(struct history *h, int64_t seconds)
{
	const struct flow_texts texts = { "name", "", "" };
	char why[HISTORY_WHY_MAX];

	for (unsigned k = 0; k < EACH; k++) {
		struct rec_flow f = { .protocol = 6, .end_reason = END_IDLE, .server_name_len = 4 };
		const uint32_t tenant[2] = { 1 + k % 3, 0 };
		uint64_t n = acknowledged + k;

		for (int b = 0; b < 8; b++)
			f.id.b[15 - b] = (uint8_t)(n >> (8 * b));
		randombytes_buf(&f.mac, sizeof(f.mac));
		f.last_ns = f.first_ns = f.slice_ns = BASE_NS + seconds * NS_PER_S;
		assert_true(batch_add_flow(&batch, tenant, &f, &texts));
	}

	struct series_key key = { 1, 1, 0 };
	struct series_value value = { .in_bytes = 1, .flows_max = 1 };
	uint32_t last = 0;

	batch_add_second(&batch, &key, &last, BASE_NS / NS_PER_S + seconds, &value);
	assert_int_equal(history_write(h, &batch, BASE_NS + seconds * NS_PER_S, why), DB_OK);
	batch_reset(&batch);
	acknowledged += EACH;
}

/* Commits, hours that go by, merges, segments that are deleted, and a start in between. */
static void
work(void)
{
	struct names *names;
	struct history *h;

	recording = true;
	for (unsigned life = 0; life < 2; life++) {
		h = open_history(&names);
		assert_non_null(h);
		for (int64_t hour = 0; hour < 4; hour++) {
			for (int64_t i = 0; i < 6; i++)
				commit(h, (life * 4 + hour) * 3700 + i);
			while (history_tidy(h)) {
			}
		}
		history_close(&h);
		names_free(&names);
	}
	recording = false;
}

/* --- the disk as it may have been
 * ------------------------------------------------------------------------------------------------------
 */

static bool
coin(void)
{
	return randombytes_uniform(2) == 1;
}

static void
put(int fd, const struct event *e, bool all)
{
	for (size_t done = 0, n; done < e->len; done += n) {
		off_t at = e->at + (off_t)done;

		n = PAGE - (size_t)at % PAGE;
		n = n < e->len - done ? n : e->len - done;
		if (all || coin())
			assert_int_equal(real_pwrite(fd, e->bytes + done, n, at), (ssize_t)n);
	}
}

/* What had happened to a file before the moment. */
struct fate {
	size_t first, synced, removed; /* events, + 1; 0: none */
};

static bool
is_there(const struct fate *f, size_t directory_synced)
{
	bool made, removed;

	if (f->first == 0)
		return false;
	made = directory_synced > f->first || f->synced > 0 || coin();
	removed = f->removed > 0 && (directory_synced > f->removed || coin());
	return made && !removed;
}

static void
make_image(size_t moment)
{
	static struct fate fate[FILES_MAX];
	size_t directory = 0;

	memset(fate, 0, sizeof(fate));
	for (size_t i = 0; i < moment; i++) {
		struct fate *f = &fate[event[i].file];

		if (event[i].kind == EVENT_SYNC_DIRECTORY)
			directory = i + 1;
		else if (event[i].kind == EVENT_SYNC)
			f->synced = i + 1;
		else if (event[i].kind == EVENT_REMOVE)
			f->removed = i + 1;
		else if (f->first == 0)
			f->first = i + 1;
	}
	assert_int_equal(chdir(image), 0);
	for (unsigned k = 0; k < nfiles; k++) {
		int fd;

		if (!is_there(&fate[k], directory))
			continue;
		fd = open(file[k].name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		assert_int_not_equal(fd, -1);
		for (size_t i = 0; i < moment; i++)
			if (event[i].kind == EVENT_WRITE && event[i].file == k)
				put(fd, &event[i], event[i].durable || i + 1 < fate[k].synced);
		close(fd);
	}
}

static bool
count_one(void *ctx, const struct kept_flow *k)
{
	uint64_t *n = ctx;

	(void)k;
	++*n;
	return true;
}

/* In a process of its own: says what is wrong, and ends with 1. */
static int
look(uint64_t before, uint64_t after)
{
	struct flow_query q = { .tenant = TENANT_PLATFORM, .to_ns = INT64_MAX, .visits = UINT32_MAX };
	uint64_t n = 0, forgotten, damaged;
	struct flow_position last;
	struct names *names;
	struct history *h = open_history(&names);
	bool finished;

	/* Nothing was promised yet. */
	if (h == NULL)
		return before > 0;

	struct find *f = find_new(h);

	if (history_flows(f, &q, count_one, &n, &last, &finished) != DB_OK || !finished)
		return 1;
	find_free(&f);
	history_counts(h, &forgotten, &damaged);
	acknowledged = 1000000;
	commit(h, 100000);
	while (history_tidy(h)) {
	}
	history_close(&h);
	if (n >= before && n <= after && n % EACH == 0 && damaged == 0)
		return 0;
	fprintf(stderr,
		"%llu flows, %llu were acknowledged, %llu had been written; %llu blocks are damaged\n",
		(unsigned long long)n, (unsigned long long)before, (unsigned long long)after,
		(unsigned long long)damaged);
	return 1;
}

static void
assert_sound(void)
{
	int told = memfd_create("told", 0), status;
	struct errand_word w;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check_database(told));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (off_t at = 0; pread(told, &w, sizeof(w), at) == (ssize_t)sizeof(w); at += (off_t)sizeof(w))
		if (w.kind == ERRAND_FAULT || w.kind == ERRAND_REFUSED)
			fail_msg("%s, block %llu, %s: %s", w.file, (unsigned long long)w.block, w.part,
				 w.text);
	assert_int_equal(status, 0);
	close(told);
}

static void
what_was_acknowledged_is_there_whenever_the_power_goes(void **state)
{
	(void)state;
	work();
	assert_true(nevents > 2 * MOMENTS);
	for (unsigned m = 0; m < MOMENTS; m++) {
		size_t moment = randombytes_uniform((uint32_t)nevents);
		uint64_t before = event[moment].acknowledged;
		int status;
		pid_t pid;

		make_image(moment);
		pid = fork();
		if (pid == 0)
			_exit(look(before, before + EACH));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("after event %zu of %zu", moment, nevents);
		if (before > 0)
			assert_sound();
		world_delete_files();
	}
}

static int
setup(void **state)
{
	(void)state;
	str_copy(from, sizeof(from), "/dev/shm/weir-power-test-XXXXXX");
	str_copy(image, sizeof(image), "/dev/shm/weir-power-image-XXXXXX");
	if (mkdtemp(from) == NULL || mkdtemp(image) == NULL || chdir(from) != 0)
		return -1;
	batch_init(&batch, 8 << 20, 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	batch_free(&batch);
	for (size_t i = 0; i < nevents; i++)
		free(event[i].bytes);
	if (chdir(image) != 0)
		return 1;
	world_delete_files();
	if (chdir(from) != 0)
		return 1;
	world_delete_files();
	return chdir("/") != 0 || rmdir(image) != 0 || rmdir(from) != 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_acknowledged_is_there_whenever_the_power_goes, setup,
						teardown),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
