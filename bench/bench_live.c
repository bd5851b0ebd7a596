/*
 * Questions about a million live flows while more is taken in:
 *
 *   bench_live FLOWS HOSTS RATE SECONDS [LOOKS | KEPT THREADS SCANS]
 *
 * One store with FLOWS live flows of HOSTS clients, of which one tenant has all, one 5 % and one 0.1 %. For
 * SECONDS, RATE records a second come by a ring (counters of flows at random; one in sixteen opens another
 * flow, which ends the slot's), and every 20 ms a question is due: pages of 100 flows in every order, from
 * the start and from a row anywhere in it, the first ten hosts, and the interfaces. With KEPT, the tenant of
 * all flows has so many in history, too, and SCANS of its questions look through them for what is not there,
 * on THREADS threads. Prints JSON: how long after it was due each kind of question was answered, the longest
 * turn of the loop, and how far behind the ring got. LOOKS other questions are under way at any time, each of
 * which looks through all live flows for an address that none has.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "commit.h"
#include "jobs.h"
#include "live_traffic.h"
#include "orders.h"
#include "parked.h"
#include "policy/grant.h"
#include "policy/snapshot.h"
#include "pump.h"
#include "scans.h"
#include "walks.h"
#include "whose.h"

#define POINT          11u
#define ASK_EACH_NS    (20 * NS_PER_MS)
#define RECORDS_A_TURN 2000u
#define RING_BYTES     (64u << 20)
#define WARM_S         5 /* not measured */

enum { EVERYTHING = 1, TWENTIETH = 2, THOUSANDTH = 3, TENANTS };
static const char *const tenant_name[TENANTS] = { "", "100 %", "5 %", "0.1 %" };
static const char *const sort_name[SORT_KEY_COUNT] = { "",      "bytes", "packets", "rate",
						       "first", "last",  "score",   "flows" };

/* --- traffic
 * ------------------------------------------------------------------------------------------------------------
 */

struct feeding {
	struct live_traffic *t;
	pthread_t thread;
	atomic_bool stop;
};

static void *
feed(void *arg)
{
	struct feeding *f = arg;
	const struct timespec rest = { .tv_nsec = NS_PER_MS };

	live_traffic_begin(f->t);
	while (!f->stop) {
		(void)live_traffic_send_due(f->t);
		nanosleep(&rest, NULL);
	}
	return NULL;
}

/* --- the store
 * ----------------------------------------------------------------------------------------------------------
 */

struct bench {
	struct boot *boot;
	struct store *s;
	uint8_t public[32], secret[64];
	uint8_t grant[TENANTS][GRANT_BYTES_MAX];
	size_t grant_len[TENANTS];
	int64_t longest_turn_ns, longest_cpu_ns, busy_ns;
	uint64_t turns;
	struct scans *scans; /* NULL: none */
};

static void
make_policy(struct bench *b)
{
	static const char *const network[TENANTS] = { "", "20.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16" };
	struct snapshot_builder *sb = snapshot_builder_new(1);
	size_t len;

	for (uint32_t i = EVERYTHING; i < TENANTS; i++) {
		struct tenant t = { .number = i };
		struct tenant_selector sel = {
			.tenant = i, .point = "eth0", .vlan = UINT32_MAX, .has_network = 1
		};

		snprintf(t.name, sizeof(t.name), "tenant-%u", i);
		if (!prefix_parse(network[i], &sel.network) || !snapshot_add_tenant(sb, &t) ||
		    !snapshot_add_selector(sb, &sel))
			fatalx("no policy");
	}

	uint8_t *doc = snapshot_finish(&sb, b->secret, &len);

	if (doc == NULL || !whose_policy(b->s, 1, doc, len))
		fatalx("no policy");
	free(doc);
}

