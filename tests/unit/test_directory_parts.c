/* The parts of weir-directory that judge texts: addresses, templates, refusals, settings, and what is told.
 */
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
#include "base/server_url.h"
#include "dn.h"
#include "entry.h"
#include "findings.h"
#include "named.h"
#include "provider.h"
#include "range.h"
#include "refusal.h"
#include "template.h"

static void
is_url(const char *text, bool ldaps, const char *host, uint16_t port)
{
	struct server_url u;

	assert_true(server_url_ldap(text, &u));
	assert_int_equal(u.ldaps, ldaps);
	assert_string_equal(u.host, host);
	assert_int_equal(u.port, port);
}

static void
servers_are_read(void **state)
{
	static const char *const wrong[] = {
		"",
		"dc1.example.com",
		"ldap://",
		"ldapi:///run/slapd",
		"ldap://a/dc=x",
		"ldap://a:0",
		"ldap://a:65536",
		"ldap://a:+1",
		"ldap://a:",
		"ldap://a b",
		"ldap://-a",
		"ldap://a..b",
		"ldap://user@a",
		"ldap://[::1",
		"ldap://[::1]x",
		"ldap://[10.0.0.1]",
		"ldap://[a]",
		"ldap://::1",
		"https://a",
	};
	char longest[SERVER_HOST_MAX + 8] = "ldap://";
	struct server_url u;

	(void)state;
	is_url("ldaps://dc1.example.com", true, "dc1.example.com", 636);
	is_url("LDAP://dc1.example.com/", false, "dc1.example.com", 389);
	is_url("ldap://192.0.2.1:3890", false, "192.0.2.1", 3890);
	is_url("ldaps://[2001:db8::1]", true, "2001:db8::1", 636);
	is_url("ldaps://[2001:db8::1]:65535", true, "2001:db8::1", 65535);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (server_url_ldap(wrong[i], &u))
			fail_msg("'%s' is taken", wrong[i]);
	memset(longest + 7, 'a', sizeof(longest) - 8);
	assert_false(server_url_ldap(longest, &u));
}

static void
expands(const char *text, enum template_kind kind, const char *name, const char *dn, const char *want)
{
	char out[256];

	if (want == NULL) {
		assert_false(template_expand(text, kind, name, dn, out, sizeof(out)));
		assert_string_equal(out, "");
		return;
	}
	assert_true(template_expand(text, kind, name, dn, out, sizeof(out)));
	assert_string_equal(out, want);
}

static void
what_is_typed_is_escaped(void **state)
{
	char out[8];

	(void)state;
	expands("(uid=%username%)", TEMPLATE_FILTER, "alice", NULL, "(uid=alice)");
	expands("(uid=%username%)", TEMPLATE_FILTER, "*)(uid=*", NULL, "(uid=\\2a\\29\\28uid=\\2a)");
	expands("(uid=%username%)", TEMPLATE_FILTER, "a\\b\x01", NULL, "(uid=a\\5cb\\01)");
	expands("(|(a=%username%)(b=%username%))", TEMPLATE_FILTER, "x", NULL, "(|(a=x)(b=x))");
	expands("(uid=%username%)", TEMPLATE_FILTER, "%userdn%", "cn=x", "(uid=%userdn%)"); /* once only */
	expands("(member=%userdn%)", TEMPLATE_FILTER, "x", "cn=a\\2c b (c),dc=d",
		"(member=cn=a\\5c2c b \\28c\\29,dc=d)");
	expands("(uid=%username%)", TEMPLATE_FILTER, "\xff", NULL, NULL);
	expands("(uid=%userdn%)", TEMPLATE_FILTER, "x", NULL, NULL);
	expands("(uid=%user%)", TEMPLATE_FILTER, "x", NULL, NULL);
	expands("100%", TEMPLATE_FILTER, "x", NULL, NULL);
	expands("uid=%username%,dc=d", TEMPLATE_DN, "a,dc=evil", NULL, "uid=a\\2cdc\\3devil,dc=d");
	expands("uid=%username%,dc=d", TEMPLATE_DN, " #a ", NULL, "uid=\\20#a\\20,dc=d");
	expands("uid=%username%,dc=d", TEMPLATE_DN, "#a", NULL, "uid=\\23a,dc=d");
	expands("%username%@ad.test", TEMPLATE_PLAIN, "alice", NULL, "alice@ad.test");
	expands("%username%@ad.test", TEMPLATE_PLAIN, "a*", NULL, NULL);
	expands("%username%@ad.test", TEMPLATE_PLAIN, "cn=x,dc=y", NULL, NULL);
	assert_true(template_expand("%username%", TEMPLATE_FILTER, "1234567", NULL, out, sizeof(out)));
	assert_false(template_expand("%username%", TEMPLATE_FILTER, "12345678", NULL, out, sizeof(out)));
	assert_false(template_expand("%username%", TEMPLATE_FILTER, "12345(", NULL, out, sizeof(out)));
}

