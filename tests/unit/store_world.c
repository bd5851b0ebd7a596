/* The world around a store under test. */
#include "store_world.h"

#include <dirent.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "commit.h"
#include "history_parts.h"
#include "jobs.h"
#include "minutes.h"
#include "orders.h"
#include "parked.h"
#include "pump.h"
#include "walks.h"
#include "whose.h"

#define ANSWER_NS (20 * NS_PER_S)

static uint32_t alive, numbered; /* worlds that are there; of the one that was made last, among them */

static void
add_point(struct boot *b, uint32_t id, enum point_kind kind, const char *name)
{
	struct boot_point *p = &b->points[b->npoints++];

	p->id = id;
	p->kind = kind;
	assert_true(str_copy(p->name, sizeof(p->name), name));
}

static void
add_peer(struct boot *b, enum proc proc, uint32_t instance)
{
	struct boot_peer *p = &b->peers[b->npeers++];

	p->proc = proc;
	p->instance = instance;
}

void
world_policy(struct world *w, const struct narrowing *narrowings, size_t n)
{
	static const struct tenant tenants[] = { { .number = ALPHA, .name = "alpha" },
						 { .number = BETA, .name = "beta" },
						 { .number = GAMMA, .name = "gamma" } };
	struct tenant_selector sel[4] = {
		{ .tenant = ALPHA, .point = "eth0", .vlan = UINT32_MAX },
		{ .tenant = ALPHA, .point = "one.pcap", .vlan = UINT32_MAX },
		{ .tenant = BETA, .point = "eth1", .vlan = UINT32_MAX, .has_network = 1 },
		{ .tenant = GAMMA, .point = "eth1", .vlan = UINT32_MAX, .has_network = 1 },
	};
	struct snapshot_builder *b = snapshot_builder_new(++w->snapshot);
	size_t len;

	assert_true(prefix_parse("10.2.0.0/16", &sel[2].network));
	assert_true(prefix_parse("10.3.0.0/16", &sel[3].network));
	for (size_t i = 0; i < 3; i++) {
		struct tenant t = tenants[i];

		t.quota.flows_per_s = w->flows_per_s[t.number];
		t.quota.retention_s = w->retention_s[t.number];
		t.quota.series = w->series[t.number];
		t.quota.keep_s[0] = w->keep_minutes_s[t.number];
		assert_true(snapshot_add_tenant(b, &t));
	}
	for (size_t i = 0; i < 4; i++)
		assert_true(snapshot_add_selector(b, &sel[i]));
	for (size_t i = 0; i < n; i++)
		assert_true(snapshot_add_narrowing(b, &narrowings[i]));
	for (size_t i = 0; i < w->nwatched; i++)
		assert_true(snapshot_add_watched(b, &w->watched[i]));

	uint8_t *doc = snapshot_finish(&b, w->sign_secret, &len);

	assert_non_null(doc);
	assert_true(whose_policy(w->s, w->snapshot, doc, len));
	free(doc);
}

/* What is in frames in a large block is so in a small one. */
static void
small_frames(struct history *h)
{
	block_writer_frames(h->blocks, FRAME_BITS_LEAST + randombytes_uniform(2));
}

void
world_open(struct world *w)
{
	struct wire_grant_keys keys = { .n = 1 };
	struct wire_grant_ids set = { .begin = 1, .end = 1 };
	uint64_t full = 0;

	assert_int_equal(chdir(w->dir), 0);
	w->s = store_new(&w->boot);
	small_frames(w->s->history);
	/* Store looks which numbers of segments are free, and nobody else writes in its directory; here
	 * another world's writer may, between that look and the file. */
	if (w->s->history->newest < w->first_segment)
		w->s->history->newest = w->first_segment;
	writer_start(w->s->writer);
	memcpy(keys.key[0], w->sign_public, 32);
	assert_true(grants_keys(w->s->grants, &keys));
	world_policy(w, NULL, 0);
	assert_true(grants_set(w->s->grants, &set, NULL, clock_utc_ns(), &full));
	grants_heard(w->s->grants, clock_boot_ns());
}

void
world_threads(struct world *w)
{
	w->s->jobs = jobs_new(2);
	jobs_start(w->s->jobs);
}