static void
make_grants(struct bench *b)
{
	uint64_t full = 0;

	for (uint32_t i = EVERYTHING; i < TENANTS; i++) {
		struct grant g = { .audience_proc = PROC_HTTPD,
				   .tenant = i,
				   .snapshot = 1,
				   .scopes = UINT64_MAX,
				   .role = ROLE_VIEWER };
		struct wire_grant_live l;

		randombytes_buf(g.id, sizeof(g.id));
		g.issued_ns = clock_utc_ns();
		g.expires_ns = g.issued_ns + 55 * NS_PER_S;
		str_copy(g.subject, sizeof(g.subject), "user:bench");
		b->grant_len[i] = grant_sign(&g, b->secret, b->grant[i], GRANT_BYTES_MAX);
		l = (struct wire_grant_live){ .expires_ns = g.expires_ns };
		memcpy(l.id, g.id, sizeof(l.id));
		grants_add(b->s->grants, &l, clock_utc_ns(), &full);
	}
}

static void
make_store(struct bench *b, uint32_t flows, uint32_t hosts, uint64_t kept, unsigned threads)
{
	struct wire_grant_keys keys = { .n = 1 };
	struct wire_grant_ids set = { .begin = 1, .end = 1 };
	uint64_t full = 0;

	b->boot = mem_calloc(1, sizeof(*b->boot));
	settings_default(&b->boot->settings);
	b->boot->settings.store_size = INT64_C(4) << 30;
	b->boot->settings.max_flows = flows;
	b->boot->settings.max_hosts = hosts;
	b->boot->settings.record_ring = RING_BYTES;
	b->boot->settings.keep_flows_ms = INT64_C(3650) * 86400 * 1000;
	b->boot->proc = PROC_STORE;
	b->boot->peers[b->boot->npeers++].proc = PROC_ENGINE;
	b->boot->points[0] = (struct boot_point){ .id = POINT, .kind = POINT_INTERFACE, .name = "eth0" };
	b->boot->npoints = 1;
	crypto_sign_keypair(b->public, b->secret);
	b->s = store_new(b->boot);
	if (kept > 0)
		scans_keep(b->s, kept, EVERYTHING);
	b->s->jobs = jobs_new(threads);
	writer_start(b->s->writer);
	jobs_start(b->s->jobs);
	memcpy(keys.key[0], b->public, 32);
	if (!grants_keys(b->s->grants, &keys))
		fatalx("no keys");
	make_policy(b);
	if (!grants_set(b->s->grants, &set, NULL, clock_utc_ns(), &full))
		fatalx("no grants");
	make_grants(b);
}

static void
offer_ring(struct bench *b, struct live_traffic *t)
{
	int fd, page = -1;

	t->ring = ring_producer_new(RING_BYTES, &fd);
	if (t->ring == NULL)
		fatal("ring");

	struct ring_consumer *r = ring_consumer_new(fd, &page);

	if (r == NULL || !ring_producer_attach(t->ring, page))
		fatalx("no ring");
	store_clock(b->s);
	pump_offer(b->s, &b->s->engine[0], r, clock_utc_ns());
}

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* As a turn of serve's loop. True where more of it waits. */
static bool
turn(struct bench *b)
{
	int64_t at = clock_boot_ns(), cpu = cpu_ns(), took;
	bool more;

	store_clock(b->s);
	grants_heard(b->s->grants, b->s->now_boot_ns);
	more = pump_engine(b->s, &b->s->engine[0], RECORDS_A_TURN);
	commit_turn(b->s);
	jobs_turn(b->s->jobs, b->s->now_boot_ns);
	more |= orders_turn(b->s);
	more |= walks_turn(b->s);
	parked_turn(b->s);
	ask_turn(b->s);
	if (b->scans != NULL)
		scans_turn(b->scans);
	took = clock_boot_ns() - at;
	b->busy_ns += took;
	b->turns++;
	if (took > b->longest_turn_ns)
		b->longest_turn_ns = took;
	cpu = cpu_ns() - cpu;
	if (cpu > b->longest_cpu_ns)
		b->longest_cpu_ns = cpu;
	return more;
}

static void
fill(struct bench *b, struct live_traffic *t)
{
	for (uint32_t i = 0; i < t->flows; i++) {
		while (!live_traffic_open(t, i)) {
			(void)ring_publish(t->ring);
			(void)turn(b);
		}
	}
	(void)ring_publish(t->ring);
	while (turn(b) || pump_held(&b->s->engine[0]) > 0)
		;
}

