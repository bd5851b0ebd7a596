/*
 * Makes the files of script/bench engine: the same ones in each run.
 *
 *   bench_traffic mix OUT FRAMES [CAPTURE...]   captures merged and multiplied; replicas are flows of their
 * own bench_traffic large OUT FRAMES              frames of 1,514 bytes of a thousand downloads bench_traffic
 * flood OUT FLOWS ROUNDS        64-byte frames: every flow once in each round, shuffled anew
 */
#include "traffic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define LARGE_FLOWS   1000u
#define LARGE_PAYLOAD 1460u
#define LARGE_GAP_NS  1230 /* 1,538 bytes with preamble and gap at 10 Gbit/s */
#define FLOOD_GAP_NS  672  /* 84 bytes at 1 Gbit/s */
#define FLOOD_PAYLOAD 18u
#define NS_PER_US     1000
#define US_PER_S      1000000

static FILE *out;
static const char *out_path;

/* --- the file
 * --------------------------------------------------------------------------------------------------------------
 */

static void
put(const void *p, size_t len)
{
	if (fwrite(p, 1, len, out) != len)
		fatal("%s", out_path);
}

void
traffic_open(const char *path)
{
	static const uint32_t header[] = { 0xa1b2c3d4, 4u << 16 | 2u, 0, 0, TRAFFIC_FRAME_MAX, 1 };

	out_path = path;
	out = fopen(path, "we");
	if (out == NULL)
		fatal("%s", path);
	(void)setvbuf(out, NULL, _IOFBF, 1u << 20);
	put(header, sizeof(header));
}

void
traffic_frame(int64_t ns, const uint8_t *frame, uint32_t cap_len, uint32_t wire_len)
{
	int64_t us = ns / NS_PER_US;
	const uint32_t header[] = { (uint32_t)(TRAFFIC_START_S + us / US_PER_S), (uint32_t)(us % US_PER_S),
				    cap_len, wire_len };

	put(header, sizeof(header));
	put(frame, cap_len);
}

void
traffic_close(void)
{
	if (fclose(out) != 0)
		fatal("%s", out_path);
}

/* xorshift64*, Vigna 2016. */
uint64_t
dice_roll(struct dice *d)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return d->state * UINT64_C(0x2545f4914f6cdd1d);
}

void
dice_fill(struct dice *d, uint8_t *p, size_t len)
{
	for (size_t at = 0; at < len; at += 8) {
		uint64_t n = dice_roll(d);

		memcpy(p + at, &n, len - at < 8 ? len - at : 8);
	}
}

/* --- large frames
 * ----------------------------------------------------------------------------------------------------------
 */

static struct made_ends
download(uint32_t flow, bool from_client)
{
	const uint32_t client = UINT32_C(0x0a020000) + flow % 256, server = UINT32_C(0xc6336400) + flow % 200;
	const uint16_t port = (uint16_t)(20000 + flow);

	return from_client ? (struct made_ends){ .ip = { client, server }, .port = { port, 80 } }
			   : (struct made_ends){ .ip = { server, client }, .port = { 80, port } };
}

static void
write_large(uint64_t frames)
{
	static const char get[] =
	    "GET /image.iso HTTP/1.1\r\nHost: mirror.example.net\r\nUser-Agent: fetch/1.0\r\n\r\n";
	static const char ok[] =
	    "HTTP/1.1 200 OK\r\nServer: files\r\nContent-Type: application/octet-stream\r\n"
	    "Content-Length: 4294967295\r\n\r\n";
	uint32_t *seq = mem_calloc(LARGE_FLOWS, sizeof(*seq));
	struct dice d = { 0x1d872b41a6e5f903 };
	uint8_t payload[2 * LARGE_PAYLOAD], frame[2048];
	int64_t ns = 0;

	dice_fill(&d, payload, sizeof(payload));
	for (uint32_t f = 0; f < LARGE_FLOWS; f++) {
		static const uint8_t opening[] = { 0x02, 0x12, 0x10 };

		for (unsigned i = 0; i < sizeof(opening); i++) {
			struct made_ends e = download(f, i != 1);

			e.flags = opening[i];
			e.seq = i == 2;
			e.ack = i > 0;
			traffic_frame(ns += LARGE_GAP_NS, frame, made_frame(frame, &e, NULL, 0), 60);
		}
		struct made_ends ask = download(f, true), answer = download(f, false);

		ask.flags = answer.flags = 0x18;
		ask.seq = ask.ack = answer.seq = 1;
		answer.ack = sizeof(get);
		uint32_t len = made_frame(frame, &ask, get, sizeof(get) - 1);

		traffic_frame(ns += LARGE_GAP_NS, frame, len, len);
		len = made_frame(frame, &answer, ok, sizeof(ok) - 1);
		traffic_frame(ns += LARGE_GAP_NS, frame, len, len);
		seq[f] = sizeof(ok);
	}
	for (uint64_t i = 0; i < frames; i++) {
		/* A few frames of one flow come together, as a sender's window does. */
		uint32_t f = (uint32_t)(i / 4 % LARGE_FLOWS);
		struct made_ends e = download(f, false);

		e.flags = 0x10;
		e.seq = seq[f];
		e.ack = sizeof(get);
		seq[f] += LARGE_PAYLOAD;
		uint32_t len = made_frame(frame, &e, payload + dice_roll(&d) % LARGE_PAYLOAD, LARGE_PAYLOAD);

		traffic_frame(ns += LARGE_GAP_NS, frame, len, len);
	}
	free(seq);
}

