/*
 * Points of series that are busy, average or idle, by the minute or by the second: kept by Weir's history,
 * read again and compared, and written as lines of InfluxDB for others to keep. script/bench series is the
 * door.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_parts.h"

#define DAY 86400

enum kind { BUSY, AVERAGE, IDLE };

struct shape {
	enum kind kind;
	bool by_second;
	uint32_t series;
	int64_t start_s, end_s;
};

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- what comes
 * -----------------------------------------------------------------------------------------------------------------
 */

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A number in [0, 1) that belongs to (series, time, use). */
static double
part(uint32_t series, int64_t t, unsigned use)
{
	uint64_t h = mix(mix((uint64_t)series << 32 ^ use) + (uint64_t)t * UINT64_C(0x9e3779b97f4a7c15));

	return (double)(h >> 11) / 9007199254740992.0;
}

static double
normal(uint32_t series, int64_t t, unsigned use)
{
	return sqrt(-2 * log(1 - part(series, t, use))) *
	       cos(2 * 3.14159265358979 * part(series, t, use + 1));
}

/* False where the series has nothing then. */
static bool
value_at(const struct shape *s, uint32_t series, int64_t t, struct series_value *v)
{
	const double level = exp(2.3 * part(series, 0, 90)), day = 1 + 0.6 * sin((double)t / DAY * 6.2831853);
	double in, out, size;

	*v = (struct series_value){ 0 };
	switch (s->kind) {
	case BUSY:
		in = 2e7 * level * day * exp(0.25 * normal(series, t, 0));
		out = 4e6 * level * day * exp(0.25 * normal(series, t, 2));
		v->flows_max = (uint64_t)(300 * level * day * (0.9 + 0.2 * part(series, t, 4)));
		break;
	case AVERAGE:
		if (part(series, t, 5) < 0.1)
			return false;
		in = 3e4 * level * day * exp(1.2 * normal(series, t, 0));
		out = part(series, t, 6) < 0.2 ? 0 : 6e3 * level * exp(1.2 * normal(series, t, 2));
		v->flows_max = 1 + (uint64_t)(8 * part(series, t, 4));
		break;
	default: /* keep-alives, and now and then a little more */
		if (part(series, t, 5) > 0.03)
			return false;
		in = part(series, t, 6) < 0.6 ? 132 : 200 * exp(normal(series, t, 0));
		out = in == 132 ? 132 : 100 * exp(normal(series, t, 2));
		v->flows_max = 1;
	}
	size = s->kind == IDLE ? 66 : 500 + 400 * part(series, t, 7);
	if (s->by_second) {
		in /= 60;
		out /= 60;
	}
	v->in_bytes = (uint64_t)in;
	v->out_bytes = (uint64_t)out;
	v->in_packets = (uint64_t)(in / size);
	v->out_packets = (uint64_t)(out / size);
	return v->in_bytes + v->out_bytes + v->in_packets + v->out_packets + v->flows_max > 0;
}

static struct series_key
key_of(uint32_t series)
{
	return (struct series_key){ 1 + series / 100, 1 + series % 3, series };
}

/* --- Weir
 * ------------------------------------------------------------------------------------------------------------------
 */

