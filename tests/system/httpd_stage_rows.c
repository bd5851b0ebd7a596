#include "httpd_stage_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "httpd_stage.h"

void
message_begin(struct message *m, const struct wire_question *q, enum row_kind kind)
{
	m->at = wcur_of(m->bytes, sizeof(m->bytes));
	memset(&m->head, 0, sizeof(m->head));
	m->head.request = q->request;
	m->head.status = ANSWER_OK;
	m->head.row_kind = kind;
	m->head.now_ns = clock_utc_ns();
	(void)wcur_put(&m->at, &m->head, sizeof(m->head));
}

void
message_row(struct message *m, const void *fixed, size_t size, const char *texts)
{
	uint32_t len = (uint32_t)(size + strlen(texts));

	(void)wcur_put(&m->at, &len, sizeof(len));
	(void)wcur_put(&m->at, fixed, size);
	(void)wcur_put(&m->at, texts, strlen(texts));
	m->head.nrows++;
}

bool
message_send(struct channel *ch, struct message *m)
{
	memcpy(m->bytes, &m->head, sizeof(m->head));
	return channel_send(ch, MSG_ANSWER, m->bytes, wcur_len(&m->at));
}

void
row_of_host(struct message *m, uint8_t last)
{
	const uint8_t v4[4] = { 10, 0, 0, last };
	struct row_host h = { .ip = ip_from_v4(v4),
			      .space = 1,
			      .vlan = 5,
			      .local = 1,
			      .has_mac = 1,
			      .bytes = { 1000, 2000 },
			      .packets = { 10, 20 },
			      .flows_client = 1,
			      .peers = 3,
			      .first_ns = NS_PER_S,
			      .last_ns = 2 * NS_PER_S,
			      .names_len = 7,
			      .applications_len = 7,
			      .risks_len = 0 };

	message_row(m, &h, sizeof(h), "laptop\x01TLS,DNS");
}

void
row_of_flow(struct message *m, const struct stage *s, uint64_t n)
{
	static char pad[PAD_MAX + 1];
	char texts[PAD_MAX + 64];
	struct row_flow f = { .live = 1, .application_len = 3, .category_len = 3, .point_len = 4 };

	memcpy(f.flow.id.b + 8, &n, sizeof(n));
	f.flow.protocol = 6;
	f.flow.point = 1;
	f.flow.first_ns = f.flow.last_ns = NS_PER_S;
	f.server_name_len = (uint16_t)s->pad;
	if (s->formula) {
		static const char name[] = "=cmd|' /C calc'!A0, a\"b;-1";

		f.server_name_len = sizeof(name) - 1;
		(void)snprintf(texts, sizeof(texts), "TLSWeb%seth0", name);
		message_row(m, &f, sizeof(f), texts);
		return;
	}
	if (pad[0] == '\0')
		memset(pad, 'n', PAD_MAX);
	(void)snprintf(texts, sizeof(texts), "TLSWeb%.*seth0", (int)s->pad, pad);
	message_row(m, &f, sizeof(f), texts);
}

void
rows_of_state(const struct stage *s, struct message *m)
{
	struct wire_component c[3] = {
		{ .proc = PROC_STORE, .state = COMPONENT_RUNNING, .since_ns = NS_PER_S },
		{ .proc = PROC_AUTHD, .state = COMPONENT_RUNNING, .since_ns = NS_PER_S },
		{ .proc = PROC_CAPTURE, .state = COMPONENT_RUNNING, .since_ns = NS_PER_S, .point = "eth0" }
	};

	if (s->history_down) {
		c[0].state = COMPONENT_DEGRADED;
		(void)str_copy(c[0].why, sizeof(c[0].why), "No space left on device");
	}
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		message_row(m, &c[i], sizeof(c[i]), "");
}

void
rows_of_counters(struct message *m)
{
	struct row_counter drop = { 1, 0, COUNTER_DROP, 17, 4, 3 }, info = { 1, 0, COUNTER_INFO, 14, 4, 2 },
			   undecoded = { UINT32_MAX, UINT32_MAX, COUNTER_UNDECODED, 3, 0, 9 };

	message_row(m, &drop, sizeof(drop), "capture.ring_fulleth0");
	message_row(m, &info, sizeof(info), "capture.mergedeth0");
	message_row(m, &undecoded, sizeof(undecoded), "arp");
}

/* n rows from `at` on; what one message does not hold goes ahead. */
static bool
put_list(const struct stage *s, struct channel *ch, struct message *m, const struct wire_question *q,
	 uint32_t at, uint32_t n)
{
	bool flows = q->kind == ASK_FLOWS;

	for (uint32_t i = at; i < at + n; i++) {
		if (m->at.end - m->at.p < 6000) {
			m->head.more = 1;
			if (!message_send(ch, m))
				return false;
			message_begin(m, q, flows ? ROW_FLOW : ROW_HOST);
		}
		if (flows)
			row_of_flow(m, s, i);
		else
			row_of_host(m, (uint8_t)i);
	}
	return true;
}

static void
put_cursor(struct message *m, const void *cursor, size_t len)
{
	m->head.has_cursor = 1;
	m->head.cursor_len = (uint16_t)len;
	memcpy(m->head.cursor, cursor, len);
}

