/* Rights on the real weir-authd: what is changed or taken back holds at the next question. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_player.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "policy/decide.h"
#include "policy/grant.h"
#include "policy/snapshot.h"
#include "token_text.h"
#include "totp.h"

static struct player p;
static struct wire_auth_answer a;
static uint8_t root_grant[GRANT_MAX], root_cookie[COOKIE_BYTES];
static size_t root_len;

static int
open_player(void **state)
{
	(void)state;
	player_open(&p);
	player_start(&p);
	player_connect_store(&p);
	player_set_up(&p, &a);
	memcpy(root_grant, a.grant, sizeof(root_grant));
	memcpy(root_cookie, a.cookie, sizeof(root_cookie));
	root_len = a.grant_len;
	return 0;
}

static int
close_player(void **state)
{
	(void)state;
	player_close(&p);
	return 0;
}

static void
admin_is(const char *json, enum admin_status wanted)
{
	enum admin_status got = player_admin(&p, root_grant, root_len, json);

	if (got != wanted)
		fail_msg("%s: status %u: %s", json, got, player_body);
}

static void
login_is(const char *name, const char *password, enum auth_status wanted)
{
	player_answer(&p, player_send_login(&p, name, password, "192.0.2.9"), &a);
	assert_int_equal(a.status, wanted);
}

static void
session_is(const uint8_t *cookie, const char *tenant, enum auth_status wanted)
{
	player_answer(&p, player_send_tenant_session(&p, cookie, tenant), &a);
	assert_int_equal(a.status, wanted);
}

static void
token_is(const char *token, const char *from, enum auth_status wanted)
{
	player_answer(&p, player_send_token(&p, token, "", from), &a);
	assert_int_equal(a.status, wanted);
}

static struct grant
granted(void)
{
	struct grant g;

	assert_int_equal(grant_verify(a.grant, a.grant_len, (const uint8_t(*)[GRANT_SIGN_PUBLIC])p.keys.key,
				      p.keys.n, clock_utc_ns(), &g),
			 GRANT_GOOD);
	return g;
}

/* The text behind "key":" in the last answer. */
static void
take_text(const char *key, char *out, size_t size)
{
	char before[40];
	const char *at;

	memset(out, 0, size);
	(void)snprintf(before, sizeof(before), "\"%s\":\"", key);
	at = strstr(player_body, before);
	if (at == NULL) {
		fail_msg("no %s in %s", key, player_body);
		return;
	}
	at += strlen(before);
	(void)snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

#define VIC "a river without a weir"
#define NEW "a bridge over the river"

static void
make_vic(void)
{
	admin_is("{\"op\":\"tenant.add\",\"name\":\"acme\",\"selectors\":[{\"interface\":\"eth1\"}]}",
		 ADMIN_OK);
	admin_is("{\"op\":\"user.add\",\"name\":\"vic\",\"kind\":\"person\",\"password\":\"" VIC
		 "\",\"access\":[{\"tenant\":\"acme\","
		 "\"role\":\"operator\",\"networks\":[\"10.0.0.0/8\"]}]}",
		 ADMIN_OK);
	login_is("vic", VIC, AUTH_OK);
}

/* --- rights --- */

static void
a_change_of_rights_holds_at_once(void **state)
{
	uint8_t cookie[COOKIE_BYTES];
	struct grant before, after;
	unsigned revoked;

	(void)state;
	make_vic();
	memcpy(cookie, a.cookie, sizeof(cookie));
	before = granted();
	assert_int_equal(before.role, ROLE_OPERATOR);
	assert_int_equal(before.nnarrowings, 1);
	assert_string_equal(a.tenant, "acme");
	assert_true(p.snapshot.number >= before.snapshot); /* store has the narrowing before the grant */
	revoked = p.nrevokes;
	admin_is(
	    "{\"op\":\"user.set\",\"name\":\"vic\",\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\"}]}",
	    ADMIN_OK);
	/* The answer came after store had been told that the grant is void. */
	assert_int_equal(p.nrevokes, revoked + 1);
	assert_memory_equal(p.last_revoke.grant.id, before.id, sizeof(before.id));
	session_is(cookie, "", AUTH_OK);
	after = granted();
	assert_int_equal(after.role, ROLE_VIEWER);
	assert_int_equal(after.nnarrowings, 0);
	assert_memory_not_equal(after.id, before.id, sizeof(after.id));
	session_is(cookie, "default", AUTH_DENIED);
	session_is(cookie, "*", AUTH_DENIED);
	session_is(cookie, "acme", AUTH_OK);
	/* Without any access left there is nothing to have. */
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"access\":[]}", ADMIN_OK);
	session_is(cookie, "", AUTH_DENIED);
	login_is("vic", VIC, AUTH_DENIED);
	/* A group gives it back. */
	admin_is("{\"op\":\"group.add\",\"name\":\"noc\",\"members\":[\"vic\"],\"access\":[{\"tenant\":"
		 "\"acme\",\"role\":\"auditor\"}]}",
		 ADMIN_OK);
	session_is(cookie, "", AUTH_OK);
	assert_string_equal(a.role, "auditor");
	admin_is("{\"op\":\"group.set\",\"name\":\"noc\",\"members\":[]}", ADMIN_OK);
	session_is(cookie, "", AUTH_DENIED);
}

