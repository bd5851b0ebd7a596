/*
 * Administration: what httpd and the command line ask of authd. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_ADMIN_H
#define WEIR_IPC_WIRE_ADMIN_H

#include <assert.h>
#include <stdint.h>

#include "ipc/wire_login.h"

#define ADMIN_BODY_MAX        60000
#define WIRE_ADMIN_MAX        (sizeof(struct wire_admin) + GRANT_MAX + ADMIN_BODY_MAX)
#define WIRE_ADMIN_ANSWER_MAX (sizeof(struct wire_admin_answer) + ADMIN_BODY_MAX)

/* ADMIN, CLI_ADMIN: the grant (CLI_ADMIN: none) and the operation as JSON text follow. */
struct wire_admin {
	uint64_t request;
	struct wire_client client;
	uint32_t grant_len;
	uint32_t body_len; /* 1..ADMIN_BODY_MAX */
};
static_assert(sizeof(struct wire_admin) == 160, "no padding");

#define APPLY_BODY_MAX (4u << 20)

/* CLI_APPLY: the operation apply as JSON text that CLI_ADMIN has no room for, in sealed memory of just this
 * length. CLI_ADMIN_ANSWER answers it. */
struct wire_cli_apply {
	uint64_t request;
	uint32_t body_len; /* 1..APPLY_BODY_MAX */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_cli_apply) == 16, "no padding");

enum admin_status {
	ADMIN_OK = 1,
	ADMIN_BAD,         /* body: {"field": "access[2].networks[0]", "detail": "..."} */
	ADMIN_DENIED,      /* the role may never do this */
	ADMIN_NOT_FOUND,   /* no such thing, or not the caller's: one answer for both */
	ADMIN_CONFLICT,    /* the name is taken, or other things hang on it: body as of ADMIN_BAD */
	ADMIN_UNAVAILABLE, /* authd cannot write: disk full; nothing was changed */
	ADMIN_BUSY,        /* a queue is full, or (detail) too many attempts: try again */
	ADMIN_NOT_GRANTED, /* the grant is expired, revoked, forged or another's: get a new one and ask again
			    */
	ADMIN_STATUS_COUNT
};

/* ADMIN_ANSWER, CLI_ADMIN_ANSWER: a part of the answer's JSON text follows; the parts one after another are
 * one text. */
struct wire_admin_answer {
	uint64_t request;
	uint32_t status; /* enum admin_status, the same in all parts */
	uint32_t more;   /* 1: another part follows; 0: the last */
	uint32_t body_len;
	uint32_t unconfirmed; /* 1: done, but store did not say in time that it knows; the same in all
				 parts; 0: it did, or need not */
};
static_assert(sizeof(struct wire_admin_answer) == 24, "no padding");

#endif
