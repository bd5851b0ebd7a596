/* Name and password with every request, on the real weir-authd: judged once, remembered for a while,
 * forgotten at once where anything about the account changes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_player.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "policy/grant.h"
#include "totp.h"

#define VIC  "a river without a weir"
#define NEW  "a bridge over the river"
#define HERE "192.0.2.9"

static struct player p;
static struct wire_auth_answer a;
static uint8_t root_grant[GRANT_MAX];
static size_t root_len;

static void
keep_root(void)
{
	memcpy(root_grant, a.grant, sizeof(root_grant));
	root_len = a.grant_len;
}

static void
admin_is(const char *json, enum admin_status wanted)
{
	enum admin_status got = player_admin(&p, root_grant, root_len, json);

	if (got != wanted)
		fail_msg("%s: status %u: %s", json, got, player_body);
}

static int
open_player(void **state)
{
	(void)state;
	player_open(&p);
	player_start(&p);
	player_connect_store(&p);
	player_set_up(&p, &a);
	keep_root();
	admin_is("{\"op\":\"tenant.add\",\"name\":\"acme\"}", ADMIN_OK);
	admin_is("{\"op\":\"user.add\",\"name\":\"vic\",\"kind\":\"person\",\"password\":\"" VIC
		 "\",\"access\":[{\"tenant\":\"acme\",\"role\":\"operator\"}]}",
		 ADMIN_OK);
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
basic_is(const char *password, const char *from, enum auth_status wanted)
{
	player_answer(&p, player_send_basic(&p, "vic", password, "", from), &a);
	assert_int_equal(a.status, wanted);
}

/* The processes that compute argon2id stop, or go on: what is answered meanwhile was not judged by them. */
static void
signal_hashers(int signal)
{
	pid_t pid[PLAYER_HASHERS];
	size_t n = player_hashers(&p, pid);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(kill(pid[i], signal), 0);
}

static void
it_is_judged_once(void **state)
{
	uint8_t first[GRANT_MAX];
	uint64_t waiting;

	(void)state;
	basic_is(VIC, HERE, AUTH_OK);
	assert_string_equal(a.name, "vic");
	assert_string_equal(a.tenant, "acme");
	assert_string_equal(a.role, "operator");
	memcpy(first, a.grant, sizeof(first));
	signal_hashers(SIGSTOP);
	for (int i = 0; i < 100; i++)
		basic_is(VIC, HERE, AUTH_OK);
	assert_memory_equal(a.grant, first, a.grant_len);
	/* Another password, name or address is not what was judged. */
	waiting = player_send_basic(&p, "vic", VIC, "", "192.0.2.10");
	assert_false(player_waits(p.httpd, 200));
	signal_hashers(SIGCONT);
	player_answer(&p, waiting, &a);
	assert_int_equal(a.status, AUTH_OK);
	basic_is(VIC "x", HERE, AUTH_DENIED);
	assert_int_equal(a.grant_len, 0);
	basic_is("", HERE, AUTH_DENIED);
	player_answer(&p, player_send_basic(&p, "nobody", VIC, "", HERE), &a);
	assert_int_equal(a.status, AUTH_DENIED);
	/* It opens what it may and no more. */
	player_answer(&p, player_send_basic(&p, "vic", VIC, "acme", HERE), &a);
	assert_int_equal(a.status, AUTH_OK);
	player_answer(&p, player_send_basic(&p, "vic", VIC, "*", HERE), &a);
	assert_int_equal(a.status, AUTH_NO_TENANT);
	assert_int_equal(a.grant_len, 0);
	player_answer(&p, player_send_basic(&p, "vic", VIC "x", "*", HERE), &a);
	assert_int_equal(a.status, AUTH_DENIED);
}