/* An administrator of the platform who looks at tenants has a grant for each: both end with their tenants. */
static void
grants_end_with_every_tenant_that_is_pruned(void **state)
{
	uint8_t gone[2][GRANT_ID_LEN];
	unsigned revoked;

	(void)state;
	admin_is("{\"op\":\"tenant.add\",\"name\":\"acme\"}", ADMIN_OK);
	admin_is("{\"op\":\"tenant.add\",\"name\":\"beta\"}", ADMIN_OK);
	session_is(root_cookie, "acme", AUTH_OK);
	memcpy(gone[0], granted().id, sizeof(gone[0]));
	session_is(root_cookie, "beta", AUTH_OK);
	memcpy(gone[1], granted().id, sizeof(gone[1]));
	assert_memory_not_equal(gone[0], gone[1], sizeof(gone[0]));
	revoked = p.nrevokes;
	admin_is("{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"default\"}]},\"prune\":true}",
		 ADMIN_OK);
	assert_int_equal(p.nrevokes, revoked + 2);
	session_is(root_cookie, "acme", AUTH_DENIED);
	session_is(root_cookie, "beta", AUTH_DENIED);
	session_is(root_cookie, "", AUTH_OK);
}

static void
who_is_disabled_or_removed_is_out(void **state)
{
	uint8_t cookie[COOKIE_BYTES];
	unsigned revoked;

	(void)state;
	make_vic();
	memcpy(cookie, a.cookie, sizeof(cookie));
	revoked = p.nrevokes;
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"disabled\":true}", ADMIN_OK);
	assert_int_equal(p.nrevokes, revoked + 1);
	session_is(cookie, "", AUTH_DENIED);
	login_is("vic", VIC, AUTH_DENIED);
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"disabled\":false}", ADMIN_OK);
	session_is(cookie, "", AUTH_DENIED); /* its session does not come back */
	login_is("vic", VIC, AUTH_OK);
	memcpy(cookie, a.cookie, sizeof(cookie));
	admin_is("{\"op\":\"user.password\",\"name\":\"vic\",\"password\":\"another weir downstream\"}",
		 ADMIN_OK);
	session_is(cookie, "", AUTH_DENIED);
	login_is("vic", VIC, AUTH_DENIED);
	login_is("vic", "another weir downstream", AUTH_OK);
	memcpy(cookie, a.cookie, sizeof(cookie));
	admin_is("{\"op\":\"user.remove\",\"name\":\"vic\"}", ADMIN_OK);
	session_is(cookie, "", AUTH_DENIED);
	login_is("vic", "another weir downstream", AUTH_DENIED);
	/* The last administrator stays. */
	admin_is("{\"op\":\"user.remove\",\"name\":\"" PLAYER_NAME "\"}", ADMIN_CONFLICT);
	admin_is("{\"op\":\"user.set\",\"name\":\"" PLAYER_NAME "\",\"disabled\":true}", ADMIN_CONFLICT);
	session_is(root_cookie, "", AUTH_OK);
	assert_int_equal(a.setup_open, 0);
}

