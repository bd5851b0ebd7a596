/* Back-off, verdicts on deaths, audit records, logs of processes, routes: the pure parts of the launcher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/audit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "backoff.h"
#include "base/mem.h"
#include "child_log.h"
#include "death.h"
#include "ipc/boot.h"
#include "syscall_name.h"
#include "table.h"
#include "text.h"

static void
backoff_doubles_and_begins_anew(void **state)
{
	struct backoff b = { 0 };
	int64_t last = 0, wait = backoff_next(&b, 0);

	(void)state;
	assert_true(wait <= 100);
	for (int i = 0; i < 20; i++) {
		last = wait;
		wait = backoff_next(&b, 5);
		assert_true(wait == 2 * last || wait == BACKOFF_MOST_MS);
		assert_true(wait <= BACKOFF_MOST_MS);
	}
	assert_int_equal(wait, BACKOFF_MOST_MS);
	assert_int_equal(backoff_next(&b, BACKOFF_STABLE_MS - 1), BACKOFF_MOST_MS);
	assert_int_equal(backoff_next(&b, BACKOFF_STABLE_MS), BACKOFF_FIRST_MS);
	assert_int_equal(backoff_next(&b, 0), 2 * BACKOFF_FIRST_MS);
}

#define EXITED(status) ((status) << 8)

static void
deaths_are_judged(void **state)
{
	static const struct {
		enum proc proc;
		int of_file, status;
		enum verdict verdict;
		const char *why;
	} deaths[] = {
		{ PROC_ENGINE, 0, SIGKILL, VERDICT_RESTART, "killed by SIGKILL" },
		{ PROC_ENGINE, 0, SIGSEGV, VERDICT_RESTART, "killed by SIGSEGV" },
		{ PROC_ENGINE, 0, EXITED(EXIT_OK), VERDICT_RESTART, "ended by itself" },
		{ PROC_ENGINE, 0, EXITED(EXIT_FAILED), VERDICT_RESTART, "gave up" },
		{ PROC_ENGINE, 0, EXITED(EXIT_INTERFACE_GONE), VERDICT_RESTART, "" },
		{ PROC_ENGINE, 0, EXITED(99), VERDICT_RESTART, "status 99" },
		{ PROC_ENGINE, 0, EXITED(127), VERDICT_RESTART, "could not be started" },
		{ PROC_STORE, 0, EXITED(EXIT_BAD_INPUT), VERDICT_HOPELESS, "cannot be read" },
		{ PROC_CAPTURE, 0, EXITED(EXIT_INTERFACE_GONE), VERDICT_WAIT, "gone or down" },
		{ PROC_CAPTURE, 0, EXITED(EXIT_OK), VERDICT_RESTART, "ended by itself" },
		{ PROC_CAPTURE, 0, EXITED(EXIT_FILE_TRUNCATED), VERDICT_RESTART, "" },
		{ PROC_CAPTURE, 1, EXITED(EXIT_OK), VERDICT_ENDED, "read to its end" },
		{ PROC_CAPTURE, 1, EXITED(EXIT_FILE_TRUNCATED), VERDICT_TRUNCATED,
		  "cut (truncated) or damaged" },
		{ PROC_CAPTURE, 1, EXITED(EXIT_BAD_INPUT), VERDICT_HOPELESS, "cannot be read" },
		{ PROC_CAPTURE, 1, EXITED(EXIT_FAILED), VERDICT_HOPELESS, "gave up" },
		{ PROC_CAPTURE, 1, SIGKILL, VERDICT_HOPELESS, "not read again" },
	};
	char why[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
		assert_int_equal(
		    death_judge(deaths[i].proc, deaths[i].of_file, deaths[i].status, why, sizeof(why)),
		    deaths[i].verdict);
		assert_non_null(strstr(why, deaths[i].why));
	}
}

static void
audit_records_are_parsed(void **state)
{
	struct audit_record r;
	char name[64];

	(void)state;
	assert_true(audit_parse(
	    "audit(1795436615.061:71): auid=4294967295 uid=62416 gid=0 ses=4294967295 pid=12027 comm=\"sc\" "
	    "exe=\"/tmp/sc\" sig=31 arch=c000003e syscall=41 compat=0 ip=0x7f code=0x80000000",
	    &r));
	assert_int_equal(r.uid, 62416);
	assert_int_equal(r.arch, AUDIT_ARCH_X86_64);
	assert_int_equal(r.number, 41);
	assert_false(r.logged);
	assert_true(
	    audit_parse(" uid=62416 sig=0 arch=c000003e syscall=39 compat=0 ip=0x7f code=0x7ffc0000", &r));
	assert_true(r.logged);
	assert_int_equal(r.number, 39);
	assert_false(
	    audit_parse(" uid=62416 sig=0 arch=c000003e syscall=39 compat=0 ip=0x7f code=0x7ff00000", &r));
	r.number = 41;
	assert_string_equal(syscall_name(r.arch, r.number, name, sizeof(name)), "socket");
	assert_string_equal(syscall_name(AUDIT_ARCH_AARCH64, 198, name, sizeof(name)), "socket");
	assert_string_equal(syscall_name(AUDIT_ARCH_X86_64, 99999, name, sizeof(name)), "");
	assert_false(audit_parse("auid=1 uid=62416 sig=0 arch=c000003e syscall=41", &r));
	assert_false(audit_parse(" uid=62416 sig=31 syscall=41", &r));
	assert_false(audit_parse(" uid=x sig=31 arch=c000003e syscall=41", &r));
	assert_false(audit_parse("", &r));
}

struct lines {
	unsigned n;
	char last[5000];
};

static void
put(void *ctx, const char *line)
{
	struct lines *l = ctx;

	l->n++;
	str_copy(l->last, sizeof(l->last), line);
}

static void
logs_pass_whole_lines(void **state)
{
	struct child_log l = { .name = "weir-engine@0" };
	struct lines lines = { 0 };

	(void)state;
	child_log_take(&l, "weir-engine@0: info: hel", 24, 1, put, &lines);
	assert_int_equal(lines.n, 0);
	child_log_take(&l, "lo\n\n\x1b[31mred\n", 13, 1, put, &lines);
	assert_int_equal(lines.n, 2);
	assert_string_equal(lines.last, "weir-engine@0: \\x1b[31mred");
	child_log_take(&l, "rest", 4, 1, put, &lines);
	child_log_end(&l, 1, put, &lines);
	assert_string_equal(lines.last, "weir-engine@0: rest");
	assert_int_equal(lines.n, 3);
}

static void
logs_are_bounded(void **state)
{
	static char flood[100000];
	struct child_log l = { .name = "weir-engine@0" };
	struct lines lines = { 0 };

	(void)state;
	memset(flood, 'x', sizeof(flood));
	child_log_take(&l, flood, sizeof(flood), 1, put, &lines);
	child_log_take(&l, "\n", 1, 1, put, &lines);
	assert_int_equal(lines.n, 1);
	assert_int_equal(strlen(lines.last), strlen("weir-engine@0: ") + CHILD_LINE_MAX);
	memset(&lines, 0, sizeof(lines));
	for (size_t i = 1; i < sizeof(flood); i += 2)
		flood[i] = '\n';
	child_log_take(&l, flood, sizeof(flood), 2, put, &lines);
	assert_int_equal(lines.n, CHILD_LINES_PER_SECOND);
	child_log_take(&l, "next\n", 5, 3, put, &lines);
	assert_int_equal(lines.n, CHILD_LINES_PER_SECOND + 2); /* "N lines left out", then it */
	assert_string_equal(lines.last, "weir-engine@0: next");
}

static void
numbers_for_people(void **state)
{
	char a[16], b[20], c[16];

	(void)state;
	assert_string_equal(show_bytes(0, a), "0 B");
	assert_string_equal(show_bytes(999, a), "999 B");
	assert_string_equal(show_bytes(1500, a), "1.5 kB");
	assert_string_equal(show_bytes(UINT64_MAX, a), "18.4 EB");
	assert_string_equal(show_rate(125000, b), "1.0 Mbit/s");
	assert_string_equal(text_escape(c, sizeof(c), "a\nb\xff", 4), "a\\x0ab\\xff");
	assert_string_equal(text_escape(c, 6, "abcdefgh", 8), "ab");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_doubles_and_begins_anew),
		cmocka_unit_test(deaths_are_judged),
		cmocka_unit_test(audit_records_are_parsed),
		cmocka_unit_test(logs_pass_whole_lines),
		cmocka_unit_test(logs_are_bounded),
		cmocka_unit_test(numbers_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
