/*
 * What store knows of grants: keys, snapshot, the whole set when it comes up, then each change. Answers that
 * wait for store's word wait here, in bounded number and for a bounded time.
 */
#ifndef WEIR_AUTHD_STORE_LINK_H
#define WEIR_AUTHD_STORE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grants.h"
#include "reply.h"

struct waiting;

struct store_link {
	uint64_t ticket; /* last that was given to a change */
	uint64_t taken;  /* last that store said it has: it takes them in order */
	struct waiting *first;
	size_t nwaiting;
	int64_t alive_ns; /* boot clock: when store last heard that we live */
};

#define WAITING_MAX 1024
#define WAIT_GRANT_MS                                                                                        \
	1000 /* then the answer goes out anyway: at worst a question is refused and asked again */
#define WAIT_REVOCATION_MS 5000 /* then the answer says that it could not be confirmed */

/* An answer of any kind, kept until it may go out. */
struct answer {
	enum msg_id id; /* MSG_AUTH_ANSWER, MSG_CLI_ANSWER, MSG_ADMIN_ANSWER or MSG_CLI_ADMIN_ANSWER */
	struct return_address to;
	union {
		struct wire_auth_answer auth;
		struct wire_cli_answer cli;
		struct admin_answer admin;
	};
};

void store_link_up(struct authd *a, struct channel *ch);
/* Whoever waits is answered: without store nobody can use a grant, and it gets the whole set when it is back.
 */
void store_link_down(struct authd *a);
/* GRANT_TAKEN; false where store lies. */
bool store_link_taken(struct authd *a, const struct wire_grant_change *c);

/* Tells store of a grant, or takes one back. Without store there is nothing to tell. */
void store_link_add(struct authd *a, struct live_grant *g);
void store_link_revoke(struct authd *a, const struct live_grant *g);

/* Sends the signing keys that hold now, and the snapshot, signed with the new one. */
void store_link_keys(struct authd *a);
/* Sends the policy snapshot that holds now. */
void store_link_snapshot(struct authd *a);

/* What is counted: ours, once a second or so, and weir-directory's as it told them (authd.directorys). */
void store_link_counters(struct authd *a);
void store_link_directorys(struct authd *a);

/* Sends the answer once store has taken every ticket up to this one (at once where it has or is down), and
 * wipes it. */
void store_link_answer(struct authd *a, struct answer *answer, uint64_t ticket, bool revocation);
/* Time-outs and AUTHD_ALIVE: every quarter of a second or so. now_ns: clock_boot_ns. */
void store_link_tick(struct authd *a, int64_t now_ns);

#endif
