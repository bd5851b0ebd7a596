/*
 * The flows of flows.h through the whole store, as an engine sends them:
 *
 *   bench_whole DIR FLOWS
 *
 * Each is the record of its end, in a ring, 50,000 a second of the flows' time, 131,072 live at a time. One
 * thread takes them (tenants by a policy of eight networks, hosts, series), one writes (commits to disk,
 * merging), as in weir-store. Prints JSON: CPU seconds of each, and of the thread that makes the flows, which
 * does not count; bytes on disk; and how much memory was in use after each eighth of the flows.
 */
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "commit.h"
#include "flows.h"
#include "history_parts.h"
#include "minutes.h"
#include "policy/snapshot.h"
#include "pump.h"
#include "whose.h"

#define POINT          11u
#define GAP_NS         20000 /* between two flows */
#define TENANTS        8u
#define RECORDS_A_TURN 2000u
#define RING_BYTES     (64u << 20)
#define NAMES          256u /* of applications, and of categories */
#define PARTS          8u
#define SLOTS          131072u /* flows that an engine has at a time: their rows are used in turn */

struct maker {
	struct ring_producer *ring;
	uint64_t flows;
	uint32_t slots;
	int64_t shift_ns; /* so that they end now */
	atomic_bool done;
	atomic_uint_fast64_t made;
	int64_t cpu_ns;
};

static int64_t
clock_of(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
put(struct maker *m, uint16_t kind, const void *rec, size_t len, const void *text, size_t tlen)
{
	const struct timespec rest = { .tv_nsec = NS_PER_MS };
	uint8_t *p;

	while ((p = ring_reserve(m->ring, len + tlen)) == NULL) {
		(void)ring_publish(m->ring);
		nanosleep(&rest, NULL);
	}
	memcpy(p, rec, len);
	memcpy(p + len, text, tlen);
	ring_commit(m->ring, kind, len + tlen);
}

static void
announce(struct maker *m, enum name_kind kind, uint16_t number)
{
	struct rec_name n = { .kind = (uint16_t)kind, .number = number };
	char text[24];

	n.len = (uint16_t)snprintf(text, sizeof(text), "name-%u-%u", (unsigned)kind, number);
	put(m, REC_NAME, &n, sizeof(n), text, n.len);
}

static void *
make_flows(void *arg)
{
	struct maker *m = arg;
	struct flows *g = flows_new(GAP_NS);
	char text[FLOW_TEXT_MAX];

	for (uint16_t i = 1; i < NAMES; i++) {
		announce(m, NAME_APPLICATION, i);
		announce(m, NAME_CATEGORY, i);
	}
	for (uint64_t n = 0; n < m->flows; n++) {
		struct rec_flow f;

		flows_next(g, &f, text);
		f.point = POINT;
		f.slot = (uint32_t)(n % m->slots);
		f.generation = (uint32_t)(n / m->slots) + 1;
		f.first_ns += m->shift_ns;
		f.slice_ns += m->shift_ns;
		f.last_ns += m->shift_ns;
		put(m, REC_FLOW_END, &f, sizeof(f), text,
		    (size_t)f.server_name_len + f.info_len + f.attributes_len);
		if (n % 256 == 0)
			(void)ring_publish(m->ring);
		atomic_store(&m->made, n + 1);
	}
	(void)ring_publish(m->ring);
	m->cpu_ns = clock_of(CLOCK_THREAD_CPUTIME_ID);
	atomic_store(&m->done, true);
	return NULL;
}

static void
make_policy(struct store *s)
{
	struct snapshot_builder *b = snapshot_builder_new(1);
	uint8_t public[32], secret[64], *doc;
	struct wire_grant_keys keys = { .n = 1 };
	size_t len;

	crypto_sign_keypair(public, secret);
	memcpy(keys.key[0], public, sizeof(public));
	if (!grants_keys(s->grants, &keys))
		fatalx("no keys");
	for (uint32_t i = 1; i <= TENANTS; i++) {
		struct tenant t = { .number = i };
		struct tenant_selector sel = {
			.tenant = i, .point = "eth0", .vlan = UINT32_MAX, .has_network = 1
		};
		char network[24];

		/* Of the 4,096 clients. */
		snprintf(network, sizeof(network), "10.0.%u.0/23", 2 * (i - 1));
		snprintf(t.name, sizeof(t.name), "tenant-%u", i);
		if (!prefix_parse(network, &sel.network) || !snapshot_add_tenant(b, &t) ||
		    !snapshot_add_selector(b, &sel))
			fatalx("no policy");
	}
	doc = snapshot_finish(&b, secret, &len);
	if (doc == NULL || !whose_policy(s, 1, doc, len))
		fatalx("no policy");
	free(doc);
}

static struct store *
make_store(struct boot *boot)
{
	struct store *s;

	settings_default(&boot->settings);
	boot->settings.store_size = INT64_C(64) << 30;
	boot->settings.record_ring = RING_BYTES;
	boot->settings.max_flows = SLOTS;
	boot->settings.keep_flows_ms = INT64_C(3650) * 86400 * 1000;
	boot->proc = PROC_STORE;
	boot->peers[boot->npeers++].proc = PROC_ENGINE;
	boot->points[0] = (struct boot_point){ .id = POINT, .kind = POINT_INTERFACE, .name = "eth0" };
	boot->npoints = 1;
	s = store_new(boot);
	writer_start(s->writer);
	make_policy(s);
	return s;
}

static void
offer_ring(struct store *s, struct maker *m)
{
	int fd, page = -1;
	struct ring_consumer *r;

	m->ring = ring_producer_new(RING_BYTES, &fd);
	if (m->ring == NULL)
		fatal("ring");
	r = ring_consumer_new(fd, &page);
	if (r == NULL || !ring_producer_attach(m->ring, page))
		fatalx("no ring");
	store_clock(s);
	pump_offer(s, &s->engine[0], r, clock_utc_ns());
}

static uint64_t
resident(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	unsigned long long kib = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "RssAnon:", 8) == 0) {
			kib = strtoull(line + 8, NULL, 10);
			break;
		}
	if (f != NULL)
		fclose(f);
	return kib * 1024;
}