void
world_turn(struct world *w)
{
	store_clock(w->s);
	grants_heard(w->s->grants, w->s->now_boot_ns);

	bool more = orders_turn(w->s);

	more |= walks_turn(w->s);
	if (!more)
		(void)jobs_wait(w->s->jobs, 1);
	jobs_turn(w->s->jobs, w->s->now_boot_ns);
	parked_turn(w->s);
	ask_turn(w->s);
}

void
world_close(struct world *w)
{
	ask_end_all(w->s);
	for (int i = 0; i < 2; i++)
		ring_producer_free(&w->ring[i]);
	store_free(&w->s);
}

void
world_reopen(struct world *w)
{
	world_close(w);
	world_open(w);
}

struct world *
world_new(uint64_t size, uint32_t flags)
{
	struct world *w = mem_calloc(1, sizeof(*w));

	assert_true(sodium_init() >= 0);
	numbered = alive++ == 0 ? 0 : numbered + 1;
	w->first_segment = numbered << 20;
	/* In memory where there is room: how fast the disk is does not matter here. */
	str_copy(w->dir, sizeof(w->dir), "/dev/shm/weir-store-test-XXXXXX");
	if (mkdtemp(w->dir) == NULL) {
		str_copy(w->dir, sizeof(w->dir), "/tmp/weir-store-test-XXXXXX");
		assert_non_null(mkdtemp(w->dir));
	}
	settings_default(&w->boot.settings);
	w->boot.settings.store_size = (int64_t)size;
	w->boot.settings.max_flows = 4096;
	w->boot.settings.max_hosts = 4096;
	w->boot.settings.record_ring = 1 << 20;
	w->boot.proc = PROC_STORE;
	w->boot.flags = flags;
	add_peer(&w->boot, PROC_ENGINE, 0);
	add_peer(&w->boot, PROC_ENGINE, 1);
	add_peer(&w->boot, PROC_HTTPD, 0);
	add_point(&w->boot, ETH0, POINT_INTERFACE, "eth0");
	add_point(&w->boot, ETH1, POINT_INTERFACE, "eth1");
	add_point(&w->boot, FILE1, POINT_FILE, "one.pcap");
	crypto_sign_keypair(w->sign_public, w->sign_secret);
	w->utc = clock_utc_ns() / NS_PER_S - 120;
	w->utc -= w->utc % 60;
	world_open(w);
	return w;
}

struct history *
world_history(const struct history_limits *l, struct names **names)
{
	enum db_status status;
	char err[512];
	struct history *h;

	*names = names_new();
	h = history_open(l, *names, &status, err, sizeof(err));
	if (h == NULL)
		fail_msg("%s", err);
	small_frames(h);
	return h;
}

/* Segments of what came, beside that which is written. */
static unsigned
unmerged(struct history *h)
{
	struct segment_entry e;
	struct db_txn x;
	unsigned n = 0;

	db_begin(h->db, &x, false);
	for (uint32_t at = 0; catalogue_segment(&x, at, &e); at = e.number + 1)
		n += !e.merged && !e.gone;
	assert_int_equal(db_end(&x), DB_OK);
	return n == 0 ? 0 : n - 1;
}

void
world_hour(struct world *w)
{
	w->s->history->fresh.segment.made_ns -= 2 * 3600 * NS_PER_S;
}

void
world_merged(struct world *w)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	for (int64_t until = clock_boot_ns() + 60 * NS_PER_S; unmerged(w->s->history) > 0;) {
		assert_true(clock_boot_ns() < until);
		nanosleep(&moment, NULL);
	}
}

static void
delete_files(const char *dir)
{
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

void
world_delete_files(void)
{
	delete_files(".");
}

void
world_free(struct world *w)
{
	world_close(w);
	delete_files(w->dir);
	/* Another world's writer is at work where the process is. */
	if (--alive == 0)
		assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(w->dir), 0);
	free(w->rows);
	free(w);
}

static void
announce(struct world *w, unsigned i, enum name_kind kind, uint16_t number, const char *text)
{
	struct rec_name n = { .kind = (uint16_t)kind, .number = number, .len = (uint16_t)strlen(text) };

	world_put(w, i, REC_NAME, &n, sizeof(n), text);
}

