/* What the real weir-authd leaves behind: every deed in the audit log, no secret anywhere, and all of it
 * after a kill. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/anchor.h"
#include "authd_player.h"
#include "base/clock.h"
#include "base/mem.h"
#include "db.h"
#include "ipc/channel.h"
#include "policy/grant.h"
#include "totp.h"

static struct player p;
static struct wire_auth_answer a;
static uint8_t root_grant[GRANT_MAX];
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
own_is(const struct wire_auth_answer *who, const char *json, enum admin_status wanted)
{
	enum admin_status got = player_admin(&p, who->grant, who->grant_len, json);

	if (got != wanted)
		fail_msg("%s: status %u: %s", json, got, player_body);
}

static void
login_is(const char *name, const char *password, enum auth_status wanted)
{
	player_answer(&p, player_send_login(&p, name, password, "192.0.2.9"), &a);
	assert_int_equal(a.status, wanted);
}

/* The text behind "key":" in the last answer. */
static void
take_text(const char *key, char *out, size_t size)
{
	char before[40];
	const char *at;

	(void)snprintf(before, sizeof(before), "\"%s\":\"", key);
	at = strstr(player_body, before);
	if (at == NULL)
		fail_msg("no %s in %s", key, player_body);
	at += strlen(before);
	(void)snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

/* --- the log, read from the files while authd is down --- */

struct reading {
	struct audit_walk walk;
	unsigned kinds[AUDIT_KIND_LIMIT];
	const void *hidden[8]; /* what no record may have in it */
	size_t len[8];
	unsigned found;
};

static bool
read_one(void *ctx, struct db_bytes key, struct db_bytes record)
{
	struct reading *r = ctx;
	struct audit_entry e;
	uint64_t n = 0;

	(void)be64_read(key, &n);
	for (size_t i = 0; i < ARRAY_LEN(r->hidden); i++)
		if (r->hidden[i] != NULL && memmem(record.p, record.n, r->hidden[i], r->len[i]) != NULL)
			r->found++;
	if (!audit_walk_step(&r->walk, n, record.p, record.n, true, &e))
		return false;
	r->kinds[e.kind]++;
	return true;
}

static void
path_of(const char *name, char out[160])
{
	(void)snprintf(out, 160, "%s/%s", p.data, name);
}

/* As `weir audit verify` does it; the tail too. */
static void
read_log(struct reading *r)
{
	struct db_error error;
	struct audit_anchor tail;
	char path[160], text[AUDIT_ANCHOR_TEXT_MAX] = "";
	struct be64 from = be64_of(0);
	struct db *db;
	struct txn x;
	int fd;

	path_of("accounts.mdb", path);
	db = db_open(path, &error);
	if (db == NULL)
		fail_msg("%s", error.text);
	x = txn_begin(db, false);
	txn_walk(&x, TABLE_AUDIT, be64_bytes(&from), false, read_one, r);
	assert_int_equal(txn_end(&x), DB_OK);
	db_close(&db);
	(void)audit_walk_end(&r->walk);
	path_of("audit.tail", path);
	fd = open(path, O_RDONLY);
	assert_int_not_equal(fd, -1);
	if (read(fd, text, sizeof(text) - 1) > 0) {
		assert_true(audit_anchor_parse(text, strlen(text), &tail));
		(void)audit_anchor_reached(&r->walk, &tail);
	}
	close(fd);
	if (r->walk.found.fault != AUDIT_SOUND)
		fail_msg("%s", r->walk.found.text);
}

/* --- every deed --- */

#define VIC      "a river without a weir"
#define VIC_NEW  "another river, no weir"
#define MISTYPED "my password in the wrong field"
#define GUESSED  "what somebody guessed wrong"

/* Failures are written a moment later. */
static void
wait_for_entry(const char *kind)
{
	char query[96], found[64];

	(void)snprintf(query, sizeof(query), "{\"op\":\"audit.list\",\"kind\":\"%s\"}", kind);
	(void)snprintf(found, sizeof(found), "\"kind\":\"%s\"", kind);
	for (int ms = 0; ms < PATIENCE_MS; ms += 20) {
		admin_is(query, ADMIN_OK);
		if (strstr(player_body, found) != NULL)
			return;
		(void)usleep(20000);
	}
	fail_msg("no %s in the log", kind);
}

static bool
file_has(const char *name, const void *what, size_t len)
{
	char path[160];
	struct stat st;
	uint8_t *all;
	bool has;
	int fd;

	path_of(name, path);
	fd = open(path, O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	all = mem_calloc(1, (size_t)st.st_size + 1);
	assert_int_equal(read(fd, all, (size_t)st.st_size), st.st_size);
	close(fd);
	has = memmem(all, (size_t)st.st_size, what, len) != NULL;
	free(all);
	return has;
}

/* Base 32 without padding (RFC 4648). */
static void
decode_secret(const char *text, uint8_t raw[static TOTP_SECRET_LEN])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (const char *c = text; *c != '\0' && n < TOTP_SECRET_LEN; c++) {
		assert_non_null(strchr(digits, *c));
		bits = (bits << 5 | (unsigned)(strchr(digits, *c) - digits)) & 0xfff;
		have += 5;
		if (have >= 8)
			raw[n++] = (uint8_t)(bits >> (have -= 8));
	}
	assert_int_equal(n, TOTP_SECRET_LEN);
}

static void
deeds_of_vic(char token[100], char secret[64], struct wire_auth_answer *vic)
{
	char json[256], id[64], code[TOTP_DIGITS + 1];
	uint8_t raw[TOTP_SECRET_LEN];

	login_is("vic", VIC, AUTH_OK);
	*vic = a;
	own_is(vic, "{\"op\":\"session.list\"}", ADMIN_OK);
	take_text("id", id, sizeof(id));
	(void)snprintf(json, sizeof(json), "{\"op\":\"session.end\",\"id\":\"%s\"}", id);
	admin_is(json, ADMIN_OK);
	login_is("vic", VIC, AUTH_OK);
	*vic = a;
	own_is(vic, "{\"op\":\"token.add\",\"label\":\"a script\"}", ADMIN_OK);
	take_text("secret", token, 100);
	take_text("id", id, sizeof(id));
	player_answer(&p, player_send_token(&p, token, "", "192.0.2.77"), &a);
	assert_int_equal(a.status, AUTH_OK);
	own_is(vic, "{\"op\":\"user.add\",\"name\":\"eve\",\"kind\":\"person\"}", ADMIN_DENIED);
	own_is(vic, "{\"op\":\"second_factor.begin\"}", ADMIN_OK);
	take_text("secret", secret, 64);
	decode_secret(secret, raw);
	assert_true(totp_code(raw, (uint64_t)(clock_utc_ns() / NS_PER_S / TOTP_STEP_S), code));
	(void)snprintf(json, sizeof(json), "{\"op\":\"second_factor.confirm\",\"code\":\"%s\"}", code);
	own_is(vic, json, ADMIN_OK);
	/* That took back what is out. */
	player_answer(&p, player_send_session(&p, MSG_SESSION, vic->cookie), &a);
	assert_int_equal(a.status, AUTH_OK);
	*vic = a;
	(void)snprintf(json, sizeof(json), "{\"op\":\"token.remove\",\"id\":\"%s\"}", id);
	own_is(vic, json, ADMIN_OK);
}

static void
every_deed_is_there_and_no_secret(void **state)
{
	static const enum audit_kind wanted[] = {
		AUDIT_BEGUN,
		AUDIT_STARTED,
		AUDIT_SETUP,
		AUDIT_LOGIN,
		AUDIT_LOGIN_FAILED,
		AUDIT_TENANT_ADDED,
		AUDIT_TENANT_CHANGED,
		AUDIT_USER_ADDED,
		AUDIT_RIGHTS_GRANTED,
		AUDIT_TOKEN_ADDED,
		AUDIT_TOKEN_USED,
		AUDIT_TOKEN_REMOVED,
		AUDIT_SECOND_FACTOR_ON,
		AUDIT_GROUP_ADDED,
		AUDIT_GROUP_REMOVED,
		AUDIT_ADMIN_READ,
		AUDIT_AUDIT_READ,
		AUDIT_DENIED,
		AUDIT_PASSWORD_CHANGED,
		AUDIT_SESSION_ENDED,
		AUDIT_ANCHOR,
		AUDIT_KEY_ROTATED,
		AUDIT_USER_REMOVED,
		AUDIT_LOGOUT,
		AUDIT_ENDED,
	};
	static const char *const files[] = { "accounts.mdb", "audit.key", "audit.tail" };
	char token[100], secret[64], missing[512] = "";
	static struct wire_auth_answer vic;
	struct reading r = { 0 };
	uint8_t cookie[COOKIE_BYTES], raw[TOTP_SECRET_LEN];

	(void)state;
	memcpy(cookie, a.cookie, sizeof(cookie));
	admin_is("{\"op\":\"tenant.add\",\"name\":\"acme\",\"selectors\":[{\"interface\":\"eth1\"}]}",
		 ADMIN_OK);
	admin_is("{\"op\":\"tenant.set\",\"name\":\"acme\",\"title\":\"ACME\"}", ADMIN_OK);
	admin_is("{\"op\":\"user.add\",\"name\":\"vic\",\"kind\":\"person\",\"password\":\"" VIC
		 "\",\"access\":[{\"tenant\":\"acme\",\"role\":\"operator\"}]}",
		 ADMIN_OK);
	admin_is("{\"op\":\"group.add\",\"name\":\"noc\",\"members\":[\"vic\"]}", ADMIN_OK);
	login_is("vic", GUESSED, AUTH_DENIED);
	login_is(MISTYPED, GUESSED, AUTH_DENIED);
	deeds_of_vic(token, secret, &vic);
	admin_is("{\"op\":\"user.list\"}", ADMIN_OK);
	admin_is("{\"op\":\"group.remove\",\"name\":\"noc\"}", ADMIN_OK);
	admin_is("{\"op\":\"user.password\",\"name\":\"vic\",\"password\":\"" VIC_NEW "\"}", ADMIN_OK);
	admin_is("{\"op\":\"audit.anchor\"}", ADMIN_OK);
	admin_is("{\"op\":\"key.rotate\",\"which\":\"grants\"}", ADMIN_OK);
	admin_is("{\"op\":\"user.remove\",\"name\":\"vic\"}", ADMIN_OK);
	wait_for_entry("login_failed");
	wait_for_entry("token_used");
	player_answer(&p, player_send_session(&p, MSG_LOGOUT, cookie), &a);
	assert_int_equal(player_exit(&p, SIGTERM), 0);

	r.hidden[0] = VIC;
	r.hidden[1] = VIC_NEW;
	r.hidden[2] = MISTYPED;
	r.hidden[3] = GUESSED;
	r.hidden[4] = PLAYER_PASSWORD;
	r.hidden[5] = token;
	r.hidden[6] = secret;
	for (size_t i = 0; i < 7; i++) {
		r.len[i] = strlen(r.hidden[i]);
		for (size_t f = 0; f < ARRAY_LEN(files); f++)
			if (file_has(files[f], r.hidden[i], r.len[i]))
				fail_msg("'%s' is in %s", (const char *)r.hidden[i], files[f]);
	}
	for (size_t f = 0; f < ARRAY_LEN(files); f++)
		assert_false(file_has(files[f], cookie, sizeof(cookie)));
	/* The second factor itself must be kept to be asked for, but not in the log. */
	decode_secret(secret, raw);
	r.hidden[7] = raw;
	r.len[7] = sizeof(raw);
	read_log(&r);
	assert_int_equal(r.found, 0);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (r.kinds[wanted[i]] == 0)
			(void)snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s",
				       audit_kind_name(wanted[i]));
	if (missing[0] != '\0')
		fail_msg("not in the log:%s", missing);
}

