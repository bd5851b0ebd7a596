/* Tokens of an OpenID Connect provider: whatever is not signed by it, for us, now and for this login is
 * refused, with its own reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "id_token.h"
#include "logout_token.h"
#include "oidc_settings.h"
#include "token_maker.h"

#define NOW    1800000000
#define ISSUER "https://id.example.com"
#define ALL    63u /* algorithms */

static struct maker_key *rsa, *ec, *ec521, *other;

static int
make_keys(void **state)
{
	(void)state;
	rsa = maker_rsa(2048);
	other = maker_rsa(2048);
	ec = maker_ec(256);
	ec521 = maker_ec(521);
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	maker_key_free(&rsa);
	maker_key_free(&other);
	maker_key_free(&ec);
	maker_key_free(&ec521);
	return 0;
}

/* A set of these JWKs, which are freed. */
static struct keyset
set_of(size_t n, ...)
{
	static char text[KEYSET_MAX];
	struct keyset k;
	char err[160];
	size_t at = (size_t)snprintf(text, sizeof(text), "{\"keys\":[");
	va_list args;

	va_start(args, n);
	for (size_t i = 0; i < n; i++) {
		char *jwk = va_arg(args, char *);

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i == 0 ? "" : ",", jwk);
		free(jwk);
	}
	va_end(args);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "]}");
	if (!keyset_read(text, at, &k, err, sizeof(err)))
		fail_msg("%s", err);
	return k;
}

static struct keyset
usual_keys(void)
{
	return set_of(4, maker_public(rsa, "rsa", ",\"use\":\"sig\""), maker_public(ec, "ec", ""),
		      maker_public(ec521, "ec521", ""),
		      mem_strdup("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\",\"kid\":\"okp\"}"));
}

/* Claims of a right ID token, and more members. */
static const char *
claims_with(const char *more)
{
	static char text[TOKEN_MAX];

	(void)snprintf(text, sizeof(text),
		       "{\"iss\":\"" ISSUER
		       "\",\"aud\":\"weir\",\"sub\":\"alice\",\"nonce\":\"n-1\",\"iat\":%d,\"exp\":%d%s}",
		       NOW - 5, NOW + 300, more);
	return text;
}

static const struct id_token_rules usual = { { ISSUER, "weir", NOW, 60 }, "n-1", "access", 0 };

/* What is said of a token, which is freed. */
static enum oidc_verdict
verdict_of(char *token, const struct id_token_rules *k, uint32_t algorithms)
{
	struct oidc_report *r = oidc_report_new();
	struct keyset keys = usual_keys();
	struct signed_token t = { .claims = NULL };
	enum oidc_verdict v = OIDC_RIGHT;

	if (!signed_token_open(token, strlen(token), algorithms, &keys, &t, r) || !id_token_judge(&t, k, r)) {
		v = r->verdict;
		assert_true(r->why[0] != '\0' && r->nsteps > 0);
	} else {
		assert_int_equal(r->verdict, 0);
		assert_string_equal(r->sub, "alice");
	}
	signed_token_free(&t);
	keyset_free(&keys);
	oidc_report_free(&r);
	free(token);
	return v;
}

static enum oidc_verdict
of_claims(const char *claims)
{
	return verdict_of(maker_sign(rsa, "RS256", "rsa", "JWT", claims), &usual, ALL);
}

static void
signed_ones_are_taken(void **state)
{
	(void)state;
	assert_int_equal(verdict_of(maker_sign(rsa, "RS256", "rsa", NULL, claims_with("")), &usual, ALL),
			 OIDC_RIGHT);
	assert_int_equal(verdict_of(maker_sign(rsa, "PS256", "rsa", "JWT", claims_with("")), &usual, ALL),
			 OIDC_RIGHT);
	assert_int_equal(verdict_of(maker_sign(rsa, "RS512", "rsa", "jwt", claims_with("")), &usual, ALL),
			 OIDC_RIGHT);
	assert_int_equal(verdict_of(maker_sign(ec, "ES256", "ec", NULL, claims_with("")), &usual, ALL),
			 OIDC_RIGHT);
	assert_int_equal(verdict_of(maker_sign(ec521, "ES512", "ec521", NULL, claims_with("")), &usual, ALL),
			 OIDC_RIGHT);
	/* One that names no key, where several suit none. */
	assert_int_equal(verdict_of(maker_sign(ec, "ES256", NULL, NULL, claims_with("")), &usual, ALL),
			 OIDC_RIGHT);
}

