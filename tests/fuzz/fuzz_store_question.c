/* Questions of a taken httpd that holds a good grant: whatever it asks, one answer comes, of whole rows. */
#include <assert.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "ingest.h"
#include "store_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

#define FILTER_MOST 2000u

static unsigned last_ones;

static void
check_answer(void *ctx, const void *body, size_t len)
{
	struct rcur c = rcur_of(body, len);
	struct wire_answer a;

	(void)ctx;
	assert(len <= WIRE_ANSWER_MAX && rcur_copy(&c, &a, sizeof(a)));
	assert(a.status >= ANSWER_OK && a.status < ANSWER_STATUS_COUNT);
	assert(a.cursor_len <= CURSOR_MAX);
	for (uint32_t i = 0; i < a.nrows; i++) {
		uint32_t row;

		assert(rcur_copy(&c, &row, sizeof(row)) && rcur_skip(&c, row));
	}
	assert(rcur_left(&c) == 0);
	last_ones += a.more == 0;
}

/* Something to ask about: flows of both points, live ones and hosts. */
static void
fill(struct store *s)
{
	struct engine *e = fuzz_engine(0);

	store_clock(s);
	for (uint32_t i = 0; i < 300; i++) {
		struct rec_flow f = { .slot = i,
				      .generation = 1,
				      .point = i % 2 == 0 ? FUZZ_ETH0 : FUZZ_FILE,
				      .application = 1 };

		f.id.b[15] = (uint8_t)i;
		f.id.b[14] = 1;
		f.first_ns = f.slice_ns = f.last_ns = s->now_ns - NS_PER_S;
		f.ip[CLIENT] = ip_from_v4((const uint8_t[4]){ 10, 1, 0, (uint8_t)i });
		f.ip[SERVER] = ip_from_v4((const uint8_t[4]){ 192, 0, 2, 1 });
		f.count.bytes[0] = f.count.packets[0] = i;
		f.end_reason = i % 3 == 0 ? END_IDLE : END_NONE;
		assert(ingest_record(s, e, i % 3 == 0 ? REC_FLOW_END : REC_FLOW_OPEN, &f, sizeof(f)) == NULL);
	}

	char why[HISTORY_WHY_MAX];

	assert(history_write(s->history, s->open, s->now_ns, why) == DB_OK);
	batch_reset(s->open);
	s->open->generation = ++s->generations;
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	static bool filled;
	struct store *s = fuzz_store();
	struct asker who = { PROC_HTTPD, 0, check_answer, NULL, NULL };
	struct wire_question q = { .kind = 1, .point = ANY_POINT, .subject = 1 };
	uint8_t body[sizeof(q) + GRANT_BYTES_MAX + FILTER_MOST], grant[GRANT_BYTES_MAX];
	size_t filter = n <= 1 + sizeof(q) ? 0 : n - 1 - sizeof(q);

	if (!filled)
		fill(s);
	filled = true;
	last_ones = 0;
	if (n == 0)
		return 0;
	if (d[0] & 1) { /* raw */
		ask(s, &who, d, n);
		assert(last_ones == 1);
		return 0;
	}

	size_t len = fuzz_grant(d[0] & 2 ? TENANT_PLATFORM : FUZZ_TENANT, d[0] >> 2 & 7, grant);

	filter = filter > FILTER_MOST ? FILTER_MOST : filter;
	q.grant_len = (uint32_t)len;
	q.filter_len = (uint32_t)filter;
	memcpy(body, &q, sizeof(q));
	for (size_t i = 1; i < n && i <= sizeof(q); i++)
		body[i - 1] ^= d[i];
	memcpy(body + sizeof(q), grant, len);
	memcpy(body + sizeof(q) + len, d + n - filter, filter);
	ask(s, &who, body, sizeof(q) + len + filter);
	assert(last_ones == 1);
	return 0;
}
