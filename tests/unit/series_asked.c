/* See series_asked.h. */
#include "series_asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

void
series_put_second(struct world *w, uint32_t point, int64_t second, uint64_t bytes, uint64_t packets)
{
	struct rec_second s = { .point = point, .second = second, .bytes = bytes, .packets = packets };

	world_put(w, 0, REC_SECOND, &s, sizeof(s), NULL);
}

void
series_put_flow(struct world *w, const struct rec_flow *f, bool ends)
{
	struct rec_flow copy = *f;

	copy.end_reason = ends ? END_IDLE : END_NONE;
	world_put(w, 0, ends ? REC_FLOW_END : REC_FLOW_OPEN, &copy, sizeof(copy), NULL);
}

void
series_put_place(struct world *w, const char *ip, uint32_t as, const char *country)
{
	struct rec_host h = { .as_number = as };

	assert_true(ip_parse(ip, &h.ip));
	memcpy(h.country, country, 2);
	world_put(w, 0, REC_HOST, &h, sizeof(h), NULL);
}

struct wire_question
series_question(const struct world *w, uint32_t subject, const char *key)
{
	struct wire_question q = world_question(ASK_SERIES);

	q.subject = (uint16_t)subject;
	q.limit = 1000;
	q.resolution_s = 60;
	q.from_ns = (w->utc - 3600) * NS_PER_S;
	q.key_len = (uint16_t)strlen(key);
	memcpy(q.key, key, q.key_len);
	return q;
}

struct row_series
series_sum_of(struct world *w, uint32_t tenant, const struct wire_question *q)
{
	struct row_series sum = { 0 };

	assert_int_equal(world_ask(w, tenant, q), ANSWER_OK);
	assert_false(w->has_cursor);
	sum.resolution_s = w->nrows; /* how many */
	for (uint32_t i = 0; i < w->nrows; i++) {
		const struct row_series *r = world_row(w, i, sizeof(*r), NULL);

		sum.bytes += r->bytes;
		sum.packets += r->packets;
		sum.in_bytes += r->in_bytes;
		sum.out_bytes += r->out_bytes;
	}
	return sum;
}

struct row_series
series_sum_key(struct world *w, uint32_t tenant, uint32_t subject, const char *key)
{
	struct wire_question q = series_question(w, subject, key);

	return series_sum_of(w, tenant, &q);
}

/* Every series that the list names, as questions. */
struct wire_question *
series_list(struct world *w, uint32_t tenant, uint32_t subject, size_t *n)
{
	struct wire_question l = world_question(ASK_SERIES_LIST), *all = NULL;

	l.subject = (uint16_t)subject;
	l.limit = 100;
	*n = 0;
	do {
		assert_int_equal(world_ask(w, tenant, &l), ANSWER_OK);
		all = mem_reallocarray(all, *n + w->nrows + 1, sizeof(*all));
		for (uint32_t i = 0; i < w->nrows; i++) {
			const char *text;
			const struct row_series_of *r = world_row(w, i, sizeof(*r), &text);
			char key[64] = "";

			assert_true(r->key_len < sizeof(key));
			memcpy(key, text, r->key_len);
			all[*n] = series_question(w, subject, key);
			all[*n].space = r->space;
			all[(*n)++].vlan = r->vlan;
		}
		l.cursor_len = w->cursor_len;
		memcpy(l.cursor, w->cursor, sizeof(l.cursor));
	} while (w->has_cursor);
	return all;
}

uint64_t
series_sum_list(struct world *w, uint32_t tenant, uint32_t subject)
{
	size_t n;
	struct wire_question *q = series_list(w, tenant, subject, &n);
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += series_sum_of(w, tenant, &q[i]).bytes;
	free(q);
	return bytes;
}
