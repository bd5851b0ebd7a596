/* A captured httpd: forged, expired, revoked and foreign grants, malformed questions, other people's traffic.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pump.h"
#include "store_world.h"

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
put_flows(struct world *into, uint64_t first, unsigned n, uint32_t point, const char *client, uint16_t kind)
{
	for (uint64_t i = first; i < first + n; i++) {
		struct rec_flow f = world_flow(into, i, point, client, "192.0.2.1");

		f.ip[CLIENT].b[15] = (uint8_t)(i % 200);
		f.count.bytes[0] += i % 13;
		f.first_ns -= (int64_t)i * 1000; /* one order, whatever the ids look like */
		f.application = i % 3 == 0 ? APP_TLS : APP_DNS;
		f.end_reason = kind == REC_FLOW_END ? END_IDLE : END_NONE;
		world_put(into, 0, kind, &f, sizeof(f), NULL);
	}
}

/* --- grants
 * ------------------------------------------------------------------------------------------------------------
 */

static void
only_a_good_grant_opens(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	uint8_t bytes[GRANT_BYTES_MAX];
	struct grant g;
	size_t len;

	(void)state;
	put_flows(w, 1, 5, ETH0, "10.1.0.1", REC_FLOW_OPEN);
	world_pump(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 5);

	assert_int_equal(world_ask_with(w, &q, NULL, 0), ANSWER_NOT_GRANTED);
	memset(bytes, 0x41, sizeof(bytes));
	assert_int_equal(world_ask_with(w, &q, bytes, sizeof(bytes)), ANSWER_NOT_GRANTED);

	len = world_grant(w, ALPHA, bytes);
	for (size_t i = 0; i < len; i++) { /* every bit counts */
		bytes[i] ^= 1;
		assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);
		assert_int_equal(w->nrows, 0);
		bytes[i] ^= 1;
	}
	assert_int_equal(world_ask_with(w, &q, bytes, len - 1), ANSWER_NOT_GRANTED);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK);

	g = world_grant_plain(w, ALPHA); /* signed, but not in the live set */
	len = world_grant_as(w, &g, false, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);

	g = world_grant_plain(w, ALPHA); /* of another asker */
	g.audience_instance = 1;
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);
	g = world_grant_plain(w, ALPHA);
	g.audience_proc = PROC_WEIR;
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);

	g = world_grant_plain(w, 77); /* a tenant that does not exist */
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);

	g = world_grant_plain(w, ALPHA); /* narrowed to something else */
	g.scopes = UINT64_C(1) << ACTION_READ_HEALTH;
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);

	g = world_grant_plain(w, ALPHA); /* narrowed by what is not in the policy */
	assert_true(grant_narrow(&g, 1));
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);

	g = world_grant_plain(w, ALPHA); /* of a policy that has not come */
	g.snapshot++;
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_UNAVAILABLE);
}

static void
grants_end(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct grant g = world_grant_plain(w, ALPHA);
	uint8_t bytes[GRANT_BYTES_MAX];
	struct grant out;
	size_t len = world_grant_as(w, &g, true, bytes);

	(void)state;
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK); /* now it is in the cache, too */
	assert_int_equal(
	    grants_check(w->s->grants, bytes, len, PROC_HTTPD, 0, g.expires_ns, clock_boot_ns(), &out),
	    ANSWER_NOT_GRANTED);
	grants_revoke(w->s->grants, g.id);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);

	/* A whole new set without it. */
	g = world_grant_plain(w, ALPHA);
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK);

	struct wire_grant_ids set = { .begin = 1, .end = 0 };
	uint64_t full = 0;

	assert_true(grants_set(w->s->grants, &set, NULL, clock_utc_ns(), &full));
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK); /* until the new one is complete */
	set = (struct wire_grant_ids){ .begin = 0, .end = 1 };
	assert_true(grants_set(w->s->grants, &set, NULL, clock_utc_ns(), &full));
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);
	assert_false(grants_set(w->s->grants, &set, NULL, clock_utc_ns(), &full)); /* a part of nothing */

	/* Other keys: what the old ones signed is worth nothing, whatever is remembered. */
	g = world_grant_plain(w, ALPHA);
	len = world_grant_as(w, &g, true, bytes);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK);

	struct wire_grant_keys keys = { .n = 1 };

	randombytes_buf(keys.key[0], sizeof(keys.key[0]));
	assert_true(grants_keys(w->s->grants, &keys));
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_NOT_GRANTED);
}