static uint64_t
bytes_here(const char *prefix)
{
	DIR *d = opendir(".");
	uint64_t sum = 0;
	struct stat st;

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && stat(e->d_name, &st) == 0)
			sum += (uint64_t)st.st_blocks * 512;
	if (d != NULL)
		closedir(d);
	return sum;
}

/* As a turn of serve's loop, without questions. True where more waits. */
static bool
turn(struct store *s)
{
	bool more;

	store_clock(s);
	grants_heard(s->grants, s->now_boot_ns);
	more = pump_engine(s, &s->engine[0], RECORDS_A_TURN);
	more |= minutes_turn(s);
	commit_turn(s);
	return more;
}

/* Segments of what came that are not merged yet, beside that which is written. */
static bool
is_merged(struct history *h)
{
	struct segment_entry e;
	struct db_txn x;
	unsigned n = 0;

	db_begin(h->db, &x, false);
	for (uint32_t at = 0; catalogue_segment(&x, at, &e); at = e.number + 1)
		n += !e.merged && !e.gone;
	return db_end(&x) == DB_OK && n <= 1;
}

/* All is on disk and merged, as if the hour was over: one flow more begins another segment. */
static void
finish(struct store *s)
{
	const struct timespec rest = { .tv_nsec = 10 * NS_PER_MS };
	const uint32_t tenant[2] = { 1, 0 };
	const struct flow_texts none = { "", "", "" };
	struct rec_flow f = { .id = { { 0xff } }, .last_ns = NS_PER_S };

	if (!commit_all(s, 600000))
		fatalx("commit");
	while (!is_merged(s->history))
		nanosleep(&rest, NULL);
	s->history->fresh.segment.made_ns -= 2 * 3600 * NS_PER_S;
	if (!batch_add_flow(s->open, tenant, &f, &none) || !commit_all(s, 600000))
		fatalx("commit");
	while (!is_merged(s->history))
		nanosleep(&rest, NULL);
}

int
main(int argc, char **argv)
{
	const struct timespec rest = { .tv_nsec = NS_PER_MS };
	struct boot *boot = mem_calloc(1, sizeof(*boot));
	struct maker m = { .flows = argc == 3 ? strtoull(argv[2], NULL, 10) : 0 };
	uint64_t memory[PARTS] = { 0 };
	pthread_t maker;
	int64_t loop_ns, all_ns;
	struct store *s;

	log_init("bench_whole", LOG_LEVEL_WARN);
	if (sodium_init() == -1 || m.flows == 0 || chdir(argv[1]) != 0) {
		fprintf(stderr, "usage: bench_whole DIR FLOWS\n");
		return 2;
	}
	s = make_store(boot);
	m.slots = (uint32_t)boot->settings.max_flows;
	m.shift_ns = clock_utc_ns() - FLOWS_START_NS - (int64_t)m.flows * GAP_NS - 20 * NS_PER_S;
	offer_ring(s, &m);
	loop_ns = clock_of(CLOCK_THREAD_CPUTIME_ID);
	all_ns = clock_of(CLOCK_PROCESS_CPUTIME_ID);
	if (pthread_create(&maker, NULL, make_flows, &m) != 0)
		fatal("thread");
	for (bool more = true; !atomic_load(&m.done) || more || pump_held(&s->engine[0]) > 0;) {
		uint64_t part = atomic_load(&m.made) * PARTS / m.flows;

		more = turn(s);
		if (part < PARTS && memory[part] == 0)
			memory[part] = resident();
		if (!more)
			nanosleep(&rest, NULL);
	}
	pthread_join(maker, NULL);
	finish(s);
	loop_ns = clock_of(CLOCK_THREAD_CPUTIME_ID) - loop_ns;
	all_ns = clock_of(CLOCK_PROCESS_CPUTIME_ID) - all_ns - m.cpu_ns;
	printf("{\"flows\": %" PRIu64
	       ", \"loop_s\": %.3f, \"writer_s\": %.3f, \"make_s\": %.3f, \"flows_a_second\": %.0f, "
	       "\"flow_bytes\": %" PRIu64 ", \"series_bytes\": %" PRIu64 ", \"memory\": [",
	       m.flows, (double)loop_ns / 1e9, (double)(all_ns - loop_ns) / 1e9, (double)m.cpu_ns / 1e9,
	       (double)m.flows * 1e9 / (double)all_ns, bytes_here("flows-"), bytes_here("series"));
	for (unsigned i = 0; i < PARTS; i++)
		printf("%s%" PRIu64, i == 0 ? "" : ", ", memory[i]);
	printf("]}\n");
	fflush(stdout);
	_exit(0);
}
