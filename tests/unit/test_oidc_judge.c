/* A question about a provider from its first byte to its answer, over HTTP: the provider and weir-directory
 * are played by a thread, so that it can be run under sanitizers. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/sealed.h"
#include "oidc_fetch.h"
#include "oidc_judge.h"
#include "token_maker.h"

#define ISSUER   "http://id.example.com:8080"
#define MESSAGE  65536u
#define SETTINGS "{\"client_id\":\"weir\",\"redirect_uri\":\"https://weir/cb\",\"insecure_http\":true}"
#define DISCOVERY                                                                                            \
	"{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"" ISSUER                                    \
	"/auth\",\"token_endpoint\":\"" ISSUER "/token\",\"jwks_uri\":\"" ISSUER                             \
	"/jwks\",\"userinfo_endpoint\":\"" ISSUER "/me\"}"

/* What is answered, in this order, and what was asked. */
struct play {
	int sock;
	const char *answer[8];
	size_t nanswers;
	const char *keys; /* newer ones */
	char asked[8][MESSAGE];
	size_t nasked;
	pthread_t thread;
};

/* What libcurl calls, as the filter of such a process answers it: nothing is done. */
int
connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	(void)fd;
	(void)to;
	(void)len;
	return 0;
}

static struct maker_key *key, *next_key;
static struct http *http;

static int
set_up(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	http_warm();
	http = http_new();
	key = maker_ec(256);
	next_key = maker_ec(256);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	maker_key_free(&key);
	maker_key_free(&next_key);
	http_free(&http);
	return 0;
}

/* Reads the whole question, headers and what Content-Length says. */
static void
hear_question(int fd, char *into)
{
	size_t n = 0, need = 0;
	ssize_t got;
	char *body, *length;

	while ((need == 0 || n < need) && (got = read(fd, into + n, MESSAGE - 1 - n)) > 0) {
		n += (size_t)got;
		into[n] = '\0';
		body = strstr(into, "\r\n\r\n");
		length = strstr(into, "Content-Length: ");
		if (body != NULL && need == 0)
			need =
			    (size_t)(body - into) + 4 + (length == NULL ? 0 : strtoul(length + 16, NULL, 10));
	}
}

static void
serve_connection(struct play *p)
{
	int pair[2];
	const char *answer = p->nasked < p->nanswers ? p->answer[p->nasked] : NULL;

	if (answer == NULL) {
		(void)talk_reply(p->sock, -1, 0, "the connection is refused");
		return;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(talk_reply(p->sock, pair[0], 0, NULL));
	close(pair[0]);
	hear_question(pair[1], p->asked[p->nasked++]);
	(void)!write(pair[1], answer, strlen(answer));
	close(pair[1]);
}

static void *
be_directory(void *arg)
{
	struct play *p = arg;
	struct talk_reader r = { .nhead = 0 };

	while (talk_read(p->sock, &r) == TALK_WHOLE) {
		if (r.head.kind == TALK_CONNECT)
			serve_connection(p);
		else if (p->keys == NULL)
			(void)talk_reply(p->sock, -1, 0, "they were fetched a moment ago");
		else {
			int fd = sealed_write("keys", p->keys, strlen(p->keys));

			(void)talk_reply(p->sock, fd, strlen(p->keys), NULL);
			close(fd);
		}
		talk_next(&r);
	}
	talk_next(&r);
	close(p->sock);
	return NULL;
}

/* The other end, for what is tested. */
static int
begin(struct play *p)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	p->sock = pair[0];
	assert_int_equal(pthread_create(&p->thread, NULL, be_directory, p), 0);
	return pair[1];
}

static void
end(struct play *p, int sock)
{
	close(sock);
	(void)pthread_join(p->thread, NULL);
}

static char *
ok(const char *body)
{
	char *text = mem_calloc(strlen(body) + 128, 1);

	(void)snprintf(text, strlen(body) + 128,
		       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		       strlen(body), body);
	return text;
}

static char *
keys_of(const struct maker_key *k, const char *kid)
{
	char *jwk = maker_public(k, kid, ""), *set = mem_calloc(strlen(jwk) + 32, 1);

	(void)snprintf(set, strlen(jwk) + 32, "{\"keys\":[%s]}", jwk);
	free(jwk);
	return set;
}

static char *
tokens(const struct maker_key *k, const char *kid, const char *more)
{
	char claims[512], *token, *body = mem_calloc(4096, 1), *answer;
	long long now = clock_utc_ns() / NS_PER_S;

	(void)snprintf(claims, sizeof(claims),
		       "{\"iss\":\"" ISSUER
		       "\",\"aud\":\"weir\",\"sub\":\"u1\",\"nonce\":\"n\",\"iat\":%lld,\"exp\":%lld%s}",
		       now, now + 300, more);
	token = maker_sign(k, "ES256", kid, NULL, claims);
	(void)snprintf(body, 4096, "{\"access_token\":\"at\",\"token_type\":\"Bearer\",\"id_token\":\"%s\"}",
		       token);
	answer = ok(body);
	free(token);
	free(body);
	return answer;
}