/* --- keys --- */

static bool
good_under(const struct wire_auth_answer *who, const struct wire_grant_keys *keys)
{
	struct grant g;

	return grant_verify(who->grant, who->grant_len, (const uint8_t(*)[GRANT_SIGN_PUBLIC])keys->key,
			    keys->n, clock_utc_ns(), &g) == GRANT_GOOD;
}

static void
key_rotates_and_nobody_is_logged_out(void **state)
{
	struct wire_grant_keys before = p.keys, only_new;
	static struct wire_auth_answer old;
	unsigned snapshots = p.nsnapshots, keys = p.nkeys, revokes = p.nrevokes;
	uint8_t cookie[COOKIE_BYTES];
	char token[100];

	(void)state;
	old = a;
	memcpy(cookie, a.cookie, sizeof(cookie));
	own_is(&old, "{\"op\":\"token.add\",\"label\":\"a script\"}", ADMIN_OK);
	take_text("secret", token, sizeof(token));
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"key.rotate\",\"which\":\"doors\"}"), ADMIN_BAD);
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"key.rotate\"}"), ADMIN_BAD);
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"key.rotate\",\"which\":\"grants\"}"), ADMIN_OK);
	while (p.nkeys == keys || p.nsnapshots == snapshots)
		player_store_step(&p);
	assert_int_equal(p.keys.n, 2);
	assert_memory_equal(p.keys.key[1], before.key[0], SIGN_KEY_BYTES);
	assert_memory_not_equal(p.keys.key[0], before.key[0], SIGN_KEY_BYTES);
	only_new = p.keys;
	only_new.n = 1;
	/* The grant that is out stays good, in store and here; none was taken back. */
	assert_true(good_under(&old, &p.keys));
	assert_false(good_under(&old, &only_new));
	own_is(&old, "{\"op\":\"me.get\"}", ADMIN_OK);
	assert_int_equal(p.nrevokes, revokes);
	/* Session and token go on; what is signed from now on is signed with the new key. */
	player_answer(&p, player_send_session(&p, MSG_SESSION, cookie), &a);
	assert_int_equal(a.status, AUTH_OK);
	player_answer(&p, player_send_token(&p, token, "", "192.0.2.9"), &a);
	assert_int_equal(a.status, AUTH_OK);
	assert_true(good_under(&a, &only_new));
	/* Not again while the former key's grants are out. */
	assert_int_equal(player_admin(&p, NULL, 0, "{\"op\":\"key.rotate\",\"which\":\"grants\"}"),
			 ADMIN_CONFLICT);
	/* And after a restart it is the same key. */
	assert_int_equal(player_exit(&p, SIGKILL), -SIGKILL);
	player_start(&p);
	player_connect_store(&p);
	assert_memory_equal(p.keys.key[0], only_new.key[0], SIGN_KEY_BYTES);
	player_answer(&p, player_send_session(&p, MSG_SESSION, cookie), &a);
	assert_int_equal(a.status, AUTH_OK);
}

