/* Answers as messages: see answer.h. */
#include "answer.h"

#include <string.h>

void
answer_begin(struct answer_out *a, answer_emit *emit, void *ctx, uint64_t request, enum row_kind kind,
	     int64_t now_ns)
{
	a->emit = emit;
	a->ctx = ctx;
	memset(&a->head, 0, sizeof(a->head));
	a->head.request = request;
	a->head.row_kind = kind;
	a->head.now_ns = now_ns;
	a->head.status = ANSWER_OK;
	a->len = sizeof(a->head);
	a->row = 0;
	a->too_long = false;
}

/* Sends the complete rows; what there is of the row under way moves to the front. */
static void
flush(struct answer_out *a, bool more)
{
	size_t end = a->row == 0 ? a->len : a->row, rest = a->len - end;

	a->head.more = more;
	memcpy(a->buf, &a->head, sizeof(a->head));
	a->emit(a->ctx, a->buf, end);
	memmove(a->buf + sizeof(a->head), a->buf + end, rest);
	a->len = sizeof(a->head) + rest;
	a->row = a->row == 0 ? 0 : sizeof(a->head);
	a->head.nrows = 0;
}

void
answer_put(struct answer_out *a, const void *p, size_t n)
{
	if (a->too_long || n == 0)
		return;
	if (n > sizeof(a->buf) - a->len && a->row > sizeof(a->head))
		flush(a, true);
	if (n > sizeof(a->buf) - a->len) {
		a->too_long = true;
		return;
	}
	memcpy(a->buf + a->len, p, n);
	a->len += n;
}

void
answer_row(struct answer_out *a)
{
	const uint32_t later = 0;

	if (sizeof(a->buf) - a->len < sizeof(later)) {
		a->row = 0;
		flush(a, true);
	}
	a->row = a->len;
	answer_put(a, &later, sizeof(later));
}

void
answer_row_end(struct answer_out *a)
{
	uint32_t n = (uint32_t)(a->len - a->row - sizeof(n));

	if (a->too_long)
		a->len = a->row;
	else
		memcpy(a->buf + a->row, &n, sizeof(n));
	a->head.nrows += !a->too_long;
	a->too_long = false;
	a->row = 0;
}

void
answer_end(struct answer_out *a, enum answer_status status, const uint8_t *cursor, size_t cursor_len)
{
	a->head.status = status;
	if (status != ANSWER_OK)
		a->head.row_kind = ROW_NONE;
	if (status != ANSWER_OK && a->head.nrows > 0) {
		a->head.nrows = 0;
		a->len = sizeof(a->head);
	}
	if (cursor != NULL && cursor_len <= CURSOR_MAX) {
		a->head.has_cursor = 1;
		a->head.cursor_len = (uint16_t)cursor_len;
		memcpy(a->head.cursor, cursor, cursor_len);
	}
	flush(a, false);
}