void
world_engine(struct world *w, unsigned i, int64_t run)
{
	int fd, page = -1;

	ring_producer_free(&w->ring[i]);
	w->ring[i] = ring_producer_new(1 << 20, &fd);
	assert_non_null(w->ring[i]);

	struct ring_consumer *r = ring_consumer_new(fd, &page);

	assert_non_null(r);
	assert_true(ring_producer_attach(w->ring[i], page));
	store_clock(w->s);
	pump_offer(w->s, store_engine(w->s, i), r, run);
	announce(w, i, NAME_APPLICATION, APP_DNS, "DNS");
	announce(w, i, NAME_APPLICATION, APP_TLS, "TLS.Google");
	announce(w, i, NAME_CATEGORY, CAT_WEB, "Web");
	announce(w, i, NAME_RISK, RISK_A, "Risk A");
	announce(w, i, NAME_RISK, RISK_B, "Risk B");
	announce(w, i, NAME_UNDECODED, REASON_ARP, "arp");
	announce(w, i, NAME_PLACE, PLACE_RING, "capture.ring_full");
}

void
world_put(struct world *w, unsigned i, uint16_t kind, const void *rec, size_t len, const char *text)
{
	size_t tlen = text == NULL ? 0 : strlen(text);
	uint8_t *p = ring_reserve(w->ring[i], len + tlen);

	if (p == NULL) { /* full: have it drained */
		world_pump(w);
		world_commit(w);
		p = ring_reserve(w->ring[i], len + tlen);
	}
	assert_non_null(p);
	memcpy(p, rec, len);
	if (tlen > 0)
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): names carry their length */
		memcpy(p + len, text, tlen);
	ring_commit(w->ring[i], kind, len + tlen);
}

void
world_pump(struct world *w)
{
	for (unsigned i = 0; i < 2; i++)
		if (w->ring[i] != NULL)
			ring_publish(w->ring[i]);
	store_clock(w->s);
	for (unsigned i = 0; i < w->s->nengines; i++)
		while (pump_engine(w->s, &w->s->engine[i], 1000))
			;
}

void
world_commit(struct world *w)
{
	assert_true(commit_all(w->s, 20000));
}

void
world_minute(struct world *w)
{
	while (!minutes_flush(w->s))
		world_commit(w);
	world_commit(w);
}

int64_t
world_minute_now(void)
{
	return clock_utc_ns() / (60 * NS_PER_S);
}

struct rec_flow
world_flow(const struct world *w, uint64_t n, uint32_t point, const char *client, const char *server)
{
	struct rec_flow f = { .slot = (uint32_t)(n % 4096),
			      .generation = (uint32_t)(n / 4096) + 1,
			      .point = point };

	for (int i = 0; i < 8; i++)
		f.id.b[15 - i] = (uint8_t)(n >> (8 * i));
	f.id.b[3] = 1;
	assert_true(ip_parse(client, &f.ip[CLIENT]));
	assert_true(ip_parse(server, &f.ip[SERVER]));
	f.port[CLIENT] = (uint16_t)(40000 + n % 20000);
	f.port[SERVER] = 443;
	f.protocol = 6;
	f.state = FLOW_ESTABLISHED;
	f.first_ns = f.slice_ns = f.last_ns = w->utc * NS_PER_S;
	f.count.bytes[CLIENT] = 1000;
	f.count.bytes[SERVER] = 3000;
	f.count.packets[CLIENT] = 4;
	f.count.packets[SERVER] = 5;
	return f;
}

struct grant
world_grant_plain(struct world *w, uint32_t tenant)
{
	struct grant g = {
		.audience_proc = PROC_HTTPD, .tenant = tenant, .snapshot = w->snapshot, .scopes = UINT64_MAX
	};

	randombytes_buf(g.id, sizeof(g.id));
	g.role = tenant == TENANT_PLATFORM ? ROLE_PLATFORM_ADMINISTRATOR : ROLE_VIEWER;
	g.issued_ns = clock_utc_ns() - NS_PER_S;
	g.expires_ns = g.issued_ns + 50 * NS_PER_S;
	str_copy(g.subject, sizeof(g.subject), "user:test");
	return g;
}

