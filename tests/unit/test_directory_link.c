/* A directory server that sends more than anybody asked for: what is in memory is one message, however many
 * come before the end, and no message is without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link.h"

#define ENTRIES   20
#define WAIT_MS   (60 * 1000)
#define LONG      (9u << 20)
#define OP_BIND   0x61u /* RFC 4511 section 4.2.2: BindResponse */
#define OP_ENTRY  0x64u /* section 4.5.2: SearchResultEntry */
#define OP_RESULT 0x65u /* SearchResultDone */
#define OP_MORE   0x79u /* section 4.13: IntermediateResponse */

/* --- the server, a process of its own --- */

struct server {
	int sock;
	int taken; /* a byte in it: the client has taken an entry */
};

static bool
comes(int fd, void *out, size_t len)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, WAIT_MS) == 1 && read(fd, out, len) > 0;
}

/* The number of the request that comes next; it comes in one piece, and its number is small. */
static uint8_t
request(const struct server *s)
{
	uint8_t b[1024];
	size_t at;

	if (!comes(s->sock, b, sizeof(b)))
		_exit(1);
	at = b[1] < 0x80 ? 2 : 2u + (b[1] & 0x7fu);
	if (b[at] != 0x02 || b[at + 1] != 1)
		_exit(2);
	return b[at + 2];
}

/* An operation whose content is given. */
static void
say(const struct server *s, uint8_t number, uint8_t op, const void *content, uint8_t len)
{
	uint8_t b[128] = { 0x30, (uint8_t)(len + 5), 0x02, 1, number, op, len };

	memcpy(b + 7, content, len);
	if (write(s->sock, b, len + 7u) != (ssize_t)len + 7)
		_exit(3);
}

static void
say_result(const struct server *s, uint8_t number, uint8_t op, uint8_t code)
{
	const uint8_t content[] = { 0x0a, 1, code, 0x04, 0, 0x04, 0 };

	say(s, number, op, content, sizeof(content));
}

static void
say_entry(const struct server *s, uint8_t number)
{
	static const uint8_t content[] = { 0x04, 4, 'c', 'n', '=', 'a', 0x30, 0 };

	say(s, number, OP_ENTRY, content, sizeof(content));
}

/* Each entry is sent once the one before was taken: whoever waits for all of them waits for ever. */
static void
serve_one_by_one(const struct server *s)
{
	uint8_t number = request(s), byte;

	for (unsigned i = 0; i < ENTRIES; i++) {
		say_entry(s, number);
		if (!comes(s->taken, &byte, 1))
			_exit(4);
	}
	say_result(s, number, OP_RESULT, 0);
}

static void
serve_refusal(const struct server *s)
{
	uint8_t number = request(s);

	say_entry(s, number);
	say_entry(s, number);
	say_result(s, number, OP_RESULT, LINK_NO_OBJECT);
	say_result(s, request(s), OP_BIND, LINK_OK);
}

static void
serve_cut(const struct server *s)
{
	say_entry(s, request(s));
}

static uint8_t *
put_head(uint8_t *p, uint8_t tag, uint32_t len)
{
	const uint8_t head[] = {
		tag, 0x84, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len
	};

	memcpy(p, head, sizeof(head));
	return p + sizeof(head);
}

/* An entry with one attribute, whose value is LONG bytes. */
static void
serve_one_that_is_long(const struct server *s)
{
	static const uint8_t name[] = { 0x04, 4, 'c', 'n', '=', 'a' }, type[] = { 0x04, 1, 'b' };
	static uint8_t value[LONG];
	const uint32_t set = 6 + LONG, attribute = (uint32_t)sizeof(type) + 6 + set, list = 6 + attribute,
		       entry = (uint32_t)sizeof(name) + 6 + list;
	uint8_t number = request(s), head[64], *p = put_head(head, 0x30, 3 + 6 + entry);

	memcpy(p, (const uint8_t[]){ 0x02, 1, number }, 3);
	p = put_head(p + 3, OP_ENTRY, entry);
	memcpy(p, name, sizeof(name));
	p = put_head(put_head(p + sizeof(name), 0x30, list), 0x30, attribute);
	memcpy(p, type, sizeof(type));
	p = put_head(put_head(p + sizeof(type), 0x31, set), 0x04, LONG);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Whoever does not want it hangs up. */
	if (write(s->sock, head, (size_t)(p - head)) == p - head && write(s->sock, value, LONG) == LONG)
		say_result(s, number, OP_RESULT, 0);
}

