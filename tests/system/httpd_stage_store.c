/* store as httpd_stage plays it: which question is answered with which rows, and when it is not. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "httpd_stage.h"
#include "httpd_stage_rows.h"

static bool
answer(struct stage *s, struct channel *ch, const struct wire_question *q)
{
	static const enum row_kind kinds[ASK_KIND_COUNT] = { [ASK_POINTS] = ROW_POINT,
							     [ASK_HOSTS] = ROW_HOST,
							     [ASK_HOST] = ROW_HOST,
							     [ASK_DEVICES] = ROW_DEVICE,
							     [ASK_FLOWS] = ROW_FLOW,
							     [ASK_FLOW] = ROW_FLOW,
							     [ASK_APPLICATIONS] = ROW_APPLICATION,
							     [ASK_SERIES] = ROW_SERIES,
							     [ASK_SERIES_LIST] = ROW_SERIES_OF,
							     [ASK_TOTALS] = ROW_TOTALS,
							     [ASK_COUNTERS] = ROW_COUNTER,
							     [ASK_COMPONENTS] = ROW_COMPONENT,
							     [ASK_GROUPS] = ROW_GROUP,
							     [ASK_RECENT] = ROW_FLOW_EVENT };
	static struct message m;
	struct row_point point = {
		.id = 1, .space = 1, .kind = POINT_INTERFACE, .state = POINT_UP, .bytes = 5, .packets = 1
	};
	struct row_application app = {
		.bytes = 9, .packets = 2, .flows = 1, .name_len = 3, .category_len = 3
	};
	struct row_device device = { .point = 1, .space = 1, .mac = { 2, 0, 0, 0, 0, 1 }, .point_len = 4 };
	struct row_series_of country = { .in_bytes = 1,
					 .out_bytes = 2,
					 .in_packets = 3,
					 .out_packets = 4,
					 .in_bytes_per_s = 5,
					 .out_bytes_per_s = 6,
					 .last_ns = 60 * NS_PER_S,
					 .key_len = 2,
					 .name_len = 3 };
	struct row_totals totals = {
		.packets = 100, .bytes = 5000, .flows = 7, .hosts = 4, .bytes_per_s = 10, .packets_per_s = 1
	};
	static const uint8_t known[4] = { 10, 0, 0, 1 };
	struct ip_addr host = ip_from_v4(known);

	message_begin(&m, q, kinds[q->kind]);
	switch ((enum question_kind)q->kind) {
	case ASK_POINTS:
		(void)str_copy(point.name, sizeof(point.name), "eth0");
		message_row(&m, &point, sizeof(point), "");
		break;
	case ASK_HOSTS:
	case ASK_FLOWS:
		return answer_list(s, ch, &m, q);
	case ASK_DEVICES:
		message_row(&m, &device, sizeof(device), "eth0");
		break;
	case ASK_HOST:
		if (!ip_equal(&q->ip, &host))
			m.head.status = ANSWER_NOT_FOUND;
		else
			row_of_host(&m, 1);
		break;
	case ASK_FLOW:
		if (q->flow.b[15] != 0)
			row_of_flow(&m, s, 77);
		break;
	case ASK_APPLICATIONS:
		message_row(&m, &app, sizeof(app), "TLSWeb");
		break;
	case ASK_SERIES:
		rows_of_series(&m, q);
		break;
	case ASK_SERIES_LIST:
		message_row(&m, &country, sizeof(country), "NLXYZ");
		break;
	case ASK_TOTALS:
		message_row(&m, &totals, sizeof(totals), "");
		break;
	case ASK_COUNTERS:
		rows_of_counters(&m);
		break;
	case ASK_COMPONENTS:
		if (s->limited)
			m.head.status = ANSWER_NOT_GRANTED;
		else
			rows_of_state(s, &m);
		break;
	case ASK_GROUPS:
		rows_of_groups(&m, q);
		break;
	case ASK_RECENT:
		rows_of_recent(s, &m, q);
		break;
	case ASK_KIND_COUNT:
		return false;
	}
	if (s->lie)
		m.head.nrows += 3;
	return message_send(ch, &m);
}

bool
store_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct actor *actor = ctx;
	struct stage *s = actor->stage;
	struct wire_question q;
	struct wire_answer no = { 0 };

	if (m->id == MSG_QUESTION_CANCEL) {
		s->cancelled++;
		return true;
	}
	memcpy(&q, m->body, sizeof(q));
	s->questions++;
	if (q.kind < ASK_KIND_COUNT)
		s->questions_of[q.kind]++;
	if (s->silent_store || (s->silent_pages && q.cursor_len > 0))
		return true;
	if (s->busy > 0) {
		s->busy--;
		no.request = q.request;
		no.status = ANSWER_BUSY;
		return channel_send(ch, MSG_ANSWER, &no, sizeof(no));
	}
	if (q.kind == 0 || q.kind >= ASK_KIND_COUNT || q.grant_len != 200 || s->refuse_grant_once ||
	    s->refuse_grants) {
		s->refuse_grant_once = false;
		no.request = q.request;
		no.status = ANSWER_NOT_GRANTED;
		return channel_send(ch, MSG_ANSWER, &no, sizeof(no));
	}
	return answer(s, ch, &q);
}
