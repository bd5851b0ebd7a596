/* What an account may do: its own accesses and those of its groups, and which of them counts in a tenant. */
#ifndef WEIR_AUTHD_RIGHTS_H
#define WEIR_AUTHD_RIGHTS_H

#include "db.h"
#include "policy/decide.h"
#include "record_policy.h"

#define RIGHTS_ARENA (16u << 20) /* for what rights_gather reads */
#define RIGHTS_MAX   4096        /* accesses of one account, its groups' included; more do not count */

/* What somebody has in the tenant that it works in. */
struct rights {
	uint32_t tenant; /* TENANT_PLATFORM: all */
	char tenant_name[TENANT_NAME_MAX];
	uint32_t role;           /* enum role */
	struct narrowing within; /* lives in the arena */
};

/* Its own accesses, in order, then those of its groups. */
void rights_gather(struct txn *x, uint64_t account, struct arena *arena, struct accesses *all);

/*
 * The rights in the tenant of that name ("": the first of all; "*": the platform). Of several accesses those
 * with the highest role count; where these are of one role, what each of them shows is shown, as far as one
 * narrowing can say so (places and networks are narrowed independently), otherwise what the first shows.
 * False where there are none.
 */
bool rights_choose(struct txn *x, const struct accesses *all, const char *tenant, struct arena *arena,
		   struct rights *r);

/* As policy_decide takes them: at most max into out. */
size_t rights_list(const struct accesses *all, struct right *out, size_t max);

/*
 * Whose matter it is that a becomes b: of the one tenant in which all of them lie. TENANT_PLATFORM where that
 * is no one tenant, for then it would tell each of the others; where there are none; and where some are the
 * platform's.
 */
uint32_t rights_matter(const struct accesses *a, const struct accesses *b);

/* Whether any account that is not disabled is a platform administrator; own: one of Weir's own, which comes
 * in whatever providers do. */
bool rights_any_administrator(struct txn *x, bool own);

#endif