/* --- fetching --- */

static enum oidc_verdict
fetched(struct play *p, struct oidc_published *out)
{
	struct oidc_report *r = oidc_report_new();
	struct oidc_settings s;
	struct oidc_way w = { .http = http, .settings = &s, .issuer = ISSUER, .authorities = "" };
	enum oidc_verdict v = OIDC_RIGHT;
	char err[160];

	assert_true(oidc_settings_read(SETTINGS, strlen(SETTINGS), &s, err, sizeof(err)));
	w.sock = begin(p);
	if (!oidc_fetch(&w, out, r))
		v = r->verdict;
	end(p, w.sock);
	oidc_settings_free(&s);
	oidc_report_free(&r);
	return v;
}

static void
documents_are_fetched(void **state)
{
	static struct play p, wrong;
	char *keys = keys_of(key, "k"), *first = ok(DISCOVERY), *second = ok(keys);
	struct oidc_published got;
	static const char *const bad[] = {
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"nonsense",
		"",
	};

	(void)state;
	p.answer[0] = first;
	p.answer[1] = second;
	p.nanswers = 2;
	assert_int_equal(fetched(&p, &got), OIDC_RIGHT);
	assert_memory_equal(got.document, DISCOVERY, strlen(DISCOVERY));
	assert_memory_equal(got.keys, keys, strlen(keys));
	assert_string_equal(got.server[TALK_TOKEN_ENDPOINT].host, "id.example.com");
	assert_int_equal(got.server[TALK_USERINFO].port, 8080);
	assert_non_null(strstr(
	    p.asked[0], "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: id.example.com:8080\r\n"));
	assert_non_null(strstr(p.asked[1], "GET /jwks HTTP/1.1"));
	free((void *)(uintptr_t)got.document);
	free((void *)(uintptr_t)got.keys);
	for (size_t i = 0; i < 2 * ARRAY_LEN(bad); i++) {
		memset(&wrong, 0, sizeof(wrong));
		wrong.answer[0] = i < ARRAY_LEN(bad) ? bad[i] : first;
		wrong.answer[1] = bad[i % ARRAY_LEN(bad)];
		wrong.nanswers = 2;
		if (fetched(&wrong, &got) == OIDC_RIGHT)
			fail_msg("answer %zu is taken", i);
	}
	free(keys);
	free(first);
	free(second);
}

/* --- judging --- */

static enum oidc_verdict
judged(struct play *p, const char *known_keys, const char *settings, struct oidc_report **report)
{
	static struct wire_oidc_ask ask;
	struct oidc_report *r = oidc_report_new();
	struct oidc_settings s;
	struct discovery d = { .doc = NULL };
	struct oidc_way w = { .http = http, .settings = &s, .issuer = ISSUER, .authorities = "" };
	const struct oidc_published known = { .document = DISCOVERY,
					      .document_len = strlen(DISCOVERY),
					      .keys = known_keys,
					      .keys_len = strlen(known_keys) };
	enum oidc_verdict v;
	char err[160];

	ask = (struct wire_oidc_ask){ .what = OIDC_CODE };
	(void)str_copy(ask.secret, sizeof(ask.secret), "s:&=%");
	(void)str_copy(ask.verifier, sizeof(ask.verifier), "verifier");
	(void)str_copy(ask.nonce, sizeof(ask.nonce), "n");
	(void)str_copy(ask.proof, sizeof(ask.proof), "the code&x=1");
	assert_true(oidc_settings_read(settings, strlen(settings), &s, err, sizeof(err)));
	w.sock = begin(p);
	oidc_judge(&w, &ask, &known, &d, r);
	end(p, w.sock);
	v = r->verdict;
	discovery_free(&d);
	oidc_settings_free(&s);
	if (report != NULL)
		*report = r;
	else
		oidc_report_free(&r);
	return v;
}

