/*
 * The flows of flows.h, kept by Weir or sent to a collector:
 *
 *   bench_store weir DIR FLOWS [GAP]  into history in DIR, by commits, with merging; then questions
 *   bench_store ask DIR FLOWS [GAP]   questions alone, to what the first has made there
 *   bench_store netflow PORT FLOWS    as NetFlow v9 to a collector at 127.0.0.1, two records a flow
 *
 * The first two print JSON. GAP: nanoseconds between two flows.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "base/mem.h"
#include "filter/filter.h"
#include "find.h"
#include "flows.h"
#include "groups.h"
#include "history.h"
#include "kept_rows.h"
#include "policy/snapshot.h"

#define GAP_NS     20000 /* 50,000 flows a second */
#define COMMIT     2000u /* flows that a commit has at least */
#define TOP        10u
#define REPEATS    5 /* of a question: the median counts */
#define TENANTS    8u
#define BATCH_SIZE (12u << 20)
#define RARE       5000u /* rank of the server that is asked for */

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static uint64_t
number_of(const char *text)
{
	char *end;
	uint64_t v = strtoull(text, &end, 10);

	if (*end != '\0' || v == 0)
		fatalx("%s is no number of flows", text);
	return v;
}

/* --- Weir
 * -------------------------------------------------------------------------------------------------------------------
 */

static uint64_t
bytes_here(void)
{
	DIR *d = opendir(".");
	struct stat st;
	uint64_t sum = 0;

	if (d == NULL)
		fatal("directory");
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, "flows-", 6) == 0 && stat(e->d_name, &st) == 0)
			sum += (uint64_t)st.st_blocks * 512;
	closedir(d);
	return sum;
}

struct work {
	struct history *h;
	struct find *find;
	struct batch batch;
	int64_t gap_ns;
	uint64_t flows;
	struct store s;                             /* names alone: what a filter and a view look at */
	struct view view;                           /* of the platform */
	double making, adding, committing, merging; /* CPU seconds */
	unsigned commits;
};

static void
commit(struct work *w, int64_t now_ns)
{
	char why[HISTORY_WHY_MAX];

	double at = cpu_seconds();

	if (history_write(w->h, &w->batch, now_ns, why) != DB_OK)
		fatalx("commit: %s", why);
	batch_reset(&w->batch);
	w->commits++;
	w->committing += cpu_seconds() - at;
	at = cpu_seconds();
	while (history_tidy(w->h))
		;
	w->merging += cpu_seconds() - at;
}

/* Commits when a second of the flows' time is over, as store does, or when the batch is full. */
static void
keep(struct work *w, uint64_t flows)
{
	const uint64_t second = (uint64_t)(NS_PER_S / w->gap_ns);
	struct flows *g = flows_new(w->gap_ns);
	struct rec_flow *f = mem_calloc(1024, sizeof(*f));
	char(*text)[FLOW_TEXT_MAX] = mem_calloc(1024, sizeof(*text));
	uint64_t since = 0;

	for (uint64_t done = 0, n; done < flows; done += n) {
		double at = cpu_seconds();

		for (n = 0; n < 1024 && done + n < flows; n++)
			flows_next(g, &f[n], text[n]);
		w->making += cpu_seconds() - at;
		at = cpu_seconds() - w->committing - w->merging;
		for (uint64_t i = 0; i < n; i++, since++) {
			const uint32_t tenant[2] = { 1 + f[i].ip[CLIENT].b[15] % TENANTS, 0 };
			const struct flow_texts t = flow_texts_of(&f[i], text[i]);

			if (batch_full(&w->batch) || since >= (second > COMMIT ? second : COMMIT)) {
				commit(w, FLOWS_START_NS + (int64_t)(done + i) * w->gap_ns);
				since = 0;
			}
			if (!batch_add_flow(&w->batch, tenant, &f[i], &t))
				fatalx("the batch is full");
		}
		w->adding += cpu_seconds() - w->committing - w->merging - at;
	}
	commit(w, FLOWS_START_NS + (int64_t)flows * w->gap_ns);
	/* The hour is over: what is left is merged. */
	const uint32_t tenant[2] = { 1, 0 };
	const struct flow_texts t = flow_texts_of(&f[0], text[0]);

	flows_next(g, &f[0], text[0]);
	batch_add_flow(&w->batch, tenant, &f[0], &t);
	commit(w, FLOWS_START_NS + (int64_t)flows * w->gap_ns + 2 * 3600 * NS_PER_S);
	free(f);
	free(text);
}