static void
grants_that_are_none_administer_nothing(void **state)
{
	uint8_t grant[GRANT_MAX];
	struct wire_cli_answer cli;

	(void)state;
	memcpy(grant, root_grant, sizeof(grant));
	grant[root_len - 1] ^= 1;
	assert_int_equal(player_admin(&p, grant, root_len, "{\"op\":\"tenant.list\"}"), ADMIN_NOT_GRANTED);
	assert_int_equal(player_admin(&p, grant, 1, "{\"op\":\"tenant.list\"}"), ADMIN_NOT_GRANTED);
	/* Another's, shown by httpd. */
	player_cli(&p, MSG_CLI_GRANT, &cli);
	assert_int_equal(player_admin(&p, cli.grant, cli.grant_len, "{\"op\":\"tenant.list\"}"),
			 ADMIN_NOT_GRANTED);
	admin_is("{\"op\":\"tenant.list\"}", ADMIN_OK);
	player_answer(&p, player_send_session(&p, MSG_LOGOUT, root_cookie), &a);
	assert_int_equal(a.status, AUTH_OK);
	admin_is("{\"op\":\"tenant.list\"}", ADMIN_NOT_GRANTED);
	/* The command line needs none. */
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"user.list\"}"), ADMIN_OK);
	assert_non_null(strstr(player_body, "\"name\":\"" PLAYER_NAME "\""));
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"audit.list\",\"kind\":\"admin_read\"}"),
			 ADMIN_OK);
	assert_non_null(strstr(player_body, "\"cli:0\""));
}

/* --- tokens --- */

static void
a_token_works_until_it_is_taken_back(void **state)
{
	char token[TOKEN_TEXT_LEN + 1], id[17], json[128];
	uint8_t grant[GRANT_MAX];
	struct grant g;
	unsigned revoked;

	(void)state;
	make_vic();
	admin_is("{\"op\":\"token.add\",\"owner\":\"vic\",\"label\":\"ci\",\"role\":\"viewer\",\"scopes\":["
		 "\"traffic:read\"],\"networks\":"
		 "[\"10.1.0.0/16\"],\"sources\":[\"198.51.100.0/24\"]}",
		 ADMIN_OK);
	take_text("secret", token, sizeof(token));
	take_text("id", id, sizeof(id));
	assert_true(token_text_good(token));
	token_is(token, "192.0.2.1", AUTH_DENIED); /* not from there */
	token_is(token, "198.51.100.7", AUTH_OK);
	memcpy(grant, a.grant, sizeof(grant));
	g = granted();
	assert_int_equal(g.role, ROLE_VIEWER);
	assert_int_equal(g.nnarrowings, 2); /* its owner's and its own */
	assert_true(g.of_token);
	assert_true(g.scopes == UINT64_C(1) << ACTION_READ_TRAFFIC);
	assert_string_equal(g.subject, "user:vic");
	assert_memory_equal(a.cookie, ((const uint8_t[COOKIE_BYTES]){ 0 }), COOKIE_BYTES);
	token_is(token, "198.51.100.7", AUTH_OK);
	assert_memory_equal(a.grant, grant, sizeof(grant)); /* from the cache */
	player_answer(&p, player_send_token(&p, token, "default", "198.51.100.7"), &a);
	assert_int_equal(a.status, AUTH_DENIED);
	/* Its owner loses the role: so does the token. */
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"access\":[{\"tenant\":\"acme\",\"role\":\"limited-"
		 "viewer\"}]}",
		 ADMIN_OK);
	token_is(token, "198.51.100.7", AUTH_OK);
	assert_int_equal(granted().role, ROLE_LIMITED_VIEWER);
	revoked = p.nrevokes;
	(void)snprintf(json, sizeof(json), "{\"op\":\"token.remove\",\"id\":\"%s\"}", id);
	admin_is(json, ADMIN_OK);
	assert_int_equal(p.nrevokes, revoked + 1);
	token_is(token, "198.51.100.7", AUTH_DENIED);
}

static void
tokens_die_with_their_owner(void **state)
{
	char token[TOKEN_TEXT_LEN + 1];

	(void)state;
	make_vic();
	admin_is("{\"op\":\"token.add\",\"owner\":\"vic\",\"label\":\"ci\"}", ADMIN_OK);
	take_text("secret", token, sizeof(token));
	token_is(token, "192.0.2.1", AUTH_OK);
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"disabled\":true}", ADMIN_OK);
	token_is(token, "192.0.2.1", AUTH_DENIED);
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"disabled\":false}", ADMIN_OK);
	token_is(token, "192.0.2.1", AUTH_OK);
	/* authd starts anew: the token is still there, and was used. */
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	player_start(&p);
	player_connect_store(&p);
	token_is(token, "192.0.2.1", AUTH_OK);
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"token.list\",\"owner\":\"vic\"}"), ADMIN_OK);
	assert_non_null(strstr(player_body, "\"last_used\":{\"time\":"));
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"user.remove\",\"name\":\"vic\"}"), ADMIN_OK);
	token_is(token, "192.0.2.1", AUTH_DENIED);
	token[10] = token[10] == 'a' ? 'b' : 'a';
	token_is(token, "192.0.2.1", AUTH_DENIED);
	token_is("", "192.0.2.1", AUTH_DENIED);
}

