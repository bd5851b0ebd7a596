/*
 * authd alone, on the real process, with the bench in httpd's place (tests/unit/authd_player.h):
 *   - how long the answer to a wrong password takes, of users that are there and of users that are not, taken
 * in turn;
 *   - logins all at once: the memory of authd and its hashers, and how long others' questions take meanwhile;
 *   - tokens and sessions that are shown again, each answered with a grant, per second of one core.
 * script/bench authd: bench_authd RESULTS [ATTEMPTS]; the results are JSON, words go to standard error.
 */
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
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_player.h"
#include "base/clock.h"
#include "base/mem.h"

#define AT_ONCE     200
#define WAVES       3
#define IN_FLIGHT   16
#define CHECKS      200000u
#define SAMPLES_MAX 200000

static struct player p;
static struct wire_auth_answer a;
static FILE *out; /* the results: standard output is cmocka's */

static int
by_value(const void *x, const void *y)
{
	const int64_t *a_ = x, *b_ = y;

	return *a_ < *b_ ? -1 : *a_ > *b_;
}

/* Sorts them. q: 0 to 1. */
static double
quantile_us(int64_t *ns, size_t n, double q)
{
	qsort(ns, n, sizeof(ns[0]), by_value);
	return (double)ns[(size_t)((double)(n - 1) * q)] / 1e3;
}

/* An address that no attempt came from before: its throttle has nothing to say. */
static void
fresh_address(char address[static 24])
{
	static uint32_t n;

	n++;
	(void)snprintf(address, 24, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
}

static void
start(size_t memory, int64_t passes)
{
	player_open(&p);
	p.settings.password_memory = (int64_t)memory;
	p.settings.password_passes = passes;
	p.settings.sessions_per_user = 1000;
	player_start(&p);
	player_set_up(&p, &a);
}

static void
stop(void)
{
	(void)player_exit(&p, SIGTERM);
	player_close(&p);
}

/* --- the same time for unknown users */

static int64_t
attempt(const char *name)
{
	char from[24], password[32];
	int64_t began;

	fresh_address(from);
	/* Another one each time: what argon2id reads of its memory, and so its time, hangs on password and
	 * salt. */
	(void)snprintf(password, sizeof(password), "guess %08x", randombytes_random());
	began = clock_boot_ns();
	player_answer(&p, player_send_login(&p, name, password, from), &a);
	if (a.status != AUTH_DENIED)
		fail_msg("status %u", a.status);
	return clock_boot_ns() - began;
}

static void
unknown_users(unsigned attempts, size_t memory)
{
	int64_t *known = mem_calloc(attempts, sizeof(*known)),
		*unknown = mem_calloc(attempts, sizeof(*unknown));
	double k, u;

	start(memory, 1);
	for (unsigned i = 0; i < 100; i++)
		(void)attempt(i % 2 == 0 ? PLAYER_NAME : "nobody");
	for (unsigned i = 0; i < attempts; i++) {
		/* Neither is always first. */
		bool first = randombytes_uniform(2) == 0;

		if (first)
			known[i] = attempt(PLAYER_NAME);
		unknown[i] = attempt("nobody");
		if (!first)
			known[i] = attempt(PLAYER_NAME);
	}
	k = quantile_us(known, attempts, 0.5);
	u = quantile_us(unknown, attempts, 0.5);
	fprintf(out,
		"  \"unknown_users\": { \"attempts\": %u, \"argon2_bytes\": %zu, \"known_us\": %.1f, "
		"\"unknown_us\": %.1f, \"ratio\": %.4f },\n",
		2 * attempts, memory, k, u, u / k);
	fprintf(stderr,
		"wrong passwords, %u attempts: median %.1f us of a user, %.1f us of nobody (ratio %.4f)\n",
		2 * attempts, k, u, u / k);
	stop();
	free(known);
	free(unknown);
}

/* --- many at once */

/* The most memory that a process had: VmHWM, in bytes. */
static uint64_t
most_memory(pid_t pid)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return (uint64_t)kib << 10;
}

/* authd and its hashers. */
static uint64_t
memory_of_all(void)
{
	char path[64], list[256] = "", *at = list;
	uint64_t sum = most_memory(p.pid);
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)p.pid, (int)p.pid);
	f = fopen(path, "r");
	if (f == NULL || fgets(list, sizeof(list), f) == NULL)
		fail_msg("%s cannot be read", path);
	(void)fclose(f);
	for (long pid; (pid = strtol(at, &at, 10)) > 0;)
		sum += most_memory((pid_t)pid);
	return sum;
}

struct wave {
	unsigned good, busy, left;
	size_t n;
	int64_t other_ns[SAMPLES_MAX];
};

/* One of the logins is answered. */
static void
took_login(struct wave *w)
{
	w->left--;
	w->good += a.status == AUTH_OK;
	w->busy += a.status == AUTH_BUSY;
	if (a.status != AUTH_OK && a.status != AUTH_BUSY)
		fail_msg("login: status %u", a.status);
}

/* Somebody else's question, again and again, until the logins are through. */
static void
others(struct wave *w, const uint8_t *cookie)
{
	while (w->left > 0) {
		int64_t began = clock_boot_ns();
		uint64_t request = player_send_session(&p, MSG_SESSION, cookie);

		while (player_any_answer(&p, &a) && a.request != request)
			took_login(w);
		if (a.status != AUTH_OK)
			fail_msg("others: status %u", a.status);
		if (w->n < SAMPLES_MAX)
			w->other_ns[w->n++] = clock_boot_ns() - began;
		(void)usleep(500);
	}
}