/* Entries are no answer to it; there is none. */
static void
serve_entries_for_a_bind(const struct server *s)
{
	uint8_t number = request(s), byte;

	say_entry(s, number);
	(void)comes(s->sock, &byte, 1);
}

/* --- the client --- */

static int taken[2], sock;
static unsigned entries;

static bool
take(void *ctx, const struct link_entry *e)
{
	char *dn = link_entry_dn(e);

	assert_string_equal(dn, "cn=a");
	link_free(dn);
	entries++;
	assert_int_equal(write(taken[1], "", 1), 1);
	return ctx == NULL || entries < *(unsigned *)ctx;
}

static pid_t
begin(void (*serve)(const struct server *s), bool start_tls, struct link **l)
{
	static const struct server_url url = { .ldaps = false, .port = 389, .host = "a" };
	const struct link_way way = { .url = &url, .start_tls = start_tls, .authorities = "" };
	char why[200] = "";
	int pair[2];
	pid_t pid;

	entries = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe(taken), 0);
	pid = fork();
	if (pid == 0) {
		const struct server s = { pair[1], taken[0] };

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		close(taken[1]);
		serve(&s);
		_exit(0);
	}
	close(pair[1]);
	sock = pair[0];
	*l = link_open(sock, &way, why, sizeof(why));
	return pid;
}

static void
end(struct link **l, pid_t pid)
{
	int status;

	link_close(l);
	close(sock);
	close(taken[0]);
	close(taken[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
search(struct link *l, unsigned *most, struct link_result *r)
{
	static const char *const attributes[] = { "1.1", NULL };

	link_search(l, "dc=x", true, "(cn=a)", attributes, take, most, r);
}

static void
an_entry_is_taken_as_it_comes(void **state)
{
	struct link_result r;
	struct link *l;
	pid_t pid = begin(serve_one_by_one, false, &l);

	(void)state;
	assert_non_null(l);
	search(l, NULL, &r);
	assert_int_equal(r.code, LINK_OK);
	assert_int_equal(entries, ENTRIES);
	end(&l, pid);
}

static void
who_wants_no_more_hears_the_end(void **state)
{
	struct link_result r;
	struct link *l;
	unsigned most = 1;
	pid_t pid = begin(serve_refusal, false, &l);

	(void)state;
	assert_non_null(l);
	search(l, &most, &r);
	assert_int_equal(r.code, LINK_NO_OBJECT);
	assert_int_equal(entries, 1);
	/* What comes next is the answer to what is asked next. */
	link_bind(l, "", "", &r);
	assert_int_equal(r.code, LINK_OK);
	end(&l, pid);
}

static void
a_message_that_is_too_long_ends_the_connection(void **state)
{
	struct link_result r;
	struct link *l;
	pid_t pid = begin(serve_one_that_is_long, false, &l);

	(void)state;
	assert_non_null(l);
	search(l, NULL, &r);
	assert_true(r.code < 0);
	assert_int_equal(entries, 0);
	end(&l, pid);
}

static void
a_server_that_goes_in_between_is_told_of(void **state)
{
	struct link_result r;
	struct link *l;
	pid_t pid = begin(serve_cut, false, &l);

	(void)state;
	assert_non_null(l);
	search(l, NULL, &r);
	assert_true(r.code < 0);
	assert_int_equal(entries, 1);
	end(&l, pid);
}

static void
entries_are_no_answer_to_anything_else(void **state)
{
	struct link_result r;
	struct link *l;
	pid_t pid = begin(serve_entries_for_a_bind, false, &l);

	(void)state;
	assert_non_null(l);
	link_bind(l, "cn=a", "p", &r);
	assert_int_not_equal(r.code, LINK_OK);
	end(&l, pid);

	pid = begin(serve_entries_for_a_bind, true, &l);
	assert_null(l);
	end(&l, pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_taken_as_it_comes),
		cmocka_unit_test(who_wants_no_more_hears_the_end),
		cmocka_unit_test(a_message_that_is_too_long_ends_the_connection),
		cmocka_unit_test(a_server_that_goes_in_between_is_told_of),
		cmocka_unit_test(entries_are_no_answer_to_anything_else),
	};

	link_warm();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