/* --- questions
 * ----------------------------------------------------------------------------------------------------------
 */

struct asked {
	uint32_t tenant, kind, sort;
	bool deep, ascending;
	int64_t due_ns, took_ns;
	uint32_t rows;
	uint32_t status;
	bool done;
};

struct asking {
	struct asked *list;
	size_t n, max;
	uint64_t state;
};

static void
take_answer(void *ctx, const void *body, size_t len)
{
	struct asking *k = ctx;
	struct wire_answer a;

	if (len < sizeof(a))
		fatalx("a short answer");
	memcpy(&a, body, sizeof(a));

	struct asked *q = &k->list[a.request];

	q->rows += a.nrows;
	q->status = a.status;
	if (a.more != 0)
		return;
	q->took_ns = clock_boot_ns() - q->due_ns;
	q->done = true;
}

/* A cursor behind a live flow of the tenant's, drawn at random. */
static void
put_cursor(struct bench *b, struct asking *k, const struct asked *q, struct wire_question *w)
{
	struct page p = { .kind = ASK_FLOWS, .sort = (uint16_t)q->sort, .ascending = q->ascending };
	const struct live *l = &b->s->engine[0].live;
	struct flow_id_key key;
	struct flow_id id;
	uint32_t n;
	const uint32_t *entry = slots_of(l->slots, q->tenant, &n);
	const struct live_flow *r = &l->flow[slots_slot(entry[live_random(&k->state) % n])];
	const struct flow_counters *c = &r->count;
	const int64_t second = clock_utc_ns() / NS_PER_S - 2;

	flow_id_key(history_secret(b->s->history), q->tenant, &key);
	id = flow_id_veil(&key, &r->id);
	memcpy(p.at.tie, id.b, sizeof(id.b));
	p.at.value = q->sort == SORT_BYTES     ? c->bytes[0] + c->bytes[1]
		     : q->sort == SORT_PACKETS ? c->packets[0] + c->packets[1]
		     : q->sort == SORT_RATE    ? rate_at(&r->rate, second, 0) + rate_at(&r->rate, second, 1)
		     : q->sort == SORT_FIRST   ? (uint64_t)r->first_ns
		     : q->sort == SORT_LAST    ? (uint64_t)r->last_ns
					       : r->score;
	page_seal(b->s->cursor_key, q->tenant, &p, w->cursor);
	w->cursor_len = PAGE_LEN;
}

static void
ask_next(struct bench *b, struct asking *k, int64_t due_ns)
{
	static uint8_t body[WIRE_QUESTION_MAX];
	struct asker who = { .proc = PROC_HTTPD, .emit = take_answer, .ctx = k };
	struct asked *q = &k->list[k->n];
	uint64_t r = live_random(&k->state);
	struct wire_question w = { .request = k->n, .point = ANY_POINT };

	*q = (struct asked){ .tenant = (uint32_t)(EVERYTHING + r % 3),
			     .kind = (r >> 8) % 8 == 0   ? ASK_HOSTS
				     : (r >> 8) % 8 == 1 ? ASK_POINTS
							 : ASK_FLOWS,
			     .sort = (uint32_t)(SORT_BYTES + (r >> 16) % 6),
			     .ascending = (r >> 24) % 4 == 0,
			     .due_ns = due_ns };
	q->deep = q->kind == ASK_FLOWS && (r >> 32) % 2 == 0;
	w.kind = q->kind;
	w.sort = q->sort;
	w.ascending = q->ascending;
	w.limit = q->kind == ASK_HOSTS ? 10 : 100;
	w.grant_len = (uint32_t)b->grant_len[q->tenant];
	if (q->deep)
		put_cursor(b, k, q, &w);
	memcpy(body, &w, sizeof(w));
	memcpy(body + sizeof(w), b->grant[q->tenant], w.grant_len);
	k->n++;
	ask(b->s, &who, body, sizeof(w) + w.grant_len);
}

