/* Stress: two threads (ThreadSanitizer looks on in its preset) and two processes, with sleeping, waiting and
 * every size. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/ring.h"

#define ENTRIES 400000u

struct end {
	struct ring_producer *p;
	struct ring_consumer *c;
	int sock; /* nudges go both ways, dropped where one is under way, as on a channel */
};

static void
nudge(int sock)
{
	(void)send(sock, "n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool
wait_nudge(int sock)
{
	struct pollfd p = { sock, POLLIN, 0 };
	char b[64];

	if (poll(&p, 1, 20000) != 1)
		return false;
	while (recv(sock, b, sizeof(b), MSG_DONTWAIT) > 0)
		;
	return true;
}

static size_t
length_of(uint32_t n)
{
	return 4 + (n * 2654435761u >> 7) % (n % 1000 == 0 ? 60000u : 200u);
}

static void *
produce(void *arg)
{
	struct end *e = arg;

	for (uint32_t n = 0; n < ENTRIES; n++) {
		size_t len = length_of(n);
		uint8_t *to;

		while ((to = ring_reserve(e->p, len)) == NULL) {
			if (ring_publish(e->p))
				nudge(e->sock);
			if (ring_producer_lied(e->p) || (ring_wait_for_room(e->p) && !wait_nudge(e->sock)))
				return (void *)1;
		}
		memset(to, (int)(n & 0xff), len);
		memcpy(to, &n, sizeof(n));
		ring_commit(e->p, 1, len);
		if (n % 17 == 0 && ring_publish(e->p))
			nudge(e->sock);
	}
	if (ring_publish(e->p))
		nudge(e->sock);
	return NULL;
}

static void *
consume(void *arg)
{
	static uint8_t buf[RING_ENTRY_MAX];
	struct end *e = arg;

	for (uint32_t n = 0; n < ENTRIES;) {
		uint16_t kind;
		uint32_t len, seen;
		int rc = ring_take(e->c, buf, sizeof(buf), &kind, &len);

		if (rc == -1)
			return (void *)1;
		if (rc == 0) {
			if (ring_release(e->c, ring_position(e->c)))
				nudge(e->sock);
			if (ring_sleep(e->c) && !wait_nudge(e->sock))
				return (void *)2;
			continue;
		}
		memcpy(&seen, buf, sizeof(seen));
		if (seen != n || len != length_of(n) || (len > 4 && buf[len - 1] != (n & 0xff)))
			return (void *)3;
		n++;
		if (n % 29 == 0 && ring_release(e->c, ring_position(e->c)))
			nudge(e->sock);
	}
	return NULL;
}

static void
setup(struct end *a, struct end *b)
{
	int fd, page, s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	a->p = ring_producer_new(1, &fd);
	b->c = ring_consumer_new(fd, &page);
	assert_true(ring_producer_attach(a->p, page));
	a->sock = s[0];
	b->sock = s[1];
}

static void
two_threads(void **state)
{
	struct end a = { 0 }, b = { 0 };
	pthread_t t;
	void *rc;

	(void)state;
	setup(&a, &b);
	/* one mapping, so that ThreadSanitizer sees both sides touch the same memory */
	ring_consumer_free(&b.c);
	ring_producer_free(&a.p);
	assert_true(ring_pair_in_process(1, &a.p, &b.c));
	assert_int_equal(pthread_create(&t, NULL, consume, &b), 0);
	assert_null(produce(&a));
	assert_int_equal(pthread_join(t, &rc), 0);
	assert_null(rc);
	ring_consumer_free(&b.c);
	ring_producer_free(&a.p);
}

static void
two_processes(void **state)
{
	struct end a = { 0 }, b = { 0 };
	int status;
	pid_t pid;

	(void)state;
	setup(&a, &b);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit((int)(intptr_t)consume(&b));
	assert_null(produce(&a));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	ring_producer_free(&a.p);
	ring_consumer_free(&b.c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads),
		cmocka_unit_test(two_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