static void
algorithms_are_pinned(void **state)
{
	const uint32_t rs256 = 1u << oidc_algorithm_index(oidc_algorithm_find("RS256"));
	char *pub = maker_public(rsa, "rsa", "");
	struct maker_key *shared = maker_oct(pub, strlen(pub));
	static const char *const none[] = { "none", "None", "nOnE" };

	(void)state;
	free(pub);
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		char header[64];

		(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"rsa\"}", none[i]);
		assert_int_equal(verdict_of(maker_unsigned(header, claims_with("")), &usual, UINT32_MAX),
				 OIDC_ALGORITHM);
	}
	assert_int_equal(verdict_of(maker_unsigned("{}", claims_with("")), &usual, ALL), OIDC_ALGORITHM);
	/* The public key as a shared secret: CVE-2015-9235 and its kin. */
	assert_int_equal(
	    verdict_of(maker_sign(shared, "HS256", "rsa", NULL, claims_with("")), &usual, UINT32_MAX),
	    OIDC_ALGORITHM);
	assert_int_equal(verdict_of(maker_sign(rsa, "PS256", "rsa", NULL, claims_with("")), &usual, rs256),
			 OIDC_ALGORITHM);
	assert_int_equal(
	    verdict_of(maker_unsigned("{\"alg\":\"RS256\",\"kid\":\"rsa\"}", claims_with("")), &usual, ALL),
	    OIDC_SIGNATURE);
	maker_key_free(&shared);
}

static void
keys_must_suit(void **state)
{
	char *token;

	(void)state;
	/* An algorithm of one kind with the name of a key of another. */
	assert_int_equal(verdict_of(maker_sign(rsa, "RS256", "ec", NULL, claims_with("")), &usual, ALL),
			 OIDC_KEY_UNKNOWN);
	assert_int_equal(verdict_of(maker_sign(rsa, "RS256", "okp", NULL, claims_with("")), &usual, ALL),
			 OIDC_KEY_UNKNOWN);
	assert_int_equal(verdict_of(maker_sign(rsa, "RS256", "new", NULL, claims_with("")), &usual, ALL),
			 OIDC_KEY_UNKNOWN);
	assert_int_equal(verdict_of(maker_sign(other, "RS256", "rsa", NULL, claims_with("")), &usual, ALL),
			 OIDC_SIGNATURE);
	token = maker_sign(rsa, "RS256", "rsa", NULL, claims_with(""));
	token[strlen(token) - 10] = (char)(token[strlen(token) - 10] == 'A' ? 'B' : 'A');
	assert_int_equal(verdict_of(token, &usual, ALL), OIDC_SIGNATURE);
}

/* Whether the set has rotated is asked of a token whose key is not there, and of one that names none. */
static void
rotation_is_seen(void **state)
{
	static const struct {
		const char *kid;
		bool ours, rotated;
	} cases[] = { { "new", true, true }, { NULL, false, true }, { "rsa", false, false } };
	struct keyset keys = usual_keys();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_report *r = oidc_report_new();
		struct signed_token t;
		char *token =
		    maker_sign(cases[i].ours ? rsa : other, "RS256", cases[i].kid, NULL, claims_with(""));

		assert_false(signed_token_open(token, strlen(token), ALL, &keys, &t, r));
		assert_int_equal(t.rotated, cases[i].rotated);
		free(token);
		oidc_report_free(&r);
	}
	keyset_free(&keys);
}

static bool
suits(char *jwk, const char *alg, const char *kid)
{
	struct keyset k = set_of(1, jwk);
	bool yes = keyset_suits(&k, 0, oidc_algorithm_find(alg), kid);

	keyset_free(&k);
	return yes;
}

