/*
 * Sessions: all in memory for answers, all on disk for the next start. A session is known by the hash of its
 * cookie; the cookie itself is never kept. Times are UTC and come from the caller.
 */
#ifndef WEIR_AUTHD_SESSIONS_H
#define WEIR_AUTHD_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accounts_db.h"

#define SESSIONS_MAX 65536 /* of all users together */

struct live_grant;

struct session {
	struct session *next;      /* in its bucket */
	struct live_grant *grants; /* grants.h: those that were given to it */
	struct session_record r;
	bool touched; /* last_seen_ns is newer than on disk */
	bool ended;   /* over, but the disk still has it: not to be found any more */
};

struct sessions_rules {
	int64_t idle_ns, absolute_ns;
	size_t per_user;
};

struct sessions;

/* ended is called once for each session that ends, before it is freed or hidden: its grants are then to be
 * revoked. */
struct sessions *sessions_new(struct accounts_db *db, const struct sessions_rules *rules,
			      void (*ended)(void *ctx, struct session *s), void *ctx);
void sessions_free(struct sessions **ss);
/* Reads what the disk has; those that are over are ended. False where the database is broken. */
bool sessions_load(struct sessions *ss, int64_t now_ns);

/* The living session of a cookie, seen now; NULL where there is none. */
struct session *sessions_find(struct sessions *ss, const uint8_t cookie[static COOKIE_BYTES], int64_t now_ns);

/* Makes a cookie and the record of a new session, without beginning it. */
void sessions_draw(const struct sessions *ss, uint64_t account, int64_t now_ns,
		   uint8_t cookie[static COOKIE_BYTES], struct session_record *r);
/* Begins a session on disk and in memory, and ends the user's oldest ones past the limit. NULL with *why:
 * DB_UNWRITABLE or DB_BROKEN; DB_EXISTS where SESSIONS_MAX is reached. */
struct session *sessions_begin(struct sessions *ss, const struct session_record *r, enum db_status *why);
/* As sessions_begin for a record that the disk has already (accounts_db_create). */
struct session *sessions_adopt(struct sessions *ss, const struct session_record *r);
/* Ends it in memory whatever happens; other than DB_OK: the disk still has it, and sessions_sweep tries
 * again. */
enum db_status sessions_end(struct sessions *ss, struct session *s);

/* Ends what is over, retries what the disk would not do, and now and then writes down when sessions were last
 * seen. Once a second. */
enum db_status sessions_sweep(struct sessions *ss, int64_t now_ns);
/* Writes down when sessions were last seen, at once. */
enum db_status sessions_flush(struct sessions *ss);
size_t sessions_count(const struct sessions *ss);

#endif