/* --- the second factor --- */

static uint8_t totp_secret[TOTP_SECRET_LEN];

/* What an authenticator makes of the text. */
static void
learn_secret(void)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char text[64];
	uint32_t bits = 0, have = 0;
	size_t n = 0;

	take_text("secret", text, sizeof(text));
	for (const char *c = text; *c != '\0' && n < sizeof(totp_secret); c++) {
		bits = bits << 5 | (uint32_t)(strchr(letters, *c) - letters);
		have += 5;
		if (have >= 8)
			totp_secret[n++] = (uint8_t)(bits >> (have -= 8));
	}
	assert_int_equal(n, sizeof(totp_secret));
}

static const char *
code_of(int drift)
{
	static char code[TOTP_DIGITS + 1];
	uint64_t step = (uint64_t)(clock_utc_ns() / NS_PER_S) / TOTP_STEP_S;

	assert_true(totp_code(totp_secret, step + (uint64_t)drift, code));
	return code;
}

static void
second_is(const uint8_t *ticket, const char *code, enum auth_status wanted)
{
	player_answer(&p, player_send_second_factor(&p, ticket, code, "192.0.2.9"), &a);
	assert_int_equal(a.status, wanted);
}

static void
a_second_factor_is_asked_for_and_counts_once(void **state)
{
	char json[128], recovery[RECOVERY_CODES][24], code[TOTP_DIGITS + 1];
	uint8_t ticket[TICKET_BYTES];
	const char *at;

	(void)state;
	totp_init();
	make_vic();
	session_is(a.cookie, "", AUTH_OK);
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"second_factor.begin\"}"),
			 ADMIN_OK);
	learn_secret();
	login_is("vic", VIC, AUTH_OK); /* not confirmed: not asked for */
	/* The step before this one, so that this one's code is still good. */
	(void)snprintf(json, sizeof(json), "{\"op\":\"second_factor.confirm\",\"code\":\"%s\"}", code_of(-1));
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, json), ADMIN_OK);
	at = strstr(player_body, "[\"");
	for (int i = 0; i < RECOVERY_CODES; i++) {
		assert_int_equal(sscanf(at + 1, "\"%19[a-z2-7-]\"", recovery[i]), 1);
		assert_int_equal(strlen(recovery[i]), 19);
		at = strchr(at + 2, ',');
		if (i + 1 < RECOVERY_CODES)
			assert_non_null(at);
	}

	login_is("vic", VIC, AUTH_SECOND_FACTOR);
	assert_int_equal(a.grant_len, 0);
	memcpy(ticket, a.cookie, sizeof(ticket));
	session_is(ticket, "", AUTH_DENIED); /* a ticket is no session */
	second_is(ticket, "000000", AUTH_DENIED);
	(void)str_copy(code, sizeof(code), code_of(0));
	second_is(ticket, code, AUTH_OK);
	assert_true(a.grant_len > 0);
	session_is(a.cookie, "", AUTH_OK);
	second_is(ticket, code, AUTH_DENIED); /* the ticket is used */
	login_is("vic", VIC, AUTH_SECOND_FACTOR);
	memcpy(ticket, a.cookie, sizeof(ticket));
	second_is(ticket, code, AUTH_DENIED); /* the code is, too */
	second_is(ticket, recovery[3], AUTH_OK);
	login_is("vic", VIC, AUTH_SECOND_FACTOR);
	memcpy(ticket, a.cookie, sizeof(ticket));
	second_is(ticket, recovery[3], AUTH_DENIED);
	second_is(ticket, recovery[9], AUTH_OK);
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"me.get\"}"), ADMIN_OK);
	assert_non_null(strstr(player_body, "\"recovery_codes_left\":8"));
	/* An administrator takes it away. */
	session_is(root_cookie, "", AUTH_OK);
	assert_int_equal(
	    player_admin(&p, a.grant, a.grant_len, "{\"op\":\"second_factor.remove\",\"user\":\"vic\"}"),
	    ADMIN_OK);
	login_is("vic", VIC, AUTH_OK);
}