/* --- looks beside them
 * -------------------------------------------------------------------------------------------------- */

struct looks {
	uint64_t want, running, done, refused;
};

static void
look_answered(void *ctx, const void *body, size_t len)
{
	struct looks *x = ctx;
	struct wire_answer a;

	(void)len;
	memcpy(&a, body, sizeof(a));
	x->running -= a.more == 0;
	x->done += a.more == 0;
	x->refused += a.status != ANSWER_OK;
}

static void
look_next(struct bench *b, struct looks *x)
{
	struct asker who = { .proc = PROC_HTTPD, .emit = look_answered, .ctx = x };
	struct wire_question w = { .kind = ASK_FLOWS,
				   .point = ANY_POINT,
				   .has_ip = 1,
				   .ip = live_address(UINT32_C(1) << 24),
				   .grant_len = (uint32_t)b->grant_len[EVERYTHING] };
	uint8_t body[sizeof(w) + GRANT_BYTES_MAX];

	memcpy(body, &w, sizeof(w));
	memcpy(body + sizeof(w), b->grant[EVERYTHING], w.grant_len);
	x->running++;
	ask(b->s, &who, body, sizeof(w) + w.grant_len);
}

static void
play(struct bench *b, struct asking *k, struct looks *x, int64_t for_ns)
{
	const struct timespec rest = { .tv_nsec = 200000 }, breath = { .tv_nsec = 50000 };
	int64_t due = clock_boot_ns(), until = due + for_ns;

	while (clock_boot_ns() < until) {
		bool more = turn(b);

		while (x->running < x->want)
			look_next(b, x);
		while (due <= clock_boot_ns() && k->n < k->max) {
			ask_next(b, k, due);
			due += ASK_EACH_NS;
		}
		/* Real-time threads that never rest are stopped by the kernel. */
		nanosleep(more ? &breath : &rest, NULL);
	}
}

/* --- what came of it
 * ---------------------------------------------------------------------------------------------------- */

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
print_times(const char *what, int64_t *ns, size_t n, bool last)
{
	if (n == 0)
		return;
	qsort(ns, n, sizeof(*ns), by_time);

	int64_t middle = ns[n / 2], late = ns[n * 99 / 100];

	printf("  {\"questions\": \"%s\", \"n\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"longest_ms\": "
	       "%.2f}%s\n",
	       what, n, (double)middle / 1e6, (double)late / 1e6, (double)ns[n - 1] / 1e6, last ? "" : ",");
}

static bool
is_of(const struct asked *q, uint32_t tenant, uint32_t kind, uint32_t sort, int deep)
{
	return q->done && (tenant == 0 || q->tenant == tenant) && (kind == 0 || q->kind == kind) &&
	       (sort == 0 || q->sort == sort) && (deep < 0 || q->deep == (deep != 0));
}

static size_t
pick(const struct asking *k, size_t from, int64_t *ns, uint32_t tenant, uint32_t kind, uint32_t sort,
     int deep)
{
	size_t n = 0;

	for (size_t i = from; i < k->n; i++)
		if (is_of(&k->list[i], tenant, kind, sort, deep))
			ns[n++] = k->list[i].took_ns;
	return n;
}

static void
print_all(const struct asking *k, size_t from)
{
	int64_t *ns = mem_calloc(k->n + 1, sizeof(*ns));
	size_t bad = 0, empty = 0;
	char what[100];

	for (size_t i = from; i < k->n; i++) {
		bad += !k->list[i].done || k->list[i].status != ANSWER_OK;
		empty += k->list[i].rows == 0;
	}
	printf("\"unanswered\": %zu, \"empty\": %zu, \"times\": [\n", bad, empty);
	for (uint32_t t = EVERYTHING; t < TENANTS; t++) {
		for (uint32_t sort = SORT_BYTES; sort <= SORT_SCORE; sort++) {
			snprintf(what, sizeof(what), "flows of %s by %s, first page", tenant_name[t],
				 sort_name[sort]);
			print_times(what, ns, pick(k, from, ns, t, ASK_FLOWS, sort, 0), false);
			snprintf(what, sizeof(what), "flows of %s by %s, anywhere", tenant_name[t],
				 sort_name[sort]);
			print_times(what, ns, pick(k, from, ns, t, ASK_FLOWS, sort, 1), false);
		}
		snprintf(what, sizeof(what), "ten hosts of %s", tenant_name[t]);
		print_times(what, ns, pick(k, from, ns, t, ASK_HOSTS, 0, -1), false);
	}
	print_times("interfaces", ns, pick(k, from, ns, 0, ASK_POINTS, 0, -1), false);
	print_times("all", ns, pick(k, from, ns, 0, 0, 0, -1), true);
	printf("]}\n");
	free(ns);
}