static void
a_code_becomes_a_person(void **state)
{
	static struct play p;
	char *keys = keys_of(key, "k"),
	     *answer = tokens(key, "k", ",\"groups\":[\"noc\"],\"preferred_username\":\"al\"");
	struct oidc_report *r;

	(void)state;
	p.answer[0] = answer;
	p.nanswers = 1;
	assert_int_equal(judged(&p, keys, SETTINGS, &r), OIDC_RIGHT);
	assert_string_equal(r->sub, "u1");
	assert_string_equal(r->name, "al");
	assert_int_equal(r->ngroups, 1);
	assert_non_null(r->id_token);
	oidc_report_free(&r);
	/* "weir:s%3A%26%3D%25" */
	assert_non_null(strstr(p.asked[0], "Authorization: Basic d2VpcjpzJTNBJTI2JTNEJTI1\r\n"));
	assert_non_null(strstr(
	    p.asked[0],
	    "grant_type=authorization_code&code=the%20code%26x%3D1&redirect_uri=https%3A%2F%2Fweir%2Fcb&"
	    "code_verifier=verifier"));
	assert_null(strstr(p.asked[0], "client_secret"));
	free(keys);
	free(answer);
}

static void
groups_come_by_userinfo(void **state)
{
	static struct play p;
	char *keys = keys_of(key, "k"), *answer = tokens(key, "k", ""),
	     *me = ok("{\"sub\":\"u1\",\"groups\":[\"a\",\"b\"]}"),
	     *other = ok("{\"sub\":\"u2\",\"groups\":[\"admins\"]}");
	struct oidc_report *r;

	(void)state;
	p.answer[0] = answer;
	p.answer[1] = me;
	p.nanswers = 2;
	assert_int_equal(judged(&p, keys, SETTINGS, &r), OIDC_RIGHT);
	assert_int_equal(r->ngroups, 2);
	oidc_report_free(&r);
	assert_non_null(strstr(p.asked[1], "GET /me HTTP/1.1"));
	assert_non_null(strstr(p.asked[1], "Authorization: Bearer at\r\n"));
	p.nasked = 0;
	p.answer[1] = other;
	assert_int_equal(judged(&p, keys, SETTINGS, &r), OIDC_WRONG_SUBJECT);
	assert_int_equal(r->ngroups, 0);
	oidc_report_free(&r);
	/* It is not there. */
	p.nasked = 0;
	p.nanswers = 1;
	assert_int_equal(judged(&p, keys, SETTINGS, NULL), OIDC_UNAVAILABLE);
	free(keys);
	free(answer);
	free(me);
	free(other);
}

static void
newer_keys_are_asked_for_once(void **state)
{
	static struct play p;
	char *keys = keys_of(key, "k"), *newer = keys_of(next_key, "next"),
	     *answer = tokens(next_key, "next", ",\"groups\":[]");

	(void)state;
	p.answer[0] = answer;
	p.nanswers = 1;
	assert_int_equal(judged(&p, keys, SETTINGS, NULL), OIDC_KEY_UNKNOWN);
	p.nasked = 0;
	p.keys = newer;
	assert_int_equal(judged(&p, keys, SETTINGS, NULL), OIDC_RIGHT);
	p.nasked = 0;
	p.keys = keys;
	assert_int_equal(judged(&p, keys, SETTINGS, NULL), OIDC_KEY_UNKNOWN);
	p.nasked = 0;
	p.keys = "{}";
	assert_int_equal(judged(&p, keys, SETTINGS, NULL), OIDC_UNAVAILABLE);
	free(keys);
	free(newer);
	free(answer);
}

static void
refusals_are_told_apart(void **state)
{
	static const struct {
		const char *answer;
		enum oidc_verdict v;
	} cases[] = {
		{ "HTTP/1.1 400 Bad Request\r\nContent-Length: 25\r\n\r\n{\"error\":\"invalid_grant\"}",
		  OIDC_CODE_REFUSED },
		{ "HTTP/1.1 401 Unauthorized\r\nContent-Length: 26\r\n\r\n{\"error\":\"invalid_client\"}",
		  OIDC_REFUSED },
		{ "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno", OIDC_UNAVAILABLE },
		{ "HTTP/1.1 503 Later\r\nContent-Length: 25\r\n\r\n{\"error\":\"server_error!!\"}",
		  OIDC_UNAVAILABLE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", OIDC_MALFORMED },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"id_token\":\"..\"}", OIDC_UNAVAILABLE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"id_token\":\"..\"}", OIDC_MALFORMED },
		{ NULL, OIDC_UNAVAILABLE },
	};
	static struct play p;
	char *keys = keys_of(key, "k");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		p = (struct play){ .answer = { cases[i].answer }, .nanswers = 1 };
		if (judged(&p, keys, SETTINGS, NULL) != cases[i].v)
			fail_msg("answer %zu", i);
	}
	free(keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_fetched),   cmocka_unit_test(a_code_becomes_a_person),
		cmocka_unit_test(groups_come_by_userinfo), cmocka_unit_test(newer_keys_are_asked_for_once),
		cmocka_unit_test(refusals_are_told_apart),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
