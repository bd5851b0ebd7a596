/* What was asked of store and authd and is not answered yet: a bounded table, each entry with a deadline. */
#ifndef WEIR_HTTPD_ASKS_H
#define WEIR_HTTPD_ASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/proc.h"

struct asks;
struct event_base;

#define ASKS_MAX 4096u

enum ask_end {
	ASK_PART, /* a part of the answer: more follows */
	ASK_LAST, /* the answer, or its last part */
	ASK_LATE, /* no answer within the time */
	ASK_LOST  /* the peer went away */
};

/* Called for each part and once at the end; body is NULL for ASK_LATE and ASK_LOST. The entry is gone when
 * the end is told. Returns false where the content cannot be, which ends the channel. */
typedef bool ask_fn(void *ctx, enum ask_end end, const void *body, size_t len);

/* 5 s; 30 s for what waits for a password check; 90 s for what waits for others' servers; what the owner says
 * for what store may take its time for */
enum ask_time { ASK_QUICK, ASK_SLOW, ASK_LONG, ASK_STORE, ASK_TIMES };

struct asks *asks_new(struct event_base *base, int64_t store_ns);
/* Fails what waits (ASK_LOST) and takes nothing new. */
void asks_close(struct asks *a);
/* Closes before it frees. */
void asks_free(struct asks **a);

/* A number for a request to send to proc; 0 where the table is full. */
uint64_t asks_add(struct asks *a, enum proc proc, enum ask_time time, ask_fn *fn, void *ctx);
/* Forgets it without a call; an answer that comes nevertheless is ignored. 0 and numbers that ended are
 * ignored. */
void asks_cancel(struct asks *a, uint64_t id);
/* proc answered: false where the content cannot be. */
bool asks_answer(struct asks *a, enum proc proc, uint64_t id, bool last, const void *body, size_t len);
/* proc went away: all that it was asked is lost. */
void asks_lost(struct asks *a, enum proc proc);

#endif
