#include "http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/log.h"
#include "base/mem.h"

#define HEADERS_MAX (64u << 10) /* bytes of all headers of an answer */
#define RESOLVE_MAX (DIAL_HOST_MAX + 64)

struct http {
	CURL *curl;
	/* Of the question that is asked. */
	int fd;
	size_t max, nheaders, room;
	struct http_answer *answer;
};

void
http_warm(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatalx("libcurl could not be set up");
}

struct http *
http_new(void)
{
	struct http *h = mem_calloc(1, sizeof(*h));

	h->fd = -1;
	h->curl = curl_easy_init();
	if (h->curl == NULL)
		fatalx("libcurl could not be set up");
	/* A transfer that fails at its first step leaves behind all that a handle needs for another: the pair
	 * of sockets by which the library wakes itself, above all. */
	(void)curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h->curl, CURLOPT_URL, "weir:");
	(void)curl_easy_perform(h->curl);
	return h;
}

void
http_free(struct http **h)
{
	if (*h == NULL)
		return;
	curl_easy_cleanup((*h)->curl);
	free(*h);
	*h = NULL;
}

/* --- URLs --- */

static bool
is_host(const char *host)
{
	size_t len = strlen(host);
	struct ip_addr ip;

	if (ip_parse(host, &ip))
		return true;
	if (len == 0 || len >= DIAL_HOST_MAX || host[0] == '.' || host[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)host[i];

		if (!(isascii(c) && isalnum(c)) && c != '-' && c != '.' && c != '_')
			return false;
	}
	return true;
}

/* A part of it, to be freed by curl_free; NULL: it has none. */
static char *
part(CURLU *u, CURLUPart what)
{
	char *text = NULL;

	return curl_url_get(u, what, &text, what == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK
		   ? text
		   : NULL;
}

static bool
take_host(char *text, char *port, struct http_server *s)
{
	size_t len = text == NULL ? 0 : strlen(text);
	unsigned long n = port == NULL ? 0 : strtoul(port, NULL, 10);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		memmove(text, text + 1, len - 2);
		text[len - 2] = '\0';
	}
	s->port = (uint16_t)n;
	return text != NULL && n > 0 && n <= UINT16_MAX && is_host(text) &&
	       str_copy(s->host, sizeof(s->host), text);
}

bool
http_where(const char *url, bool insecure, struct http_server *s, char *err, size_t errsize)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL, *fragment = NULL;
	bool good = false;

	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
		scheme = part(u, CURLUPART_SCHEME);
		host = part(u, CURLUPART_HOST);
		port = part(u, CURLUPART_PORT);
		user = part(u, CURLUPART_USER);
		fragment = part(u, CURLUPART_FRAGMENT);
		good = scheme != NULL &&
		       (strcmp(scheme, "https") == 0 || (insecure && strcmp(scheme, "http") == 0)) &&
		       user == NULL && fragment == NULL && take_host(host, port, s);
	}
	if (!good)
		(void)snprintf(err, errsize, "%.150s is no %s URL of a host", url,
			       insecure ? "https:// or http://" : "https://");
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(user);
	curl_free(fragment);
	curl_url_cleanup(u);
	return good;
}

/* --- the library's questions to us --- */

static curl_socket_t
give_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *h = ctx;
	int fd = h->fd;

	(void)purpose;
	(void)address;
	h->fd = -1; /* a second one there is not */
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

static int
is_connected(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	(void)ctx;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static size_t
take_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;

	(void)bytes;
	h->nheaders += size * n;
	return h->nheaders > HEADERS_MAX ? 0 : size * n;
}

static size_t
take_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;
	struct http_answer *a = h->answer;
	size_t len = size * n;

	if (len > h->max - a->len)
		return 0;
	if (len > h->room - a->len) {
		size_t room = a->len + len > h->max / 2 ? h->max : 2 * (a->len + len);
		char *more = mem_calloc(room + 1, 1);

		/* The former may hold a token. */
		if (a->body != NULL) {
			memcpy(more, a->body, a->len);
			sodium_memzero(a->body, a->len);
			free(a->body);
		}
		a->body = more;
		h->room = room;
	}
	memcpy(a->body + a->len, bytes, len);
	a->len += len;
	return len;
}

/* --- asking --- */

static struct curl_slist *
headers_of(const struct http_question *q)
{
	struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json"), *more;
	char *line;

	if (q->authorization == NULL || list == NULL)
		return list;
	line = mem_calloc(strlen(q->authorization) + sizeof("Authorization: "), 1);
	(void)memcpy(line, "Authorization: ", sizeof("Authorization: "));
	(void)memcpy(line + sizeof("Authorization: ") - 1, q->authorization, strlen(q->authorization));
	more = curl_slist_append(list, line);
	sodium_memzero(line, strlen(line));
	free(line);
	return more == NULL ? list : more;
}

