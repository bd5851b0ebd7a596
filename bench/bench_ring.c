/* Two processes and one ring between them: how many records a second, and how many nanoseconds each takes. */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/fdpass.h"
#include "ipc/ring.h"

#define RING_BYTES   (16u << 20)
#define PUBLISH_EACH 64 /* records, as a capture batch does */
#define RELEASE_EACH 64
#define KIND         1

static void
pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned)cpu, &cpus);
	(void)sched_setaffinity(0, sizeof(cpus), &cpus); /* on one processor: both share it */
}

static void
pass(int sock, int fd)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };

	if (fdpass_send(sock, &iov, 1, fd) == -1)
		fatal("cannot pass a descriptor");
	close(fd);
}

static int
receive(int sock)
{
	struct pollfd p = { sock, POLLIN, 0 };
	char byte;
	int fd;

	if (poll(&p, 1, -1) != 1 || fdpass_recv(sock, &byte, 1, &fd) != 1 || fd == -1)
		fatalx("no descriptor came");
	return fd;
}

static void
nudge(int sock)
{
	(void)send(sock, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
await_nudge(int sock)
{
	char buf[64];
	struct pollfd p = { sock, POLLIN, 0 };

	(void)poll(&p, 1, -1);
	while (recv(sock, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		continue;
}

static void
produce(int sock, size_t size, long records)
{
	static uint8_t frame[2048];
	int fd;
	struct ring_producer *r = ring_producer_new(RING_BYTES, &fd);

	if (r == NULL)
		fatal("ring");
	memset(frame, 0x5a, sizeof(frame));
	pass(sock, fd);
	if (!ring_producer_attach(r, receive(sock)))
		fatalx("the consumer's page is none");
	for (long i = 0; i < records;) {
		void *to = ring_reserve(r, size);

		if (to == NULL) {
			if (ring_publish(r))
				nudge(sock);
			if (ring_wait_for_room(r))
				await_nudge(sock);
			continue;
		}
		memcpy(to, frame, size);
		memcpy(to, &i, sizeof(i));
		ring_commit(r, KIND, size);
		if (++i % PUBLISH_EACH == 0 && ring_publish(r))
			nudge(sock);
	}
	if (ring_publish(r))
		nudge(sock);
	while (ring_producer_used(r) > 0)
		if (ring_wait_for_room(r) && ring_producer_used(r) > 0)
			await_nudge(sock);
	ring_producer_free(&r);
}

static void
consume(int sock, size_t size, long records)
{
	static uint8_t buf[RING_ENTRY_MAX];
	int page;
	struct ring_consumer *r = ring_consumer_new(receive(sock), &page);

	if (r == NULL)
		fatal("ring");
	pass(sock, page);
	for (long i = 0; i < records;) {
		uint16_t kind;
		uint32_t len;
		long number;
		int got = ring_take(r, buf, sizeof(buf), &kind, &len);

		if (got == 0) {
			if (ring_release(r, ring_position(r)))
				nudge(sock);
			if (ring_sleep(r))
				await_nudge(sock);
			continue;
		}
		memcpy(&number, buf, sizeof(number));
		if (got == -1 || len != size || number != i)
			fatalx("record %ld is not what was put", i);
		if (++i % RELEASE_EACH == 0 && ring_release(r, ring_position(r)))
			nudge(sock);
	}
	if (ring_release(r, ring_position(r)))
		nudge(sock);
	ring_consumer_free(&r);
}

static double
cpu_seconds(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
measure(size_t size, long records, bool last)
{
	double self = cpu_seconds(RUSAGE_SELF), children = cpu_seconds(RUSAGE_CHILDREN), seconds, cpu;
	int pair[2], status;
	int64_t start = clock_boot_ns();
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == -1)
		fatal("socketpair");
	pid = fork();
	if (pid == -1)
		fatal("fork");
	if (pid == 0) {
		pin(1);
		close(pair[0]);
		consume(pair[1], size, records);
		_exit(0);
	}
	pin(0);
	close(pair[1]);
	produce(pair[0], size, records);
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		fatalx("the consumer failed");
	seconds = (double)(clock_boot_ns() - start) / 1e9;
	cpu = cpu_seconds(RUSAGE_SELF) - self + cpu_seconds(RUSAGE_CHILDREN) - children;
	close(pair[0]);
	fprintf(
	    stderr,
	    "%5zu bytes: %11.0f records/s  %7.1f ns/record  %7.1f ns CPU/record (both sides)  %6.2f GB/s\n",
	    size, (double)records / seconds, seconds * 1e9 / (double)records, cpu * 1e9 / (double)records,
	    (double)records * (double)size / seconds / 1e9);
	printf("{\"bytes\":%zu,\"records_per_second\":%.0f,\"ns_per_record\":%.2f,\"cpu_ns_per_record\":%.2f}"
	       "%s\n",
	       size, (double)records / seconds, seconds * 1e9 / (double)records, cpu * 1e9 / (double)records,
	       last ? "" : ",");
}

int
main(void)
{
	log_init("bench_ring", LOG_LEVEL_INFO);
	printf("{\"bench\":\"ring\",\"results\":[\n");
	measure(64, 30000000, false);
	measure(1500, 5000000, true);
	printf("]}\n");
	return 0;
}