/* Who knew the password, and is not in yet, does not come in by it when it is another. */
static void
a_new_password_ends_logins_that_have_begun(void **state)
{
	uint8_t ticket[TICKET_BYTES];
	char json[128];

	(void)state;
	totp_init();
	make_vic();
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"second_factor.begin\"}"),
			 ADMIN_OK);
	learn_secret();
	(void)snprintf(json, sizeof(json), "{\"op\":\"second_factor.confirm\",\"code\":\"%s\"}", code_of(-1));
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, json), ADMIN_OK);
	login_is("vic", VIC, AUTH_SECOND_FACTOR);
	memcpy(ticket, a.cookie, sizeof(ticket));
	admin_is("{\"op\":\"user.password\",\"name\":\"vic\",\"password\":\"" NEW "\"}", ADMIN_OK);
	second_is(ticket, code_of(0), AUTH_DENIED);
	login_is("vic", NEW, AUTH_SECOND_FACTOR);
	memcpy(ticket, a.cookie, sizeof(ticket));
	second_is(ticket, code_of(0), AUTH_OK);
}

/* authd is started anew, and hashes passwords at this cost. */
static void
start_again(int64_t passes)
{
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	p.settings.password_passes = passes;
	player_start(&p);
	player_connect_store(&p);
	session_is(root_cookie, "", AUTH_OK);
	memcpy(root_grant, a.grant, sizeof(root_grant));
	root_len = a.grant_len;
}

/* The old password is being judged, at length, when it becomes another: it opens nothing, and what was to be
 * hashed anew does not come back. */
static void
a_new_password_wins_over_a_login(void **state)
{
	uint64_t login;

	(void)state;
	start_again(20);
	make_vic();
	start_again(1);
	login = player_send_login(&p, "vic", VIC, "192.0.2.9");
	admin_is("{\"op\":\"user.password\",\"name\":\"vic\",\"password\":\"" NEW "\"}", ADMIN_OK);
	player_answer(&p, login, &a);
	assert_int_equal(a.status, AUTH_BUSY);
	assert_int_equal(a.grant_len, 0);
	login_is("vic", VIC, AUTH_DENIED);
	login_is("vic", NEW, AUTH_OK);
}

static void
guesses_at_codes_are_few(void **state)
{
	char json[128];
	uint8_t ticket[TICKET_BYTES];
	unsigned denied = 0;

	(void)state;
	totp_init();
	make_vic();
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"second_factor.begin\"}"),
			 ADMIN_OK);
	learn_secret();
	(void)snprintf(json, sizeof(json), "{\"op\":\"second_factor.confirm\",\"code\":\"%s\"}", code_of(-1));
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, json), ADMIN_OK);
	login_is("vic", VIC, AUTH_SECOND_FACTOR);
	memcpy(ticket, a.cookie, sizeof(ticket));
	do {
		player_answer(&p, player_send_second_factor(&p, ticket, "abcdef", "198.51.100.9"), &a);
		denied += a.status == AUTH_DENIED;
	} while (a.status == AUTH_DENIED && denied < 20);
	/* Five of a ticket at most; past that either the throttle or the ticket says no, and never yes. */
	assert_true(denied >= 3);
	player_answer(&p, player_send_second_factor(&p, ticket, code_of(0), "198.51.100.9"), &a);
	assert_true(a.status == AUTH_DENIED || a.status == AUTH_THROTTLED);
}

static void
who_must_have_one_can_only_make_it(void **state)
{
	struct grant g;

	(void)state;
	(void)player_exit(&p, SIGTERM);
	p.settings.second_factor_roles.n = 1;
	(void)str_copy(p.settings.second_factor_roles.item[0], sizeof(p.settings.second_factor_roles.item[0]),
		       "operator");
	player_start(&p);
	player_connect_store(&p);
	session_is(root_cookie, "", AUTH_OK);
	memcpy(root_grant, a.grant, sizeof(root_grant));
	root_len = a.grant_len;
	make_vic();
	g = granted();
	assert_false(policy_decide_tenant(&g, ACTION_READ_TRAFFIC, g.tenant));
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"me.get\"}"), ADMIN_OK);
	assert_non_null(strstr(player_body, "\"must_enrol\":true"));
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"second_factor.begin\"}"),
			 ADMIN_OK);
}

/* --- sessions and one's own account --- */