static void
a_silent_authd_ends_answers_not_ingest(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	uint8_t bytes[GRANT_BYTES_MAX];
	size_t len = world_grant(w, ALPHA, bytes);
	int64_t now = clock_boot_ns();

	(void)state;
	grants_heard(w->s->grants, now - GRANTS_SILENCE_NS - 1);
	for (uint32_t kind = 1; kind < ASK_KIND_COUNT; kind++) {
		q.kind = kind;
		q.subject = SERIES_TENANT;
		assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_UNAVAILABLE);
	}
	put_flows(w, 1, 5, ETH0, "10.1.0.1", REC_FLOW_OPEN);
	world_pump(w);
	grants_heard(w->s->grants, now);
	q = world_question(ASK_FLOWS);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK);
	assert_int_equal(w->nrows, 5);

	/* And a store that has no set yet answers nothing. */
	struct grants *with = w->s->grants;

	w->s->grants = grants_new();
	grants_heard(w->s->grants, now);
	assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_UNAVAILABLE);
	grants_free(&w->s->grants);
	w->s->grants = with;
}

static void
the_live_set_is_bounded(void **state)
{
	struct grants *g = grants_new();
	struct wire_grant_live l = { .expires_ns = 100 };
	uint64_t full = 0;

	(void)state;
	for (uint64_t i = 0; i < GRANTS_LIVE_MAX + 10; i++) {
		memcpy(l.id, &i, sizeof(i));
		grants_add(g, &l, 50, &full);
	}
	assert_int_equal(full, 10);
	/* Once those expired there is room. */
	l.expires_ns = 300;
	grants_add(g, &l, 200, &full);
	assert_int_equal(full, 10);
	for (uint64_t i = 0; i < 1000; i++) {
		memcpy(l.id, &i, sizeof(i));
		grants_revoke(g, l.id);
	}
	grants_free(&g);
}

/* --- malformed
 * ----------------------------------------------------------------------------------------------------------------
 */

static struct {
	unsigned n;
	enum answer_status status;
} seen;

static void
note_status(void *ctx, const void *body, size_t len)
{
	struct wire_answer a;

	(void)ctx;
	assert_true(len >= sizeof(a));
	memcpy(&a, body, sizeof(a));
	seen.n++;
	seen.status = (enum answer_status)a.status;
}

static enum answer_status
ask_raw(const void *body, size_t len)
{
	struct asker who = { PROC_HTTPD, 0, note_status, NULL, NULL };

	seen.n = 0;
	ask(w->s, &who, body, len);
	assert_int_equal(seen.n, 1);
	return seen.status;
}

static void
malformed_questions_are_refused(void **state)
{
	uint8_t body[sizeof(struct wire_question) + GRANT_BYTES_MAX], grant[GRANT_BYTES_MAX];
	size_t len = world_grant(w, ALPHA, grant);
	struct wire_question good_one = world_question(ASK_SERIES), q;

	(void)state;
	good_one.subject = SERIES_TENANT;
	good_one.grant_len = (uint32_t)len;

#define REFUSED(change)                                                                                      \
	do {                                                                                                 \
		q = good_one;                                                                                \
		change;                                                                                      \
		memcpy(body, &q, sizeof(q));                                                                 \
		memcpy(body + sizeof(q), grant, len);                                                        \
		assert_int_equal(ask_raw(body, sizeof(q) + len), ANSWER_BAD_QUESTION);                       \
	} while (0)
	REFUSED(q.kind = 0);
	REFUSED(q.kind = ASK_KIND_COUNT);
	REFUSED(q.kind = UINT32_MAX);
	REFUSED(q.limit = 1001);
	REFUSED(q.sort = SORT_KEY_COUNT);
	REFUSED(q.ascending = 2);
	REFUSED(q.subject = 0);
	REFUSED(q.subject = SERIES_SUBJECT_COUNT);
	REFUSED(q.resolution_s = 7);
	REFUSED(q.from_ns = -1);
	REFUSED(q.to_ns = -1);
	REFUSED((q.from_ns = 5, q.to_ns = 4));
	REFUSED((q.from_ns = 1, q.to_ns = INT64_MAX, q.resolution_s = 1));
	REFUSED(q.cursor_len = CURSOR_MAX + 1);
	REFUSED(q.cursor_len = UINT16_MAX);
	REFUSED(q.key_len = 65);
	REFUSED(q.has_ip = 2);
	REFUSED(q.grant_len = (uint32_t)len - 1);
	REFUSED(q.grant_len = (uint32_t)len + 1);
	REFUSED(q.grant_len = UINT32_MAX);
	REFUSED((q.kind = ASK_POINTS, q.cursor_len = 8));
	assert_int_equal(ask_raw(body, 10), ANSWER_BAD_QUESTION);
	q = good_one;
	memcpy(body, &q, sizeof(q));
	memcpy(body + sizeof(q), grant, len);
	assert_int_equal(ask_raw(body, sizeof(q) + len), ANSWER_OK);
}