static void
every_change_empties_it(void **state)
{
	unsigned revoked;

	(void)state;
	basic_is(VIC, HERE, AUTH_OK);
	revoked = p.nrevokes;
	admin_is("{\"op\":\"user.password\",\"name\":\"vic\",\"password\":\"" NEW "\"}", ADMIN_OK);
	assert_true(p.nrevokes > revoked); /* store knows, before the administrator gets his answer */
	basic_is(VIC, HERE, AUTH_DENIED);
	basic_is(NEW, HERE, AUTH_OK);
	revoked = p.nrevokes;
	admin_is(
	    "{\"op\":\"user.set\",\"name\":\"vic\",\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\"}]}",
	    ADMIN_OK);
	assert_true(p.nrevokes > revoked);
	basic_is(NEW, HERE, AUTH_OK);
	assert_string_equal(a.role, "viewer");
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"disabled\":true}", ADMIN_OK);
	basic_is(NEW, HERE, AUTH_DENIED);
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"disabled\":false}", ADMIN_OK);
	basic_is(NEW, HERE, AUTH_OK);
	admin_is("{\"op\":\"user.set\",\"name\":\"vic\",\"access\":[]}", ADMIN_OK);
	basic_is(NEW, HERE, AUTH_DENIED);
	admin_is("{\"op\":\"user.remove\",\"name\":\"vic\"}", ADMIN_OK);
	basic_is(NEW, HERE, AUTH_DENIED);
}

/* The secret is in the answer to second_factor.begin, in base 32. */
static void
confirm_factor(void)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t secret[TOTP_SECRET_LEN];
	char json[128], code[TOTP_DIGITS + 1], *at = strstr(player_body, "\"secret\":\"");
	uint32_t bits = 0, have = 0;
	size_t n = 0;

	assert_non_null(at);
	for (at += strlen("\"secret\":\""); *at != '"' && n < sizeof(secret); at++) {
		bits = bits << 5 | (uint32_t)(strchr(letters, *at) - letters);
		have += 5;
		if (have >= 8)
			secret[n++] = (uint8_t)(bits >> (have -= 8));
	}
	assert_true(totp_code(secret, (uint64_t)(clock_utc_ns() / NS_PER_S) / TOTP_STEP_S, code));
	(void)snprintf(json, sizeof(json), "{\"op\":\"second_factor.confirm\",\"code\":\"%s\"}", code);
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, json), ADMIN_OK);
}

/* A password alone opens nothing where two factors are wanted. */
static void
who_has_a_second_factor_takes_a_token(void **state)
{
	(void)state;
	totp_init();
	basic_is(VIC, HERE, AUTH_OK);
	player_answer(&p, player_send_login(&p, "vic", VIC, HERE), &a);
	assert_int_equal(a.status, AUTH_OK);
	assert_int_equal(player_admin(&p, a.grant, a.grant_len, "{\"op\":\"second_factor.begin\"}"),
			 ADMIN_OK);
	basic_is(VIC, HERE, AUTH_OK); /* not confirmed: not asked for */
	player_answer(&p, player_send_login(&p, "vic", VIC, HERE), &a);
	confirm_factor();
	basic_is(VIC, HERE, AUTH_SECOND_FACTOR);
	assert_int_equal(a.grant_len, 0);
	basic_is(VIC "x", HERE, AUTH_DENIED);
}