static uint64_t
number_of(const char *text)
{
	char *end;
	uint64_t v = strtoull(text, &end, 10);

	if (*end != '\0' || v == 0 || v > 100000000)
		fatalx("%s is no number", text);
	return v;
}

int
main(int argc, char **argv)
{
	struct bench b = { .turns = 0 };
	struct live_traffic t;
	struct feeding f = { .t = &t };
	struct looks x = { .want = 0 };
	struct asking k = { .state = 1181783497276652981 };
	char dir[] = "/tmp/weir-bench-live-XXXXXX";

	log_init("bench_live", LOG_LEVEL_WARN);
	if ((argc != 5 && argc != 6 && argc != 8) || sodium_init() == -1) {
		fprintf(stderr, "usage: bench_live FLOWS HOSTS RATE SECONDS [LOOKS | KEPT THREADS SCANS]\n");
		return 2;
	}
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		fatal("%s", dir);
	live_traffic_init(&t, POINT, (uint32_t)number_of(argv[1]), (uint32_t)number_of(argv[2]),
			  number_of(argv[3]));
	x.want = argc == 6 ? number_of(argv[5]) : 0;
	k.max = (size_t)(number_of(argv[4]) + WARM_S) * 50 + 100;
	k.list = mem_calloc(k.max, sizeof(*k.list));
	make_store(&b, t.flows, t.hosts, argc == 8 ? number_of(argv[5]) : 0,
		   argc == 8 ? (unsigned)number_of(argv[6]) : 1);
	offer_ring(&b, &t);
	fill(&b, &t);
	if (pthread_create(&f.thread, NULL, feed, &f) != 0)
		fatalx("no thread");
	if (argc == 8)
		b.scans = scans_new(b.s, (unsigned)number_of(argv[7]), b.grant[EVERYTHING],
				    &b.grant_len[EVERYTHING]);
	play(&b, &k, &x, WARM_S * NS_PER_S);

	size_t warm = k.n;
	uint64_t put_before = t.put;

	b.longest_turn_ns = b.longest_cpu_ns = b.busy_ns = 0;
	b.turns = 0;
	make_grants(&b);
	x.done = 0;
	play(&b, &k, &x, (int64_t)number_of(argv[4]) * NS_PER_S);
	f.stop = true;
	pthread_join(f.thread, NULL);
	printf("{\"flows\": %u, \"hosts\": %u, \"records\": %" PRIu64 ", \"ring_full\": %" PRIu64
	       ", \"longest_turn_ms\": %.2f, \"its_cpu_ms\": %.2f, \"busy_share\": %.3f, \"looks_at_once\": "
	       "%" PRIu64 ", \"looks\": %" PRIu64 ", \"looks_refused\": %" PRIu64 ", ",
	       t.flows, t.hosts, (uint64_t)t.put - put_before, (uint64_t)t.full,
	       (double)b.longest_turn_ns / 1e6, (double)b.longest_cpu_ns / 1e6,
	       (double)b.busy_ns / ((double)number_of(argv[4]) * 1e9), x.want, x.done, x.refused);
	if (b.scans != NULL)
		scans_print(b.scans);
	print_all(&k, warm);
	store_free(&b.s);
	scans_free(&b.scans);
	live_traffic_free(&t);
	free(b.boot);
	return 0;
}
