/* The plain frame in one step: Ethernet, at most one VLAN tag, IP without options, TCP or UDP. */
#include "decode/decode.h"
#include "decode/udp_tunnel.h"

#define ETHERNET 14
#define VLAN_TAG 4
#define IPV4     20
#define IPV6     40
#define TCP      20
#define UDP      8

/* Every frame that is looked at has these, so that up to the ports of IPv4 nothing needs another look. */
#define LEAST (ETHERNET + VLAN_TAG + IPV4 + UDP)

static uint32_t
be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* TCP, of which `captured` bytes are at h and `len` were sent. */
static bool
tcp(struct packet *k, const uint8_t *h, uint32_t captured, uint32_t len)
{
	uint32_t header;

	if (captured < TCP)
		return false;
	header = (h[12] >> 4) * 4u;
	if (header < TCP || header > captured)
		return false;
	k->seq = be32(h + 4);
	k->ack = be32(h + 8);
	k->tcp_flags = h[13];
	k->window = (uint16_t)be16(h + 14);
	k->payload = len - header;
	k->app = h + header;
	k->app_len = captured - header;
	return true;
}

static bool
udp(struct packet *k, const uint8_t *h, uint32_t captured, uint32_t len, bool outer)
{
	if (captured < UDP || (be16(h + 4) != 0 && be16(h + 4) < UDP))
		return false;
	if (!outer && udp_tunnel_suspected(be16(h), be16(h + 2)))
		return false;
	k->seq = k->ack = 0;
	k->tcp_flags = 0;
	k->window = 0;
	k->payload = len - UDP;
	k->app = h + UDP;
	k->app_len = captured - UDP;
	return true;
}

bool
decode_quick(struct packet *k, const struct decode_options *o, const uint8_t *frame, uint32_t cap_len,
	     uint32_t wire_len, const uint64_t seed[static 2])
{
	const uint8_t *ip = frame + ETHERNET, *h;
	uint32_t type, header, total, captured;
	struct key_words w = { 0 };
	uint8_t protocol;

	if (cap_len < LEAST)
		return false;
	type = be16(frame + 12);
	k->nvlan = 0;
	if (type == 0x8100) {
		w.vlan = key_word_of_vlan((uint16_t)(be16(ip) & 0x0fff));
		type = be16(ip + 2);
		ip += VLAN_TAG;
		k->nvlan = 1;
	}
	captured = cap_len - (uint32_t)(ip - frame);
	if (type == 0x0800) {
		header = IPV4;
		total = be16(ip + 2);
		protocol = ip[9];
		if (ip[0] != 0x45 || (be16(ip + 6) & 0x3fff) != 0)
			return false;
		k->dscp = ip[1] >> 2;
		k->ttl = ip[8];
		w.a1 = key_word_of_v4(ip + 12);
		w.b1 = key_word_of_v4(ip + 16);
	} else if (type == 0x86dd && captured >= IPV6) {
		header = IPV6;
		total = IPV6 + be16(ip + 4);
		protocol = ip[6];
		if (ip[0] >> 4 != 6)
			return false;
		k->dscp = (uint8_t)((ip[0] << 4 | ip[1] >> 4) & 0xff) >> 2;
		k->ttl = ip[7];
		w.a0 = key_word_at(ip + 8, 0);
		w.a1 = key_word_at(ip + 8, 1);
		w.b0 = key_word_at(ip + 24, 0);
		w.b1 = key_word_at(ip + 24, 1);
	} else {
		return false;
	}
	/* What the IP header says must be on the wire; of that it may be cut off, but for the headers. */
	if (total < header || total > wire_len - (uint32_t)(ip - frame) || captured < header)
		return false;
	if (captured > total)
		captured = total;
	h = ip + header;
	if (protocol == IP_TCP
		? !tcp(k, h, captured - header, total - header)
		: protocol != IP_UDP || !udp(k, h, captured - header, total - header, o->outer))
		return false;
	w.ends = key_word_of_ends((uint16_t)be16(h), (uint16_t)be16(h + 2), o->point, protocol);
	k->wire_len = wire_len;
	k->mac = frame;
	k->l3 = ip;
	k->l3_len = captured;
	k->l3_whole = captured == total;
	k->fragment_id = 0;
	k->reason = DECODED;
	k->icmp_type = k->icmp_code = k->icmp_reply = k->labels = 0;
	k->fragment = FRAGMENT_NONE;
	packet_seal_words(k, w, seed);
	return true;
}