static bool
count(void *ctx, const struct kept_flow *k)
{
	uint64_t *n = ctx;

	(void)k;
	++*n;
	return true;
}

static bool
may_match(void *ctx, struct block_reader *r, const struct block *b)
{
	return kept_rows_may_match(ctx, r, b);
}

static bool
match(void *ctx, struct columns *c, const uint32_t *tenant, uint8_t *wanted)
{
	return kept_rows_match(ctx, c, tenant, wanted);
}

static struct filter *
filter_of(struct work *w, const char *text)
{
	struct filter_program *p = mem_calloc(1, sizeof(*p));
	struct filter_error e;
	struct filter *f;

	if (!filter_compile(text, strlen(text), p, &e))
		fatalx("%s: %s", text, e.text);
	f = filter_bind(&w->s, p);
	free(p);
	return f;
}

/* Every flow that the filter lets pass, whole. */
static void
ask_list(struct work *w, const struct filter *f, int64_t from_ns, int64_t to_ns, uint64_t *rows)
{
	struct flow_query q = {
		.tenant = TENANT_PLATFORM, .from_ns = from_ns, .to_ns = to_ns, .visits = UINT32_MAX
	};
	struct flow_position last = { 0 }, after;
	struct kept_rows kept;
	const struct block_test test = { may_match, match, &kept };
	bool finished = false;

	kept_rows_begin(&kept, &w->view, f, ANY_POINT);
	q.test = &test;
	for (*rows = 0; !finished;) {
		if (history_flows(w->find, &q, count, rows, &last, &finished) != DB_OK)
			fatalx("question");
		after = last;
		q.after = &after;
	}
	kept_rows_end(&kept);
}

/* As `nfdump -s ip/bytes`: flows, packets and bytes of the addresses with most bytes; or of all flows
 * together. */
static void
ask_top(struct work *w, const struct filter *f, enum dimension by, int64_t from_ns, int64_t to_ns,
	struct groups *g)
{
	const struct group_query q = { .view = &w->view,
				       .filter = f,
				       .point = ANY_POINT,
				       .from_ns = from_ns,
				       .to_ns = to_ns,
				       .by = { .dimension = { (uint8_t)by },
					       .measure = MEASURE_BYTES,
					       .measures = MEASURE_BIT(MEASURE_PACKETS) },
				       .limit = TOP,
				       .memory = 64u << 20 };
	enum db_status status;

