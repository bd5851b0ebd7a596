/*
 * Sends UDP frames of one size over an interface at a set rate and says how many were sent. Flows differ in
 * address and port. For the benches' own network namespaces only: it refuses to send over anything but a veth
 * pair.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define BATCH     64
#define FRAME_MAX 9000

static struct options {
	const char *interface;
	long rate;  /* frames a second; 0: as fast as it goes */
	long size;  /* bytes of a frame without FCS */
	long count; /* frames to send; 0: by time */
	double seconds;
	long flows;
	long vlan; /* 0: none */
} o = { .size = 64, .seconds = 1, .flows = 1000 };

/* A number of the command line; dies where it is none. */
static long
number(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (end == text || *end != '\0')
		fatalx("\"%s\" is not a number", text);
	return v;
}

static uint16_t
ip_checksum(const struct iphdr *ip)
{
	uint16_t w[sizeof(*ip) / 2];
	uint32_t sum = 0;

	memcpy(w, ip, sizeof(w));
	for (size_t i = 0; i < sizeof(w) / 2; i++)
		sum += w[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Frame of flow n: 10.x.y.z:p -> 10.200.0.1:53..., to an Ethernet address that nobody has, so that the
 * receiver's own stack drops it early. */
static size_t
make_frame(uint8_t *b, long n)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1 };
	size_t at = 12, payload;
	struct iphdr ip;
	struct udphdr udp;

	memset(b, 0, FRAME_MAX);
	memcpy(b, macs, 12);
	if (o.vlan != 0) {
		b[12] = 0x81;
		b[14] = (uint8_t)(o.vlan >> 8);
		b[15] = (uint8_t)o.vlan;
		at = 16;
	}
	b[at] = 0x08;
	at += 2;
	payload = (size_t)o.size - at - sizeof(ip) - sizeof(udp);
	memset(&ip, 0, sizeof(ip));
	ip.version = 4;
	ip.ihl = 5;
	ip.tot_len = htons((uint16_t)(sizeof(ip) + sizeof(udp) + payload));
	ip.ttl = 64;
	ip.protocol = IPPROTO_UDP;
	ip.saddr = htonl(0x0a000001u + (uint32_t)n % 250);
	ip.daddr = htonl(0x0ac80001u + (uint32_t)(n / 250) % 250);
	ip.check = ip_checksum(&ip);
	udp.source = htons((uint16_t)(10000 + n % 50000));
	udp.dest = htons(5353);
	udp.len = htons((uint16_t)(sizeof(udp) + payload));
	udp.check = 0;
	memcpy(b + at, &ip, sizeof(ip));
	memcpy(b + at + sizeof(ip), &udp, sizeof(udp));
	return at + sizeof(ip) + sizeof(udp) + payload;
}

static void
insist_on_veth(void)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq r = { .ifr_data = (void *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (!str_copy(r.ifr_name, sizeof(r.ifr_name), o.interface) || ioctl(fd, SIOCETHTOOL, &r) == -1 ||
	    strcmp(info.driver, "veth") != 0)
		fatalx("%s is no veth of a bench's own: not sending", o.interface);
	close(fd);
}

static int
open_interface(void)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(o.interface) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, buffer = 16 << 20;

	if (fd == -1 || a.sll_ifindex == 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		fatal("cannot send on %s", o.interface);
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	return fd;
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Sleeps or spins until then. */
static void
wait_until(int64_t then)
{
	for (int64_t left; (left = then - now_ns()) > 0;) {
		struct timespec t = { 0, left - 60000 };

		if (left > 200000)
			nanosleep(&t, NULL);
	}
}

static long
send_frames(int fd, uint8_t *frames, size_t len, double *took)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	int64_t start = now_ns(), end = start + (int64_t)(o.seconds * (double)NS_PER_S);
	long sent = 0, asked = 0;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < BATCH; i++) {
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		iov[i].iov_len = len;
	}
	while (o.count > 0 ? asked < o.count : now_ns() < end) {
		unsigned n = BATCH;
		int done;

		if (o.count > 0 && o.count - asked < BATCH)
			n = (unsigned)(o.count - asked);
		for (unsigned i = 0; i < n; i++)
			iov[i].iov_base = frames + (size_t)((asked + (long)i) % o.flows) * FRAME_MAX;
		if (o.rate > 0)
			wait_until(start + (int64_t)((double)asked * (double)NS_PER_S / (double)o.rate));
		done = sendmmsg(fd, m, n, 0);
		if (done == -1 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			fatal("sendmmsg");
		if (done > 0)
			sent += done;
		asked += done > 0 ? done : (long)(o.count > 0 ? 0 : n);
	}
	*took = (double)(now_ns() - start) / (double)NS_PER_S;
	return sent;
}

static void
options(int argc, char **argv)
{
	static const struct option longs[] = { { "interface", 1, NULL, 'i' }, { "rate", 1, NULL, 'r' },
					       { "size", 1, NULL, 's' },      { "count", 1, NULL, 'c' },
					       { "seconds", 1, NULL, 't' },   { "flows", 1, NULL, 'f' },
					       { "vlan", 1, NULL, 'v' },      { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'i':
			o.interface = optarg;
			break;
		case 'r':
			o.rate = number(optarg);
			break;
		case 's':
			o.size = number(optarg);
			break;
		case 'c':
			o.count = number(optarg);
			break;
		case 't':
			o.seconds = strtod(optarg, NULL);
			break;
		case 'f':
			o.flows = number(optarg);
			break;
		case 'v':
			o.vlan = number(optarg);
			break;
		default:
			fatalx("usage: bench_generate --interface IF [--rate N] [--size BYTES] [--count N | "
			       "--seconds S] [--flows N] "
			       "[--vlan N]");
		}
	}
	if (o.interface == NULL || o.size < 60 || o.size > FRAME_MAX || o.flows < 1 || o.flows > 60000)
		fatalx("--interface is needed, --size within 60..%d, --flows within 1..60000", FRAME_MAX);
}

int
main(int argc, char **argv)
{
	uint8_t *frames;
	size_t len = 0;
	double took;
	long sent;

	log_init("bench_generate", LOG_LEVEL_INFO);
	options(argc, argv);
	insist_on_veth();
	frames = mem_calloc((size_t)o.flows, FRAME_MAX);
	for (long i = 0; i < o.flows; i++)
		len = make_frame(frames + (size_t)i * FRAME_MAX, i);
	sent = send_frames(open_interface(), frames, len, &took);
	printf("{\"sent\":%ld,\"seconds\":%.6f,\"size\":%zu}\n", sent, took, len);
	free(frames);
	return 0;
}
