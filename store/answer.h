/* Answers as messages: rows are put one after the other, and leave whenever a message is full. */
#ifndef WEIR_STORE_ANSWER_H
#define WEIR_STORE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

/* Sends one message of at most WIRE_ANSWER_MAX bytes. */
typedef void answer_emit(void *ctx, const void *body, size_t len);

struct answer_out {
	answer_emit *emit;
	void *ctx;
	struct wire_answer head;
	size_t len, row; /* bytes so far; where the row under way begins, 0 none */
	bool too_long;   /* the row under way does not fit any message */
	uint8_t buf[WIRE_ANSWER_MAX];
};

void answer_begin(struct answer_out *a, answer_emit *emit, void *ctx, uint64_t request, enum row_kind kind,
		  int64_t now_ns);
/* A row is begun, filled with bytes, ended. One that would be longer than a message is left out. */
void answer_row(struct answer_out *a);
void answer_put(struct answer_out *a, const void *p, size_t n);
void answer_row_end(struct answer_out *a);
/* The last message. cursor: NULL, or cursor_len bytes to ask on with. */
void answer_end(struct answer_out *a, enum answer_status status, const uint8_t *cursor, size_t cursor_len);

#endif
