/* From a session or token to a grant: what its account may do now, in the tenant that is asked for. */
#ifndef WEIR_AUTHD_GRANTING_H
#define WEIR_AUTHD_GRANTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "grants.h"
#include "reply.h"

struct authd;
struct token;

/*
 * A grant for the asker, in the tenant of that name ("": the holder's first). token: what a HOLDER_TOKEN is,
 * otherwise NULL. DB_NONE: the account is gone or disabled, or has nothing there. DB_EXISTS: too many grants
 * are live.
 */
enum db_status granting_get(struct authd *a, const struct return_address *to, struct holder *h,
			    const char *tenant, const struct token *token, struct live_grant **out);

/* Answers with the grant, once store has it; the statuses above become AUTH_DENIED, AUTH_BUSY and
 * AUTH_UNAVAILABLE. cookie NULL: the asker has it. Returns granting_get's word. */
enum db_status granting_answer(struct authd *a, const struct return_address *to, uint64_t request,
			       struct holder *h, const char *tenant, const struct token *token,
			       const uint8_t *cookie);

/* Takes back every grant of a holder. */
void granting_revoke(struct authd *a, struct holder *h);
/* ... of every session and token of these accounts (ascending), and of every holder that works in a tenant
 * (0: none). */
void granting_revoke_accounts(struct authd *a, const uint64_t *account, size_t n);
void granting_revoke_tenant(struct authd *a, uint32_t tenant);

/* Whether the settings ask an account with this role for a second factor. */
bool granting_wants_factor(const struct authd *a, uint32_t role);
/* Whether they ask this one for what it has in that tenant ("", or where it has nothing there: its first),
 * and it has none. */
bool granting_lacks_factor(struct authd *a, uint64_t account, const char *tenant);

#endif