static uint64_t
bytes_of(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static void
keep(struct history *h, const struct shape *s)
{
	char why[HISTORY_WHY_MAX];
	struct batch b;
	struct series_value v;

	batch_init(&b, 1 << 20, 1 << 20);
	for (int64_t t = s->start_s; t < s->end_s; t += 60) {
		for (uint32_t i = 0; i < s->series; i++) {
			const struct series_key k = key_of(i);
			uint32_t last = 0;

			for (int64_t at = t; at < t + 60; at += s->by_second ? 1 : 60) {
				if (!value_at(s, i, at, &v))
					continue;
				if (!(s->by_second ? batch_add_second(&b, &k, &last, at, &v)
						   : batch_add_minute(&b, &k, &last, at / 60, &v)))
					fatalx("the batch is full");
			}
		}
		if (history_write(h, &b, (t + 60) * NS_PER_S, why) != DB_OK)
			fatalx("%s", why);
		batch_reset(&b);
		while (series_store_tidy(h->series))
			;
	}
	batch_free(&b);
}

/* The points of one series as they must come back. */
struct comparison {
	const struct shape *s;
	uint32_t series;
	int64_t t;
	uint64_t points;
};

static bool
minute_at(const struct shape *s, uint32_t series, int64_t t, struct series_value *sum)
{
	struct series_value v;
	bool any = false;

	if (!s->by_second)
		return value_at(s, series, t, sum);
	*sum = (struct series_value){ 0 };
	for (int64_t at = t; at < t + 60; at++)
		if (value_at(s, series, at, &v)) {
			series_value_add(sum, &v);
			any = true;
		}
	return any;
}

static bool
compare(void *ctx, const struct series_point *p)
{
	struct comparison *c = ctx;
	struct series_value v;

	while (!minute_at(c->s, c->series, c->t, &v))
		c->t += 60;
	if (c->t != p->time_s || memcmp(&v, &p->sum, sizeof(v)) != 0)
		fatalx("series %" PRIu32 " at %" PRId64 " is not what was written", c->series, c->t);
	c->t += 60;
	c->points++;
	return true;
}

static uint64_t
compare_all(struct history *h, const struct shape *s)
{
	uint64_t points = 0;

	for (uint32_t i = 0; i < s->series; i++) {
		struct comparison c = { s, i, s->start_s, 0 };
		const struct series_key k = key_of(i);
		struct series_value v;

		if (history_series(h, &k, 60, s->start_s, s->end_s, compare, &c) != DB_OK)
			fatalx("series cannot be read");
		for (; c.t < s->end_s; c.t += 60)
			if (minute_at(s, i, c.t, &v))
				fatalx("series %" PRIu32 " ends before %" PRId64, i, c.t);
		points += c.points;
	}
	return points;
}

static bool
count(void *ctx, const struct series_point *p)
{
	*(uint64_t *)ctx += p->bytes > 0;
	return true;
}

static int
by_number(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The last 24 hours of a series, at a time that is no boundary of anything: microseconds. */
static double
chart(struct history *h, const struct shape *s, uint32_t series)
{
	const struct series_key k = key_of(series);
	int64_t to = s->end_s - (int64_t)5 * 3600 - (int64_t)7 * 60;
	struct timespec a, b;
	uint64_t points = 0;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (history_series(h, &k, 60, to - DAY, to, count, &points) != DB_OK)
		fatalx("series cannot be read");
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
}

/* Of each series, the median of three, sorted. */
static double *
charts(struct history *h, const struct shape *s)
{
	double *us = mem_calloc(s->series, sizeof(*us)), three[3];

	for (uint32_t i = 0; i < s->series; i++) {
		for (int k = 0; k < 3; k++)
			three[k] = chart(h, s, i);
		qsort(three, 3, sizeof(*three), by_number);
		us[i] = three[1];
	}
	qsort(us, s->series, sizeof(*us), by_number);
	return us;
}

#define PAGE      4096u
#define PAGE_HEAD 16u
#define NODE_MAX  2038u /* LMDB: what is longer has pages of its own */

/* Of packs of the 1 min resolution alone, in pages where they have some of their own. */
static uint64_t
bytes_of_minutes(struct history *h)
{
	static const struct series_key first;
	struct series_db_key from = series_pack_key(CHUNK_MINUTES, 0, &first, false);
	struct series_key k;
	struct db_bytes key, v;
	struct db_cursor c;
	struct db_txn x;
	uint64_t bytes = 0;
	unsigned res;
	int64_t span;

	db_begin(h->series->db, &x, false);
	db_cursor_open(&x, DB_ONLY, &c);
	for (bool more = db_seek(&c, series_bytes(&from), &key, &v);
	     more && series_pack_key_read(key, &res, &span, &k) && res == CHUNK_MINUTES;
	     more = db_next(&c, &key, &v)) {
		bytes += key.n + 10;
		bytes += v.n + key.n + 8 <= NODE_MAX ? v.n : (v.n + PAGE_HEAD + PAGE - 1) / PAGE * PAGE;
	}
	db_cursor_close(&c);
	db_end(&x);
	return bytes;
}

/* No commit waits for the disk, which others use too. */
static struct history *
must_open(struct names *names)
{
	struct history_limits l = { .size = UINT64_C(16) << 30, .keep_everything = true };
	enum db_status status;
	char err[512];
	struct history *h = history_open(&l, names, &status, err, sizeof(err));

	if (h == NULL)
		fatalx("%s", err);
	return h;
}

static int
run_weir(const char *dir, const struct shape *s)
{
	struct names *names = names_new();
	struct history *h;
	struct db_txn x;
	double at = cpu_seconds(), kept;
	uint64_t used;

	if (chdir(dir) != 0)
		fatal("%s", dir);
	h = must_open(names);
	keep(h, s);
	if (series_store_fold(h->series) != DB_OK)
		fatalx("fold");
	kept = cpu_seconds() - at;

	uint64_t points = compare_all(h, s);
	double *us = charts(h, s);

	db_begin(h->series->db, &x, false);
	used = db_used(&x);
	db_end(&x);
	printf("{\"points\": %" PRIu64 ", \"file\": %" PRIu64 ", \"used\": %" PRIu64 ", \"minutes\": %" PRIu64
	       ", \"keep_s\": %.2f, \"chart_us\": %.1f, \"chart_us_p99\": %.1f, \"chart_us_most\": %.1f}\n",
	       points, bytes_of(SERIES_FILE), used, bytes_of_minutes(h), kept, us[s->series / 2],
	       us[s->series * 99 / 100], us[s->series - 1]);
	free(us);
	history_close(&h);
	names_free(&names);
	return 0;
}

/* --- many
 * ------------------------------------------------------------------------------------------------------------------
 */

#define MANY_BATCH 65536u /* series that one commit adds to, as when a minute is written a step at a time */

static double
resident_mb(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	char line[200] = "";
	unsigned long pages = 0;

	if (f != NULL) {
		const char *resident = fgets(line, sizeof(line), f) != NULL ? strchr(line, ' ') : NULL;

		if (resident != NULL)
			pages = strtoul(resident, NULL, 10);
		fclose(f);
	}
	if (pages == 0)
		fatal("/proc/self/statm");
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void
must_write(struct history *h, struct batch *b, int64_t now_s)
{
	char why[HISTORY_WHY_MAX];

	if (history_write(h, b, now_s * NS_PER_S, why) != DB_OK)
		fatalx("%s", why);
	batch_reset(b);
}

/* A minute of all series: seconds of CPU that batches and commits took. */
static double
many_minute(struct history *h, struct batch *b, const struct shape *s, int64_t t)
{
	double at = cpu_seconds(), made = 0;

	for (uint32_t i = 0; i < s->series; i++) {
		const struct series_key k = key_of(i);
		struct series_value v;
		uint32_t last = 0;
		double before = cpu_seconds();
		bool any = value_at(s, i, t, &v);

		made += cpu_seconds() - before;
		if (any && !batch_add_minute(b, &k, &last, t / 60, &v))
			fatalx("the batch is full");
		if (i % MANY_BATCH == MANY_BATCH - 1)
			must_write(h, b, t + 61);
	}
	must_write(h, b, t + 61);
	return cpu_seconds() - at - made;
}

/* As many series as a store may have, all of them active, for some minutes: `days` are minutes. */
static int
run_many(const char *dir, const struct shape *s)
{
	struct names *names = names_new();
	int64_t minutes = (s->end_s - s->start_s) / DAY;
	double kept = 0, closed = 0, most_closed = 0, began, folded, open_us, *us;
	struct shape last = *s;
	struct history *h;
	struct batch b;

	if (chdir(dir) != 0)
		fatal("%s", dir);
	h = must_open(names);
	batch_init(&b, 1 << 20, 1 << 20);
	began = resident_mb();
	for (int64_t m = 0; m < minutes; m++) {
		double at;

		kept += many_minute(h, &b, s, s->start_s + m * 60);
		/* The next commit, ten seconds after the minute's end, writes it as a block. */
		at = cpu_seconds();
		must_write(h, &b, s->start_s + m * 60 + 75);
		at = cpu_seconds() - at;
		closed += at;
		most_closed = at > most_closed ? at : most_closed;
	}

	double open_mb = resident_mb() - began;

	last.end_s = s->start_s + DAY; /* all that there is */
	last.series = 1000;
	us = charts(h, &last);
	open_us = us[last.series / 2];
	free(us);
	folded = cpu_seconds();
	if (series_store_fold(h->series) != DB_OK)
		fatalx("fold");
	folded = cpu_seconds() - folded;
	us = charts(h, &last);
	printf("{\"series\": %" PRIu32 ", \"minutes\": %" PRId64
	       ", \"open_mb\": %.1f, \"keep_us\": %.2f, \"close_s\": %.2f, \"close_s_most\": %.2f, "
	       "\"fold_s\": %.2f, \"file\": %" PRIu64 ", \"chart_open_us\": %.1f, \"chart_us\": %.1f}\n",
	       s->series, minutes, open_mb, kept * 1e6 / (double)s->series / (double)minutes,
	       closed / (double)minutes, most_closed, folded, bytes_of(SERIES_FILE), open_us,
	       us[last.series / 2]);
	free(us);
	batch_free(&b);
	history_close(&h);
	names_free(&names);
	return 0;
}

/* --- others
 * -----------------------------------------------------------------------------------------------------------------
 */

static void
put_line(const struct series_key *k, int64_t t, const struct chunk_point *p, bool spread)
{
	printf("w,t=%" PRIu32 ",s=%" PRIu32 ",n=%" PRIu32 " ib=%" PRIu64 ",ob=%" PRIu64 ",ip=%" PRIu64
	       ",op=%" PRIu64 ",f=%" PRIu64,
	       k->tenant, k->subject, k->number, p->sum.in_bytes, p->sum.out_bytes, p->sum.in_packets,
	       p->sum.out_packets, p->sum.flows_max);
	if (spread)
		printf(",ibx=%" PRIu64 ",obx=%" PRIu64 ",ipx=%" PRIu64 ",opx=%" PRIu64 ",ibn=%" PRIu64
		       ",obn=%" PRIu64 ",ipn=%" PRIu64 ",opn=%" PRIu64,
		       p->most.in_bytes, p->most.out_bytes, p->most.in_packets, p->most.out_packets,
		       p->least.in_bytes, p->least.out_bytes, p->least.in_packets, p->least.out_packets);
	printf(" %" PRId64 "000000000\n", t);
}

/* The points of the 1 min resolution, with least and most where they differ from the sum. */
static int
run_lines(const struct shape *s)
{
	for (uint32_t i = 0; i < s->series; i++) {
		const struct series_key k = key_of(i);

		for (int64_t t = s->start_s; t < s->end_s; t += 60) {
			struct chunk_point p = { 0 };
			struct series_value v;

			if (!minute_at(s, i, t, &p.sum))
				continue;
			for (int64_t at = t; s->by_second && at < t + 60; at++) {
				if (!value_at(s, i, at, &v))
					v = (struct series_value){ 0 };
				if (at == t)
					p.least = p.most = v;
#define SPREAD(f)                                                                                            \
	p.least.f = v.f < p.least.f ? v.f : p.least.f;                                                       \
	p.most.f = v.f > p.most.f ? v.f : p.most.f;
				SPREAD(in_bytes)
				SPREAD(out_bytes)
				SPREAD(in_packets)
				SPREAD(out_packets)
#undef SPREAD
			}
			put_line(&k, t, &p, s->by_second);
		}
	}
	return 0;
}

static bool
shape_of(char **word, struct shape *s)
{
	static const char *const kinds[] = { "busy", "average", "idle" };
	bool known = false;

	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(word[0], kinds[i]) == 0) {
			s->kind = (enum kind)i;
			known = true;
		}
	s->by_second = strcmp(word[1], "second") == 0;
	s->series = (uint32_t)strtoul(word[2], NULL, 10);
	s->start_s = strtoll(word[3], NULL, 10) / DAY * DAY;
	s->end_s = s->start_s + strtoll(word[4], NULL, 10) * DAY;
	return known && s->series > 0 && s->start_s > 0 && s->end_s > s->start_s;
}

int
main(int argc, char **argv)
{
	struct shape s;

	if (argc == 8 && strcmp(argv[1], "weir") == 0 && shape_of(argv + 3, &s))
		return run_weir(argv[2], &s);
	if (argc == 8 && strcmp(argv[1], "many") == 0 && shape_of(argv + 3, &s))
		return run_many(argv[2], &s);
	if (argc == 7 && strcmp(argv[1], "lines") == 0 && shape_of(argv + 2, &s))
		return run_lines(&s);
	fprintf(stderr, "usage: bench_series weir DIRECTORY KIND minute|second SERIES START DAYS\n"
			"       bench_series many DIRECTORY KIND minute SERIES START MINUTES\n"
			"       bench_series lines KIND minute|second SERIES START DAYS\n");
	return 2;
}
