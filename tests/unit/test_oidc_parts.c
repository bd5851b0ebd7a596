/* The parts of weir-directory that judge what is known of an OpenID Connect provider: its documents, the
 * settings, what is remembered of it, and what is told. */
#include <setjmp.h>
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
#include "base/json_read.h"
#include "base/mem.h"
#include "discovery.h"
#include "http.h"
#include "oidc_algorithm.h"
#include "oidc_cache.h"
#include "oidc_report.h"
#include "oidc_settings.h"
#include "oidc_talk.h"

#define ISSUER "https://id.example.com/realm"

/* --- discovery --- */

#define DOC(issuer, auth, token, jwks, more)                                                                 \
	"{\"issuer\":\"" issuer "\",\"authorization_endpoint\":\"" auth "\",\"token_endpoint\":\"" token     \
	"\",\"jwks_uri\":\"" jwks "\"" more "}"
#define E "https://id.example.com/e"

static bool
reads(const char *text, bool http, struct discovery *d)
{
	char err[400] = "";
	bool good = discovery_read(text, strlen(text), ISSUER, http, d, err, sizeof(err));

	assert_true(good || err[0] != '\0');
	return good;
}

static void
documents_are_judged(void **state)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"{}",
		DOC("https://id.example.com/realm/", E, E, E, ""),
		DOC("https://ID.example.com/realm", E, E, E, ""),
		DOC(ISSUER, "http://id.example.com/e", E, E, ""),
		DOC(ISSUER, E, "javascript:alert(1)", E, ""),
		DOC(ISSUER, E, E, "https://a/\\u0000", ""),
		DOC(ISSUER, E, E, "https://a/ b", ""),
		DOC(ISSUER, E, E, "https://a/#b", ""),
		DOC(ISSUER, E, E, E, ",\"userinfo_endpoint\":7"),
		DOC(ISSUER, E, E, E, ",\"end_session_endpoint\":\"data:,x\""),
		DOC(ISSUER, E, E, E, ",\"issuer\":\"" ISSUER "\""),
		"{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"" E "\",\"token_endpoint\":\"" E
		"\"}",
	};
	struct discovery d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (reads(wrong[i], false, &d))
			fail_msg("%s is taken", wrong[i]);
	assert_true(reads(DOC(ISSUER, E, E, E, ",\"userinfo_endpoint\":null"), false, &d));
	assert_true(d.basic && !d.post && !d.pkce && !d.backchannel_logout && !d.iss_parameter);
	assert_null(d.userinfo_endpoint);
	discovery_free(&d);
	assert_true(reads(DOC(ISSUER, E, "http://a/t", E,
			      ",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"],"
			      "\"code_challenge_methods_supported\":[\"plain\",\"S256\"],"
			      "\"backchannel_logout_supported\":true,"
			      "\"authorization_response_iss_parameter_supported\":true"),
			  true, &d));
	assert_true(!d.basic && d.post && d.pkce && d.backchannel_logout && d.iss_parameter);
	discovery_free(&d);
}

static void
the_document_is_where_it_should(void **state)
{
	char url[64];

	(void)state;
	assert_true(discovery_url("https://a", url, sizeof(url)));
	assert_string_equal(url, "https://a/.well-known/openid-configuration");
	assert_true(discovery_url("https://a/b/", url, sizeof(url)));
	assert_string_equal(url, "https://a/b/.well-known/openid-configuration");
	assert_false(discovery_url("https://a.very.long.name.example.com/b", url, sizeof(url)));
}