/* The name is looked up by dial: here any address will do, and none is asked for. */
static struct curl_slist *
resolve_of(const struct http_server *s)
{
	char text[RESOLVE_MAX];
	struct ip_addr ip;
	bool six = ip_parse(s->host, &ip) && !ip_is_v4(&ip);

	(void)snprintf(text, sizeof(text), "%s%s%s:%u:192.0.2.1", six ? "[" : "", s->host, six ? "]" : "",
		       s->port);
	return curl_slist_append(NULL, text);
}

static bool
set_options(struct http *h, const struct http_question *q, struct curl_slist *headers,
	    struct curl_slist *resolve, char why[static CURL_ERROR_SIZE])
{
	CURL *c = h->curl;
	struct curl_blob pem = { .data = (void *)(uintptr_t)q->authorities,
				 .len = q->authorities_len,
				 .flags = CURL_BLOB_NOCOPY };
	bool good = headers != NULL && resolve != NULL;

	curl_easy_reset(c);
#define SET(option, value) good = good && curl_easy_setopt(c, option, value) == CURLE_OK
	SET(CURLOPT_ERRORBUFFER, why);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_URL, q->url);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, q->insecure ? "https,http" : "https");
#else
	SET(CURLOPT_PROTOCOLS,
	    q->insecure ? (long)(CURLPROTO_HTTPS | CURLPROTO_HTTP) : (long)CURLPROTO_HTTPS);
#endif
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_TCP_NODELAY, 0L); /* dial's socket is as it is */
	SET(CURLOPT_RESOLVE, resolve);
	SET(CURLOPT_OPENSOCKETFUNCTION, give_socket);
	SET(CURLOPT_OPENSOCKETDATA, h);
	SET(CURLOPT_SOCKOPTFUNCTION, is_connected);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAINFO_BLOB, &pem);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, h);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, h);
	if (q->form != NULL)
		SET(CURLOPT_POSTFIELDS, q->form);
#undef SET
	return good;
}

static bool
is_json(CURL *c)
{
	char *type = NULL;
	size_t len;

	if (curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK || type == NULL)
		return false;
	len = strcspn(type, "; \t");
	return (len == 16 && strncasecmp(type, "application/json", len) == 0) ||
	       (len == 24 && strncasecmp(type, "application/jwk-set+json", len) == 0);
}

static void
say_why(const struct http *h, CURLcode rc, const char *detail, char *err, size_t errsize)
{
	const char *words = detail[0] == '\0' ? curl_easy_strerror(rc) : detail;

	if (rc == CURLE_PEER_FAILED_VERIFICATION)
		(void)snprintf(err, errsize, "its certificate is not good: %.150s", words);
	else if (rc == CURLE_WRITE_ERROR)
		(void)snprintf(err, errsize,
			       "its answer is longer than %zu bytes, or has headers of more than %u", h->max,
			       HEADERS_MAX);
	else
		(void)snprintf(err, errsize, "no answer over HTTP: %.150s", words);
}

bool
http_ask(struct http *h, int fd, const struct http_question *q, struct http_answer *a, char *err,
	 size_t errsize)
{
	struct curl_slist *headers = headers_of(q), *resolve = NULL;
	char why[CURL_ERROR_SIZE] = "";
	struct http_server where;
	CURLcode rc = CURLE_FAILED_INIT;

	memset(a, 0, sizeof(*a));
	h->fd = fd;
	h->max = q->max;
	h->nheaders = h->room = 0;
	h->answer = a;
	if (!http_where(q->url, q->insecure, &where, err, errsize)) {
		curl_slist_free_all(headers);
		close(fd);
		return false;
	}
	resolve = resolve_of(&where);
	if (set_options(h, q, headers, resolve, why))
		rc = curl_easy_perform(h->curl);
	if (rc == CURLE_OK && curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &a->status) == CURLE_OK)
		a->json = is_json(h->curl);
	else
		say_why(h, rc, why, err, errsize);
	/* Nothing of ours that ends now may be looked at by a later one. */
	curl_easy_reset(h->curl);
	curl_slist_free_all(headers);
	curl_slist_free_all(resolve);
	if (h->fd != -1)
		close(h->fd);
	h->fd = -1;
	if (rc != CURLE_OK) {
		http_answer_free(a);
		return false;
	}
	if (a->body == NULL)
		a->body = mem_calloc(1, 1);
	return true;
}

void
http_answer_free(struct http_answer *a)
{
	if (a->body != NULL)
		sodium_memzero(a->body, a->len);
	free(a->body);
	memset(a, 0, sizeof(*a));
}

char *
http_escape(const char *text)
{
	char *curls = curl_easy_escape(NULL, text, (int)strlen(text)), *out;

	if (curls == NULL)
		fatalx("no memory for a text of %zu bytes", strlen(text));
	out = mem_strdup(curls);
	sodium_memzero(curls, strlen(curls));
	curl_free(curls);
	return out;
}
