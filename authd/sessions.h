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
#include "holder.h"

#define SESSIONS_MAX 65536 /* of all users together */

struct session {
	struct holder holder; /* first */
	struct session *next; /* in its bucket */
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

/* What else is written in the transaction in which a session begins or ends; it may fail the transaction. */
typedef void sessions_also(void *ctx, struct txn *x);

/* Makes a cookie and the record of a new session, without beginning it. */
void sessions_draw(const struct sessions *ss, uint64_t account, const struct wire_client *client,
		   int64_t now_ns, uint8_t cookie[static COOKIE_BYTES], struct session_record *r);
/* Begins a session on disk and in memory, and ends the user's oldest ones past the limit. also may be NULL;
 * it may settle r->account. NULL with *why: DB_UNWRITABLE or DB_BROKEN; DB_EXISTS where SESSIONS_MAX is
 * reached; or what also failed with. */
struct session *sessions_begin(struct sessions *ss, struct session_record *r, sessions_also *also, void *ctx,
			       enum db_status *why);
/* Ends it in memory whatever happens; other than DB_OK: the disk still has it, and sessions_sweep tries
 * again. */
enum db_status sessions_end(struct sessions *ss, struct session *s, sessions_also *also, void *ctx);
/* Ends in memory the sessions of an account but for one (NULL: all), which the disk has no more; returns how
 * many. */
size_t sessions_forget(struct sessions *ss, uint64_t account, const uint8_t *but);
/* The same of one, by its handle. */
void sessions_forget_one(struct sessions *ss, const uint8_t *handle);
/* By the first SESSION_HANDLE_LEN bytes of its id, which are what people call it; NULL where there is none.
 */
#define SESSION_HANDLE_LEN 8
struct session *sessions_look(struct sessions *ss, const uint8_t handle[static SESSION_HANDLE_LEN],
			      int64_t now_ns);
/* Calls each for every living one, in no order. each may not begin or end any. */
void sessions_each(struct sessions *ss, int64_t now_ns, void (*each)(void *ctx, struct session *s),
		   void *ctx);

/* Ends what is over, retries what the disk would not do, and now and then writes down when sessions were last
 * seen. Once a second. */
enum db_status sessions_sweep(struct sessions *ss, int64_t now_ns);
/* Writes down when sessions were last seen, at once. */
enum db_status sessions_flush(struct sessions *ss);
size_t sessions_count(const struct sessions *ss);

#endif