static void
urls_lead_to_servers(void **state)
{
	static const char *const wrong[] = { "",
					     "a",
					     "http://a/",
					     "ftp://a/",
					     "file:///etc/passwd",
					     "https://",
					     "https://u@a/",
					     "https://u:p@a/",
					     "https://a/#f",
					     "https://a:0/",
					     "https://a:65536/",
					     "https://a b/",
					     "https://[::1",
					     "https://a%00b/",
					     "https://-a/" };
	struct http_server s;
	char err[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (http_where(wrong[i], false, &s, err, sizeof(err)))
			fail_msg("%s leads to %s", wrong[i], s.host);
	assert_true(http_where("https://id.example.com/x?y", false, &s, err, sizeof(err)));
	assert_string_equal(s.host, "id.example.com");
	assert_int_equal(s.port, 443);
	assert_true(http_where("https://[2001:db8::1]:8443", false, &s, err, sizeof(err)));
	assert_string_equal(s.host, "2001:db8::1");
	assert_int_equal(s.port, 8443);
	assert_true(http_where("http://192.0.2.1/", true, &s, err, sizeof(err)));
	assert_int_equal(s.port, 80);
}

/* --- settings --- */

static void
settings_are_judged(void **state)
{
	static const struct {
		const char *text, *names;
	} wrong[] = {
		{ "[]", "" },
		{ "{\"secret\":\"x\"}", "secret" },
		{ "{\"client_id\":7}", "client_id" },
		{ "{\"algorithms\":[]}", "algorithms" },
		{ "{\"algorithms\":[\"RS256\",\"none\"]}", "algorithms[1]" },
		{ "{\"algorithms\":[\"HS256\"]}", "algorithms[0]" },
		{ "{\"client_auth\":\"private_key_jwt\"}", "client_auth" },
		{ "{\"clock_skew\":-1}", "clock_skew" },
		{ "{\"clock_skew\":601}", "clock_skew" },
		{ "{\"max_age\":1.5}", "max_age" },
		{ "{\"userinfo\":\"\"}", "userinfo" },
		{ "{\"insecure_http\":\"yes\"}", "insecure_http" },
	};
	struct oidc_settings s;
	char err[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_false(oidc_settings_read(wrong[i].text, strlen(wrong[i].text), &s, err, sizeof(err)));
		if (strstr(err, wrong[i].names) == NULL)
			fail_msg("%s: %s", wrong[i].text, err);
	}
	assert_true(oidc_settings_read("{}", 2, &s, err, sizeof(err)));
	assert_int_equal(s.algorithms, 7);
	assert_int_equal(s.clock_skew_s, 60);
	assert_int_equal(s.userinfo, USERINFO_MISSING);
	assert_string_equal(s.groups_claim, "groups");
	assert_false(s.insecure_http);
	oidc_settings_free(&s);
	assert_null(oidc_algorithm_find("none"));
	assert_null(oidc_algorithm_find("HS256"));
	assert_null(oidc_algorithm_find("rs256"));
}

/* --- what is remembered --- */

static void
key_of(const char *issuer, const char *settings, uint8_t key[static OIDC_CACHE_KEY_BYTES])
{
	oidc_cache_key(issuer, settings, strlen(settings), key);
}

static void
what_is_published_is_remembered_a_while(void **state)
{
	static const struct oidc_published p = { .document = "doc",
						 .document_len = 3,
						 .keys = "keys",
						 .keys_len = 4,
						 .lines = "",
						 .lines_len = 0 };
	uint8_t key[OIDC_CACHE_KEY_BYTES], other[OIDC_CACHE_KEY_BYTES];
	struct oidc_cache *c = oidc_cache_new();
	const struct oidc_published *kept;
	const int64_t now = 1000 * NS_PER_S;

	(void)state;
	oidc_cache_key("https://a", "{}", 2, key);
	key_of("https://a", "{\"redirect_uri\":\"https://evil.example/\",\"client_id\":\"x\"}", other);
	assert_memory_equal(key, other, sizeof(key));
	key_of("https://a", "{\"authorities\":\"PEM\"}", other);
	assert_memory_not_equal(key, other, sizeof(key));
	key_of("https://a", "{", other);
	assert_memory_not_equal(key, other, sizeof(key));
	key_of("https://a", "{\"insecure_http\":true}", other);
	assert_memory_not_equal(key, other, sizeof(key));
	assert_null(oidc_cache_find(c, key, now));
	kept = oidc_cache_put(c, key, &p, now);
	assert_memory_equal(kept->keys, "keys", 4);
	/* Put again out of itself. */
	kept = oidc_cache_put(c, key, kept, now);
	assert_memory_equal(kept->document, "doc", 3);
	assert_non_null(oidc_cache_find(c, key, now + OIDC_CACHE_S * NS_PER_S));
	assert_null(oidc_cache_find(c, key, now + (OIDC_CACHE_S + 1) * NS_PER_S));
	assert_null(oidc_cache_find(c, other, now));
	/* Strangers' names of keys have them fetched now and then, also where they have been put anew. */
	assert_true(oidc_cache_again(c, key, now));
	(void)oidc_cache_put(c, key, &p, now);
	assert_false(oidc_cache_again(c, key, now + (OIDC_CACHE_AGAIN_S - 1) * NS_PER_S));
	assert_true(oidc_cache_again(c, key, now + OIDC_CACHE_AGAIN_S * NS_PER_S));
	/* The one that was used longest ago makes room. */
	for (unsigned i = 1; i < OIDC_CACHE_MAX; i++) {
		char issuer[32];

		(void)snprintf(issuer, sizeof(issuer), "https://%u", i);
		oidc_cache_key(issuer, "{}", 2, other);
		(void)oidc_cache_put(c, other, &p, now + i);
	}
	assert_non_null(oidc_cache_find(c, key, now + 100));
	oidc_cache_key("https://new", "{}", 2, other);
	(void)oidc_cache_put(c, other, &p, now + 200);
	assert_non_null(oidc_cache_find(c, key, now + 300));
	assert_non_null(oidc_cache_find(c, other, now + 300));
	oidc_cache_key("https://1", "{}", 2, other);
	assert_null(oidc_cache_find(c, other, now + 300));
	oidc_cache_free(&c);
}

/* --- what is told --- */

static void
reports_are_bounded_and_told(void **state)
{
	struct oidc_report *r = oidc_report_new(), *again = oidc_report_new();
	struct json_doc *d;
	char name[64], err[128], *text, *lines;
	size_t len;

	(void)state;
	for (unsigned i = 0; i < OIDC_GROUPS_MAX + 10; i++) {
		(void)snprintf(name, sizeof(name), "group %u", i);
		assert_int_equal(oidc_report_group(r, name), i < OIDC_GROUPS_MAX);
	}
	assert_true(oidc_report_group(r, "group 7"));
	assert_int_equal(r->ngroups, OIDC_GROUPS_MAX);
	assert_true(r->cut);
	oidc_report_step(r, "one\ntwo \x1b[31m");
	oidc_report_end(r, OIDC_KEY_UNKNOWN, "kid \"%s\"", "a\nb");
	oidc_report_end(r, OIDC_RIGHT, NULL);
	assert_int_equal(r->verdict, OIDC_KEY_UNKNOWN);
	r->id_token = mem_strdup("a.b.c");
	text = oidc_report_text(r, &len);
	d = json_parse(text, len, OIDC_TOLD_MAX, err, sizeof(err));
	assert_non_null(d);
	assert_string_equal(json_get_string(d, "why"),
			    "the token is signed with a key that the provider does not publish: kid \"a?b\"");
	assert_string_equal(json_get_string(d, "id_token"), "a.b.c");
	assert_int_equal(json_node_count(json_node_member(json_root(d), "groups")), OIDC_GROUPS_MAX);
	assert_int_equal(json_node_kind(json_node_member(json_root(d), "sub")), JSON_KIND_NULL);
	json_doc_free(&d);
	free(text);
	/* Steps survive the way to another process. */
	lines = oidc_report_lines(r);
	oidc_report_take_lines(again, lines, strlen(lines));
	assert_int_equal(again->nsteps, r->nsteps);
	assert_string_equal(again->step[0], "one?two ?[31m");
	free(lines);
	for (unsigned i = 0; i < REPORT_STEPS + 10; i++)
		oidc_report_step(again, "step %u", i);
	assert_int_equal(again->nsteps, REPORT_STEPS);
	oidc_report_free(&again);
	oidc_report_free(&r);
	for (int v = 1; v < OIDC_VERDICT_COUNT; v++)
		assert_string_not_equal(oidc_verdict_text((enum oidc_verdict)v), "?");
}

/* --- what processes say --- */

static void
sayings_are_bounded(void **state)
{
	static const struct talk_head wrong[] = { { 0, 0 },
						  { TALK_KIND_COUNT, 4 },
						  { TALK_CONNECT, 4 },
						  { TALK_NEWER_KEYS, 1 },
						  { TALK_PUBLISHED, sizeof(struct talk_published) },
						  { TALK_TOLD, sizeof(struct talk_told) },
						  { TALK_TOLD, UINT32_MAX },
						  { TALK_TOLD, TALK_BODY_MAX + 1 } };
	struct talk_told w = { OIDC_RIGHT };
	const struct iovec part[] = { { &w, sizeof(w) }, { (void *)(uintptr_t) "{}", 2 } };
	struct talk_reader r = { .nhead = 0 };
	int pair[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
		assert_int_equal(write(pair[1], &wrong[i], sizeof(wrong[i])), sizeof(wrong[i]));
		if (talk_read(pair[0], &r) != TALK_OVER)
			fail_msg("saying %zu is taken", i);
		talk_next(&r);
		close(pair[0]);
		close(pair[1]);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(talk_read(pair[0], &r), TALK_WAITS);
	assert_true(talk_say(pair[1], TALK_TOLD, part, 2));
	assert_true(talk_say(pair[1], TALK_NEWER_KEYS, NULL, 0));
	assert_int_equal(talk_read(pair[0], &r), TALK_WHOLE);
	assert_string_equal(r.body + sizeof(w), "{}");
	talk_next(&r);
	assert_int_equal(talk_read(pair[0], &r), TALK_WHOLE);
	assert_int_equal(r.head.kind, TALK_NEWER_KEYS);
	talk_next(&r);
	close(pair[1]);
	assert_int_equal(talk_read(pair[0], &r), TALK_OVER);
	close(pair[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_judged),
		cmocka_unit_test(the_document_is_where_it_should),
		cmocka_unit_test(urls_lead_to_servers),
		cmocka_unit_test(settings_are_judged),
		cmocka_unit_test(what_is_published_is_remembered_a_while),
		cmocka_unit_test(reports_are_bounded_and_told),
		cmocka_unit_test(sayings_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
