/*
 * A set of questions to store that are asked under one credential's grant and answered together. Rows were
 * checked when they came (serve.c); an answer has the kind of rows that its question asks for.
 */
#ifndef WEIR_HTTPD_INQUIRY_H
#define WEIR_HTTPD_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "httpd.h"
#include "ipc/wire.h"
#include "present/present.h"
#include "sessions.h"

#define INQUIRY_PARTS 8

enum inquiry_end {
	INQUIRY_OK,
	INQUIRY_NO_SESSION, /* authd knows no such session or token, or store does not take its grant */
	INQUIRY_NO_TENANT,  /* there is no such tenant for it */
	INQUIRY_THROTTLED,  /* too many wrong passwords: retry_after_s */
	INQUIRY_LOGIN_BUSY, /* too many passwords are being judged */
	INQUIRY_LOGIN_AWAY, /* a password is wrong, or the directory that would know cannot be asked */
	INQUIRY_TOKEN_ONLY, /* a password that is right, of an account with a second factor */
	INQUIRY_DENIED,     /* it is good, but neither role nor scopes allow the question */
	INQUIRY_NO_AUTHD,
	INQUIRY_NO_STORE, /* away, or it answers nothing as long as authd is silent */
	INQUIRY_LATE,
	INQUIRY_NOT_FOUND,
	INQUIRY_BAD,        /* store refuses the question (a cursor of another list) */
	INQUIRY_NO_HISTORY, /* the database cannot be read */
	INQUIRY_NARROWED,   /* there is none of it for who sees a part of the tenant */
	INQUIRY_BUSY,       /* store has as many questions as it takes */
	INQUIRY_TOO_SLOW,   /* it took longer than store lets one question take */
	INQUIRY_TOO_COSTLY, /* it would have looked into more than one question may */
	INQUIRY_TOO_LONG,
	INQUIRY_RATED, /* too many requests within a minute: the gate says so */
	INQUIRY_GONE /* the client closed its connection: store need not go on, and nobody reads the answer */
};

struct event;
struct body; /* one message of an answer */

struct part {
	struct wire_question q; /* its request, grant and filter are filled in when it is sent */
	uint8_t *filter;        /* as it is sent (ipc/filter.h), filter_len bytes; freed with the inquiry */
	size_t filter_len;
	bool optional; /* whatever goes wrong: no rows */
	bool follow; /* goes on from cursor to cursor by itself; only where it is the one question of its set
		      */
	/* the answer */
	struct body *first, **last;
	int64_t now_ns;
	uint8_t cursor[CURSOR_MAX];
	uint16_t cursor_len; /* 0: no rows are left */
	uint64_t ask;
	struct inquiry *inquiry;
};

typedef void inquiry_fn(void *ctx, struct inquiry *q, enum inquiry_end end);

struct inquiry {
	struct httpd *httpd;
	struct credential who;
	struct wire_client from;
	unsigned max_age_s; /* of the grant */
	struct me me;       /* once it was granted */
	struct part part[INQUIRY_PARTS];
	unsigned n, left;
	bool retried;
	bool slow; /* its rows are kept as long as a client takes for them: all such have half of what may be
		      held */
	unsigned retry_after_s;     /* INQUIRY_THROTTLED */
	int client;                 /* socket of whoever waits; -1: nobody in particular */
	TAILQ_ENTRY(inquiry) watch; /* of those that are looked after: whether he still does */
	bool watched;
	unsigned waits; /* for its session: until that came it stays in memory */
	bool over;      /* it was freed meanwhile */
	size_t bytes;
	inquiry_fn *fn;
	void *ctx;
};

/* Before the first and after the last. */
void inquiries_open(struct httpd *h);
void inquiries_close(struct httpd *h);

struct inquiry *inquiry_new(struct httpd *h, const struct credential *who, const struct wire_client *from,
			    inquiry_fn *fn, void *ctx);
/* Whoever waits for the answer waits at this socket: when it is closed there, the inquiry ends. Nobody looks
 * any more once fn was called, however long its rows are kept. */
void inquiry_watch(struct inquiry *q, int client);
/* Adds a question, all of whose other fields say "any". */
struct part *inquiry_add(struct inquiry *q, enum question_kind kind);
/* Asks; fn is called once, perhaps at once, and owns q then: it calls inquiry_free. */
void inquiry_run(struct inquiry *q);
/* At any time: what authd may still have to say finds nobody. */
void inquiry_free(struct inquiry **q);
/* The same of a session that was asked for alone. */
enum inquiry_end inquiry_end_of(enum session_end end);

/* --- rows
 * ------------------------------------------------------------------------------------------------------------
 */

struct rows {
	const struct body *next;
	struct answer answer;
	bool open;
};
/* Walks through the rows of a part: false at the end. */
struct rows part_rows(const struct part *p);
bool rows_next(struct rows *rows, struct row *r);
/* All rows as an array. */
void part_array(struct json_writer *w, const char *key, const struct part *p,
		void (*present)(struct json_writer *w, const char *key, const struct row *r));

#endif
