/*
 * Who a request says that it is: a session's cookie, an API token or (to the guide's API) a name and
 * password, and the tenant that it wants to work in. Pure: headers in, verdict out; whether it is true is
 * authd's to say.
 */
#ifndef WEIR_HTTPD_CREDENTIAL_H
#define WEIR_HTTPD_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/wire.h"

#define CREDENTIAL_KEY_BYTES 32

enum credential_kind { CREDENTIAL_NONE, CREDENTIAL_COOKIE, CREDENTIAL_TOKEN, CREDENTIAL_BASIC };

struct credential {
	enum credential_kind kind;
	uint8_t cookie[COOKIE_BYTES];
	char token[API_TOKEN_MAX]; /* as it came */
	char name[ACCOUNT_NAME_MAX];
	char password[PASSWORD_MAX];
	char tenant[TENANT_TEXT_MAX]; /* "": the default */
};

enum credential_verdict {
	CREDENTIAL_GOOD,     /* kind says which, or that there is none */
	CREDENTIAL_BOTH,     /* a cookie and a token at once: two people */
	CREDENTIAL_NO_TOKEN, /* an Authorization header that carries no token of ours */
	CREDENTIAL_NO_TENANT /* a Weir-Tenant header that can be no tenant's name */
};

/* Reads the headers Cookie, Authorization and Weir-Tenant, each of which may be NULL. A cookie that is none
 * of ours is no identity; a token that is none is refused. */
enum credential_verdict credential_read(struct credential *c, const char *cookie, const char *authorization,
					const char *tenant);
/* The same for the guide's API, whose clients also send "Basic" (RFC 7617) and "Token", ntopng's word. */
enum credential_verdict credential_read_guide(struct credential *c, const char *cookie,
					      const char *authorization, const char *tenant);
/* The name of a tenant, as a header or parameter has it; false where it can be none. */
bool credential_set_tenant(struct credential *c, const char *tenant);
/* What a grant is kept under: keyed, so that no secret stands in the table. The grant of a token or a
 * password is for one client's address alone, since authd judges where they come from. */
void credential_key(const struct credential *c, const struct ip_addr *ip, const uint8_t *secret,
		    size_t secret_len, uint8_t key[static CREDENTIAL_KEY_BYTES]);
/* Whether both would be kept under one key. */
bool credential_same(const struct credential *a, const struct ip_addr *a_ip, const struct credential *b,
		     const struct ip_addr *b_ip);
void credential_wipe(struct credential *c);

#endif