/* --- kill -9 --- */

/* Rounds: 20, or as the environment says: WEIR_KILLS=200 build/release/tests/test_authd_trail. */
static unsigned
rounds(void)
{
	const char *said = getenv("WEIR_KILLS");

	return said == NULL ? 20 : (unsigned)strtoul(said, NULL, 10);
}

static void
send_add(uint64_t i)
{
	struct {
		struct wire_admin head;
		char json[128];
	} m = { .head = { .request = i } };

	(void)snprintf(m.json, sizeof(m.json), "{\"op\":\"group.add\",\"name\":\"g%llu\"}",
		       (unsigned long long)i);
	m.head.body_len = (uint32_t)strlen(m.json);
	assert_true(channel_write(p.weir, PROC_WEIR, PROC_AUTHD, MSG_CLI_ADMIN, &m,
				  sizeof(m.head) + m.head.body_len));
}

/* Takes at most so many answers, or until authd is gone: the highest that was acknowledged. */
static uint64_t
acknowledged(unsigned most)
{
	static uint8_t body[MSG_BODY_MAX];
	struct wire_admin_answer w;
	uint64_t highest = 0;
	enum msg_id id;

	while (most-- > 0 &&
	       channel_read(p.weir, PROC_WEIR, PROC_AUTHD, &id, body, PATIENCE_MS) >= (ssize_t)sizeof(w)) {
		memcpy(&w, body, sizeof(w));
		assert_int_equal(w.status, ADMIN_OK);
		highest = w.request > highest ? w.request : highest;
	}
	return highest;
}