static void
refusals_are_told_apart(void **state)
{
	static const char words[] =
	    "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data %s, v4563";
	static const struct {
		const char *code;
		enum directory_verdict verdict;
	} windows[] = { { "52e", DIRECTORY_WRONG },       { "525", DIRECTORY_UNKNOWN },
			{ "533", DIRECTORY_DISABLED },    { "775", DIRECTORY_LOCKED },
			{ "773", DIRECTORY_MUST_CHANGE }, { "701", DIRECTORY_EXPIRED },
			{ "532", DIRECTORY_EXPIRED },     { "5333", DIRECTORY_WRONG },
			{ "", DIRECTORY_WRONG } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		char text[160];

		(void)snprintf(text, sizeof(text), words, windows[i].code);
		assert_int_equal(refusal_of(49, text, POLICY_NOTHING), windows[i].verdict);
	}
	assert_int_equal(refusal_of(0, "", POLICY_NOTHING), DIRECTORY_RIGHT);
	/* A right password that may not be used is no right one. */
	assert_int_equal(refusal_of(0, "", POLICY_CHANGE), DIRECTORY_MUST_CHANGE);
	assert_int_equal(refusal_of(49, NULL, POLICY_LOCKED), DIRECTORY_LOCKED);
	assert_int_equal(refusal_of(49, NULL, POLICY_NOTHING), DIRECTORY_WRONG);
	assert_int_equal(refusal_of(-1, "", POLICY_NOTHING), DIRECTORY_UNAVAILABLE);
	assert_int_equal(refusal_of(53, "", POLICY_NOTHING), DIRECTORY_REFUSED);
	assert_int_equal(refusal_of(53, "Account inactivated. Contact system administrator.", POLICY_NOTHING),
			 DIRECTORY_DISABLED);
	/* No word about the password: busy, unavailable, a referral, an operations error, too few rights. */
	assert_int_equal(refusal_of(51, "", POLICY_NOTHING), DIRECTORY_UNAVAILABLE);
	assert_int_equal(refusal_of(52, "", POLICY_NOTHING), DIRECTORY_UNAVAILABLE);
	assert_int_equal(refusal_of(10, "", POLICY_NOTHING), DIRECTORY_REFUSED);
	assert_int_equal(refusal_of(1, "", POLICY_NOTHING), DIRECTORY_REFUSED);
	assert_int_equal(refusal_of(50, "", POLICY_NOTHING), DIRECTORY_REFUSED);
	for (int v = 1; v < DIRECTORY_VERDICT_COUNT; v++)
		assert_string_not_equal(refusal_text((enum directory_verdict)v), "?");
}

static void
names_are_taken_from_an_attribute(void **state)
{
	char out[16];

	(void)state;
	assert_true(template_attribute("(uid=%username%)", out, sizeof(out)));
	assert_string_equal(out, "uid");
	assert_true(template_attribute(
	    "(&(objectClass=person)(|(sAMAccountName=%username%)(mail=%username%)))", out, sizeof(out)));
	assert_string_equal(out, "sAMAccountName");
	assert_false(template_attribute("(uid=%username%*)", out, sizeof(out)));
	assert_false(template_attribute("(mail=%username%@example.com)", out, sizeof(out)));
	assert_false(template_attribute("(cn:caseExactMatch:=%username%)", out, sizeof(out)));
	assert_false(template_attribute("(uid>=%username%)", out, sizeof(out)));
	assert_false(template_attribute("(=%username%)", out, sizeof(out)));
	assert_false(template_attribute("=%username%)", out, sizeof(out)));
	assert_false(template_attribute("uid=%username%)", out, sizeof(out)));
	assert_false(template_attribute("(objectClass=person)", out, sizeof(out)));
	assert_false(template_attribute("(aVeryLongAttribute=%username%)", out, sizeof(out)));
}

static void
entries_let_nobody_in(void **state)
{
	const int64_t now = 1700000000; /* 133444736000000000 since 1601 */

	(void)state;
	assert_int_equal(entry_standing("userAccountControl", "514", now), DIRECTORY_DISABLED);
	assert_int_equal(entry_standing("USERACCOUNTCONTROL", "512", now), DIRECTORY_RIGHT);
	assert_int_equal(entry_standing("accountExpires", "0", now), DIRECTORY_RIGHT);
	assert_int_equal(entry_standing("accountExpires", "9223372036854775807", now), DIRECTORY_RIGHT);
	assert_int_equal(entry_standing("accountExpires", "99999999999999999999", now), DIRECTORY_RIGHT);
	assert_int_equal(entry_standing("accountExpires", "133444736000000000", now), DIRECTORY_EXPIRED);
	assert_int_equal(entry_standing("accountExpires", "133444736010000000", now), DIRECTORY_RIGHT);
	assert_int_equal(entry_standing("nsAccountLock", "true", now), DIRECTORY_DISABLED);
	assert_int_equal(entry_standing("loginDisabled", "FALSE", now), DIRECTORY_RIGHT);
	assert_int_equal(entry_standing("pwdAccountLockedTime", "000001010000Z", now), DIRECTORY_DISABLED);
	/* Anybody can do that to anybody, by guessing. */
	assert_int_equal(entry_standing("pwdAccountLockedTime", "20260101000000Z", now), DIRECTORY_RIGHT);
}