	if (history_groups(w->find, &q, g, &status) != GROUPS_DONE)
		fatalx("question");
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* CPU seconds of a question whose answer lies in the page cache: the median. */
static double
time_list(struct work *w, const char *text, int64_t from_ns, int64_t to_ns, uint64_t *rows)
{
	struct filter *f = filter_of(w, text);
	double took[REPEATS];

	ask_list(w, f, from_ns, to_ns, rows);
	for (int i = 0; i < REPEATS; i++) {
		double at = cpu_seconds();

		ask_list(w, f, from_ns, to_ns, rows);
		took[i] = cpu_seconds() - at;
	}
	filter_free(&f);
	qsort(took, REPEATS, sizeof(took[0]), by_size);
	return took[REPEATS / 2];
}

static double
time_top(struct work *w, const char *text, enum dimension by, int64_t from_ns, int64_t to_ns)
{
	struct filter *f = filter_of(w, text);
	double took[REPEATS];
	struct groups g;

	for (int i = 0; i < REPEATS; i++) {
		double at = cpu_seconds();

		ask_top(w, f, by, from_ns, to_ns, &g);
		groups_free(&g);
		took[i] = cpu_seconds() - at;
	}
	filter_free(&f);
	qsort(took, REPEATS, sizeof(took[0]), by_size);
	return took[REPEATS / 2];
}

static void
print_top(struct work *w)
{
	char address[IP_TEXT_MAX];
	struct groups g;

	ask_top(w, NULL, DIMENSION_IP, 0, INT64_MAX, &g);
	printf("\"top\": {");
	for (uint32_t i = 0; i < g.n; i++) {
		ip_format(&g.group[i].key[0].ip, address);
		printf("%s\"%s\": %" PRIu64, i == 0 ? "" : ", ", address,
		       g.group[i].sum.value[MEASURE_BYTES]);
	}
	printf("}, \"top_groups\": %" PRIu64 ", ", g.all.groups);
	groups_free(&g);
}

static void
ask_all(struct work *w)
{
	const struct ip_addr rare = flows_server(RARE);
	int64_t middle = FLOWS_START_NS + (int64_t)(w->flows / 2) * w->gap_ns;
	char address[IP_TEXT_MAX], text[IP_TEXT_MAX + 40];
	uint64_t rows;
	double selective;

	ip_format(&rare, address);
	snprintf(text, sizeof(text), "ip %s", address);
	selective = time_list(w, text, 0, INT64_MAX, &rows);
	printf("\"selective\": \"%s\", \"selective_s\": %.5f, \"selective_rows\": %" PRIu64
	       ", \"hour_s\": %.5f, ",
	       address, selective, rows,
	       time_top(w, "src ip 10.0.0.5 and dst port 443", DIMENSION_SERVER_IP, middle,
			middle + 3600 * NS_PER_S));
	printf("\"sums_s\": %.5f, \"top_s\": %.4f, \"top_filtered_s\": %.4f, ",
	       time_top(w, text, DIMENSION_NONE, 0, INT64_MAX),
	       time_top(w, "any", DIMENSION_IP, 0, INT64_MAX),
	       time_top(w, "proto tcp and dst port 443", DIMENSION_IP, 0, INT64_MAX));
	print_top(w);
}

/* Bytes of the columns that nfdump has, too: when, who, how much, flags and interfaces. */
struct common {
	bool is[256];
	uint64_t bytes, rows;
};

static bool
add_common(struct find *f, const struct block_entry *e, void *ctx)
{
	struct common *c = ctx;

	(void)e;
	c->rows += f->head.rows;
	for (unsigned i = 0; i < f->head.ncolumns; i++)
		c->bytes += c->is[f->head.column[i].number] ? f->head.column[i].len : 0;
	return true;
}

static double
common_bytes(struct work *w)
{
	static const uint8_t columns[] = {
		COLUMN_LAST,    2,           3,          13, 17, 18, 21, 22, 23, 24, 25, 26, 29, 30, 53, 54,
		PART_ADDRESSES, PART_CLIENT, PART_SERVER
	};
	struct common c = { 0 };
	enum db_status status;
	unsigned reader = segments_reader_begins(w->h->segments);

	for (size_t i = 0; i < sizeof(columns); i++)
		c.is[columns[i]] = true;
	if (!find_blocks(w->find, TENANT_PLATFORM, 0, INT64_MAX, &status))
		fatalx("blocks");
	for (size_t i = 0; i < w->find->nblocks; i++)
		(void)find_look_at(w->find, &w->find->block[i], FIND_NONE, NULL, add_common, &c);
	segments_reader_ends(w->h->segments, reader);
	return (double)c.bytes / (double)c.rows;
}

static int
run_weir(const char *dir, uint64_t flows, int64_t gap_ns, bool made)
{
	const struct history_limits l = { .size = UINT64_C(64) << 30,
					  .keep_flows_ns = INT64_C(3650) * 86400 * NS_PER_S,
					  .keep_ns = { NS_PER_S, NS_PER_S, NS_PER_S } };
	struct work *w = mem_calloc(1, sizeof(*w));
	enum db_status status;
	char err[512];

	if (chdir(dir) != 0)
		fatal("%s", dir);
	w->gap_ns = gap_ns;
	w->flows = flows;
	w->s.names = names_new();
	w->view = (struct view){ .platform = true, .s = &w->s };
	w->h = history_open(&l, w->s.names, &status, err, sizeof(err));
	if (w->h == NULL)
		fatalx("%s", err);
	w->find = find_new(w->h);
	batch_init(&w->batch, BATCH_SIZE, 4096);
	if (!made)
		keep(w, flows);
	printf("{\"flows\": %" PRIu64 ", \"commits\": %u, \"add_s\": %.3f, \"commit_s\": %.3f, "
	       "\"merge_s\": %.3f, \"generate_s\": %.3f, ",
	       flows, w->commits, w->adding, w->committing, w->merging, w->making);
	ask_all(w);
	printf("\"common_bytes_per_flow\": %.2f, \"bytes\": %" PRIu64 "}\n", common_bytes(w), bytes_here());
	find_free(&w->find);
	history_close(&w->h);
	names_free(&w->s.names);
	free(w);
	return 0;
}

/* --- NetFlow v9 (RFC 3954)
 * ---------------------------------------------------------------------------------------------------- */

#define TEMPLATE   256u
#define PER_PACKET 24u /* records; twelve flows */
#define PACE_EACH  8u  /* packets, then a rest: a collector has no way to say that it is behind */

static const uint16_t fields[][2] = { { 8, 4 },  { 12, 4 }, { 7, 2 }, { 11, 2 }, { 4, 1 },  { 6, 1 },
				      { 10, 2 }, { 14, 2 }, { 1, 8 }, { 2, 8 },  { 22, 4 }, { 21, 4 } };

static void
put_header(struct wcur *c, unsigned records, uint32_t sequence, int64_t now_ns)
{
	wcur_be16(c, 9);
	wcur_be16(c, (uint16_t)records);
	wcur_be32(c, (uint32_t)((now_ns - FLOWS_START_NS) / NS_PER_MS + 3600000)); /* up since */
	wcur_be32(c, (uint32_t)(now_ns / NS_PER_S));
	wcur_be32(c, sequence);
	wcur_be32(c, 1);
}

static void
put_template(struct wcur *c)
{
	wcur_be16(c, 0);
	wcur_be16(c, (uint16_t)(8 + sizeof(fields)));
	wcur_be16(c, TEMPLATE);
	wcur_be16(c, ARRAY_LEN(fields));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		wcur_be16(c, fields[i][0]);
		wcur_be16(c, fields[i][1]);
	}
}

