/* The real weir-authd inside its sandbox, with the test as launcher, httpd and store. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_player.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "locked.h"
#include "policy/decide.h"
#include "policy/grant.h"
#include "policy/snapshot.h"

static struct player p;
static struct wire_auth_answer a;
static struct wire_cli_answer cli;
static const uint8_t no_cookie[COOKIE_BYTES];

static int
open_player(void **state)
{
	(void)state;
	player_open(&p);
	return 0;
}

static int
close_player(void **state)
{
	(void)state;
	player_close(&p);
	return 0;
}

static enum grant_verdict
verify(const uint8_t *bytes, size_t len, struct grant *g)
{
	return grant_verify(bytes, len, (const uint8_t(*)[GRANT_SIGN_PUBLIC])p.keys.key, p.keys.n,
			    clock_utc_ns(), g);
}

static void
session_is(const uint8_t *cookie, enum auth_status status)
{
	player_answer(&p, player_send_session(&p, MSG_SESSION, cookie), &a);
	assert_int_equal(a.status, status);
}

static void
login_is(const char *name, const char *password, const char *from, enum auth_status status)
{
	player_answer(&p, player_send_login(&p, name, password, from), &a);
	assert_int_equal(a.status, status);
}

/* --- set-up --- */

static void
set_up_once(void **state)
{
	uint8_t old[SETUP_SECRET_BYTES], wrong[SETUP_SECRET_BYTES] = { 0 };

	(void)state;
	player_start(&p);
	session_is(no_cookie, AUTH_DENIED);
	assert_int_equal(a.setup_open, 1);
	/* No link was asked for yet: even zeros open nothing. */
	player_answer(&p, player_send_setup(&p, wrong, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_DENIED);
	player_cli(&p, MSG_CLI_SETUP_LINK, &cli);
	assert_int_equal(cli.status, AUTH_OK);
	memcpy(old, cli.secret, sizeof(old));
	player_cli(&p, MSG_CLI_SETUP_LINK, &cli);
	assert_memory_not_equal(old, cli.secret, sizeof(old));

	player_answer(&p, player_send_setup(&p, old, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_DENIED); /* the new link voids the old one */
	player_answer(&p, player_send_setup(&p, cli.secret, " x", PLAYER_PASSWORD, "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_BAD_NAME);
	assert_true(a.detail[0] != '\0' && a.setup_open == 1);
	player_answer(&p, player_send_setup(&p, cli.secret, PLAYER_NAME, "short", "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_WEAK_PASSWORD);
	assert_non_null(strstr(a.detail, "12"));
	player_answer(&p, player_send_setup(&p, cli.secret, PLAYER_NAME, "", "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_WEAK_PASSWORD);

	player_answer(&p, player_send_setup(&p, cli.secret, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_OK);
	assert_int_equal(a.setup_open, 0);
	assert_string_equal(a.name, PLAYER_NAME);
	assert_string_equal(a.role, "platform-administrator");
	assert_string_equal(a.tenant, "*");
	assert_true(a.grant_len > 0 && a.session_expires_ns > clock_utc_ns());
	player_answer(&p, player_send_setup(&p, cli.secret, "mallory", PLAYER_PASSWORD, "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_SETUP_OVER);
	player_cli(&p, MSG_CLI_SETUP_LINK, &cli);
	assert_int_equal(cli.status, AUTH_SETUP_OVER);
	assert_memory_equal(cli.secret, wrong, sizeof(wrong));
	assert_int_equal(player_exit(&p, SIGTERM), 0);
}

/* Two who have the link at the same time: one becomes the administrator. */
static void
set_up_race(void **state)
{
	unsigned ok = 0, busy = 0, over = 0;

	(void)state;
	player_start(&p);
	player_cli(&p, MSG_CLI_SETUP_LINK, &cli);
	for (int i = 0; i < 8; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "user%d", i);
		(void)player_send_setup(&p, cli.secret, name, PLAYER_PASSWORD, "192.0.2.1");
	}
	for (int i = 0; i < 8; i++) {
		assert_true(player_any_answer(&p, &a));
		ok += a.status == AUTH_OK;
		busy += a.status == AUTH_BUSY;
		over += a.status == AUTH_SETUP_OVER;
	}
	assert_int_equal(ok, 1);
	assert_int_equal(busy + over, 7);
}

/* Guessing at the link is held back. */
static void
set_up_guesses_are_throttled(void **state)
{
	uint8_t wrong[SETUP_SECRET_BYTES] = { 1 };

	(void)state;
	player_start(&p);
	player_cli(&p, MSG_CLI_SETUP_LINK, &cli);
	for (int i = 0; i < 11; i++) {
		player_answer(&p, player_send_setup(&p, wrong, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.66"),
			      &a);
		assert_int_equal(a.status, AUTH_DENIED);
	}
	player_answer(&p, player_send_setup(&p, wrong, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.66"), &a);
	assert_int_equal(a.status, AUTH_THROTTLED);
	assert_true(a.retry_after_s >= 1);
	player_answer(&p, player_send_setup(&p, cli.secret, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_OK); /* from elsewhere it works */
}

/* --- logins and sessions --- */

static void
login_session_logout(void **state)
{
	uint8_t cookie[COOKIE_BYTES], other[COOKIE_BYTES], grant[GRANT_MAX];

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	memcpy(other, a.cookie, sizeof(other));
	login_is(PLAYER_NAME, "not the password", "192.0.2.7", AUTH_DENIED);
	assert_int_equal(a.grant_len, 0);
	assert_memory_equal(a.cookie, no_cookie, sizeof(no_cookie));
	login_is("nobody", PLAYER_PASSWORD, "192.0.2.7", AUTH_DENIED);
	login_is(PLAYER_NAME, "", "192.0.2.7", AUTH_DENIED);
	login_is("", "", "192.0.2.7", AUTH_DENIED);
	login_is("\xff\xfe\n", PLAYER_PASSWORD, "192.0.2.7", AUTH_DENIED);

	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
	memcpy(cookie, a.cookie, sizeof(cookie));
	memcpy(grant, a.grant, sizeof(grant));
	assert_memory_not_equal(cookie, other, sizeof(cookie));
	session_is(cookie, AUTH_OK);
	assert_memory_equal(a.grant, grant, sizeof(grant)); /* it lasts long enough: the same one */
	assert_memory_equal(a.cookie, no_cookie, sizeof(no_cookie));
	cookie[5] ^= 1;
	session_is(cookie, AUTH_DENIED);
	cookie[5] ^= 1;

	player_answer(&p, player_send_session(&p, MSG_LOGOUT, cookie), &a);
	assert_int_equal(a.status, AUTH_OK);
	session_is(cookie, AUTH_DENIED);
	player_answer(&p, player_send_session(&p, MSG_LOGOUT, cookie), &a);
	assert_int_equal(a.status, AUTH_DENIED);
	session_is(other, AUTH_OK); /* only that session is over */
}

static void
oldest_session_ends(void **state)
{
	uint8_t cookie[3][COOKIE_BYTES];
	struct wire_grant_live first;

	(void)state;
	p.settings.sessions_per_user = 2;
	player_start(&p);
	player_connect_store(&p);
	player_set_up(&p, &a);
	memcpy(cookie[0], a.cookie, COOKIE_BYTES);
	first = p.last_add.grant;
	for (int i = 1; i < 3; i++) {
		login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
		memcpy(cookie[i], a.cookie, COOKIE_BYTES);
	}
	assert_int_equal(p.nrevokes, 1);
	assert_memory_equal(&p.last_revoke.grant, &first, sizeof(first));
	session_is(cookie[0], AUTH_DENIED);
	session_is(cookie[1], AUTH_OK);
	session_is(cookie[2], AUTH_OK);
}

static void
guesses_are_throttled(void **state)
{
	int denied = 0;

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	for (a.status = AUTH_DENIED; a.status == AUTH_DENIED && denied < 100; denied++)
		player_answer(&p, player_send_login(&p, PLAYER_NAME, "a wrong guess", "198.51.100.1"), &a);
	assert_int_equal(a.status, AUTH_THROTTLED);
	assert_true(a.retry_after_s >= 1 && a.retry_after_s <= 60);
	assert_true(denied < 12);
	/* Even the right password waits there, the user elsewhere does not. */
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "198.51.100.1", AUTH_THROTTLED);
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
	/* An unknown user is held back just the same. */
	for (int i = 1; i < denied; i++)
		login_is("nobody", "a wrong guess", "198.51.100.2", AUTH_DENIED);
	login_is("nobody", "a wrong guess", "198.51.100.2", AUTH_THROTTLED);
}

/* What the processes that hash passwords have had of a processor, in nanoseconds. */
static uint64_t
hashed_ns(void)
{
	pid_t pid[PLAYER_HASHERS];
	size_t n = player_hashers(&p, pid);
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		char path[64], ns[64] = "";
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%ld/schedstat", (long)pid[i]);
		f = fopen(path, "r");
		assert_non_null(f);
		assert_non_null(fgets(ns, sizeof(ns), f));
		(void)fclose(f);
		all += strtoull(ns, NULL, 10);
	}
	return all;
}

static uint64_t
cost_of(const char *name, const char *password)
{
	uint64_t before = hashed_ns();

	login_is(name, password, "198.51.100.1", AUTH_DENIED);
	return hashed_ns() - before;
}

/* So the time of an answer does not say whose name is an account's. */
static void
nobodys_name_costs_what_anybodys_does(void **state)
{
	uint64_t known, unknown;

	(void)state;
	p.settings.password_memory = 64 << 20;
	p.settings.password_passes = 3;
	player_start(&p);
	player_set_up(&p, &a);
	known = cost_of(PLAYER_NAME, "a wrong guess");
	unknown = cost_of("nobody", "a wrong guess");
	assert_true(known > 10 * NS_PER_MS);
	if (unknown < known / 2 || unknown > known * 2)
		fail_msg("%" PRIu64 " ns for a name that is an account's, %" PRIu64 " for one that is none",
			 known, unknown);
}

/* Many at once: some are told to come back, everybody is answered, and sessions are served meanwhile. */
static void
many_logins_at_once(void **state)
{
	unsigned count[16] = { 0 };
	uint8_t cookie[COOKIE_BYTES];
	uint64_t session;
	bool before_the_last = false;

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	memcpy(cookie, a.cookie, sizeof(cookie));
	for (int i = 0; i < 150; i++) {
		char name[16], from[IP_TEXT_MAX];

		(void)snprintf(name, sizeof(name), "user%d", i);
		(void)snprintf(from, sizeof(from), "2001:db8:%x::1", i);
		(void)player_send_login(&p, name, "some password", from);
	}
	session = player_send_session(&p, MSG_SESSION, cookie);
	for (int i = 0; i < 151; i++) {
		assert_true(player_any_answer(&p, &a));
		if (a.request == session)
			before_the_last = i < 150 && a.status == AUTH_OK;
		else
			count[a.status & 15]++;
	}
	assert_true(before_the_last);
	assert_int_equal(count[AUTH_DENIED] + count[AUTH_BUSY], 150);
	assert_true(count[AUTH_BUSY] > 0 && count[AUTH_DENIED] >= 64);
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
}

/* --- store --- */

static void
store_is_told_everything(void **state)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
	struct ip_addr x = { { 1 } }, y = { { 2 } };
	struct snapshot *s;
	struct stat st;
	struct grant g;
	uint8_t *doc;

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	player_connect_store(&p);
	assert_int_equal(p.nkeys, 1);
	assert_int_equal(p.keys.n, 1);
	assert_int_equal(p.nsnapshots, 1);
	assert_int_equal(fcntl(p.snapshot_fd, F_GET_SEALS) & seals, seals);
	assert_int_equal(fstat(p.snapshot_fd, &st), 0);
	assert_true((uint64_t)st.st_size == p.snapshot.len);
	doc = mmap(NULL, p.snapshot.len, PROT_READ, MAP_SHARED, p.snapshot_fd, 0);
	assert_ptr_not_equal(doc, MAP_FAILED);
	s = snapshot_open(doc, p.snapshot.len, (const uint8_t(*)[32])p.keys.key, p.keys.n);
	assert_non_null(s);
	assert_true(snapshot_number(s) == p.snapshot.number);
	assert_int_equal(snapshot_match(s, &(struct vantage){ 0 }, &x, &y).primary, 1);
	assert_int_equal(snapshot_point_owner(s, snapshot_point(s, "eth0"), 0), 1);
	snapshot_free(&s);
	munmap(doc, p.snapshot.len);

	/* The grant of the set-up was given before store came: the set has it. */
	assert_int_equal(verify(a.grant, a.grant_len, &g), GRANT_GOOD);
	assert_int_equal(p.nset, 1);
	assert_memory_equal(p.set[0].id, g.id, sizeof(g.id));
	assert_true(p.set[0].expires_ns == g.expires_ns);
	assert_int_equal(g.audience_proc, PROC_HTTPD);
	assert_int_equal(g.audience_instance, 0);
	assert_string_equal(g.subject, "user:" PLAYER_NAME);
	assert_true(g.expires_ns - g.issued_ns == GRANT_LIFE_S * NS_PER_S &&
		    g.expires_ns == a.grant_expires_ns);
	assert_int_equal(g.tenant, TENANT_PLATFORM);
	assert_true(policy_decide_tenant(&g, ACTION_READ_TRAFFIC, 1));
	assert_true(policy_decide_tenant(&g, ACTION_READ_PLATFORM, TENANT_PLATFORM));
	while (p.nalive < 3)
		player_store_step(&p);

	/* A second store: everything anew. */
	player_connect_store(&p);
	assert_int_equal(p.nkeys, 2);
	assert_int_equal(p.nset, 1);
}

/* The answer to a login or logout comes after store has the change. */
static void
store_first_then_the_answer(void **state)
{
	uint8_t cookie[COOKIE_BYTES];
	uint64_t request;

	(void)state;
	player_start(&p);
	player_connect_store(&p);
	player_set_up(&p, &a);
	memcpy(cookie, a.cookie, sizeof(cookie));
	assert_int_equal(p.nadds, 1);

	p.mute = true;
	request = player_send_session(&p, MSG_LOGOUT, cookie);
	while (p.nrevokes == 0)
		player_store_step(&p);
	assert_memory_equal(&p.last_revoke.grant, &p.last_add.grant, sizeof(p.last_add.grant));
	assert_false(player_waits(p.httpd, 300)); /* authd would wait 5 s */
	assert_true(channel_write(p.store, PROC_STORE, PROC_AUTHD, MSG_GRANT_TAKEN, &p.last_revoke,
				  sizeof(p.last_revoke)));
	player_answer(&p, request, &a);
	assert_int_equal(a.status, AUTH_OK);

	/* store says nothing: the login is answered after a while, the logout says that it is not confirmed.
	 */
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
	memcpy(cookie, a.cookie, sizeof(cookie));
	player_answer(&p, player_send_session(&p, MSG_LOGOUT, cookie), &a);
	assert_int_equal(a.status, AUTH_UNAVAILABLE);
	session_is(cookie, AUTH_DENIED);

	/* store goes away while an answer waits: it comes at once. */
	p.mute = false;
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
	memcpy(cookie, a.cookie, sizeof(cookie));
	p.mute = true;
	p.nrevokes = 0;
	request = player_send_session(&p, MSG_LOGOUT, cookie);
	while (p.nrevokes == 0)
		player_store_step(&p);
	player_hang_up(&p.store);
	player_answer(&p, request, &a);
	assert_int_equal(a.status, AUTH_OK);
	player_connect_store(&p);
	assert_int_equal(p.nset, 0); /* the set that it gets has no revoked grant */
}

static void
store_that_lies_is_dropped(void **state)
{
	struct wire_grant_change c = { .ticket = 12345 };

	(void)state;
	player_start(&p);
	player_connect_store(&p);
	assert_true(channel_write(p.store, PROC_STORE, PROC_AUTHD, MSG_GRANT_TAKEN, &c, sizeof(c)));
	assert_true(player_hung_up(p.store));
	player_hang_up(&p.store);
	player_set_up(&p, &a);
	player_connect_store(&p);
	assert_int_equal(p.nset, 1);
}

/* Sends CLI_APPLY with len for a text in memory that has these seals. */
static void
send_apply(const char *text, uint32_t len, int seals)
{
	struct wire_cli_apply w = { .request = ++p.request, .body_len = len };
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	assert_true(channel_write_fd(p.weir, PROC_WEIR, PROC_AUTHD, MSG_CLI_APPLY, &w, sizeof(w), fd));
	close(fd);
}

static void
assert_applied(const char *text, enum admin_status status, const char *said)
{
	static uint8_t body[MSG_BODY_MAX + 1];
	struct wire_admin_answer head;
	enum msg_id id;
	ssize_t n;

	send_apply(text, (uint32_t)strlen(text), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	n = channel_read(p.weir, PROC_WEIR, PROC_AUTHD, &id, body, PATIENCE_MS);
	assert_true(n > (ssize_t)sizeof(head));
	assert_int_equal(id, MSG_CLI_ADMIN_ANSWER);
	memcpy(&head, body, sizeof(head));
	body[n] = '\0';
	assert_true(head.request == p.request);
	assert_int_equal(head.status, status);
	assert_non_null(strstr((const char *)body + sizeof(head), said));
}

static void
apply_in_memory(void **state)
{
	static const char good[] = "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"fresh\"}]}}";
	const uint32_t len = sizeof(good) - 1;
	const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	const struct {
		uint32_t len;
		int seals;
	} lies[] = {
		{ len, 0 },
		{ len, F_SEAL_SHRINK | F_SEAL_GROW },
		{ len, F_SEAL_SHRINK | F_SEAL_WRITE },
		{ len, F_SEAL_GROW | F_SEAL_WRITE },
		{ len - 1, all },
		{ len + 1, all },
		{ 0, all },
		{ APPLY_BODY_MAX + 1, all },
		{ UINT32_MAX, all },
	};

	(void)state;
	player_start(&p);
	assert_applied("{\"op\":\"tenant.list\"}", ADMIN_BAD, "Only apply may come this way.");
	assert_applied("{\"op\":\"nosuch\"}", ADMIN_BAD, "no such operation");
	assert_applied("{\"op\":\"apply\",", ADMIN_BAD, "not valid JSON");
	assert_applied("\xff", ADMIN_BAD, "detail");
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		send_apply(good, lies[i].len, lies[i].seals);
		assert_true(player_hung_up(p.weir));
		player_hang_up(&p.weir);
		player_connect_weir(&p);
	}
	assert_applied(good, ADMIN_OK, "\"add\"");
	assert_applied(good, ADMIN_OK, "\"plan\":[]");
}

static void
command_line_grant(void **state)
{
	struct grant g;

	(void)state;
	player_start(&p);
	player_connect_store(&p);
	player_cli(&p, MSG_CLI_GRANT, &cli);
	assert_int_equal(cli.status, AUTH_OK);
	assert_int_equal(verify(cli.grant, cli.grant_len, &g), GRANT_GOOD);
	assert_int_equal(g.audience_proc, PROC_WEIR);
	assert_int_equal(g.audience_instance, 0);
	assert_string_equal(g.subject, "cli:0");
	assert_int_equal(g.role, ROLE_PLATFORM_ADMINISTRATOR);
	assert_int_equal(g.tenant, TENANT_PLATFORM);
	assert_memory_equal(p.last_add.grant.id, g.id, sizeof(g.id));
}

/* A grant is for the httpd that asked: the other one gets its own. */
static void
grants_name_their_audience(void **state)
{
	uint8_t cookie[COOKIE_BYTES];
	struct grant g, h;
	int first;

	(void)state;
	player_start(&p);
	player_connect_store(&p);
	player_set_up(&p, &a);
	memcpy(cookie, a.cookie, sizeof(cookie));
	assert_int_equal(verify(a.grant, a.grant_len, &g), GRANT_GOOD);
	first = p.httpd;
	p.httpd = channel_dial(p.socket, PROC_HTTPD, 1, PROC_AUTHD, PATIENCE_MS);
	assert_int_not_equal(p.httpd, -1);
	session_is(cookie, AUTH_OK);
	assert_int_equal(verify(a.grant, a.grant_len, &h), GRANT_GOOD);
	assert_int_equal(g.audience_instance, 0);
	assert_int_equal(h.audience_instance, 1);
	assert_memory_not_equal(g.id, h.id, sizeof(g.id));
	/* Logging out takes both back. */
	player_answer(&p, player_send_session(&p, MSG_LOGOUT, cookie), &a);
	assert_int_equal(a.status, AUTH_OK);
	assert_int_equal(p.nrevokes, 2);
	close(first);
}

/* --- hostile peers and failures --- */

static void
peers_that_break_rules_are_dropped(void **state)
{
	struct wire_login w = { .request = 1 };
	struct wire_setup u = { .request = 1 };

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	memset(w.name, 'x', sizeof(w.name));
	assert_true(channel_write(p.httpd, PROC_HTTPD, PROC_AUTHD, MSG_LOGIN, &w, sizeof(w)));
	assert_false(player_any_answer(&p, &a));
	player_connect_httpd(&p);
	memset(w.name, 0, sizeof(w.name));
	memset(w.password, 'x', sizeof(w.password));
	assert_true(channel_write(p.httpd, PROC_HTTPD, PROC_AUTHD, MSG_LOGIN, &w, sizeof(w)));
	assert_false(player_any_answer(&p, &a));
	player_connect_httpd(&p);
	memset(u.password, 'x', sizeof(u.password));
	assert_true(channel_write(p.httpd, PROC_HTTPD, PROC_AUTHD, MSG_SETUP, &u, sizeof(u)));
	assert_false(player_any_answer(&p, &a));
	player_connect_httpd(&p);
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
}

/* The answer to an httpd that died is not given to the one that came after it. */
static void
answers_find_the_one_who_asked(void **state)
{
	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	for (int i = 0; i < 20; i++)
		(void)player_send_login(&p, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1");
	player_connect_httpd(&p);
	p.request = 1000;
	for (int i = 0; i < 5; i++) {
		uint64_t request = player_send_login(&p, "nobody", "some password", "192.0.2.9");

		assert_true(player_any_answer(&p, &a));
		assert_true(a.request == request);
		assert_int_equal(a.status, AUTH_DENIED);
	}
}

static pid_t
child_of(pid_t parent)
{
	char path[64], text[64] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	(void)fclose(f);
	return (pid_t)strtol(text, NULL, 10);
}

static void
dead_hasher_ends_authd(void **state)
{
	char errors[8192];
	unsigned answered = 0, busy = 0;
	uint64_t last;
	pid_t child;

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	child = child_of(p.pid);
	if (child <= 0)
		skip();                            /* a kernel without the list of children */
	assert_int_equal(kill(child, SIGSTOP), 0); /* so that a request is under way for certain */
	for (int i = 0; i < 4; i++)
		(void)player_send_login(&p, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1");
	/* They were all taken once one that came later is answered. */
	for (a.request = 0, last = player_send_session(&p, MSG_SESSION, no_cookie); a.request != last;
	     answered++)
		assert_true(player_any_answer(&p, &a));
	answered--;
	assert_int_equal(kill(child, SIGKILL), 0);
	for (; answered < 4; answered++) {
		assert_true(player_any_answer(&p, &a));
		assert_true(a.status == AUTH_BUSY || a.status == AUTH_OK);
		busy += a.status == AUTH_BUSY;
	}
	assert_true(busy > 0);
	assert_int_equal(player_exit(&p, 0), EXIT_FAILED);
	player_errors(&p, errors, sizeof(errors));
	assert_non_null(strstr(errors, "password hasher is gone"));
	player_start(&p);
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1", AUTH_OK);
}

static void
errors_say(int status, const char *text)
{
	char errors[8192];

	player_spawn(&p);
	assert_int_equal(player_exit(&p, 0), status);
	player_errors(&p, errors, sizeof(errors));
	if (strstr(errors, text) == NULL)
		fail_msg("'%s' is not in: %s", text, errors);
}

static void
file_of(const char *name, char out[160])
{
	(void)snprintf(out, 160, "%s/%s", p.data, name);
}

static void
wrong_directory_is_refused(void **state)
{
	char path[160];

	(void)state;
	assert_int_equal(chmod(p.data, 0750), 0);
	errors_say(EXIT_FAILED, "chmod 0700");
	assert_int_equal(chmod(p.data, 0700), 0);
	player_start(&p);
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	file_of("accounts.mdb", path);
	assert_int_equal(chmod(path, 0640), 0);
	errors_say(EXIT_FAILED, "chmod 0600");
	if (getuid() == 0) {
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(chown(path, 0, 0), 0);
		errors_say(EXIT_FAILED, "chown");
	}
}

static void
damaged_database_is_refused(void **state)
{
	char path[160];
	uint8_t junk[4096];
	struct stat st;
	int fd;

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	file_of("accounts.mdb", path);
	fd = open(path, O_RDWR);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	/* Cut behind the meta pages: what was there is no more. */
	assert_int_equal(ftruncate(fd, 8192), 0);
	errors_say(EXIT_BAD_INPUT, "damaged");
	/* Nonsense from the first byte. */
	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
	assert_int_equal(pwrite(fd, junk, sizeof(junk), sizeof(junk)), sizeof(junk));
	errors_say(EXIT_BAD_INPUT, "damaged");
	close(fd);
}

/* --- restarts --- */

static bool
file_holds(const char *name, const uint8_t *bytes, size_t n)
{
	char path[160];
	struct stat st;
	uint8_t *map;
	bool found;
	int fd;

	file_of(name, path);
	fd = open(path, O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	found = memmem(map, (size_t)st.st_size, bytes, n) != NULL;
	munmap(map, (size_t)st.st_size);
	close(fd);
	return found;
}

static void
sessions_survive_a_restart(void **state)
{
	uint8_t cookie[COOKIE_BYTES], gone[COOKIE_BYTES], id[32];
	struct wire_grant_keys keys;
	char errors[8192];

	(void)state;
	player_start(&p);
	player_connect_store(&p);
	keys = p.keys;
	player_set_up(&p, &a);
	memcpy(cookie, a.cookie, sizeof(cookie));
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
	memcpy(gone, a.cookie, sizeof(gone));
	player_answer(&p, player_send_session(&p, MSG_LOGOUT, gone), &a);
	assert_int_equal(a.status, AUTH_OK);
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	player_errors(&p, errors, sizeof(errors));
	assert_null(strstr(errors, PLAYER_PASSWORD)); /* nothing secret in the log */

	assert_false(file_holds("accounts.mdb", cookie, sizeof(cookie)));
	assert_false(file_holds("accounts.mdb", cookie, 8));
	assert_int_equal(crypto_generichash(id, sizeof(id), cookie, sizeof(cookie), NULL, 0), 0);
	assert_true(file_holds("accounts.mdb", id, sizeof(id))); /* the search works: the hash is there */
	assert_false(file_holds("accounts.mdb", (const uint8_t *)PLAYER_PASSWORD, strlen(PLAYER_PASSWORD)));

	for (int i = 0; i < 2; i++) {
		player_start(&p);
		player_connect_store(&p);
		assert_memory_equal(&p.keys, &keys, sizeof(keys)); /* the signing key too */
		session_is(cookie, AUTH_OK);
		assert_string_equal(a.name, PLAYER_NAME);
		assert_int_equal(a.setup_open, 0);
		session_is(gone, AUTH_DENIED);
		login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.7", AUTH_OK);
		assert_int_equal(player_exit(&p, SIGKILL), -SIGKILL);
	}
}

/* Killed at any moment, again and again: every session that was acknowledged is there afterwards. */
static void
killed_again_and_again(void **state)
{
	static uint8_t cookie[512][COOKIE_BYTES];
	static bool logged_out[512];
	size_t n = 0;

	(void)state;
	p.settings.sessions_per_user = 1000;
	player_start(&p);
	player_set_up(&p, &a);
	for (int round = 0; round < 60; round++) {
		int logins = 1 + (int)randombytes_uniform(3);

		for (int i = 0; i < logins; i++) {
			login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1", AUTH_OK);
			memcpy(cookie[n++], a.cookie, COOKIE_BYTES);
		}
		if (randombytes_uniform(3) == 0) {
			player_answer(&p, player_send_session(&p, MSG_LOGOUT, cookie[n - 1]), &a);
			assert_int_equal(a.status, AUTH_OK);
			logged_out[n - 1] = true;
		}
		/* One more is under way when it dies, somewhere between the hash and the disk. */
		(void)player_send_login(&p, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1");
		(void)usleep(randombytes_uniform(20000));
		assert_int_equal(player_exit(&p, SIGKILL), -SIGKILL);
		player_start(&p);
		for (size_t i = 0; i < n; i++)
			session_is(cookie[i], logged_out[i] ? AUTH_DENIED : AUTH_OK);
	}
}

static void
fill(const char *dir, char path[160])
{
	static const char block[4096];
	int fd;

	(void)snprintf(path, 160, "%s/full", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	for (size_t size = sizeof(block); size > 0; size /= 2)
		while (write(fd, block, size) == (ssize_t)size)
			continue;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

/* New sessions cannot be written, old ones go on; with room again all is well. */
static void
full_disk(void **state)
{
	uint8_t cookie[COOKIE_BYTES], last[COOKIE_BYTES];
	char options[64], path[160];

	(void)state;
	(void)snprintf(options, sizeof(options), "size=1m,mode=0700,uid=62402,gid=62402");
	if (getuid() != 0 || mount("tmpfs", p.data, "tmpfs", 0, options) != 0)
		skip();                      /* needs a mount of its own */
	p.settings.sessions_per_user = 1000; /* none makes room for the next */
	player_start(&p);
	player_set_up(&p, &a);
	memcpy(cookie, a.cookie, sizeof(cookie));
	fill(p.data, path);
	/* The file may have pages to spare: log in until it has none. */
	for (int i = 0; i < 400 && a.status == AUTH_OK; i++)
		player_answer(&p, player_send_login(&p, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1"), &a);
	assert_int_equal(a.status, AUTH_UNAVAILABLE);
	assert_non_null(strstr(a.detail, "No space left"));
	session_is(cookie, AUTH_OK);
	assert_int_equal(unlink(path), 0);
	login_is(PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1", AUTH_OK);
	memcpy(last, a.cookie, sizeof(last));
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	player_start(&p);
	session_is(last, AUTH_OK);
	assert_int_equal(player_exit(&p, SIGTERM), 0);
}

/* Of authd and its hashers: VmLck of /proc, in KiB. */
static unsigned long
locked_kib(pid_t pid)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmLck:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	(void)fclose(f);
	return kib;
}

static void
secrets_are_locked_or_nothing_starts(void **state)
{
	static const rlim_t too_little[] = { 0, 4096, 512 << 10 };
	struct rlimit was, limit;

	(void)state;
	player_start(&p);
	player_set_up(&p, &a);
	assert_true(locked_kib(p.pid) >= LOCKED_STACK_BYTES >> 10);
	assert_true(locked_kib(p.pid) < 4096);
	assert_int_equal(player_exit(&p, SIGTERM), 0);
	if (getuid() != 0)
		return; /* a hard limit could not be put back */
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &was), 0);
	for (size_t i = 0; i < ARRAY_LEN(too_little); i++) {
		limit = (struct rlimit){ too_little[i], was.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
		errors_say(EXIT_FAILED, "raise LimitMEMLOCK");
	}
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &was), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_player, close_player)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(set_up_once),
		TEST(secrets_are_locked_or_nothing_starts),
		TEST(set_up_race),
		TEST(set_up_guesses_are_throttled),
		TEST(login_session_logout),
		TEST(oldest_session_ends),
		TEST(guesses_are_throttled),
		TEST(nobodys_name_costs_what_anybodys_does),
		TEST(many_logins_at_once),
		TEST(store_is_told_everything),
		TEST(store_first_then_the_answer),
		TEST(store_that_lies_is_dropped),
		TEST(apply_in_memory),
		TEST(command_line_grant),
		TEST(grants_name_their_audience),
		TEST(peers_that_break_rules_are_dropped),
		TEST(answers_find_the_one_who_asked),
		TEST(dead_hasher_ends_authd),
		TEST(wrong_directory_is_refused),
		TEST(damaged_database_is_refused),
		TEST(sessions_survive_a_restart),
		TEST(killed_again_and_again),
		TEST(full_disk),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
