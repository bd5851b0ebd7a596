/* What authd reads of others: records of its database, names, passwords, and the words with which throttling
 * is keyed. */
#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authd_desk.h"
#include "base/log.h"
#include "base/mem.h"
#include "configuration.h"
#include "labels.h"
#include "password.h"
#include "record.h"
#include "record_policy.h"
#include "throttle.h"
#include "token_text.h"
#include "totp.h"
#include "user_name.h"
#include "utf8.h"
#include "watched.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static struct desk *the_desk;

static void
remove_desk(void)
{
	desk_close(the_desk);
}

/* A record that is good has one encoding: the one that was read. */
#define ROUND_TRIP(what, type)                                                                               \
	static void what(const uint8_t *d, size_t n)                                                         \
	{                                                                                                    \
		uint8_t again[RECORD_MAX];                                                                   \
		struct type r;                                                                               \
                                                                                                             \
		if (!what##_decode(d, n, &r))                                                                \
			return;                                                                              \
		assert(what##_encode(&r, again, sizeof(again)) == n);                                        \
		assert(memcmp(again, d, n) == 0);                                                            \
	}
ROUND_TRIP(login, login_record)
ROUND_TRIP(factor, factor_record)
ROUND_TRIP(token_use, token_use)
ROUND_TRIP(signing, signing_record)

/* The second version had no providers: what is written is the third. */
static void
account(const uint8_t *d, size_t n)
{
	uint8_t again[RECORD_MAX];
	struct account r;
	size_t len;

	if (!account_decode(d, n, &r))
		return;
	len = account_encode(&r, again, sizeof(again));
	assert(len > 0 && account_decode(again, len, &r));
	assert(d[0] == 2 || (len == n && memcmp(again, d, n) == 0));
}

/* Former versions of the format had no address and no agent, or no origin: what is written is the third. */
static void
session(const uint8_t *d, size_t n)
{
	uint8_t again[RECORD_MAX];
	struct session_record r;
	size_t len;

	if (!session_decode(d, n, &r))
		return;
	len = session_encode(&r, again, sizeof(again));
	assert(len >= n);
	assert(d[0] < 3 || (len == n && memcmp(again, d, n) == 0));
}

/* The same for records with lists, which live in an arena; oldest: version from which on they are written as
 * they were read. */
#define ROUND_TRIP_LISTS(what, type, oldest)                                                                 \
	static void what(const uint8_t *d, size_t n)                                                         \
	{                                                                                                    \
		static uint8_t again[LIST_RECORD_MAX];                                                       \
		struct arena *arena = arena_new(1 << 20);                                                    \
		struct type r;                                                                               \
                                                                                                             \
		if (what##_decode(d, n, arena, &r) && d[0] + 1u > (oldest)) {                                \
			assert(what##_encode(&r, again, sizeof(again)) == n);                                \
			assert(memcmp(again, d, n) == 0);                                                    \
		}                                                                                            \
		arena_free(&arena);                                                                          \
	}
ROUND_TRIP_LISTS(tenant, tenant_record, 3)
ROUND_TRIP_LISTS(accesses, accesses, 0)
ROUND_TRIP_LISTS(group, group, 0)
ROUND_TRIP_LISTS(token, token, 0)
ROUND_TRIP_LISTS(narrowing, narrowing, 0)

/* A key, behind its length, and the record under it. */
static void
configuration(const uint8_t *d, size_t n)
{
	size_t key = n == 0 || d[0] > n - 1 ? 0 : d[0];

	if (n > 0 && configuration_good(db_bytes(d + 1, key), db_bytes(d + 1 + key, n - 1 - key)))
		assert(memchr(d + 1, 0, key) == NULL);
}

/* Likewise. */
static void
label(const uint8_t *d, size_t n)
{
	size_t key = n == 0 || d[0] > n - 1 ? 0 : d[0];

	if (n > 0 && label_good(db_bytes(d + 1, key), db_bytes(d + 1 + key, n - 1 - key)))
		assert(key > 11 && memchr(d + 12, 0, key - 11) == NULL);
}

/* Likewise. */
static void
watched(const uint8_t *d, size_t n)
{
	size_t key = n == 0 || d[0] > n - 1 ? 0 : d[0];

	if (n > 0 && watched_good(db_bytes(d + 1, key), db_bytes(d + 1 + key, n - 1 - key)))
		assert(key > 11 && key == n - 1 && memchr(d + 12, 0, key - 11) == NULL);
}

/* What upgrade reads. */
static void
first_version(const uint8_t *d, size_t n)
{
	struct account_v1 a;
	struct tenant t;
	struct tenant_selector s;

	if (account_v1_decode(d, n, &a))
		assert(a.account.number > 0 && a.account.name[0] != '\0');
	if (tenant_v1_decode(d, n, &t))
		assert(t.name[0] != '\0');
	if (selector_v1_decode(d, n, &s))
		assert(s.has_network <= 1);
}

static void
words(const uint8_t *d, size_t n)
{
	char password[PASSWORD_MAX] = "", name[ACCOUNT_NAME_MAX] = "";
	size_t half = n / 2;

	memcpy(name, d, half < sizeof(name) ? half : sizeof(name) - 1);
	memcpy(password, d + half, n - half < sizeof(password) ? n - half : sizeof(password) - 1);
	assert(utf8_length(name) <= strlen(name));
	if (user_name_judge(name) == NULL)
		assert(name[0] != '\0' && strlen(name) <= USER_NAME_MAX && strpbrk(name, "\r\n\t") == NULL);
	if (password_judge(password, name, 12) == NULL)
		assert(strlen(password) >= 12 && strcmp(password, name) != 0);
}

static void
guesses(const uint8_t *d, size_t n)
{
	struct throttle *t = throttle_new();
	int64_t now = 1;

	for (size_t i = 0; i + 4 <= n && i < 4000; i += 4) {
		char name[2] = { (char)(d[i] | 1), 0 };
		struct ip_addr a = { { d[i + 1] } };
		struct throttle_attempt at;
		uint32_t retry = 0;

		now += (int64_t)d[i + 2] * 100000000;
		if (!throttle_begin(t, d[i + 3] & 1 ? name : NULL, &a, now, &at, &retry))
			assert(retry >= 1 && retry <= 60);
		else if (d[i + 3] & 2)
			throttle_succeeded(t, &at, now);
		else if (d[i + 3] & 4)
			throttle_forgive(t, &at);
	}
	throttle_free(&t);
}

/* An operation as a stranger may send it, by each kind of caller. Nothing of it stays. */
static void
administration(const uint8_t *d, size_t n)
{
	static const char *const users[] = { "root", "tess", "vic", "" };
	static struct verdict v;
	static struct desk desk;
	static bool open;

	if (n < 1 || n > ADMIN_BODY_MAX)
		return;
	if (!open) {
		log_init("fuzz", LOG_LEVEL_ERROR);
		totp_init();
		desk_open(&desk);
		(void)atexit(remove_desk);
		the_desk = &desk;
		open = true;
	}
	desk_ask(&desk, users[d[0] % 4], (const char *)d + 1, n - 1, false, &v);
	assert(v.status >= ADMIN_OK && v.status < ADMIN_STATUS_COUNT);
	assert(v.status != ADMIN_BAD || v.fault.detail[0] != '\0');
	assert(memchr(v.fault.field, 0, sizeof(v.fault.field)) != NULL);
}

/* The text of a token: what is drawn is good, what is changed is not. */
static void
token_texts(const uint8_t *d, size_t n)
{
	char text[TOKEN_TEXT_LEN + 2] = "";

	memcpy(text, d, n < sizeof(text) - 1 ? n : sizeof(text) - 1);
	if (token_text_good(text))
		assert(strlen(text) == TOKEN_TEXT_LEN &&
		       memcmp(text, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0);
	token_text_draw(text);
	assert(token_text_good(text));
	if (n >= 2) {
		text[d[0] % TOKEN_TEXT_LEN] ^= (char)(d[1] & 0x7f);
		assert((d[1] & 0x7f) == 0 || !token_text_good(text));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	static void (*const targets[])(const uint8_t *, size_t) = {
		account,        session,     signing,       tenant,   first_version, words, guesses,
		login,          factor,      token_use,     accesses, group,         token, narrowing,
		administration, token_texts, configuration, label,    watched,
	};

	if (n < 1 || sodium_init() < 0)
		return 0;
	targets[d[0] % ARRAY_LEN(targets)](d + 1, n - 1);
	return 0;
}
