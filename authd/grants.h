/* The set of live grants: what was signed and has not run out. store is told of each. */
#ifndef WEIR_AUTHD_GRANTS_H
#define WEIR_AUTHD_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"
#include "policy/grant.h"
#include "sessions.h"

#define GRANTS_MAX         131072
#define GRANTS_PER_SESSION 16
#define GRANT_REUSE_S      30 /* a grant that lasts longer than this is given out again */

struct live_grant {
	struct live_grant *next, **back; /* in the set */
	struct live_grant *sibling;      /* of the same session */
	struct session *session;         /* NULL: of the command line */
	uint32_t audience_proc, audience_instance;
	struct wire_grant_live live;
	uint64_t ticket; /* of its GRANT_ADD */
	size_t len;
	uint8_t bytes[]; /* the signed grant */
};

struct grants {
	struct live_grant *first;
	size_t count;
};

/* Signs g (its id is drawn here) for a session, or for none. NULL where a bound is reached or the fields are
 * out of bounds. */
struct live_grant *grants_issue(struct grants *set, struct grant *g,
				const uint8_t secret[static GRANT_SIGN_SECRET], struct session *session);
/* A grant of the session for this audience that lasts long enough to be given out again, or NULL. */
struct live_grant *grants_reusable(const struct session *s, uint32_t proc, uint32_t instance, int64_t now_ns);
void grants_drop(struct grants *set, struct live_grant *g);
/* Drops those that have run out, and those of a future from which the clock was set back: nobody need be
 * told. */
void grants_sweep(struct grants *set, int64_t now_ns);

#endif