static void
settings_are_judged(void **state)
{
	static const struct {
		const char *text, *names;
	} wrong[] = { { "[]", "" },
		      { "{", "" },
		      { "{\"tls\":1}", "tls" },
		      { "{\"base\":null}", "base" },
		      { "{\"nested\":\"deep\"}", "nested" },
		      { "{\"groups\":\"noc\"}", "groups" },
		      { "{\"groups\":[1]}", "groups" },
		      { "{\"bind_password\":\"x\"}", "bind_password" } };
	static const char right[] = "{\"base\":\"dc=x\",\"nested\":\"chain\",\"tls\":false}";
	struct provider p;
	char err[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_false(provider_read(wrong[i].text, strlen(wrong[i].text), &p, err, sizeof(err)));
		assert_non_null(strstr(err, wrong[i].names));
	}
	assert_true(provider_read(right, strlen(right), &p, err, sizeof(err)));
	assert_string_equal(p.group_base, "dc=x");
	assert_string_equal(p.user_filter, "(uid=%username%)");
	assert_int_equal(p.nested, NESTED_CHAIN);
	assert_false(p.tls);
	provider_free(&p);
	assert_true(provider_read("{}", 2, &p, err, sizeof(err)));
	assert_true(p.tls);
	provider_free(&p);
}

static void
is_normal(const char *dn, const char *want)
{
	char *got = dn_normal(dn);

	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
	free(got);
}

/* RFC 4514 sections 2 to 4; each pair is one name. */
static void
names_are_compared_and_not_their_texts(void **state)
{
	char *first;

	(void)state;
	is_normal("CN=NOC, OU=Night  Shift , DC=X", "cn=noc,ou=night shift,dc=x");
	is_normal("2.5.4.3=noc,OU=night shift,dc=x", "cn=noc,ou=night shift,dc=x");
	is_normal("cn=ops\\, night,dc=x", "cn=ops\\2c night,dc=x");
	is_normal("cn=ops\\2C night,dc=x", "cn=ops\\2c night,dc=x");
	is_normal("cn=ops,cn=night,dc=x", "cn=ops,cn=night,dc=x");
	is_normal("cn=\\23a\\20,dc=x", "cn=#a,dc=x");
	is_normal("uid=b+cn=A,dc=x", "cn=a+uid=b,dc=x");
	is_normal("cn=L\\C4\\8Di\\C4\\87,dc=x", "cn=l\xc4\x8di\xc4\x87,dc=x");
	is_normal("cn=a\\00b", "cn=a\\00b");
	is_normal("", "");
	is_normal("noc", NULL);
	is_normal("cn=a,,dc=x", NULL);
	is_normal("cn=a\\", NULL);
	first = dn_first("CN=Ops\\, Night+uid=1,dc=x");
	assert_string_equal(first, "ops\\2c night");
	free(first);
	assert_null(dn_first("noc"));
	assert_null(dn_first(""));
	first = dn_value(" Ops,  Night ");
	assert_string_equal(first, "ops\\2c night");
	free(first);
}

static void
groups_of_the_settings_are_found(void **state)
{
	static const char settings[] = "{\"groups\":[\"CN=NOC,ou=Groups, dc=x\",\"night\",\"Ops, "
				       "Night\",\"cn=noc,dc=y\",\"x=\\\\\",\"cooks\"]}";
	struct findings *f = findings_new();
	struct provider p;
	char err[160];

	(void)state;
	assert_true(provider_read(settings, strlen(settings), &p, err, sizeof(err)));
	assert_int_equal(p.ngroups, 6);
	(void)findings_group(f, "cn=noc,ou=groups,dc=x");
	(void)findings_group(f, "CN=Night,dc=x");
	(void)findings_group(f, "cn=ops\\2c night,dc=x");
	(void)findings_group(f, "no name at all");
	named_find(&p, f);
	provider_free(&p);
	assert_int_equal(f->nnamed, 3);
	assert_string_equal(f->named[0], "CN=NOC,ou=Groups, dc=x");
	assert_string_equal(f->named[1], "night");
	assert_string_equal(f->named[2], "Ops, Night");
	assert_int_equal(f->nsteps, 1);
	assert_non_null(strstr(f->step[0], "no distinguished name"));
	findings_free(&f);
}

