/* The whole of authd's state, and its life from init to the end. */
#ifndef WEIR_AUTHD_AUTHD_H
#define WEIR_AUTHD_AUTHD_H

#include "accounts_db.h"
#include "audit.h"
#include "events.h"
#include "grants.h"
#include "hash_queue.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "ipc/counting.h"
#include "sessions.h"
#include "setup.h"
#include "signing.h"
#include "store_link.h"
#include "throttle.h"
#include "tickets.h"
#include "tokens.h"

struct basic;
struct begun_logins;
struct event_base;
struct logouts;
struct oidc_asks;
struct people;
struct providers;

struct authd {
	const struct boot *boot;
	struct event_base *base;
	struct peers *peers;
	uint64_t connections;       /* that came up so far: reply.h */
	struct master_keys *master; /* locked; NULL: none is set */
	struct accounts_db *db;
	struct audit *audit;
	struct hash_queue *hashing;
	unsigned admin_hashing; /* operations that wait for it (admin_password.c) */
	struct throttle *throttle;
	struct events *events;
	struct tickets *tickets;
	struct sessions *sessions;
	struct tokens *tokens;
	struct basic *basic;
	struct people *people;
	struct providers *providers;
	struct oidc_asks *oidc;
	struct begun_logins *begun; /* at providers of OpenID Connect */
	struct logouts *logouts;    /* that those told */
	bool reconciled;            /* what the settings do not give any more was taken (reconcile.h) */
	int64_t lapsed_ns;          /* when accounts of theirs were looked through last, boot clock */
	unsigned held_refusals;     /* that wait for their time (attempt.c) */
	unsigned looks;             /* at people of the directory, under way (newcomers.c) */
	uint64_t looked;            /* account that was asked for last; 0: all were */
	int64_t look_ns;            /* when that began, boot clock */
	struct grants grants;
	struct holder local; /* whoever asks from this machine for metrics: local.h */
	struct signing signing;
	struct setup setup;
	struct store_link store;
	struct process_counters counters;
	struct wire_counters directorys; /* weir-directory's, as it told them last; all 0: nothing yet */
	int64_t swept_ns;                /* boot clock */
	bool unwritable;                 /* the last sweep could not write: said once */
	int exit_status;
};

/* All of init before the sandbox. Dies with a line where something is missing. */
struct authd *authd_new(const struct boot *b);
/* Serves until SIGTERM or authd_give_up. */
void authd_run(struct authd *a);
/* Writes what is left to write, wipes secrets; returns the exit status. */
int authd_free(struct authd **a);
/* After a transaction that may have changed the policy or the administrators: learns it, and tells store of a
 * new policy. */
enum db_status authd_refresh(struct authd *a);
/* Ends the loop with a failure: the launcher starts authd anew. */
void authd_give_up(struct authd *a, const char *why);

#endif