/* A list of s->rows rows: the cursor is how many came. */
static bool
long_list(const struct stage *s, struct channel *ch, struct message *m, const struct wire_question *q)
{
	uint32_t at = 0, n = q->limit == 0 ? 100 : q->limit;

	if (q->cursor_len == sizeof(at))
		memcpy(&at, q->cursor, sizeof(at));
	else if (q->cursor_len != 0 || q->limit > 1000) {
		m->head.status = ANSWER_BAD_QUESTION;
		return message_send(ch, m);
	}
	if (n > s->rows - at)
		n = s->rows - at;
	if (!put_list(s, ch, m, q, at, n))
		return false;
	at += n;
	if (at < s->rows)
		put_cursor(m, &at, sizeof(at));
	return message_send(ch, m);
}

bool
answer_list(const struct stage *s, struct channel *ch, struct message *m, const struct wire_question *q)
{
	uint32_t n = q->limit == 0 || q->limit > 1000 ? 100 : q->limit;

	if (s->rows > 0)
		return long_list(s, ch, m, q);
	if (q->cursor_len > 0 && (q->cursor_len != 3 || memcmp(q->cursor, "abc", 3) != 0)) {
		m->head.status = ANSWER_BAD_QUESTION;
		return message_send(ch, m);
	}
	if (q->point != ANY_POINT && q->point != 1)
		n = 0;
	if (!put_list(s, ch, m, q, 0, n))
		return false;
	if (q->cursor_len == 0 && n > 0)
		put_cursor(m, "abc", 3);
	return message_send(ch, m);
}

/* What flows did: at each question one flow opens, changes and ends, and what was told to be left out is. The
 * cursor is which question it is, and of which life of store. */
void
rows_of_recent(struct stage *s, struct message *m, const struct wire_question *q)
{
	static const char name[] = "TLSWebeth0";
	struct row_flow_event e = {
		.flow = { .live = 1, .application_len = 3, .category_len = 3, .point_len = 4 }
	};
	uint32_t at[2] = { s->life, 0 };

	if (q->cursor_len == sizeof(at))
		memcpy(at, q->cursor, sizeof(at));
	if (at[0] != s->life || (q->cursor_len != 0 && q->cursor_len != sizeof(at))) {
		m->head.status = ANSWER_BAD_QUESTION;
		return;
	}
	memcpy(e.flow.flow.id.b, at, sizeof(at));
	e.flow.flow.point = 1;
	e.flow.flow.protocol = 6;
	e.flow.flow.first_ns = e.flow.flow.last_ns = NS_PER_S;
	for (e.what = FLOW_OPENED; q->cursor_len > 0 && s->quiet == 0 && e.what <= FLOW_ENDED; e.what++) {
		e.flow.live = e.what != FLOW_ENDED;
		e.flow.flow.end_reason = e.what == FLOW_ENDED ? END_CLOSED : END_NONE;
		for (uint32_t i = 0; i == 0 || (i < s->rows / 3 && m->at.end - m->at.p > 6000); i++)
			message_row(m, &e, sizeof(e), name);
	}
	if (s->left_out > 0 && q->cursor_len > 0) {
		struct row_flow_event none = { .what = FLOW_DROPPED,
					       .dropped =
						   s->left_out == UINT32_MAX ? UINT64_MAX : s->left_out };

		message_row(m, &none, sizeof(none), "");
		s->left_out = 0;
	}
	at[1]++;
	put_cursor(m, at, sizeof(at));
}

void
rows_of_series(struct message *m, const struct wire_question *q)
{
	uint64_t first = q->cursor_len == 0 ? 0 : 2;
	/* Left to store, it is whatever store says. */
	const uint32_t resolution_s = q->resolution_s != 0 ? q->resolution_s : 300;
	const bool of_flows = q->key_len == 5 && memcmp(q->key, "flows", 5) == 0;

	for (uint64_t i = first; i < first + 2; i++) {
		struct row_series r = { .time_ns = q->from_ns + (int64_t)i * resolution_s * NS_PER_S,
					.resolution_s = resolution_s,
					.finest_s = of_flows ? 0 : 1,
					.bytes = 100 + i,
					.packets = 10 + i,
					.bytes_max = 50,
					.packets_max = 5,
					.flows_max = 1,
					.in_bytes = 60,
					.out_bytes = 40 + i,
					.in_packets = 4,
					.out_packets = 6 + i };

		message_row(m, &r, sizeof(r), "");
	}
	if (first == 0)
		put_cursor(m, "abc", 3);
}

/* All, one group by the first dimension, the rest; a bucket where they were asked for. */
void
rows_of_groups(struct message *m, const struct wire_question *q)
{
	const uint32_t measures = q->grouping.measures | MEASURE_BIT(q->grouping.measure);
	struct row_group g = { .what = GROUP_ALL, .measures = (uint16_t)measures, .groups = 2 };

	for (unsigned i = 0; i < MEASURE_COUNT; i++)
		g.value[i] = measures & MEASURE_BIT(i) ? 10 + i : 0;
	message_row(m, &g, sizeof(g), "");
	g.what = GROUP_ONE;
	g.groups = 1;
	g.key[0] = (struct group_key){ .dimension = q->grouping.dimension[0],
				       .bits = q->grouping.bits_v4 == 0 ? 32 : q->grouping.bits_v4,
				       .ip = ip_from_v4((const uint8_t[4]){ 10, 0, 0, 0 }) };
	message_row(m, &g, sizeof(g), "");
	g.what = GROUP_REST;
	g.key[0] = (struct group_key){ 0 };
	message_row(m, &g, sizeof(g), "");
}