/* --- the flood
 * -------------------------------------------------------------------------------------------------------------
 */

static uint64_t
scramble(uint64_t x)
{
	struct dice d = { x * UINT64_C(0x9e3779b97f4a7c15) + 1 };

	return dice_roll(&d) ^ dice_roll(&d) >> 29;
}

static void
write_flood(uint32_t flows, unsigned rounds)
{
	uint32_t *order = mem_calloc(flows, sizeof(*order));
	struct dice d = { 0x6a09e667f3bcc909 };
	uint8_t frame[128];
	int64_t ns = 0;

	for (uint32_t i = 0; i < flows; i++)
		order[i] = i;
	for (unsigned r = 0; r < rounds; r++) {
		for (uint32_t i = flows - 1; i > 0; i--) {
			uint32_t j = (uint32_t)(dice_roll(&d) % (i + 1)), t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		for (uint32_t i = 0; i < flows; i++) {
			uint32_t n = order[i];
			uint64_t m = scramble(n);
			/* 65,536 clients, 64 servers for each 65,536 flows: no two flows are the same. */
			struct made_ends e = {
				.ip = { UINT32_C(0x0a010000) | (n & 0xffff),
					UINT32_C(0xac100000) | (n >> 16) << 6 | (uint32_t)(m & 63) },
				.port = { (uint16_t)(1024 + (m >> 8) % 64512),
					  (uint16_t)(1 + (m >> 24) % 65535) },
				.seq = (uint32_t)(m >> 32),
				.flags = n % 2 == 0 ? 0x02 : 0,
			};
			uint8_t payload[24];
			uint32_t len;

			dice_fill(&d, payload, sizeof(payload));
			len = made_frame(frame, &e, payload, n % 2 == 0 ? 0 : FLOOD_PAYLOAD);
			traffic_frame(ns += FLOOD_GAP_NS, frame, len, len);
		}
	}
	free(order);
}

/* A number of the command line; dies where it is none. */
static uint64_t
number(const char *text)
{
	char *end;

	errno = 0;
	uint64_t v = strtoull(text, &end, 10);

	if (end == text || *end != '\0' || errno != 0 || v == 0)
		fatalx("\"%s\" is not a number above 0", text);
	return v;
}

int
main(int argc, char **argv)
{
	log_init("bench_traffic", LOG_LEVEL_INFO);
	if (argc < 4)
		fatalx("usage: bench_traffic mix OUT FRAMES [CAPTURE...] | large OUT FRAMES | flood OUT "
		       "FLOWS ROUNDS");
	traffic_open(argv[2]);
	if (strcmp(argv[1], "mix") == 0)
		traffic_mix(argv + 4, (unsigned)argc - 4, number(argv[3]));
	else if (strcmp(argv[1], "large") == 0)
		write_large(number(argv[3]));
	else if (strcmp(argv[1], "flood") == 0 && argc == 5 && number(argv[3]) < UINT32_C(1) << 26)
		write_flood((uint32_t)number(argv[3]), (unsigned)number(argv[4]));
	else
		fatalx("%s: no such file can be made", argv[1]);
	traffic_close();
	return 0;
}
