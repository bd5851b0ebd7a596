/* ID tokens (OpenID Connect Core 1.0 section 3.1.3.7): whether one is for this login, and whose it is. */
#ifndef WEIR_DIRECTORY_ID_TOKEN_H
#define WEIR_DIRECTORY_ID_TOKEN_H

#include <stdbool.h>

#include "signed_token.h"

struct oidc_settings;

struct id_token_rules {
	struct token_rules all;
	const char *nonce;        /* "": none was sent, and none may be there */
	const char *access_token; /* that it came with; NULL: none */
	int64_t max_age_s;        /* 0: any */
};

/* t is opened: its signature is good. False where it has ended the report; else the report has whose it is.
 */
bool id_token_judge(const struct signed_token *t, const struct id_token_rules *k, struct oidc_report *r);

/* What the settings ask for out of claims (of an ID token or of userinfo) into the report, where it has it
 * not yet: name, title, mail, groups. False where there are no groups, or the provider says that there are
 * more
 * (_claim_names: OpenID Connect Core 1.0 section 5.6.2). */
bool id_token_person(const struct json_doc *claims, const struct oidc_settings *s, struct oidc_report *r);

#endif