static void
sessions_are_listed_and_ended(void **state)
{
	uint8_t first[COOKIE_BYTES], second[COOKIE_BYTES];
	char id[17], json[128];
	size_t grant_len;
	uint8_t grant[GRANT_MAX];

	(void)state;
	make_vic();
	memcpy(first, a.cookie, sizeof(first));
	login_is("vic", VIC, AUTH_OK);
	memcpy(second, a.cookie, sizeof(second));
	memcpy(grant, a.grant, sizeof(grant));
	grant_len = a.grant_len;
	assert_int_equal(player_admin(&p, grant, grant_len, "{\"op\":\"session.list\"}"), ADMIN_OK);
	assert_non_null(strstr(player_body, "\"address\":\"192.0.2.9\""));
	assert_non_null(strstr(player_body, "\"current\":true"));
	assert_non_null(strstr(player_body, "\"current\":false"));
	assert_int_equal(player_admin(&p, grant, grant_len, "{\"op\":\"session.end\",\"others\":true}"),
			 ADMIN_OK);
	assert_string_equal(player_body, "{\"ended\":1}");
	session_is(first, "", AUTH_DENIED);
	session_is(second, "", AUTH_OK);
	admin_is("{\"op\":\"session.list\",\"user\":\"vic\"}", ADMIN_OK);
	take_text("id", id, sizeof(id));
	(void)snprintf(json, sizeof(json), "{\"op\":\"session.end\",\"id\":\"%s\"}", id);
	admin_is(json, ADMIN_OK);
	session_is(second, "", AUTH_DENIED);
	admin_is(json, ADMIN_NOT_FOUND);
}

static void
ones_own_password_is_changed(void **state)
{
	uint8_t first[COOKIE_BYTES], second[COOKIE_BYTES], grant[GRANT_MAX];
	size_t len;

	(void)state;
	make_vic();
	memcpy(first, a.cookie, sizeof(first));
	login_is("vic", VIC, AUTH_OK);
	memcpy(second, a.cookie, sizeof(second));
	memcpy(grant, a.grant, sizeof(grant));
	len = a.grant_len;
	assert_int_equal(
	    player_admin(&p, grant, len,
			 "{\"op\":\"me.password\",\"old\":\"not it\",\"new\":\"a bridge over the river\"}"),
	    ADMIN_BAD);
	assert_non_null(strstr(player_body, "\"field\":\"old\""));
	assert_int_equal(
	    player_admin(&p, grant, len, "{\"op\":\"me.password\",\"old\":\"" VIC "\",\"new\":\"short\"}"),
	    ADMIN_BAD);
	assert_non_null(strstr(player_body, "\"field\":\"new\""));
	assert_int_equal(player_admin(&p, grant, len,
				      "{\"op\":\"me.password\",\"old\":\"" VIC
				      "\",\"new\":\"a bridge over the river\"}"),
			 ADMIN_OK);
	session_is(first, "", AUTH_DENIED);
	session_is(second, "", AUTH_OK);
	login_is("vic", VIC, AUTH_DENIED);
	login_is("vic", "a bridge over the river", AUTH_OK);
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"me.get\"}"), ADMIN_OK);
	assert_non_null(strstr(player_body, "\"last_login\":{"));
}

/* store says nothing: what it need not know is answered, and of the rest is said that it was not confirmed.
 */
static void
a_mute_store_holds_up_only_what_it_must_know(void **state)
{
	int64_t began;

	(void)state;
	make_vic();
	p.mute = true;
	login_is("vic", VIC, AUTH_OK); /* its grant is told, and not confirmed */
	began = clock_boot_ns();
	admin_is("{\"op\":\"token.add\",\"owner\":\"vic\",\"label\":\"ci\"}", ADMIN_OK);
	assert_non_null(strstr(player_body, "\"secret\""));
	assert_false(player_unconfirmed);
	assert_true(clock_boot_ns() - began < 4 * NS_PER_S); /* authd would wait for 5 */
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"disabled\":true}", ADMIN_OK);
	assert_true(player_unconfirmed);
	assert_non_null(strstr(player_body, "\"disabled\":true")); /* the answer all the same */
	login_is("vic", VIC, AUTH_DENIED);                         /* it is done all the same */
}

