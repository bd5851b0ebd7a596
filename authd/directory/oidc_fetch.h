/* Fetches what a provider publishes: its discovery document, then its keys. Blocks; in a process of its own,
 * which reads nothing that anybody else wrote. */
#ifndef WEIR_DIRECTORY_OIDC_FETCH_H
#define WEIR_DIRECTORY_OIDC_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "oidc_cache.h"
#include "oidc_report.h"
#include "oidc_settings.h"

/* How a process of a question reaches the provider. */
struct oidc_way {
	int sock; /* oidc_talk.h */
	struct http *http;
	const struct oidc_settings *settings;
	const char *issuer;
	const char *authorities; /* PEM */
	size_t authorities_len;
};

/* Asks, with a connection that weir-directory opens. what: "the keys". False where it has ended the report.
 */
bool oidc_ask(const struct oidc_way *w, enum talk_server which, const char *what, struct http_question *q,
	      struct http_answer *a, struct oidc_report *r);

/* False where it has ended the report. The texts of p are to be freed. */
bool oidc_fetch(const struct oidc_way *w, struct oidc_published *p, struct oidc_report *r);

#endif
