/*
 * What a packet costs in the engine's own path, without rings and processes: frames are made in memory and
 * fed to a file point's batches. Prints nanoseconds of CPU time a packet.
 *
 *   bench_engine_path [-d] [-w] [-f FLOWS] [-n PACKETS] [-l BYTES] [-s]
 *   bench_engine_path [-d] [-f FLOWS] -r FILE
 *   -d  with inspection
 *   -w  the flows are there already, and no second ends meanwhile: look-up and counting alone
 *   -s  half of the packets are TCP SYN, half UDP with 18 bytes (a flood)
 *   -r  the frames of a file that bench_traffic made, to its end; -f is then the room for flows
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "engine.h"

struct plan {
	uint32_t flows, packets, len;
	bool dpi, flood, warm;
};

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* An IPv4 frame of flow n; every flow has its own addresses and ports. */
static void
make_frame(uint8_t *f, const struct plan *plan, uint32_t n, uint32_t round)
{
	bool tcp = !plan->flood || (n & 1);
	uint8_t *ip = f + 14, *l4 = ip + 20;

	memset(f, 0, 54);
	f[5] = 1;
	f[11] = 2;
	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, plan->len - 14);
	ip[8] = 64;
	ip[9] = tcp ? 6 : 17;
	put16(ip + 12, 10u << 8 | (n >> 16));
	put16(ip + 14, n);
	put16(ip + 16, 172u << 8 | 16);
	put16(ip + 18, n >> 8);
	put16(l4, 1024 + n % 60000);
	put16(l4 + 2, tcp ? 443 : 4000 + n % 1000);
	if (tcp) {
		put16(l4 + 6, round * 10);
		l4[12] = 0x50;
		l4[13] = plan->flood ? 0x02 : 0x10;
		put16(l4 + 14, 1000);
	} else {
		put16(l4 + 4, plan->len - 34);
	}
}

static void
drain(struct engine *e, struct ring_consumer *c)
{
	static uint8_t buf[RING_ENTRY_MAX];
	uint16_t kind;
	uint32_t len;

	records_publish(&e->records);
	while (ring_take(c, buf, sizeof(buf), &kind, &len) == 1)
		;
	ring_release(c, ring_position(c));
}

static void
run(struct engine *e, struct ring_consumer *c, const struct plan *plan)
{
	struct point *p = &e->point[0];
	uint8_t *frames = mem_pages((size_t)plan->flows * 64);
	uint32_t *order = mem_pages((size_t)plan->flows * 4);
	uint64_t drained = 0, start, spent;
	uint32_t round = 0, packets = plan->packets;

	for (uint32_t i = 0; i < plan->flows; i++)
		order[i] = i;
	for (uint32_t i = plan->flows; i > 1; i--) { /* shuffled, the same each time */
		uint32_t j = (uint32_t)(hash_mix(i, UINT64_C(0x9e3779b97f4a7c15)) % i), t = order[i - 1];

		order[i - 1] = order[j];
		order[j] = t;
	}
	/* In the order in which they are sent, as in a ring: what is not in a cache is the flow, not the
	 * frame. */
	for (uint32_t i = 0; i < plan->flows; i++)
		make_frame(frames + (size_t)i * 64, plan, order[i], 0);
	if (plan->warm)
		packets += plan->flows;
	start = cpu_ns();
	for (uint32_t n = 0; n < packets;) {
		if (n == plan->flows && plan->warm) {
			start = cpu_ns();
			drained = 0;
		}
		batch_clear(&p->batch);
		for (uint32_t i = 0; i < BATCH_MAX && n < packets && (n != plan->flows || i == 0); i++, n++) {
			const uint8_t *f = frames + (size_t)(n % plan->flows) * 64;
			/* a million frames a second of packet time, or all within one */
			int64_t ns = plan->warm ? 0 : (int64_t)n * 1000;

			batch_add(&p->batch, 1, 1700000000 * NS_PER_S + ns, plan->len, f, 64);
			round = n / plan->flows;
		}
		while (!point_process(e, p) || point_work(e, p) == WORK_BLOCKED) {
			uint64_t at = cpu_ns();

			drain(e, c);
			drained += cpu_ns() - at;
		}
	}
	spent = cpu_ns() - start - drained;
	printf("%u packets of %u bytes, %u flows, %u rounds: %.1f ns a packet (%u flows kept, %" PRIu64
	       " evicted)\n",
	       plan->packets, plan->len, plan->flows, round + 1, (double)spent / plan->packets, e->flows.used,
	       e->ended[END_EVICTED]);
}