/* MS-ADTS section 3.1.1.3.1.3.3. */
static void
parts_of_an_attribute_are_read(void **state)
{
	static const char *const wrong[] = {
		"memberOf",
		"memberOf;binary",
		"member;range=0-1499",
		"memberOfAll;range=0-1499",
		"memberOf;range=",
		"memberOf;range=-5",
		"memberOf;range=*-5",
		"memberOf;range=0-",
		"memberOf;range=5-4",
		"memberOf;range=0-1499x",
		"memberOf;range=0-*1",
		"memberOf;range= 0-1",
		"memberOf;range=+0-1",
		"memberOf;range=0-4294967295",
		"memberOf;range=99999999999999999999-*",
		"memberOf; range=0-1",
		"memberOf;",
	};
	char text[32];
	struct range r;

	(void)state;
	assert_true(range_read("memberOf;range=0-1499", "memberOf", &r));
	assert_int_equal(r.first, 0);
	assert_int_equal(r.next, 1500);
	assert_true(range_read("MEMBEROF;x-y;Range=1500-*", "memberOf", &r));
	assert_int_equal(r.first, 1500);
	assert_int_equal(r.next, 0);
	assert_true(range_read("memberOf;range=7-7;binary", "memberOf", &r));
	assert_int_equal(r.next, 8);
	assert_true(range_read("memberOf;range=0-4294967294", "memberOf", &r));
	assert_int_equal(r.next, UINT32_MAX);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (range_read(wrong[i], "memberOf", &r))
			fail_msg("'%s' is taken", wrong[i]);
	assert_true(range_write("memberOf", 1500, text, sizeof(text)));
	assert_string_equal(text, "memberOf;range=1500-*");
	assert_false(range_write("memberOf", 1500, text, 21));
}

static void
findings_are_bounded_and_told(void **state)
{
	struct findings *f = findings_new();
	struct json_doc *d;
	char name[64], err[128];
	bool cut = false;
	size_t len;
	char *text;

	(void)state;
	for (unsigned i = 0; i < FINDINGS_GROUPS + 10; i++) {
		(void)snprintf(name, sizeof(name), "cn=group %u,dc=x", i);
		assert_int_equal(findings_group(f, name), i < FINDINGS_GROUPS);
	}
	assert_false(findings_group(f, "CN=Group 7,DC=X"));
	assert_int_equal(f->ngroups, FINDINGS_GROUPS);
	assert_true(f->cut);
	for (unsigned i = 0; i < FINDINGS_STEPS + 10; i++)
		findings_step(f, "step %u", i);
	findings_end(f, DIRECTORY_LOCKED, "says so");
	text = findings_text(f, &len);
	assert_non_null(text);
	d = json_parse(text, len, DIRECTORY_TOLD_MAX, err, sizeof(err));
	assert_non_null(d);
	assert_string_equal(json_get_string(d, "why"), "the account is locked: says so");
	assert_int_equal(json_node_count(json_node_member(json_root(d), "groups")), FINDINGS_GROUPS);
	assert_int_equal(json_node_count(json_node_member(json_root(d), "steps")), FINDINGS_STEPS);
	json_doc_free(&d);
	free(text);
	findings_free(&f);
	/* Longer than may be told. */
	f = findings_new();
	for (unsigned i = 0; i < FINDINGS_GROUPS; i++) {
		char longest[512];

		(void)snprintf(longest, sizeof(longest), "cn=%0450u,dc=x", i);
		(void)findings_group(f, longest);
	}
	findings_end(f, DIRECTORY_RIGHT, NULL);
	text = findings_text(f, &len);
	d = json_parse(text, len, DIRECTORY_TOLD_MAX, err, sizeof(err));
	assert_non_null(d);
	assert_int_equal(json_node_count(json_node_member(json_root(d), "groups")), FINDINGS_GROUPS / 2);
	assert_true(json_node_bool(json_node_member(json_root(d), "cut"), &cut) && cut);
	json_doc_free(&d);
	free(text);
	findings_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_read),
		cmocka_unit_test(what_is_typed_is_escaped),
		cmocka_unit_test(refusals_are_told_apart),
		cmocka_unit_test(names_are_taken_from_an_attribute),
		cmocka_unit_test(entries_let_nobody_in),
		cmocka_unit_test(settings_are_judged),
		cmocka_unit_test(names_are_compared_and_not_their_texts),
		cmocka_unit_test(groups_of_the_settings_are_found),
		cmocka_unit_test(parts_of_an_attribute_are_read),
		cmocka_unit_test(findings_are_bounded_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
