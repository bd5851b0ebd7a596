/*
 * Tokens in compact form (JWT, RFC 7519): whether the provider has signed one, with what it may be signed
 * with. What the claims say is judged by who asks: id_token.h, logout_token.h.
 *
 * No word of the token is believed before its signature is good, but the two that choose the key: alg, which
 * must be among those that the settings allow, and kid. Keys come from the provider's set alone (jku, jwk and
 * x5u are not looked at), and an extension that must be understood (crit) is refused.
 */
#ifndef WEIR_DIRECTORY_SIGNED_TOKEN_H
#define WEIR_DIRECTORY_SIGNED_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyset.h"
#include "oidc_report.h"

#define TOKEN_MAX (16u << 10) /* bytes */

struct json_doc;

struct signed_token {
	const struct oidc_algorithm *algorithm;
	struct json_doc *claims;
	char type[32]; /* the header's typ; "": none */
	bool rotated;  /* it failed, and the provider's keys may have changed since the set was fetched */
};

/* algorithms: bits of oidc_algorithm_index. False where it has ended the report, with the reason. */
bool signed_token_open(const char *text, size_t len, uint32_t algorithms, const struct keyset *keys,
		       struct signed_token *t, struct oidc_report *r);
void signed_token_free(struct signed_token *t);

/* --- claims that all tokens share; each false where it has ended the report --- */

struct token_rules {
	const char *issuer, *client_id;
	int64_t now_s, skew_s;
};

bool token_issuer_and_audience(const struct json_doc *claims, const struct token_rules *k,
			       struct oidc_report *r);
/* iat must be there, exp where it is needed, nbf need not. Into the report. */
bool token_times(const struct json_doc *claims, const struct token_rules *k, bool needs_exp,
		 struct oidc_report *r);
/* A text of 1..REPORT_TEXT_MAX-1 bytes, to be freed; NULL where it is not there or is something else. */
char *token_text(const struct json_doc *claims, const char *claim);

#endif
