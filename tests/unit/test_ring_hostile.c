/*
 * A hostile peer: another process scribbles over every word that the two share while this side runs. Whatever
 * it writes, this side answers with entries, "empty", "full" or "it lied", and never leaves its own memory
 * (the sanitizer build looks on). The seals do not help here: each peer may write its own memfd, and writes
 * anything.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/ring.h"

#define PAGE 4096u
#define AREA (2u << 20)
/* How the two sides meet is the scheduler's business: rounds go on until both outcomes were seen. */
#define ROUNDS      60u
#define ROUNDS_MOST 6000u

static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

/* A memfd as a traitor makes it: sealed as demanded, its map shared with a child that writes on. */
static uint8_t *
traitor_memory(size_t len, int *fd)
{
	uint8_t *p;

	*fd = memfd_create("traitor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(*fd, (off_t)len), 0);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(fcntl(*fd, F_ADD_SEALS, seals), 0);
	return p;
}

static uint64_t
draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Writes for ever: indices that are random, near the truth, huge, backwards; headers of entries likewise. */
static _Noreturn void
scribble(uint8_t *page, uint8_t *area, uint64_t seed)
{
	volatile uint64_t *words = (volatile uint64_t *)page;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		uint64_t r = draw(&seed), v = draw(&seed);
		size_t word = r % (256 / sizeof(uint64_t));

		switch (r >> 60 & 3) {
		case 0:
			if (v % 64 == 0)
				words[word] = v;
			break;
		case 1:
			words[8] = v % AREA & ~UINT64_C(63); /* the index, almost true */
			break;
		case 2:
			words[word] += v % 4096;
			break;
		default:
			if (area != NULL) {
				uint32_t len = (uint32_t)(v >> 32) >> (r >> 50 & 31);
				size_t at = (r >> 8) % (AREA - 8) & ~(size_t)7;

				memcpy(area + at, &len, sizeof(len));
				area[at + 4] = (uint8_t)(v & 1);
			}
		}
	}
}

static void
a_consumer_survives_its_producer(void **state)
{
	static uint8_t buf[RING_ENTRY_MAX];
	unsigned long taken = 0, lies = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS || (round < ROUNDS_MOST && (lies == 0 || taken == 0));
	     round++) {
		int fd, page_fd, status;
		uint8_t *mem = traitor_memory(PAGE + AREA, &fd);
		struct ring_producer *model;
		struct ring_consumer *c;
		int model_fd;
		pid_t pid;

		/* a true first page, so that the offer is taken */
		model = ring_producer_new(AREA, &model_fd);
		assert_int_equal(pread(model_fd, mem, PAGE, 0), PAGE);
		close(model_fd);
		ring_producer_free(&model);
		/* and an area of true entries, of which it will spoil some */
		for (size_t at = 0; at < AREA; at += 64) {
			static const struct {
				uint32_t len;
				uint16_t kind, reserved;
			} entry = { 56, 1, 0 };

			memcpy(mem + PAGE + at, &entry, sizeof(entry));
		}
		c = ring_consumer_new(fd, &page_fd);
		assert_non_null(c);
		close(page_fd);
		pid = fork();
		if (pid == 0)
			scribble(mem, mem + PAGE, round * 7919 + 1);
		for (unsigned i = 0; i < 20000; i++) {
			uint16_t kind;
			uint32_t len;
			int rc = ring_take(c, buf, sizeof(buf), &kind, &len);

			if (rc == 1) {
				taken++;
				assert_true(len <= sizeof(buf) && kind > 0);
			} else if (rc == -1) {
				lies++;
			}
			if (i % 7 == 0)
				(void)ring_release(c, ring_position(c));
			if (i % 11 == 0)
				(void)ring_sleep(c);
			assert_true(ring_consumer_waiting(c) <= AREA);
		}
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		ring_consumer_free(&c);
		munmap(mem, PAGE + AREA);
	}
	assert_true(lies > 0 && taken > 0);
	print_message("%lu entries taken, %lu lies seen\n", taken, lies);
}

static void
a_producer_survives_its_consumer(void **state)
{
	unsigned long put = 0, full = 0, lies = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS || (round < ROUNDS_MOST && (lies == 0 || put == 0));
	     round++) {
		int fd, page_fd, status;
		uint8_t *mem = traitor_memory(PAGE, &page_fd);
		struct ring_producer *p = ring_producer_new(AREA, &fd), *q;
		int q_fd;
		pid_t pid;

		assert_true(ring_producer_attach(p, page_fd));
		pid = fork();
		if (pid == 0)
			scribble(mem, NULL, round * 104729 + 1);
		for (unsigned i = 0; i < 20000; i++) {
			size_t len = i * 37 % 1500;
			uint8_t *to = ring_reserve(p, len);

			if (to == NULL) {
				full++;
				(void)ring_wait_for_room(p);
			} else {
				memset(to, 0xaa, len);
				ring_commit(p, 1, len);
				put++;
			}
			if (i % 5 == 0)
				(void)ring_publish(p);
			assert_true(ring_producer_used(p) <= ring_producer_size(p));
		}
		lies += ring_producer_lied(p);
		q = ring_producer_new(AREA, &q_fd);
		(void)ring_carry_over(q, p);
		close(fd);
		close(q_fd);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		ring_producer_free(&p);
		ring_producer_free(&q);
		munmap(mem, PAGE);
	}
	assert_true(lies > 0 && put > 0);
	print_message("%lu put, %lu times full, %lu rounds caught lying\n", put, full, lies);
}

/* What the seals are for: nobody who gets the descriptor can write, shrink or grow what the owner relies on.
 */
static void
memory_of_the_other_side_cannot_be_written(void **state)
{
	int fd, page;
	struct ring_producer *p = ring_producer_new(1, &fd);
	struct ring_consumer *c = ring_consumer_new(dup(fd), &page);
	const int fds[] = { fd, page };

	(void)state;
	for (int i = 0; i < 2; i++) {
		void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[i], 0);

		assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0), MAP_FAILED);
		assert_ptr_not_equal(map, MAP_FAILED);
		assert_int_equal(mprotect(map, PAGE, PROT_READ | PROT_WRITE), -1);
		assert_int_equal(ftruncate(fds[i], 0), -1);
		assert_int_equal(ftruncate(fds[i], 1 << 30), -1);
		assert_int_equal(pwrite(fds[i], "x", 1, 0), -1);
		assert_int_equal(fcntl(fds[i], F_ADD_SEALS, F_SEAL_WRITE), -1);
		munmap(map, PAGE);
		close(fds[i]);
	}
	ring_producer_free(&p);
	ring_consumer_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_consumer_survives_its_producer),
		cmocka_unit_test(a_producer_survives_its_consumer),
		cmocka_unit_test(memory_of_the_other_side_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