static void
cursors_are_sealed(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS), hosts = world_question(ASK_HOSTS);

	(void)state;
	put_flows(w, 1, 50, ETH0, "10.1.0.1", REC_FLOW_OPEN);
	put_flows(w, 60, 50, ETH1, "10.2.0.1", REC_FLOW_OPEN);
	world_pump(w);
	q.limit = 10;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_true(w->has_cursor);
	q.cursor_len = hosts.cursor_len = w->cursor_len;
	memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	memcpy(hosts.cursor, w->cursor, sizeof(q.cursor));
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_BAD_QUESTION);
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_BAD_QUESTION);
	assert_int_equal(world_ask(w, ALPHA, &hosts), ANSWER_BAD_QUESTION);
	q.sort = SORT_LAST;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_BAD_QUESTION);
	q.sort = 0;
	q.from_ns = 1;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_BAD_QUESTION);
	q.from_ns = 0;
	for (unsigned i = 0; i < q.cursor_len; i++) {
		q.cursor[i] ^= 0x10;
		assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_BAD_QUESTION);
		q.cursor[i] ^= 0x10;
	}
}

static void
live_lists_page_in_every_order(void **state)
{
	static const enum question_kind kinds[] = { ASK_FLOWS, ASK_HOSTS, ASK_APPLICATIONS };
	static const unsigned expect[] = { 300, 201, 2 };

	(void)state;
	put_flows(w, 1, 300, ETH0, "10.1.0.1", REC_FLOW_OPEN);
	world_pump(w);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (uint32_t sort = 0; sort < SORT_KEY_COUNT * 2u; sort++) {
			struct wire_question q = world_question(kinds[k]);
			unsigned rows = 0;

			q.sort = sort / 2;
			q.ascending = sort % 2;
			q.limit = k == 2 ? 1 : 17;
			for (;;) {
				assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
				rows += w->nrows;
				if (!w->has_cursor)
					break;
				assert_int_equal(w->nrows, q.limit);
				q.cursor_len = w->cursor_len;
				memcpy(q.cursor, w->cursor, sizeof(q.cursor));
			}
			assert_int_equal(rows, expect[k]);
		}
	}
}

static void
long_answers_come_in_parts(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);

	(void)state;
	put_flows(w, 1, 1000, ETH0, "10.1.0.1", REC_FLOW_OPEN);
	world_pump(w);
	q.limit = 1000;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1000);
	assert_in_range(w->messages, 5, 10);
	for (uint32_t i = 0; i < 1000; i += 111)
		assert_int_equal(
		    ((const struct row_flow *)world_row(w, i, sizeof(struct row_flow), NULL))->flow.point,
		    ETH0);
}

/* --- what a tenant sees is the same, whoever else is there
 * ---------------------------------------------------------------------- */

struct snap {
	uint8_t *bytes;
	size_t len;
};

/* Ids of flows, and estimates of the number of peers: they depend on keys that each store has of its own. */
static void
normalise(struct world *x)
{
	size_t field =
	    x->row_kind == ROW_FLOW ? offsetof(struct row_flow, flow.id) : offsetof(struct row_host, peers);
	size_t size = x->row_kind == ROW_FLOW ? sizeof(struct flow_id) : sizeof(uint32_t);

	if (x->row_kind != ROW_FLOW && x->row_kind != ROW_HOST)
		return;
	for (size_t at = 0; at < x->rows_len;) {
		uint32_t len;

		memcpy(&len, x->rows + at, sizeof(len));
		memset(x->rows + at + sizeof(len) + field, 0, size);
		at += sizeof(len) + len;
	}
}