static void
put_record(struct wcur *c, const struct rec_flow *f, enum side from)
{
	enum side to = from == CLIENT ? SERVER : CLIENT;

	wcur_put(c, f->ip[from].b + 12, 4);
	wcur_put(c, f->ip[to].b + 12, 4);
	wcur_be16(c, f->port[from]);
	wcur_be16(c, f->port[to]);
	wcur_u8(c, f->protocol);
	wcur_u8(c, f->tcp.flags[from]);
	wcur_be16(c, 1);
	wcur_be16(c, 2);
	wcur_be64(c, f->count.bytes[from]);
	wcur_be64(c, f->count.packets[from]);
	wcur_be32(c, (uint32_t)((f->first_ns - FLOWS_START_NS) / NS_PER_MS + 3600000));
	wcur_be32(c, (uint32_t)((f->last_ns - FLOWS_START_NS) / NS_PER_MS + 3600000));
}

static int
run_netflow(const char *port, uint64_t flows)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)number_of(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timespec rest = { .tv_nsec = 300000 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct flows *g = flows_new(GAP_NS);
	char text[FLOW_TEXT_MAX];
	struct rec_flow f;
	uint8_t packet[1400];
	uint32_t sequence = 0;

	if (fd == -1 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1)
		fatal("port %s", port);
	for (uint64_t done = 0; done < flows; sequence++) {
		struct wcur c = wcur_of(packet, sizeof(packet));
		unsigned n = flows - done < PER_PACKET / 2 ? (unsigned)(flows - done) : PER_PACKET / 2;

		put_header(&c, 2 * n + 1, sequence, FLOWS_START_NS + (int64_t)done * GAP_NS);
		put_template(&c);

		uint8_t *set = c.p;

		wcur_be16(&c, TEMPLATE);
		wcur_be16(&c, 0);
		for (unsigned i = 0; i < n; i++, done++) {
			flows_next(g, &f, text);
			put_record(&c, &f, CLIENT);
			put_record(&c, &f, SERVER);
		}
		while ((c.p - set) % 4 != 0)
			wcur_u8(&c, 0);
		set[2] = (uint8_t)((c.p - set) >> 8);
		set[3] = (uint8_t)(c.p - set);
		if (c.bad || send(fd, packet, wcur_len(&c), 0) == -1)
			fatal("send");
		if (sequence % PACE_EACH == 0)
			nanosleep(&rest, NULL);
	}
	close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	log_init("bench_store", LOG_LEVEL_WARN);
	if (sodium_init() == -1)
		fatalx("libsodium does not start");
	if ((argc == 4 || argc == 5) && (strcmp(argv[1], "weir") == 0 || strcmp(argv[1], "ask") == 0))
		return run_weir(argv[2], number_of(argv[3]), argc == 5 ? (int64_t)number_of(argv[4]) : GAP_NS,
				strcmp(argv[1], "ask") == 0);
	if (argc == 4 && strcmp(argv[1], "netflow") == 0)
		return run_netflow(argv[2], number_of(argv[3]));
	fprintf(stderr, "usage: bench_store weir|ask DIR FLOWS [GAP] | netflow PORT FLOWS\n");
	return 2;
}