/* A classic capture file of this machine's byte order and of Ethernet, as bench_traffic writes them. */
static const uint8_t *
map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd == -1 || fstat(fd, &st) != 0 || st.st_size < 24)
		return NULL;
	*size = (size_t)st.st_size;
	p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static bool
next_frame(struct batch *b, const uint8_t *file, size_t size, size_t *at)
{
	uint32_t h[4]; /* seconds, microseconds, captured, on the wire */
	int64_t ns;

	if (size - *at < sizeof(h))
		return false;
	memcpy(h, file + *at, sizeof(h));
	ns = (int64_t)h[0] * NS_PER_S + (int64_t)h[1] * 1000;
	if (size - *at - sizeof(h) < h[2] ||
	    !batch_add(b, LINK_ETHERNET, ns, h[3], file + *at + sizeof(h), h[2]))
		return false;
	*at += sizeof(h) + h[2];
	return true;
}

static bool
run_file(struct engine *e, struct ring_consumer *c, const char *path)
{
	struct point *p = &e->point[0];
	uint64_t drained = 0, start, spent;
	size_t size, at = 24;
	const uint8_t *file = map_file(path, &size);
	uint32_t frames = 0;

	if (file == NULL)
		return false;
	start = cpu_ns();
	while (!p->ended) {
		batch_clear(&p->batch);
		while (next_frame(&p->batch, file, size, &at))
			;
		frames += p->batch.n;
		p->ending = p->batch.n == 0;
		while (point_work(e, p) == WORK_BLOCKED || p->batch.next < p->batch.n) {
			uint64_t before = cpu_ns();

			drain(e, c);
			drained += cpu_ns() - before;
		}
	}
	spent = cpu_ns() - start - drained;
	printf("%u packets of %s: %.3f s, %.1f ns a packet\n", frames, path, (double)spent / 1e9,
	       (double)spent / frames);
	return true;
}

int
main(int argc, char **argv)
{
	struct plan plan = { 10000, 5000000, 64, false, false, false };
	const char *file = NULL;
	struct boot *b = mem_calloc(1, sizeof(*b));
	struct ring_consumer *c;
	struct engine *e;
	int page = -1, opt;

	while ((opt = getopt(argc, argv, "dwf:n:l:sr:")) != -1)
		switch (opt) {
		case 'd':
			plan.dpi = true;
			break;
		case 'w':
			plan.warm = true;
			break;
		case 's':
			plan.flood = true;
			break;
		case 'f':
			plan.flows = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			plan.packets = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			plan.len = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			file = optarg;
			break;
		default:
			return 2;
		}
	if (plan.flows == 0 || plan.len < 64)
		return 2;
	settings_default(&b->settings);
	b->settings.dpi = plan.dpi;
	b->settings.max_flows = plan.flows + 1024;
	b->flags = BOOT_ANALYZE;
	b->npoints = 1;
	b->points[0] = (struct boot_point){ .id = 1, .kind = POINT_FILE, .name = "bench" };
	e = engine_new(b);
	c = ring_consumer_new(records_offer(&e->records), &page);
	if (c == NULL || !ring_producer_attach(e->records.ring, page))
		return 1;
	if (file == NULL)
		run(e, c, &plan);
	else if (!run_file(e, c, file))
		return 1;
	engine_free(&e);
	ring_consumer_free(&c);
	free(b);
	return 0;
}
