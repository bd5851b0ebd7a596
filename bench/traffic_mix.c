/* Captures merged and multiplied. */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "traffic.h"

#define MIX_NS        (60 * NS_PER_S) /* length of the mix */
#define CAPTURE_NS    (30 * NS_PER_S) /* longest capture: longer ones are told faster */
#define MADE_CAPTURES 4000
#define REPLICAS_MAX  250

struct held {
	int64_t ns; /* since the capture's first frame */
	uint32_t cap_len, wire_len;
	size_t at; /* in bytes */
};

struct capture {
	size_t first, n; /* of held */
	int64_t length_ns;
};

/* One frame of the mix. */
struct entry {
	int64_t ns;
	uint32_t held;
	uint32_t replica;
};

static struct mix {
	struct held *held;
	size_t nheld, held_cap;
	uint8_t *bytes;
	size_t nbytes, bytes_cap;
	struct capture *capture;
	unsigned n;
} mix;

static void
hold(int64_t ns, const uint8_t *frame, uint32_t cap_len, uint32_t wire_len)
{
	if (mix.nheld == mix.held_cap) {
		mix.held_cap = mix.held_cap == 0 ? 4096 : mix.held_cap * 2;
		mix.held = mem_reallocarray(mix.held, mix.held_cap, sizeof(*mix.held));
	}
	while (mix.nbytes + cap_len > mix.bytes_cap) {
		mix.bytes_cap = mix.bytes_cap == 0 ? 1u << 20 : mix.bytes_cap * 2;
		mix.bytes = mem_reallocarray(mix.bytes, mix.bytes_cap, 1);
	}
	memcpy(mix.bytes + mix.nbytes, frame, cap_len);
	mix.held[mix.nheld++] = (struct held){ ns, cap_len, wire_len, mix.nbytes };
	mix.nbytes += cap_len;
}

/* Ethernet only: one file has one link type. What cannot be read to its end is held as far as it goes. */
static void
load(const char *path, struct capture *c)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	struct pcap_pkthdr *h;
	const u_char *bytes;
	int64_t start = 0;

	c->first = mix.nheld;
	if (p == NULL) {
		log_warn("%s: left out: %s", path, why);
		return;
	}
	while (pcap_datalink(p) == DLT_EN10MB && pcap_next_ex(p, &h, &bytes) == 1) {
		int64_t ns = h->ts.tv_sec * NS_PER_S + h->ts.tv_usec;

		if (mix.nheld == c->first)
			start = ns;
		ns = ns > start ? ns - start : 0;
		if (h->caplen > 0 && h->caplen <= TRAFFIC_FRAME_MAX)
			hold(ns, bytes, h->caplen, h->len > h->caplen ? h->len : h->caplen);
		if (ns > c->length_ns)
			c->length_ns = ns;
	}
	pcap_close(p);
	c->n = mix.nheld - c->first;
}

static void
make(uint32_t number, struct capture *c)
{
	struct made m = { .kind = number, .number = number * 7919 };
	uint8_t frame[2048];
	uint32_t len;

	c->first = mix.nheld;
	while ((len = made_next(&m, frame)) > 0) {
		hold(c->length_ns, frame, len, len);
		c->length_ns += 20 * NS_PER_MS;
	}
	c->n = mix.nheld - c->first;
}

/* --- replicas
 * --------------------------------------------------------------------------------------------------------------
 */

static bool
is_multicast(const uint8_t *a, size_t len)
{
	static const uint8_t zero[16];

	return a[0] >= (len == 4 ? 224 : 255) || memcmp(a, zero, len) == 0;
}

static bool
is_private(const uint8_t *a, size_t len)
{
	if (len == 16)
		return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
	return a[0] == 10 || (a[0] == 192 && a[1] == 168) || (a[0] == 172 && (a[1] & 0xf0) == 16);
}

static void
change(uint8_t *a, size_t len, uint32_t replica)
{
	a[len == 4 ? 2 : 7] ^= (uint8_t)replica;
}

