#include "logout_token.h"

#include <string.h>

#include "base/json_read.h"

#define EVENT "http://schemas.openid.net/event/backchannel-logout"

static bool
ends_a_session(const struct json_doc *claims)
{
	const struct json_node *events = json_node_member(json_root(claims), "events");

	return json_node_kind(json_node_member(events, EVENT)) == JSON_KIND_OBJECT;
}

static bool
judge_age(const struct token_rules *k, struct oidc_report *r)
{
	int64_t ago = k->now_s - r->issued_s;

	if (r->expires_s != 0 || ago <= LOGOUT_TOKEN_S + k->skew_s)
		return true;
	oidc_report_end(r, OIDC_EXPIRED, "it was issued %lld s ago, and does not say how long it counts",
			(long long)ago);
	return false;
}

bool
logout_token_judge(const struct signed_token *t, const struct token_rules *k, struct oidc_report *r)
{
	if (t->type[0] != '\0' && strcasecmp(t->type, "logout+jwt") != 0 && strcasecmp(t->type, "JWT") != 0) {
		oidc_report_end(r, OIDC_NO_LOGOUT, "typ is %.30s", t->type);
		return false;
	}
	if (!token_issuer_and_audience(t->claims, k, r) || !token_times(t->claims, k, false, r) ||
	    !judge_age(k, r))
		return false;
	/* An ID token has a nonce and no events: it can never stand for one of these. */
	if (json_node_member(json_root(t->claims), "nonce") != NULL || !ends_a_session(t->claims)) {
		oidc_report_end(r, OIDC_NO_LOGOUT, "its events do not say so, or it has a nonce");
		return false;
	}
	r->sub = token_text(t->claims, "sub");
	r->sid = token_text(t->claims, "sid");
	r->jti = token_text(t->claims, "jti");
	if (r->jti != NULL && (r->sub != NULL || r->sid != NULL))
		return true;
	oidc_report_end(r, OIDC_MALFORMED, "it has no jti, or neither sub nor sid");
	return false;
}
