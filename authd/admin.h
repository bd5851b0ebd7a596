/*
 * Administration: an operation is a JSON object with its name in "op" (docs/API.md says what each takes and
 * gives). Who asks is the holder of a live grant, or the command line. Every operation runs within one
 * transaction, with its audit entries; what it changes of anybody's rights holds at once, because the grants
 * that are out are taken back before it is answered.
 *
 * The table of operations is in admin_ops.c; admin_SUBJECT.c have them.
 */
#ifndef WEIR_AUTHD_ADMIN_H
#define WEIR_AUTHD_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit.h"
#include "base/json_write.h"
#include "events.h"
#include "fields.h"
#include "policy/decide.h"
#include "record_policy.h"
#include "reply.h"

struct authd;
struct admin_call;

/* A caller may do an operation by action, to what is others', or by own_action, to what is its own. */
struct admin_op {
	const char *name;
	enum action action, own_action; /* 0: not that way */
	bool writes;
	/* Judges what must be known before a password is hashed or checked; may be NULL. */
	void (*prepare)(struct admin_call *c);
	/* Within call->x. It leaves a status, a fault or an answer. */
	void (*run)(struct admin_call *c);
	/* After the transaction is on disk, for what is kept in memory; may be NULL. */
	void (*done)(struct admin_call *c);
};

/* The operation of this name, or NULL. */
const struct admin_op *admin_op_find(const char *name);
/* All of them, one after another; NULL past the end. */
const struct admin_op *admin_op_at(size_t i);

/* A set of accounts that grows. */
struct numbers {
	uint64_t *item;
	size_t n, room;
};

struct admin_call {
	struct authd *a;
	enum msg_id answer_id;
	struct return_address to;
	uint64_t request;
	struct wire_client client;

	/* Who asks. */
	struct grant grant;
	uint64_t account;            /* 0: the command line */
	char name[ACCOUNT_NAME_MAX]; /* of the account */
	char credential[AUDIT_CREDENTIAL_MAX];
	uint8_t session[SESSION_ID_LEN]; /* zero: of a token, or of the command line */

	/* What for. */
	const struct admin_op *op;
	struct json_doc *doc;
	struct fields body;
	struct fault fault;
	struct arena *arena;

	/* Passwords, in locked memory while they are there (admin_password.h). */
	struct admin_secrets *secrets;

	/* What is asked elsewhere before the operation runs (prepare says it; NULL: nothing), and what was
	 * told. */
	void (*wait)(struct admin_call *c, void (*go_on)(struct admin_call *c));
	char *told; /* JSON, told_len bytes */
	size_t told_len;

	bool in_memory; /* it came as CLI_APPLY */

	/* While it runs, and how it ended. */
	struct txn x;
	enum admin_status status; /* 0: not settled yet */
	struct json_writer *w;    /* the answer: an object that is open */
	bool undo;                /* a change that was only tried */
	bool whole;               /* ... or a text that is complete */
	bool reads_others;        /* something of others was read: an audit entry of its own ... */
	enum audit_kind reading;  /* ... of this kind; 0: AUDIT_ADMIN_READ */
	struct numbers touched;   /* accounts whose rights may be others now */
	struct numbers ended; /* accounts whose sessions are over, but for the caller's where it is its own */
	struct numbers removed; /* accounts that are no more */
	struct numbers tenants_gone;
	uint64_t ticket; /* of the last thing that store was told before: what comes later it must confirm */
	uint64_t memory[8]; /* for done: what run wants it to know */
};

/* ADMIN and CLI_ADMIN; false where the peer lied. */
bool admin_serve(struct authd *a, struct channel *ch, const void *body, size_t len);
/* CLI_APPLY, likewise; fd stays the caller's. */
bool admin_serve_apply(struct authd *a, struct channel *ch, const struct wire_cli_apply *w, int fd);

/* --- for the operations --- */

/* Settles the call, unless it is. */
void call_end(struct admin_call *c, enum admin_status status);
/* ... with a sentence about a member. */
void call_conflict(struct admin_call *c, const char *field, const char *detail);
void call_denied(struct admin_call *c, const char *field, const char *detail);
/* Whether nothing is wrong so far. */
bool call_good(const struct admin_call *c);
/* Whether the caller may. */
bool call_may(const struct admin_call *c, enum action action, const struct resource *r);
bool call_may_tenant(const struct admin_call *c, enum action action, uint32_t tenant);
/* Whether its role may ever, whatever it is about. */
bool call_might(const struct admin_call *c, enum action action);
bool call_spans_tenants(const struct admin_call *c);

/* Writes an entry of the caller's within call->x. subject: "user:bob". tenant: whose matter it is. */
void call_audit(struct admin_call *c, enum audit_kind kind, uint32_t tenant, const char *subject,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

void numbers_add(struct numbers *s, uint64_t number);

/* --- lists, page by page --- */

#define PAGE_LOOKED_MAX 4096       /* things that are looked at for one page */
#define PAGE_BYTES_MAX  (1u << 20) /* or about so much text */

struct page {
	int64_t limit;
	size_t n, looked;
	bool more;
	char after[ACCOUNT_NAME_MAX];   /* the last one of the page before; "": from the start */
	char last[ACCOUNT_NAME_MAX];    /* that was taken */
	char looking[ACCOUNT_NAME_MAX]; /* that is looked at */
};

/* Reads "limit" and "cursor". */
void page_begin(struct admin_call *c, struct page *p);
/* Whether another one may be looked at; name is that by which the list goes on behind it. */
bool page_next(struct admin_call *c, struct page *p, const char *name);
/* Whether it, which is the caller's to see, is written into this page. Only such a one makes a list go on:
 * what is not the caller's is not told of by a cursor either. */
bool page_takes(struct admin_call *c, struct page *p);
/* Writes "cursor" where more is left. */
void page_end(struct admin_call *c, const struct page *p);
/* Calls each for every name of a table, in order, from the page's beginning. */
void page_names(struct admin_call *c, struct page *p, enum table t,
		void (*each)(struct admin_call *c, struct page *p, uint64_t number));

#endif