/* The Internet checksum of 20 bytes of an IPv4 header with options. */
static void
fix_checksum(uint8_t *ip, size_t len)
{
	uint32_t sum = 0;

	ip[10] = ip[11] = 0;
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

/* Local addresses change; where none is local, the lower one. Both directions change alike, and servers that
 * nDPI knows by address stay what they are. The checksums of TCP and UDP are left: no program of the bench
 * looks at them. */
static void
change_header(uint8_t *ip, size_t left, uint32_t replica)
{
	size_t len = ip[0] >> 4 == 4 ? 4 : 16, header = len == 4 ? (size_t)(ip[0] & 15) * 4 : 40;
	uint8_t *a = ip + (len == 4 ? 12 : 8), *b = a + len;
	bool changed = false;

	if (header < 20 || header > left)
		return;
	if (is_private(a, len) || is_private(b, len)) {
		changed = true;
		if (is_private(a, len))
			change(a, len, replica);
		if (is_private(b, len))
			change(b, len, replica);
	}
	if (!changed && !is_multicast(a, len) && (is_multicast(b, len) || memcmp(a, b, len) <= 0))
		change(a, len, replica);
	else if (!changed && !is_multicast(b, len))
		change(b, len, replica);
	if (len == 4)
		fix_checksum(ip, header);
}

/* The first IP header of a frame, behind up to three tags; NULL: none there. */
static uint8_t *
outer_header(uint8_t *frame, uint32_t len)
{
	uint32_t at = 12;

	for (unsigned tags = 0; at + 22 <= len; tags++) {
		uint32_t type = (uint32_t)frame[at] << 8 | frame[at + 1];

		if (type == 0x0800 || type == 0x86dd)
			return frame + at + 2;
		if ((type != 0x8100 && type != 0x88a8) || tags == 3)
			return NULL;
		at += 4;
	}
	return NULL;
}

static void
replicate(uint8_t *frame, const struct held *h, uint32_t replica)
{
	static const struct decode_options ethernet = { .link_type = LINK_ETHERNET };
	struct packet k;
	uint8_t *outer, *inner;

	decode_frame(&k, &ethernet, frame, h->cap_len, h->wire_len);
	if (k.reason != DECODED)
		return;
	inner = frame + (k.l3 - frame);
	outer = outer_header(frame, h->cap_len);
	change_header(inner, k.l3_len, replica);
	if (outer != NULL && outer != inner)
		change_header(outer, (size_t)(frame + h->cap_len - outer), replica);
}

static int
entry_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->replica != y->replica)
		return x->replica < y->replica ? -1 : 1;
	return x->held < y->held ? -1 : x->held > y->held;
}

/* Each replica of each capture begins somewhere in the mix. */
static size_t
schedule(struct entry *e, uint32_t replicas)
{
	struct dice d = { 0xbb67ae8584caa73b };
	size_t n = 0;

	for (uint32_t r = 0; r < replicas; r++)
		for (unsigned c = 0; c < mix.n; c++) {
			const struct capture *k = &mix.capture[c];
			int64_t length = k->length_ns < CAPTURE_NS ? k->length_ns : CAPTURE_NS;
			int64_t start = (int64_t)(dice_roll(&d) % (uint64_t)(MIX_NS - length));

			for (size_t i = k->first; i < k->first + k->n; i++) {
				double share =
				    k->length_ns == 0 ? 0 : (double)mix.held[i].ns / (double)k->length_ns;

				e[n++] = (struct entry){ start + (int64_t)(share * (double)length),
							 (uint32_t)i, r };
			}
		}
	return n;
}

void
traffic_mix(char *const *captures, unsigned n, uint64_t frames)
{
	static uint8_t frame[TRAFFIC_FRAME_MAX];
	uint32_t replicas;
	struct entry *e;
	size_t entries;

	mix.n = n > 0 ? n : MADE_CAPTURES;
	mix.capture = mem_calloc(mix.n, sizeof(*mix.capture));
	for (unsigned i = 0; i < mix.n; i++) {
		if (n > 0)
			load(captures[i], &mix.capture[i]);
		else
			make(i, &mix.capture[i]);
	}
	if (mix.nheld == 0 || mix.nheld > UINT32_MAX)
		fatalx("no frames in the captures, or too many");
	replicas = (uint32_t)((frames + mix.nheld / 2) / mix.nheld);
	replicas = replicas == 0 ? 1 : replicas > REPLICAS_MAX ? REPLICAS_MAX : replicas;
	e = mem_calloc(mix.nheld * replicas, sizeof(*e));
	entries = schedule(e, replicas);
	qsort(e, entries, sizeof(*e), entry_compare);
	for (size_t i = 0; i < entries; i++) {
		const struct held *h = &mix.held[e[i].held];

		memcpy(frame, mix.bytes + h->at, h->cap_len);
		if (e[i].replica > 0)
			replicate(frame, h, e[i].replica);
		traffic_frame(e[i].ns, frame, h->cap_len, h->wire_len);
	}
	log_info("%zu frames of %u captures, %u times", mix.nheld, mix.n, replicas);
	free(e);
	free(mix.capture);
	free(mix.held);
	free(mix.bytes);
}