size_t
world_grant_as(struct world *w, struct grant *g, bool live, uint8_t out[GRANT_BYTES_MAX])
{
	struct wire_grant_live l = { .expires_ns = g->expires_ns };
	uint64_t full = 0;
	size_t len = grant_sign(g, w->sign_secret, out, GRANT_BYTES_MAX);

	assert_true(len > 0);
	memcpy(l.id, g->id, sizeof(l.id));
	if (live)
		grants_add(w->s->grants, &l, clock_utc_ns(), &full);
	return len;
}

size_t
world_grant(struct world *w, uint32_t tenant, uint8_t out[GRANT_BYTES_MAX])
{
	struct grant g = world_grant_plain(w, tenant);

	return world_grant_as(w, &g, true, out);
}

struct wire_question
world_question(enum question_kind kind)
{
	return (struct wire_question){ .request = 77, .kind = kind, .point = ANY_POINT };
}

static void
collect(void *ctx, const void *body, size_t len)
{
	struct world *w = ctx;
	struct wire_answer a;

	assert_true(len >= sizeof(a) && len <= WIRE_ANSWER_MAX);
	memcpy(&a, body, sizeof(a));
	assert_int_equal(a.request, 77);
	assert_false(w->complete);
	w->status = a.status;
	w->row_kind = a.row_kind;
	w->nrows += a.nrows;
	w->complete = a.more == 0;
	w->has_cursor = a.has_cursor != 0;
	w->cursor_len = a.cursor_len;
	memcpy(w->cursor, a.cursor, sizeof(w->cursor));
	w->messages++;
	w->longest = len > w->longest ? len : w->longest;
	len -= sizeof(a);
	if (w->rows_len + len > w->rows_cap) {
		w->rows_cap = 2 * (w->rows_len + len);
		w->rows = mem_reallocarray(w->rows, w->rows_cap, 1);
	}
	if (len > 0)
		memcpy(w->rows + w->rows_len, (const uint8_t *)body + sizeof(a), len);
	w->rows_len += len;
}

enum answer_status
world_ask_with(struct world *w, const struct wire_question *q, const uint8_t *grant, size_t len)
{
	return world_ask_filtered(w, q, grant, len, NULL, 0);
}

enum answer_status
world_ask_filtered(struct world *w, const struct wire_question *q, const uint8_t *grant, size_t len,
		   const void *filter, size_t filter_len)
{
	static uint8_t body[WIRE_QUESTION_MAX];
	struct asker who = { PROC_HTTPD, 0, collect, w, NULL };
	struct wire_question copy = *q;

	copy.grant_len = (uint32_t)len;
	copy.filter_len = (uint32_t)filter_len;
	memcpy(body, &copy, sizeof(copy));
	if (len > 0)
		memcpy(body + sizeof(copy), grant, len);
	if (filter_len > 0)
		memcpy(body + sizeof(copy) + len, filter, filter_len);
	w->nrows = w->messages = 0;
	w->rows_len = w->longest = 0;
	w->complete = false;
	ask(w->s, &who, body, sizeof(copy) + len + filter_len);
	for (int64_t until = clock_boot_ns() + ANSWER_NS; !w->complete && w->s->jobs != NULL;) {
		assert_true(clock_boot_ns() < until);
		world_turn(w);
	}
	assert_true(w->complete);
	return w->status;
}

enum answer_status
world_ask(struct world *w, uint32_t tenant, const struct wire_question *q)
{
	uint8_t grant[GRANT_BYTES_MAX];

	grants_heard(w->s->grants, clock_boot_ns()); /* a test may be slow */
	return world_ask_with(w, q, grant, world_grant(w, tenant, grant));
}

const void *
world_row(const struct world *w, uint32_t n, size_t struct_size, const char **strings)
{
	const uint8_t *p = w->rows;
	uint32_t len;

	assert_true(n < w->nrows);
	for (;; n--) {
		assert_true(p + sizeof(len) <= w->rows + w->rows_len);
		memcpy(&len, p, sizeof(len));
		assert_true(p + sizeof(len) + len <= w->rows + w->rows_len && len >= struct_size);
		if (n == 0)
			break;
		p += sizeof(len) + len;
	}
	/* Rows are not aligned in the message: hand out an aligned copy. */
	static _Alignas(8) uint8_t copy[WIRE_ANSWER_MAX];

	memcpy(copy, p + sizeof(len), len);
	if (strings != NULL)
		*strings = (const char *)copy + struct_size;
	return copy;
}