/* Passwords that are set by the dozen leave room for those who log in. */
static void
administration_leaves_room_for_logins(void **state)
{
	enum { ASKED = 100, LOGINS = 4 };
	unsigned good = 0, busy = 0;
	uint64_t login;

	(void)state;
	make_vic();
	for (unsigned i = 0; i < ASKED; i++)
		(void)player_send_admin(&p, root_grant, root_len,
					"{\"op\":\"user.password\",\"name\":\"vic\",\"password\":\"" VIC
					"\"}");
	for (unsigned i = 0; i < LOGINS; i++)
		login = player_send_login(&p, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1");
	for (unsigned i = 0; i < ASKED + LOGINS; i++) {
		static uint8_t body[MSG_BODY_MAX];
		struct wire_admin_answer part;
		enum msg_id id;

		while (p.store != -1 && !player_waits(p.httpd, 20))
			if (player_waits(p.store, 0))
				player_store_step(&p);
		assert_true(channel_read(p.httpd, PROC_HTTPD, PROC_AUTHD, &id, body, PATIENCE_MS) > 0);
		if (id == MSG_AUTH_ANSWER) {
			memcpy(&a, body, sizeof(a));
			assert_int_equal(a.status, AUTH_OK);
			assert_true(a.request <= login);
			continue;
		}
		assert_int_equal(id, MSG_ADMIN_ANSWER);
		memcpy(&part, body, sizeof(part));
		good += part.status == ADMIN_OK;
		busy += part.status == ADMIN_BUSY;
	}
	assert_true(good > 0 && busy > 0);
	assert_int_equal(good + busy, ASKED);
}

/* Long lists, more at once than a channel holds, and nobody who reads: some are put off, and the channel, by
 * which everybody logs in, stays. */
static void
many_long_answers_do_not_end_the_channel(void **state)
{
	enum { USERS = 30, NETWORKS = 1500, ASKED = 40 };
	static char json[ADMIN_BODY_MAX];
	static uint8_t body[MSG_BODY_MAX];
	unsigned answered = 0, good = 0, busy = 0;

	(void)state;
	for (unsigned u = 0; u < USERS; u++) {
		size_t n = (size_t)snprintf(
		    json, sizeof(json),
		    "{\"op\":\"user.add\",\"name\":\"u%u\",\"kind\":\"service\",\"access\":[{"
		    "\"tenant\":\"*\",\"role\":\"viewer\",\"networks\":[",
		    u);

		for (unsigned i = 0; i < NETWORKS; i++)
			n += (size_t)snprintf(json + n, sizeof(json) - n, "%s\"10.%u.%u.%u\"",
					      i == 0 ? "" : ",", u, i >> 8, i & 255);
		(void)snprintf(json + n, sizeof(json) - n, "]}]}");
		admin_is(json, ADMIN_OK);
	}
	for (unsigned i = 0; i < ASKED; i++)
		(void)player_send_admin(&p, root_grant, root_len, "{\"op\":\"user.list\"}");
	while (answered < ASKED) {
		struct wire_admin_answer part;
		enum msg_id id;
		ssize_t n = channel_read(p.httpd, PROC_HTTPD, PROC_AUTHD, &id, body, PATIENCE_MS);

		assert_true(n >= (ssize_t)sizeof(part));
		assert_int_equal(id, MSG_ADMIN_ANSWER);
		memcpy(&part, body, sizeof(part));
		answered += part.more == 0;
		good += part.more == 0 && part.status == ADMIN_OK;
		busy += part.more == 0 && part.status == ADMIN_BUSY;
	}
	assert_true(good > 0);
	assert_int_equal(good + busy, ASKED);
	session_is(root_cookie, "", AUTH_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_player, close_player)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_of_rights_holds_at_once),
		TEST(grants_end_with_every_tenant_that_is_pruned),
		TEST(who_is_disabled_or_removed_is_out),
		TEST(grants_that_are_none_administer_nothing),
		TEST(a_token_works_until_it_is_taken_back),
		TEST(tokens_die_with_their_owner),
		TEST(a_second_factor_is_asked_for_and_counts_once),
		TEST(a_new_password_ends_logins_that_have_begun),
		TEST(a_new_password_wins_over_a_login),
		TEST(guesses_at_codes_are_few),
		TEST(who_must_have_one_can_only_make_it),
		TEST(a_mute_store_holds_up_only_what_it_must_know),
		TEST(administration_leaves_room_for_logins),
		TEST(many_long_answers_do_not_end_the_channel),
		TEST(sessions_are_listed_and_ended),
		TEST(ones_own_password_is_changed),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
