/*
 * One question over HTTP on a connection that is open already, and its answer. Wraps libcurl, which opens,
 * resolves and follows nothing here: redirects are answers, proxies and cookies do not exist.
 */
#ifndef WEIR_DIRECTORY_HTTP_H
#define WEIR_DIRECTORY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct http;

/* Initialises the library. Before the sandbox. Dies where it cannot. */
void http_warm(void);

/* In a process that will ask: what the library needs of the system it takes now. Before the process is
 * narrowed. */
struct http *http_new(void);
void http_free(struct http **h);

struct http_server {
	char host[DIAL_HOST_MAX]; /* a name or an address, without brackets */
	uint16_t port;
};

/* Where a URL leads. insecure: http:// is taken too. False with a sentence: names of users, fragments and
 * what cannot be a name of a host are refused. */
bool http_where(const char *url, bool insecure, struct http_server *s, char *err, size_t errsize);

struct http_question {
	const char *url;
	bool insecure;           /* http:// is taken too */
	const char *authorities; /* PEM */
	size_t authorities_len;
	const char *form;          /* application/x-www-form-urlencoded to be posted; NULL: it is fetched */
	const char *authorization; /* of the header; NULL: none */
	size_t max;                /* bytes of the answer */
};

struct http_answer {
	long status; /* of HTTP */
	char *body;  /* terminated, to be wiped and freed by http_answer_free */
	size_t len;
	bool json; /* it calls itself so */
};

/* Takes fd, to the server of the URL. False with a sentence, where there is no whole answer. */
bool http_ask(struct http *h, int fd, const struct http_question *q, struct http_answer *a, char *err,
	      size_t errsize);
void http_answer_free(struct http_answer *a);

/* The text as a value of a form (RFC 6749 appendix B), to be freed. */
char *http_escape(const char *text);

#endif
