/* Logouts that a provider of OpenID Connect tells of (Back-Channel Logout 1.0): they end sessions here. */
#ifndef WEIR_AUTHD_OIDC_LOGOUT_H
#define WEIR_AUTHD_OIDC_LOGOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/channel.h"
#include "record.h"

struct authd;

#define LOGOUTS_MAX 8 /* tokens that are being judged at a time */

/* What of a provider's session id is kept. */
void oidc_sid(const char *sid, uint8_t out[static SESSION_SID_LEN]);

/* Tokens that were taken, for as long as they could be shown again. */
struct logouts;
struct logouts *logouts_new(void);
void logouts_free(struct logouts **l);

/* OIDC_LOGOUT; false where the peer lied. Answers AUTH_OK when the sessions are over and store knows, also
 * where there were none; AUTH_DENIED where the token is not good. */
bool oidc_logout_serve(struct authd *a, struct channel *ch, const void *body, size_t len);

#endif
