/* Which servers the settings name: those that dial opens connections to, and no others, whoever asks. */
#ifndef WEIR_DIAL_NAMED_H
#define WEIR_DIAL_NAMED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"

/* Whether a port of a host is a directory's (ldap.servers, ldap.referrals) or a provider's (oidc[].issuer,
 * oidc[].hosts). */
bool named_has(const struct settings *s, const char *host, uint16_t port);

#endif