static void
everything_beta_may_ask(struct world *x, struct snap *s)
{
	struct wire_question q;
	struct snap out = { 0 };

	for (uint32_t kind = 1; kind < ASK_KIND_COUNT; kind++) {
		for (unsigned variant = 0; variant < 10; variant++) {
			q = world_question((enum question_kind)kind);
			q.limit = 1000;
			q.subject = (uint16_t)(1 + variant % 3);
			q.resolution_s = kind == ASK_SERIES ? 60 : 0;
			q.sort = kind == ASK_FLOWS ? SORT_FIRST : variant % SORT_KEY_COUNT;
			if (variant >= 5)
				q.point = variant % 2 == 0 ? ETH0 : ETH1;
			if (variant == 7 || variant == 8 || kind == ASK_SERIES)
				q.from_ns = x->utc * NS_PER_S - 1;
			q.has_ip = kind == ASK_HOST || variant == 4;
			assert_true(ip_parse(variant % 2 == 0 ? "10.2.0.61"
					     : variant == 3   ? "10.3.0.61"
							      : "192.0.2.1",
					     &q.ip));
			if (variant == 9 || kind == ASK_SERIES) {
				q.key_len = 3;
				memcpy(q.key, variant == 3 ? "Sec" : "DNS", 3);
			}
			q.flow.b[3] = 1;
			q.flow.b[15] = (uint8_t)variant;

			enum answer_status status = world_ask(x, BETA, &q);

			normalise(x);
			out.bytes = mem_reallocarray(out.bytes, out.len + x->rows_len + 8, 1);
			memcpy(out.bytes + out.len, &status, sizeof(status));
			memcpy(out.bytes + out.len + 4, &x->nrows, 4);
			if (x->rows_len > 0)
				memcpy(out.bytes + out.len + 8, x->rows, x->rows_len);
			out.len += 8 + x->rows_len;
		}
	}
	*s = out;
}

static void
betas_traffic(struct world *x)
{
	struct rec_flow f = world_flow(x, 700, ETH1, "10.2.0.7", "192.0.2.1");

	struct rec_point up = { .point = ETH1, .state = POINT_UP };

	world_put(x, 0, REC_POINT, &up, sizeof(up), NULL);
	up.point = ETH0;
	world_put(x, 0, REC_POINT, &up, sizeof(up), NULL);
	put_flows(x, 60, 40, ETH1, "10.2.0.1", REC_FLOW_OPEN);
	put_flows(x, 160, 40, ETH1, "10.2.0.1", REC_FLOW_END);
	for (uint32_t slice = 0; slice < 3; slice++) {
		f.slice = slice;
		f.end_reason = END_ACTIVE;
		world_put(x, 0, REC_FLOW_END, &f, sizeof(f), NULL);
	}
}

static void
others_traffic(struct world *x, unsigned round)
{
	struct rec_name n = { .kind = NAME_APPLICATION, .number = 99, .len = 6 };
	struct rec_learned l = { .point = ETH0, .len = 6, .kind = HOST_NAME_DHCP };
	struct rec_device dev = { .point = ETH1, .mac = { 2, 0, 0, 0, 0, 1 }, .has_ip = 1, .frames = 7 };
	struct rec_second sec = { .point = ETH0, .second = x->utc + round, .packets = 1000, .bytes = 99999 };
	struct rec_drops d = { .point = ETH0, .place = PLACE_RING, .is_loss = 1, .count = 10 + round };

	world_put(x, 0, REC_NAME, &n, sizeof(n), "Secret");
	assert_true(ip_parse("192.0.2.1", &l.ip));
	world_put(x, 0, REC_LEARNED, &l, sizeof(l), "secret");
	l.point = ETH1;
	assert_true(ip_parse("10.3.0.1", &l.end[0])); /* gamma's name of a server that beta talks to */
	world_put(x, 0, REC_LEARNED, &l, sizeof(l), "secret");
	dev.ip = l.end[0];
	world_put(x, 0, REC_DEVICE, &dev, sizeof(dev), NULL);
	world_put(x, 0, REC_SECOND, &sec, sizeof(sec), NULL);
	sec.point = ETH1;
	world_put(x, 0, REC_SECOND, &sec, sizeof(sec), NULL);
	world_put(x, 0, REC_DROPS, &d, sizeof(d), NULL);
	put_flows(x, 1000 + 100 * round, 50, ETH0, "10.2.0.1",
		  REC_FLOW_OPEN); /* the same addresses, on alpha's interface */
	put_flows(x, 2000 + 100 * round, 50, ETH0, "10.1.0.1", REC_FLOW_END);
	put_flows(x, 3000 + 100 * round, 50, ETH1, "10.3.0.1", REC_FLOW_END); /* gamma, on beta's interface */
	put_flows(x, 3500 + 100 * round, 20, ETH1, "10.9.0.1", REC_FLOW_OPEN); /* nobody's */
}

/* In a store of its own. */
static struct snap
told_beta(bool alone, int64_t utc)
{
	struct snap s;

	teardown(NULL);
	setup(NULL);
	w->utc = utc;
	if (!alone)
		others_traffic(w, 0);
	world_pump(w);
	betas_traffic(w);
	world_pump(w);
	if (!alone)
		others_traffic(w, 1);
	world_pump(w);
	world_commit(w);
	everything_beta_may_ask(w, &s);
	return s;
}