static void
whose_role_asks_for_one_does_not_come_in(void **state)
{
	(void)state;
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	p.settings.second_factor_roles.n = 1;
	(void)str_copy(p.settings.second_factor_roles.item[0], sizeof(p.settings.second_factor_roles.item[0]),
		       "operator");
	player_start(&p);
	player_connect_store(&p);
	basic_is(VIC, HERE, AUTH_SECOND_FACTOR);
	assert_int_equal(a.grant_len, 0);
	player_answer(&p, player_send_basic(&p, "vic", VIC, "*", HERE), &a);
	assert_int_equal(a.status, AUTH_SECOND_FACTOR);
	player_answer(&p, player_send_login(&p, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1"), &a);
	keep_root();
	admin_is("{\"op\":\"audit.list\",\"actor\":\"user:vic\"}", ADMIN_OK);
	assert_null(strstr(player_body, "\"basic\""));
	player_answer(&p, player_send_login(&p, "vic", VIC, HERE), &a);
	assert_int_equal(a.status, AUTH_OK); /* to enrol */
}

static void
guesses_are_slowed_down(void **state)
{
	unsigned denied = 0;

	(void)state;
	basic_is(VIC, HERE, AUTH_OK);
	do {
		player_answer(&p, player_send_basic(&p, "vic", "guess", "", "198.51.100.7"), &a);
		denied += a.status == AUTH_DENIED;
	} while (a.status == AUTH_DENIED && denied < 40);
	assert_int_equal(a.status, AUTH_THROTTLED);
	assert_true(a.retry_after_s >= 1);
	/* The right one is held back there as well, and logins are: one count for both. */
	basic_is(VIC, "198.51.100.7", AUTH_THROTTLED);
	player_answer(&p, player_send_login(&p, "vic", VIC, "198.51.100.7"), &a);
	assert_int_equal(a.status, AUTH_THROTTLED);
	basic_is(VIC, HERE, AUTH_OK); /* and nobody else */
}

/* With a directory that cannot be asked: a name of ours and one that only it could know. */
static void
whose_a_name_is_does_not_show(void **state)
{
	static const char *const names[] = { "vic", "somebody" };
	struct wire_auth_answer of[2];
	uint64_t waiting;
	int64_t began;

	(void)state;
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	p.settings.ldap_servers.n = 1;
	(void)str_copy(p.settings.ldap_servers.item[0], sizeof(p.settings.ldap_servers.item[0]),
		       "ldaps://ldap.example.net");
	player_start(&p);
	player_connect_store(&p);
	for (size_t i = 0; i < 2; i++) {
		/* Each costs a hash: without the hashers there is no answer. */
		signal_hashers(SIGSTOP);
		waiting = player_send_login(&p, names[i], "not it", "192.0.2.77");
		assert_false(player_waits(p.httpd, 1300));
		signal_hashers(SIGCONT);
		player_answer(&p, waiting, &of[i]);
		of[i].request = 0;
		/* And none is there before the others. */
		began = clock_boot_ns();
		player_answer(
		    &p, player_send_login(&p, names[i], "not it", i == 0 ? "192.0.2.78" : "192.0.2.79"), &a);
		assert_int_equal(a.status, AUTH_AWAY);
		assert_true(clock_boot_ns() - began >= NS_PER_S);
	}
	assert_int_equal(of[0].status, AUTH_AWAY);
	assert_memory_equal(&of[0], &of[1], sizeof(of[0]));
	/* That nobody could be asked is counted: two logins of somebody's. */
	while (p.counted.n[COUNTED_AUTHD_PEOPLE_FULL] < 2)
		player_store_step(&p);
	assert_int_equal(p.counted.proc, PROC_AUTHD);
	/* Who is right does not wait. */
	basic_is(VIC, HERE, AUTH_OK);
}

static void
it_is_written_down(void **state)
{
	(void)state;
	basic_is(VIC, HERE, AUTH_OK);
	admin_is("{\"op\":\"audit.list\",\"actor\":\"user:vic\"}", ADMIN_OK);
	assert_non_null(strstr(player_body, "\"basic\""));
	assert_non_null(strstr(player_body, HERE));
	assert_null(strstr(player_body, VIC));
}

/* Texts without an end are no message. */
static void
a_text_without_an_end_ends_the_channel(void **state)
{
	struct wire_basic w = { .request = 7 };

	(void)state;
	memset(w.password, 'x', sizeof(w.password));
	assert_true(channel_write(p.httpd, PROC_HTTPD, PROC_AUTHD, MSG_BASIC, &w, sizeof(w)));
	assert_true(player_hung_up(p.httpd));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_player, close_player)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_judged_once),
		TEST(every_change_empties_it),
		TEST(who_has_a_second_factor_takes_a_token),
		TEST(whose_role_asks_for_one_does_not_come_in),
		TEST(guesses_are_slowed_down),
		TEST(whose_a_name_is_does_not_show),
		TEST(it_is_written_down),
		TEST(a_text_without_an_end_ends_the_channel),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
