#include "oidc_fetch.h"

#include <string.h>

#include "discovery.h"
#include "keyset.h"

#define HTTP_OK 200

bool
oidc_ask(const struct oidc_way *w, enum talk_server which, const char *what, struct http_question *q,
	 struct http_answer *a, struct oidc_report *r)
{
	struct http_server server;
	char err[256];
	int fd;

	q->insecure = w->settings->insecure_http;
	q->authorities = w->authorities;
	q->authorities_len = w->authorities_len;
	if (!http_where(q->url, q->insecure, &server, err, sizeof(err))) {
		oidc_report_end(r, OIDC_REFUSED, "%s: %s", what, err);
		return false;
	}
	fd = talk_connect(w->sock, which, &server, err, sizeof(err));
	if (fd == -1) {
		oidc_report_end(r, OIDC_UNAVAILABLE, "%s, at %.120s port %u: %s", what, server.host,
				server.port, err);
		return false;
	}
	if (!http_ask(w->http, fd, q, a, err, sizeof(err))) {
		oidc_report_end(r, OIDC_UNAVAILABLE, "%s, at %.120s port %u: %s", what, server.host,
				server.port, err);
		return false;
	}
	oidc_report_step(r, "%s: %.200s answers with status %ld and %zu bytes", what, q->url, a->status,
			 a->len);
	return true;
}

/* A document that must be there. */
static bool
get(const struct oidc_way *w, const char *what, const char *url, size_t max, struct http_answer *a,
    struct oidc_report *r)
{
	struct http_question q = { .url = url, .max = max };

	if (!oidc_ask(w, TALK_GIVEN, what, &q, a, r))
		return false;
	if (a->status == HTTP_OK)
		return true;
	if (a->status >= 500)
		oidc_report_end(r, OIDC_UNAVAILABLE, "%s: status %ld", what, a->status);
	else if (a->status >= 300 && a->status < 400)
		oidc_report_end(r, OIDC_REFUSED, "%s: it leads elsewhere (status %ld), which is not followed",
				what, a->status);
	else
		oidc_report_end(r, OIDC_REFUSED, "%s: status %ld: is the issuer right?", what, a->status);
	http_answer_free(a);
	return false;
}

static bool
take_server(const struct oidc_way *w, const char *url, const char *what, struct http_server *s,
	    struct oidc_report *r)
{
	char err[256];

	if (url == NULL || http_where(url, w->settings->insecure_http, s, err, sizeof(err)))
		return true;
	oidc_report_end(r, OIDC_REFUSED, "%s: %s", what, err);
	return false;
}

static bool
fetch_keys(const struct oidc_way *w, const char *url, struct http_answer *a, struct oidc_report *r)
{
	struct keyset k;
	char err[256];

	if (!get(w, "the keys", url, KEYSET_MAX, a, r))
		return false;
	if (keyset_read(a->body, a->len, &k, err, sizeof(err))) {
		oidc_report_step(r, "the keys: there are %zu", k.n);
		keyset_free(&k);
		return true;
	}
	oidc_report_end(r, OIDC_UNAVAILABLE, "the keys: %s", err);
	http_answer_free(a);
	return false;
}

bool
oidc_fetch(const struct oidc_way *w, struct oidc_published *p, struct oidc_report *r)
{
	char url[OIDC_URL_MAX + 64], err[400];
	struct http_answer document, keys;
	struct discovery d;
	bool good;

	memset(p, 0, sizeof(*p));
	if (!discovery_url(w->issuer, url, sizeof(url))) {
		oidc_report_end(r, OIDC_REFUSED, "the issuer is too long");
		return false;
	}
	if (!get(w, "the discovery document", url, DISCOVERY_MAX, &document, r))
		return false;
	if (!discovery_read(document.body, document.len, w->issuer, w->settings->insecure_http, &d, err,
			    sizeof(err))) {
		oidc_report_end(r, OIDC_REFUSED, "the discovery document: %s", err);
		http_answer_free(&document);
		return false;
	}
	good = take_server(w, d.token_endpoint, "token_endpoint", &p->server[TALK_TOKEN_ENDPOINT], r) &&
	       take_server(w, d.userinfo_endpoint, "userinfo_endpoint", &p->server[TALK_USERINFO], r) &&
	       fetch_keys(w, d.jwks_uri, &keys, r);
	discovery_free(&d);
	if (!good) {
		http_answer_free(&document);
		return false;
	}
	p->document = document.body;
	p->document_len = document.len;
	p->keys = keys.body;
	p->keys_len = keys.len;
	return true;
}
