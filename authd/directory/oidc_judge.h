/* Answers a question about a provider whose documents are known: exchanges a code, judges tokens, asks
 * userinfo. Blocks; in a process of its own. */
#ifndef WEIR_DIRECTORY_OIDC_JUDGE_H
#define WEIR_DIRECTORY_OIDC_JUDGE_H

#include "oidc_fetch.h"

/* Ends the report. d lives as long as the report. */
void oidc_judge(const struct oidc_way *w, const struct wire_oidc_ask *ask, const struct oidc_published *p,
		struct discovery *d, struct oidc_report *r);

#endif