static void
keys_are_for_one_thing(void **state)
{
	struct maker_key *small = maker_rsa(1024);

	(void)state;
	assert_true(
	    suits(maker_public(rsa, "a", ",\"alg\":\"RS256\",\"key_ops\":[\"verify\"]"), "RS256", "a"));
	assert_true(suits(maker_public(rsa, "a", ""), "RS256", NULL));
	assert_false(suits(maker_public(rsa, "a", ""), "RS256", "b"));
	assert_false(suits(maker_public(rsa, "", ""), "RS256", "b"));
	assert_false(suits(maker_public(rsa, "a", ",\"use\":\"enc\""), "RS256", "a"));
	assert_false(suits(maker_public(rsa, "a", ",\"use\":7"), "RS256", "a"));
	assert_false(suits(maker_public(rsa, "a", ",\"alg\":\"PS256\""), "RS256", "a"));
	assert_false(suits(maker_public(rsa, "a", ",\"key_ops\":[\"encrypt\"]"), "RS256", "a"));
	assert_false(suits(maker_public(ec521, "a", ""), "ES256", "a"));
	assert_false(suits(maker_public(small, "a", ""), "RS256", "a"));
	assert_false(suits(mem_strdup("7"), "RS256", NULL));
	assert_false(suits(mem_strdup("{}"), "RS256", NULL));
	assert_false(suits(mem_strdup("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), "RS256", NULL));
	maker_key_free(&small);
}

static void
sets_are_bounded(void **state)
{
	static const char *const wrong[] = {
		"", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[}"
	};
	static const char empty[] = "{\"keys\":[]}";
	struct keyset k;
	char err[160], text[1024] = "{\"keys\":[{}", *longest = mem_calloc(KEYSET_MAX + 16, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (keyset_read(wrong[i], strlen(wrong[i]), &k, err, sizeof(err)))
			fail_msg("%s is taken", wrong[i]);
	for (size_t i = 0; i < KEYSET_KEYS_MAX; i++)
		memcpy(text + strlen(text), ",{}", 4);
	memcpy(text + strlen(text), "]}", 3);
	assert_false(keyset_read(text, strlen(text), &k, err, sizeof(err)));
	assert_non_null(strstr(err, "65"));
	memset(longest, ' ', KEYSET_MAX + 1);
	memcpy(longest, empty, sizeof(empty) - 1);
	assert_false(keyset_read(longest, KEYSET_MAX + 1, &k, err, sizeof(err)));
	free(longest);
}

static void
forms_are_held(void **state)
{
	static const char *const headers[] = {
		"",
		"7",
		"{\"alg\":\"RS256\",\"alg\":\"none\"}",
		"{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}",
		"{\"alg\":\"RS256\",\"kid\":7}",
		"{\"alg\":\"RS256\",\"typ\":[]}",
	};
	static const char *const tokens[] = { "",        ".",    "..",      "a",      "a.b",
					      "a.b.c.d", "a..c", "a.b.c d", "a.b.c=", "a+.b.c" };
	char *long_one = mem_calloc(TOKEN_MAX + 2, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		if (verdict_of(maker_unsigned(headers[i], "{}"), &usual, ALL) != OIDC_MALFORMED)
			fail_msg("header %s is taken", headers[i]);
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
		if (verdict_of(mem_strdup(tokens[i]), &usual, ALL) != OIDC_MALFORMED)
			fail_msg("token %s is taken", tokens[i]);
	memset(long_one, 'a', TOKEN_MAX + 1);
	assert_int_equal(verdict_of(long_one, &usual, ALL), OIDC_MALFORMED);
	/* What stands twice: which of the two would count? */
	assert_int_equal(of_claims(claims_with(",\"sub\":\"admin\"")), OIDC_MALFORMED);
	assert_int_equal(of_claims("[]"), OIDC_MALFORMED);
	assert_int_equal(verdict_of(maker_sign(rsa, "RS256", "rsa", "at+jwt", claims_with("")), &usual, ALL),
			 OIDC_MALFORMED);
	assert_int_equal(
	    verdict_of(maker_sign(rsa, "RS256", "rsa", "logout+jwt", claims_with("")), &usual, ALL),
	    OIDC_MALFORMED);
}

/* A right token but for one claim. */
static void
claims_are_judged(void **state)
{
#define T(iss, aud, sub, times, more) "{" iss aud sub times "\"nonce\":\"n-1\"" more "}"
#define ISS                           "\"iss\":\"" ISSUER "\","
#define AUD                           "\"aud\":\"weir\","
#define SUB                           "\"sub\":\"alice\","
#define TIMES                         "\"iat\":1799999990,\"exp\":1800000300,"
	static const struct {
		const char *claims;
		enum oidc_verdict v;
	} cases[] = {
		{ T(ISS, AUD, SUB, TIMES, ""), OIDC_RIGHT },
		{ T("", AUD, SUB, TIMES, ""), OIDC_WRONG_ISSUER },
		{ T("\"iss\":\"" ISSUER "/\",", AUD, SUB, TIMES, ""), OIDC_WRONG_ISSUER },
		{ T("\"iss\":[\"" ISSUER "\"],", AUD, SUB, TIMES, ""), OIDC_WRONG_ISSUER },
		{ T(ISS, "", SUB, TIMES, ""), OIDC_WRONG_AUDIENCE },
		{ T(ISS, "\"aud\":\"other\",", SUB, TIMES, ""), OIDC_WRONG_AUDIENCE },
		{ T(ISS, "\"aud\":[],", SUB, TIMES, ""), OIDC_WRONG_AUDIENCE },
		{ T(ISS, "\"aud\":[\"weir\"],", SUB, TIMES, ""), OIDC_RIGHT },
		{ T(ISS, "\"aud\":[\"weir\",\"other\"],", SUB, TIMES, ""), OIDC_WRONG_AUDIENCE },
		{ T(ISS, "\"aud\":[\"weir\",7],", SUB, TIMES, ",\"azp\":\"weir\""), OIDC_WRONG_AUDIENCE },
		{ T(ISS, "\"aud\":[\"other\",\"third\"],", SUB, TIMES, ",\"azp\":\"weir\""),
		  OIDC_WRONG_AUDIENCE },
		{ T(ISS, "\"aud\":[\"other\",\"weir\"],", SUB, TIMES, ",\"azp\":\"weir\""), OIDC_RIGHT },
		{ T(ISS, "\"aud\":[\"other\",\"weir\"],", SUB, TIMES, ",\"azp\":\"other\""),
		  OIDC_WRONG_AUDIENCE },
		{ T(ISS, AUD, SUB, TIMES, ",\"azp\":\"other\""), OIDC_WRONG_AUDIENCE },
		{ T(ISS, AUD, "", TIMES, ""), OIDC_WRONG_SUBJECT },
		{ T(ISS, AUD, "\"sub\":\"\",", TIMES, ""), OIDC_WRONG_SUBJECT },
		{ T(ISS, AUD, "\"sub\":7,", TIMES, ""), OIDC_WRONG_SUBJECT },
		{ T(ISS, AUD, SUB, "", ""), OIDC_MALFORMED },
		{ T(ISS, AUD, SUB, "\"iat\":1799999990,", ""), OIDC_MALFORMED },
		{ T(ISS, AUD, SUB, "\"exp\":1800000300,", ""), OIDC_MALFORMED },
		{ T(ISS, AUD, SUB, "\"iat\":\"1799999990\",\"exp\":1800000300,", ""), OIDC_MALFORMED },
		{ T(ISS, AUD, SUB, "\"iat\":1799999990,\"exp\":1e300,", ""), OIDC_MALFORMED },
		{ T(ISS, AUD, SUB, "\"iat\":-1,\"exp\":1800000300,", ""), OIDC_MALFORMED },
		{ T(ISS, AUD, SUB, "\"iat\":1799999990.5,\"exp\":1800000300.25,", ""), OIDC_RIGHT },
		{ T(ISS, AUD, SUB, "\"iat\":1799999000,\"exp\":1799999940,", ""), OIDC_EXPIRED },
		{ T(ISS, AUD, SUB, "\"iat\":1799999000,\"exp\":1799999941,", ""), OIDC_RIGHT },
		{ T(ISS, AUD, SUB, "\"iat\":1800000060,\"exp\":1800000300,", ""), OIDC_RIGHT },
		{ T(ISS, AUD, SUB, "\"iat\":1800000061,\"exp\":1800000300,", ""), OIDC_TOO_EARLY },
		{ T(ISS, AUD, SUB, TIMES, ",\"nbf\":1800000061"), OIDC_TOO_EARLY },
		{ "{" ISS AUD SUB TIMES "\"nonce\":\"n-2\"}", OIDC_WRONG_NONCE },
		{ "{" ISS AUD SUB TIMES "\"nonce\":\"n-1x\"}", OIDC_WRONG_NONCE },
		{ "{" ISS AUD SUB TIMES "\"nonce\":null}", OIDC_WRONG_NONCE },
		{ "{" ISS AUD SUB TIMES "\"x\":1}", OIDC_WRONG_NONCE },
		/* of the access token "access" (SHA-256, left half) */
		{ T(ISS, AUD, SUB, TIMES, ",\"at_hash\":\"oFYf1knNtrqnhAVfBRuteA\""), OIDC_WRONG_HASH },
		{ T(ISS, AUD, SUB, TIMES, ",\"at_hash\":7"), OIDC_WRONG_HASH },
		{ T(ISS, AUD, SUB, TIMES, ",\"at_hash\":\"oFYf1knNtrqnhAVfBRuteQ\""), OIDC_RIGHT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum oidc_verdict v = of_claims(cases[i].claims);

		if (v != cases[i].v)
			fail_msg("%s: %s, and not %s", cases[i].claims, oidc_verdict_text(v),
				 oidc_verdict_text(cases[i].v));
	}
}

static void
old_logins_are_stale(void **state)
{
	struct id_token_rules k = usual;

	(void)state;
	k.max_age_s = 3600;
	assert_int_equal(verdict_of(maker_sign(rsa, "RS256", "rsa", NULL, claims_with("")), &k, ALL),
			 OIDC_STALE);
	assert_int_equal(
	    verdict_of(maker_sign(rsa, "RS256", "rsa", NULL, claims_with(",\"auth_time\":1799996339")), &k,
		       ALL),
	    OIDC_STALE);
	assert_int_equal(
	    verdict_of(maker_sign(rsa, "RS256", "rsa", NULL, claims_with(",\"auth_time\":1799996340")), &k,
		       ALL),
	    OIDC_RIGHT);
	/* No nonce was sent: none may come. */
	k = usual;
	k.nonce = "";
	assert_int_equal(verdict_of(maker_sign(rsa, "RS256", "rsa", NULL, claims_with("")), &k, ALL),
			 OIDC_WRONG_NONCE);
}

/* --- logout --- */

#define EVENTS ",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"

static enum oidc_verdict
of_logout(const char *type, const char *claims)
{
	const struct token_rules k = { ISSUER, "weir", NOW, 60 };
	struct oidc_report *r = oidc_report_new();
	struct keyset keys = usual_keys();
	struct signed_token t = { .claims = NULL };
	char *token = maker_sign(ec, "ES256", "ec", type, claims);
	enum oidc_verdict v = OIDC_RIGHT;

	if (!signed_token_open(token, strlen(token), ALL, &keys, &t, r) || !logout_token_judge(&t, &k, r))
		v = r->verdict;
	else
		assert_true(r->jti != NULL && (r->sub != NULL || r->sid != NULL));
	signed_token_free(&t);
	keyset_free(&keys);
	oidc_report_free(&r);
	free(token);
	return v;
}

static void
logout_tokens_are_judged(void **state)
{
#define L(times, more) "{" ISS AUD times "\"jti\":\"j1\"" more "}"
	(void)state;
	assert_int_equal(of_logout("logout+jwt", L(TIMES, ",\"sub\":\"alice\"" EVENTS)), OIDC_RIGHT);
	assert_int_equal(of_logout(NULL, L(TIMES, ",\"sid\":\"s1\"" EVENTS)), OIDC_RIGHT);
	assert_int_equal(of_logout("JWT", L(TIMES, ",\"sid\":\"s1\"" EVENTS)), OIDC_RIGHT);
	assert_int_equal(of_logout("at+jwt", L(TIMES, ",\"sid\":\"s1\"" EVENTS)), OIDC_NO_LOGOUT);
	/* An ID token, and one that would be both. */
	assert_int_equal(of_logout(NULL, claims_with("")), OIDC_NO_LOGOUT);
	assert_int_equal(of_logout(NULL, claims_with(",\"jti\":\"j1\"" EVENTS)), OIDC_NO_LOGOUT);
	assert_int_equal(of_logout(NULL, L(TIMES, ",\"sub\":\"alice\"")), OIDC_NO_LOGOUT);
	assert_int_equal(of_logout(NULL, L(TIMES, ",\"sub\":\"alice\",\"events\":[]")), OIDC_NO_LOGOUT);
	assert_int_equal(of_logout(NULL, L(TIMES, EVENTS)), OIDC_MALFORMED);
	assert_int_equal(of_logout(NULL, "{" ISS AUD TIMES "\"sub\":\"alice\"" EVENTS "}"), OIDC_MALFORMED);
	assert_int_equal(
	    of_logout(NULL, L("\"iat\":1799999000,\"exp\":1799999900,", ",\"sub\":\"alice\"" EVENTS)),
	    OIDC_EXPIRED);
	/* Without an end: ten minutes. */
	assert_int_equal(of_logout(NULL, L("\"iat\":1799999340,", ",\"sub\":\"alice\"" EVENTS)), OIDC_RIGHT);
	assert_int_equal(of_logout(NULL, L("\"iat\":1799999339,", ",\"sub\":\"alice\"" EVENTS)),
			 OIDC_EXPIRED);
	assert_int_equal(
	    of_logout(NULL, "{\"iss\":\"https://x\"," AUD TIMES "\"jti\":\"j\",\"sub\":\"a\"" EVENTS "}"),
	    OIDC_WRONG_ISSUER);
	assert_int_equal(
	    of_logout(NULL, "{" ISS "\"aud\":\"x\"," TIMES "\"jti\":\"j\",\"sub\":\"a\"" EVENTS "}"),
	    OIDC_WRONG_AUDIENCE);
}

/* --- whose --- */

static bool
person_of(const char *claims, const char *settings, struct oidc_report *r)
{
	struct oidc_settings s;
	struct json_doc *d;
	char err[160];
	bool whole;

	assert_true(oidc_settings_read(settings, strlen(settings), &s, err, sizeof(err)));
	d = json_parse(claims, strlen(claims), TOKEN_MAX, err, sizeof(err));
	assert_non_null(d);
	whole = id_token_person(d, &s, r);
	json_doc_free(&d);
	oidc_settings_free(&s);
	return whole;
}

static void
claims_are_read(void **state)
{
	struct oidc_report *r = oidc_report_new();

	(void)state;
	assert_true(person_of(
	    "{\"preferred_username\":\"al\",\"name\":\"Alice\",\"email\":\"a@x\",\"email_verified\":true,"
	    "\"groups\":[\"ops\",\"Ops\",\"ops\",7,\"\"]}",
	    "{}", r));
	assert_string_equal(r->name, "al");
	assert_string_equal(r->title, "Alice");
	assert_string_equal(r->email, "a@x");
	assert_true(r->email_verified);
	assert_int_equal(r->ngroups, 2);
	oidc_report_free(&r);

	r = oidc_report_new();
	assert_true(person_of("{\"realm\":{\"roles\":[\"ops\"]},\"upn\":7}",
			      "{\"groups_claim\":\"realm.roles\",\"name_claim\":\"upn\"}", r));
	assert_int_equal(r->ngroups, 1);
	assert_null(r->name);
	/* A claim whose name has dots goes before. */
	assert_true(person_of("{\"a.b\":\"one\",\"a\":{\"b\":[\"two\"]}}", "{\"groups_claim\":\"a.b\"}", r));
	assert_string_equal(r->group[1], "one");
	/* None, and more than are told: userinfo is asked. */
	assert_false(person_of("{}", "{}", r));
	assert_false(person_of("{\"groups\":{}}", "{}", r));
	assert_false(person_of("{\"groups\":[\"a\"],\"_claim_names\":{\"groups\":\"src1\"}}", "{}", r));
	assert_false(person_of("{\"hasgroups\":true}", "{}", r));
	assert_true(person_of("{\"groups\":[]}", "{}", r));
	assert_true(person_of("{}", "{\"groups_claim\":\"\"}", r));
	oidc_report_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_ones_are_taken),  cmocka_unit_test(algorithms_are_pinned),
		cmocka_unit_test(keys_must_suit),         cmocka_unit_test(rotation_is_seen),
		cmocka_unit_test(keys_are_for_one_thing), cmocka_unit_test(sets_are_bounded),
		cmocka_unit_test(forms_are_held),         cmocka_unit_test(claims_are_judged),
		cmocka_unit_test(old_logins_are_stale),   cmocka_unit_test(logout_tokens_are_judged),
		cmocka_unit_test(claims_are_read),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