static void
many_at_once(size_t memory)
{
	static struct wave w;
	uint8_t cookie[COOKIE_BYTES];
	uint64_t before, after, bound;
	double p50, p99, most;

	start(memory, 3);
	memcpy(cookie, a.cookie, sizeof(cookie));
	before = memory_of_all();
	for (int i = 0; i < WAVES; i++) {
		w.left = AT_ONCE;
		for (int k = 0; k < AT_ONCE; k++) {
			char from[24];

			fresh_address(from);
			(void)player_send_login(&p, PLAYER_NAME, PLAYER_PASSWORD, from);
		}
		others(&w, cookie);
	}
	after = memory_of_all();
	bound = 2 * (uint64_t)memory + (UINT64_C(32) << 20);
	p50 = quantile_us(w.other_ns, w.n, 0.5) / 1e3;
	p99 = quantile_us(w.other_ns, w.n, 0.99) / 1e3;
	most = (double)w.other_ns[w.n - 1] / 1e6;
	fprintf(out,
		"  \"at_once\": { \"logins\": %d, \"waves\": %d, \"good\": %u, \"busy\": %u, "
		"\"argon2_bytes\": %zu, \"memory_before\": %" PRIu64 ", \"memory\": %" PRIu64
		", \"bound\": %" PRIu64
		", \"others\": %zu, \"others_p50_ms\": %.3f, \"others_p99_ms\": %.3f, "
		"\"others_most_ms\": %.3f },\n",
		AT_ONCE, WAVES, w.good, w.busy, memory, before, after, bound, w.n, p50, p99, most);
	fprintf(stderr,
		"%d logins at once, %d times: %u let in, %u told to come back; %.0f MiB at the most (bound "
		"%.0f MiB); others' %zu questions: p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n",
		AT_ONCE, WAVES, w.good, w.busy, (double)after / 1048576, (double)bound / 1048576, w.n, p50,
		p99, most);
	stop();
}

/* --- from cache */

/* Processor time of authd alone. */
static double
processor_s(void)
{
	char path[64], line[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)p.pid);
	f = fopen(path, "r");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		fail_msg("%s cannot be read", path);
	(void)fclose(f);
	return (double)strtoull(line, NULL, 10) / 1e9;
}

static uint64_t
show(const char *token, const uint8_t *cookie)
{
	return token != NULL ? player_send_token(&p, token, "", "192.0.2.7")
			     : player_send_session(&p, MSG_SESSION, cookie);
}

static void
from_cache(const char *what, const char *token, const uint8_t *cookie, const char *after)
{
	unsigned sent = 0, taken = 0;
	double cpu = processor_s(), wall;
	int64_t began = clock_boot_ns();

	while (taken < CHECKS) {
		for (; sent < CHECKS && sent - taken < IN_FLIGHT; sent++)
			(void)show(token, cookie);
		if (!player_any_answer(&p, &a) || a.status != AUTH_OK || a.grant_len == 0)
			fail_msg("%s: status %u", what, a.status);
		taken++;
	}
	cpu = processor_s() - cpu;
	wall = (double)(clock_boot_ns() - began) / 1e9;
	fprintf(out, "    \"%s\": { \"checks\": %u, \"per_core_second\": %.0f, \"per_second\": %.0f }%s\n",
		what, CHECKS, CHECKS / cpu, CHECKS / wall, after);
	fprintf(
	    stderr,
	    "%s checked and granted from cache: %.0f a second of one core (%.0f on this machine's clock)\n",
	    what, CHECKS / cpu, CHECKS / wall);
}

static void
checks(void)
{
	uint8_t cookie[COOKIE_BYTES];
	char token[100];
	const char *at = NULL;

	start(8 << 20, 1);
	memcpy(cookie, a.cookie, sizeof(cookie));
	if (player_admin(&p, NULL, 0,
			 "{\"op\":\"token.add\",\"owner\":\"" PLAYER_NAME
			 "\",\"label\":\"bench\"}") == ADMIN_OK)
		at = strstr(player_body, "\"secret\":\"");
	if (at == NULL) {
		fail_msg("no token: %s", player_body);
		return;
	}
	(void)snprintf(token, sizeof(token), "%.*s", (int)strcspn(at + 10, "\""), at + 10);
	fprintf(out, "  \"from_cache\": {\n");
	from_cache("tokens", token, NULL, ",");
	from_cache("sessions", NULL, cookie, "");
	fprintf(out, "  }\n");
	stop();
}

static void
everything(void **state)
{
	const unsigned *attempts = *state;

	fprintf(out, "{\n");
	unknown_users(*attempts / 2, 8 << 20); /* the least that the settings allow */
	many_at_once(64 << 20);
	checks();
	fprintf(out, "}\n");
}

int
main(int argc, char **argv)
{
	unsigned attempts = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10000;
	const struct CMUnitTest all[] = { cmocka_unit_test_prestate(everything, &attempts) };
	int failed;

	if (argc < 2 || attempts < 2 || sodium_init() < 0) {
		fprintf(stderr, "usage: bench_authd RESULTS [ATTEMPTS]\n");
		return 2;
	}
	out = fopen(argv[1], "w");
	if (out == NULL) {
		perror(argv[1]);
		return 1;
	}
	failed = cmocka_run_group_tests(all, NULL, NULL);
	return fclose(out) != 0 || failed != 0;
}
