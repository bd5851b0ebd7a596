/* Somebody who wants to come in: the request while it is being judged, and how it ends. */
#ifndef WEIR_AUTHD_ATTEMPT_H
#define WEIR_AUTHD_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "reply.h"
#include "sessions.h"
#include "throttle.h"

struct authd;

#define JUDGED_LEN 16

struct attempt {
	struct authd *a;
	struct return_address to;
	uint64_t request;
	uint64_t account;           /* 0: nobody's, or not known yet */
	uint8_t judged[JUDGED_LEN]; /* which hash its password is judged by: a fingerprint of that */
	char name[ACCOUNT_NAME_MAX];
	char from[IP_TEXT_MAX];
	struct wire_client client;
	struct throttle_attempt charge;
	struct session_origin origin; /* of the session that it opens */
	int64_t session_ns;           /* longest that this may last; 0: as all */
	int64_t began_ns;             /* clock_boot_ns */
	bool by_password;             /* a name and a password are judged, whoever's they are */
	bool unasked;                 /* who would know could not be asked */
	char because[160];            /* why it was refused, for the record; "": not known */
};

struct attempt *attempt_new(struct authd *a, const struct channel *ch, uint64_t request, const char *name,
			    const struct wire_client *client);

/* Each of these answers and frees it. */
void attempt_end(struct attempt *t, enum auth_status status, const char *detail);
/* It was no guess: nothing was judged, or the disk would not have it. */
void attempt_excuse(struct attempt *t, enum auth_status status, const char *detail);
void attempt_unwritable(struct attempt *t, enum db_status why);
/* It was wrong, and is kept on record. why is for the record only; may be NULL. */
void attempt_refuse(struct attempt *t, const char *why);
/* What is written down where it is refused without another reason. */
void attempt_because(struct attempt *t, const char *why);
void attempt_throttled(struct attempt *t, uint32_t retry_s);

/*
 * It was right: begins a session, writes down that somebody came in, and answers with a grant. also is
 * written in the same transaction and may fail it: with DB_NONE the attempt was wrong after all. Returns
 * whether it was right.
 */
bool attempt_admit(struct attempt *t, sessions_also *also, void *ctx);
/*
 * It was right, but no session begins: writes down that somebody came in, by this kind of credential. Returns
 * whether he may; otherwise it has ended.
 */
bool attempt_note(struct attempt *t, const char *credential);

#endif
