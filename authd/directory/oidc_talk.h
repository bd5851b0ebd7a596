/*
 * What the process of a question says to weir-directory, and back, over a pair of sockets: which connection
 * it needs, what the provider publishes, and what it found out. Such a process has read what strangers wrote:
 * weir-directory believes only what has its form and its size.
 */
#ifndef WEIR_DIRECTORY_OIDC_TALK_H
#define WEIR_DIRECTORY_OIDC_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "discovery.h"
#include "http.h"
#include "keyset.h"
#include "oidc_report.h"

enum talk_kind {
	TALK_CONNECT = 1, /* struct talk_connect: answered with a connection */
	TALK_NEWER_KEYS,  /* nothing: answered with sealed memory */
	TALK_PUBLISHED,   /* struct talk_published and its texts: the end of a process that fetches */
	TALK_TOLD,        /* struct talk_told and a text: the end */
	TALK_KIND_COUNT
};

struct talk_head {
	uint32_t kind; /* enum talk_kind */
	uint32_t len;  /* of what follows */
};

/* A process that has read what a stranger wrote names no servers: it says which of those that the provider
 * publishes. */
enum talk_server { TALK_TOKEN_ENDPOINT, TALK_USERINFO, TALK_SERVERS, TALK_GIVEN = TALK_SERVERS };

struct talk_connect {
	uint32_t which; /* enum talk_server */
	uint32_t reserved;
	struct http_server server; /* of TALK_GIVEN */
};

#define TALK_LINES_MAX (REPORT_STEPS * REPORT_STEP_MAX)

/* Then the discovery document, the keys and the steps (oidc_report_lines). */
struct talk_published {
	struct http_server server[TALK_SERVERS]; /* port 0: there is none */
	uint32_t document_len, keys_len, lines_len;
};

struct talk_told {
	uint32_t verdict; /* enum oidc_verdict */
};

#define TALK_BODY_MAX (sizeof(struct talk_told) + OIDC_TOLD_MAX)
static_assert(sizeof(struct talk_published) + DISCOVERY_MAX + KEYSET_MAX + TALK_LINES_MAX <= TALK_BODY_MAX,
	      "what is published has room");

/* From weir-directory, with a descriptor where it is good. */
struct talk_answer {
	uint32_t good;
	uint32_t len;  /* of sealed memory */
	char why[160]; /* a sentence, terminated, where it is not */
};

/* --- the process's side, which blocks --- */

bool talk_say(int sock, enum talk_kind kind, const struct iovec *part, size_t nparts);
/* A connected socket; -1 with a sentence. server: of TALK_GIVEN. */
int talk_connect(int sock, enum talk_server which, const struct http_server *server, char *err,
		 size_t errsize);
/* The provider's keys as they are now, to be freed; NULL with a sentence. */
char *talk_newer_keys(int sock, size_t *len, char *err, size_t errsize);

/* --- weir-directory's side, which does not --- */

struct talk_reader {
	struct talk_head head;
	size_t nhead, nbody;
	char *body;
};

enum talk_read { TALK_WAITS, TALK_WHOLE, TALK_OVER };

/* Reads on. TALK_WHOLE: head and body are one saying, until talk_next. TALK_OVER: it ended, or lied. */
enum talk_read talk_read(int sock, struct talk_reader *r);
void talk_next(struct talk_reader *r);
/* fd stays the caller's. why: NULL where it is good. */
bool talk_reply(int sock, int fd, size_t len, const char *why);

#endif
