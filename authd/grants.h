/* The set of live grants: what was signed and has not run out. store is told of each. */
#ifndef WEIR_AUTHD_GRANTS_H
#define WEIR_AUTHD_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "holder.h"
#include "ipc/wire.h"
#include "policy/grant.h"
#include "policy/snapshot.h"

#define GRANTS_MAX        131072
#define GRANTS_PER_HOLDER 16
#define GRANT_REUSE_S     30 /* a grant that lasts longer than this is given out again */
#define GRANTS_BUCKETS    16384

/* What an answer says of a grant in words, and what it was asked for as. */
struct grant_words {
	char name[ACCOUNT_NAME_MAX];       /* of the account */
	char tenant_name[TENANT_NAME_MAX]; /* "*": the platform */
	bool is_default;                   /* no tenant was asked for */
};

struct live_grant {
	struct live_grant *next, **back; /* in the set */
	struct live_grant *collides;     /* in its bucket */
	struct live_grant *sibling;      /* of the same holder */
	struct holder *holder;           /* NULL: of the command line */
	uint32_t audience_proc, audience_instance;
	uint32_t tenant, role;
	uint64_t rights; /* the same of each grant that allows the same */
	struct grant_words words;
	struct wire_grant_live live;
	uint64_t ticket; /* of its GRANT_ADD */
	size_t len;
	uint8_t bytes[]; /* the signed grant */
};

struct grants {
	struct live_grant *first;
	size_t count;
	struct live_grant *bucket[GRANTS_BUCKETS];
};

/* Signs g (its id is drawn here) for a holder, or for none. words may be NULL. NULL where a bound is reached
 * or the fields are out of bounds. */
struct live_grant *grants_issue(struct grants *set, struct grant *g,
				const uint8_t secret[static GRANT_SIGN_SECRET], struct holder *holder,
				const struct grant_words *words);
/* A grant of the holder for this audience, in the tenant of that name ("": its default), that lasts long
 * enough to be given out again, or NULL. */
struct live_grant *grants_reusable(const struct holder *h, uint32_t proc, uint32_t instance,
				   const char *tenant, int64_t now_ns);
/* The one of a holder that ends first where it has as many as it may; NULL: there is room. */
struct live_grant *grants_surplus(const struct holder *h);
/* By its id; NULL where there is none. */
struct live_grant *grants_find(struct grants *set, const uint8_t id[static GRANT_ID_LEN]);
void grants_drop(struct grants *set, struct live_grant *g);
/* Drops those that have run out, and those of a future from which the clock was set back: nobody need be
 * told. */
void grants_sweep(struct grants *set, int64_t now_ns);

#endif
