/* See scans.h. */
#include "scans.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "filter/filter.h"
#include "flows.h"

#define GAP_NS     20000 /* 50,000 flows a second */
#define BATCH_SIZE (12u << 20)
#define SCANS_MAX  16u

/* No flow is so: and nothing but its numbers, row by row, tells. */
static const char impossible[] = "bps 1 and pps > 1000";

/* --- what is kept
 * -----------------------------------------------------------------------------------------------------------
 */

static void
commit(struct store *s, struct batch *b, int64_t now_ns)
{
	char why[HISTORY_WHY_MAX];

	if (history_write(s->history, b, now_ns, why) != DB_OK)
		fatalx("commit: %s", why);
	batch_reset(b);
	while (history_tidy(s->history))
		;
}

void
scans_keep(struct store *s, uint64_t flows, uint32_t tenant)
{
	const uint32_t whose[2] = { tenant, 0 };
	struct flows *g = flows_new(GAP_NS);
	char text[FLOW_TEXT_MAX];
	struct rec_flow f = { 0 };
	struct batch b;

	batch_init(&b, BATCH_SIZE, 4096);
	for (uint64_t i = 0; i <= flows; i++) {
		flows_next(g, &f, text);
		f.application = f.category = 0;
		f.risks = 0;

		const struct flow_texts t = flow_texts_of(&f, text);

		if (batch_full(&b) || i == flows)
			commit(s, &b, FLOWS_START_NS + (int64_t)i * GAP_NS);
		if (!batch_add_flow(&b, whose, &f, &t))
			fatalx("the batch is full");
	}
	/* The hour is over: what is left is merged. */
	commit(s, &b, FLOWS_START_NS + (int64_t)flows * GAP_NS + 2 * 3600 * NS_PER_S);
	batch_free(&b);
	free(g);
}

/* --- questions
 * ------------------------------------------------------------------------------------------------------------
 */

struct scan {
	struct scans *all;
	bool under_way;
	uint16_t cursor_len;
	uint8_t cursor[CURSOR_MAX];
};

struct scans {
	struct store *s;
	const uint8_t *grant;
	const size_t *grant_len;
	uint8_t filter[FILTER_BYTES_MAX];
	size_t filter_len;
	unsigned n;
	struct scan scan[SCANS_MAX];
	uint64_t answers[ANSWER_STATUS_COUNT], rows;
};

struct scans *
scans_new(struct store *s, unsigned n, const uint8_t *grant, const size_t *grant_len)
{
	struct scans *x = mem_calloc(1, sizeof(*x));
	struct filter_program *p = mem_calloc(1, sizeof(*p));
	struct filter_error e;

	if (n > SCANS_MAX || !filter_compile(impossible, sizeof(impossible) - 1, p, &e))
		fatalx("no filter");
	*x = (struct scans){ .s = s, .grant = grant, .grant_len = grant_len, .n = n };
	x->filter_len = filter_encode(p, x->filter, sizeof(x->filter));
	free(p);
	return x;
}

void
scans_free(struct scans **x)
{
	free(*x);
	*x = NULL;
}

static void
answered(void *ctx, const void *body, size_t len)
{
	struct scan *k = ctx;
	struct wire_answer a;

	(void)len;
	memcpy(&a, body, sizeof(a));
	k->all->rows += a.nrows;
	if (a.more != 0)
		return;
	k->under_way = false;
	k->all->answers[a.status]++;
	k->cursor_len = a.has_cursor ? a.cursor_len : 0;
	memcpy(k->cursor, a.cursor, sizeof(k->cursor));
}

static void
ask_one(struct scans *x, struct scan *k)
{
	static uint8_t body[WIRE_QUESTION_MAX];
	struct asker who = { PROC_HTTPD, 0, answered, k, NULL };
	struct wire_question q = { .kind = ASK_FLOWS, .point = ANY_POINT, .from_ns = 1, .limit = 100 };

	k->all = x;
	k->under_way = true;
	q.grant_len = (uint32_t)*x->grant_len;
	q.filter_len = (uint32_t)x->filter_len;
	q.cursor_len = k->cursor_len;
	memcpy(q.cursor, k->cursor, k->cursor_len);
	memcpy(body, &q, sizeof(q));
	memcpy(body + sizeof(q), x->grant, q.grant_len);
	memcpy(body + sizeof(q) + q.grant_len, x->filter, x->filter_len);
	ask(x->s, &who, body, sizeof(q) + q.grant_len + q.filter_len);
}

void
scans_turn(struct scans *x)
{
	for (unsigned i = 0; i < x->n; i++)
		if (!x->scan[i].under_way)
			ask_one(x, &x->scan[i]);
}

void
scans_print(const struct scans *x)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ANSWER_STATUS_COUNT; i++)
		n += x->answers[i];
	printf("\"scans\": %u, \"scans_answered\": %" PRIu64 ", \"of_them_whole\": %" PRIu64
	       ", \"late\": %" PRIu64 ", \"scan_rows\": %" PRIu64 ", ",
	       x->n, n, x->answers[ANSWER_OK], x->answers[ANSWER_TIMEOUT], x->rows);
}
