/* Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4): whether one ends a session, and whose.
 */
#ifndef WEIR_DIRECTORY_LOGOUT_TOKEN_H
#define WEIR_DIRECTORY_LOGOUT_TOKEN_H

#include <stdbool.h>

#include "signed_token.h"

/* One without exp, which older providers send, counts this long. */
#define LOGOUT_TOKEN_S 600

/* t is opened: its signature is good. False where it has ended the report; else the report has sub or sid,
 * and jti. */
bool logout_token_judge(const struct signed_token *t, const struct token_rules *k, struct oidc_report *r);

#endif