static void
killed_while_writing(void **state)
{
	uint64_t sent = 0, kept = 0;
	unsigned half = 0; /* rounds that were cut in the middle of the sixteen */

	(void)state;
	/* Each dies right behind an answer that is not the last; more of them where every one came too late.
	 */
	for (unsigned round = 0; round < rounds() || (half == 0 && round < 50 * rounds()); round++) {
		struct reading r = { 0 };
		uint64_t last, rest;

		for (unsigned i = 0; i < 16; i++)
			send_add(++sent);
		last = acknowledged(randombytes_uniform(16)); /* somewhere in them */
		assert_int_equal(kill(p.pid, SIGKILL), 0);
		rest = acknowledged(UINT_MAX);
		last = rest > last ? rest : last;
		assert_int_equal(player_exit(&p, 0), -SIGKILL);
		read_log(&r); /* sound, whatever was half done */
		player_start(&p);
		kept = last > kept ? last : kept;
		half += last > 0 && last < sent;
		/* Each that was acknowledged is there, and in the log. */
		for (uint64_t n = sent - 15; n <= last; n++) {
			char json[64];

			(void)snprintf(json, sizeof(json), "{\"op\":\"group.get\",\"name\":\"g%llu\"}",
				       (unsigned long long)n);
			if (player_admin(&p, NULL, 0, json) != ADMIN_OK)
				fail_msg("g%llu was acknowledged and is lost: %s", (unsigned long long)n,
					 player_body);
		}
		if (last > 0)
			assert_true(r.kinds[AUDIT_GROUP_ADDED] > 0);
	}
	print_message("%u of the kills between the acknowledgements of %llu changes\n", half,
		      (unsigned long long)sent);
	assert_true(kept > 0 && half > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_player, close_player)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_deed_is_there_and_no_secret),
		TEST(key_rotates_and_nobody_is_logged_out),
		TEST(killed_while_writing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