static void
a_tenants_answers_do_not_depend_on_others(void **state)
{
	struct snap with[2] = { 0 };
	int64_t utc = w->utc, minute;
	unsigned tries = 0;

	(void)state;
	do {
		minute = world_minute_now();
		for (int alone = 0; alone < 2; alone++) {
			free(with[alone].bytes);
			with[alone] = told_beta(alone == 1, utc);
		}
	} while (world_minute_now() != minute && ++tries < 5);
	assert_int_equal(with[0].len, with[1].len);
	assert_true(with[1].len > 10000);
	assert_memory_equal(with[0].bytes, with[1].bytes, with[0].len);
	free(with[0].bytes);
	free(with[1].bytes);
}

static bool
warned_of(struct world *world, uint32_t tenant)
{
	struct wire_question q = world_question(ASK_COMPONENTS);
	bool warned = false;

	assert_int_equal(world_ask(world, tenant, &q), ANSWER_OK);
	for (uint32_t i = 0; i < world->nrows; i++) {
		const struct wire_component *r = world_row(world, i, sizeof(*r), NULL);

		warned = warned || r->warning != WARNING_NONE;
	}
	return warned;
}

static void
components_by_role(void **state)
{
	struct wire_component c = {
		.proc = PROC_CAPTURE, .state = COMPONENT_RUNNING, .point = "eth0", .why = "eth0 was away"
	};
	struct wire_question q = world_question(ASK_COMPONENTS);
	bool store_seen = false;

	(void)state;
	assert_true(components_set(&w->s->components, &c));
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	for (uint32_t i = 0; i < w->nrows; i++)
		assert_int_not_equal(((const struct wire_component *)world_row(w, i, sizeof(c), NULL))->proc,
				     PROC_CAPTURE);

	w->s->degraded = true;
	str_copy(w->s->why, sizeof(w->s->why), "No space left on device");
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_OK);
	for (uint32_t i = 0; i < w->nrows; i++) {
		const struct wire_component *r = world_row(w, i, sizeof(c), NULL);

		if (r->proc != PROC_STORE)
			continue;
		store_seen = true;
		assert_int_equal(r->state, COMPONENT_DEGRADED);
		assert_non_null(strstr(r->why, "No space left"));
	}
	assert_true(store_seen);
	w->s->degraded = false;
	c = (struct wire_component){ .proc = PROC_AUTHD,
				     .state = COMPONENT_RUNNING,
				     .warning = WARNING_UNSEALED };
	assert_true(components_set(&w->s->components, &c));
	assert_true(warned_of(w, TENANT_PLATFORM));
	assert_false(warned_of(w, BETA)); /* no tenant's business */
	c.warning = WARNINGS;
	assert_false(components_set(&w->s->components, &c));
	c.warning = WARNING_NONE;
	memset(c.why, 'x', sizeof(c.why));
	assert_false(components_set(&w->s->components, &c));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* What an interface can carry is told to who sees all that it carries. */
static void
speeds(void **state)
{
	struct wire_component c = { .proc = PROC_CAPTURE, .state = COMPONENT_RUNNING, .speed_bps = 10 };
	struct wire_question q = world_question(ASK_POINTS);
	struct rec_flow f = world_flow(w, 900, ETH1, "10.2.0.1", "192.0.2.7");
	static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA };

	(void)state;
	assert_true(components_set(&w->s->components, &c));
	c.instance = 1;
	c.speed_bps = 11;
	assert_true(components_set(&w->s->components, &c));
	world_put(w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
	world_pump(w);
	for (size_t t = 0; t < ARRAY_LEN(tenants); t++) {
		unsigned told = 0;

		assert_int_equal(world_ask(w, tenants[t], &q), ANSWER_OK);
		for (uint32_t i = 0; i < w->nrows; i++) {
			const struct row_point *p = world_row(w, i, sizeof(*p), NULL);

			told++;
			if (p->id == ETH0)
				assert_int_equal(p->speed_bps, 10);
			else if (p->id == ETH1)
				assert_int_equal(p->speed_bps, tenants[t] == TENANT_PLATFORM ? 11 : 0);
			else
				assert_int_equal(p->speed_bps, 0);
		}
		assert_true(told > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_a_good_grant_opens),
		TEST(grants_end),
		TEST(a_silent_authd_ends_answers_not_ingest),
		TEST(the_live_set_is_bounded),
		TEST(malformed_questions_are_refused),
		TEST(cursors_are_sealed),
		TEST(live_lists_page_in_every_order),
		TEST(long_answers_come_in_parts),
		TEST(a_tenants_answers_do_not_depend_on_others),
		TEST(components_by_role),
		TEST(speeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
