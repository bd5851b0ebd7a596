/* The only file that knows nDPI. Written for 4.2 (Debian 12); later releases differ in the functions under
 * "differences", which follow nDPI's headers and list of changes up to 5.0 and were compiled with 4.2 only.
 * What is done in nDPI's place ("whose turn it is", "what ends alone say") is done for 4.2. */
#include "dpi.h"

#include <dlfcn.h>
#include <ndpi_define.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define NDPI_VERSION_IS(major, minor)                                                                        \
	(NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))
#if !NDPI_VERSION_IS(4, 4)
#define NDPI_LIB_COMPILATION /* shows what a module is: see "whose turn it is" */
#endif
#include <ndpi_api.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include "dns_names.h"
#include "ipc/attribute.h"
#include "states.h"

/* As nDPI's own reader: packets of a flow that are looked at before giving up. */
#define PACKETS_TCP   80
#define PACKETS_OTHER 24

#define APPLICATIONS 8192 /* slots of the dictionary, a power of two, twice NAME_NUMBER_MAX */

struct application {
	uint32_t protocols; /* master << 16 | application */
	uint16_t number;    /* 0: empty slot */
};

/* Addresses whose protocols were looked up last: nDPI's own look-up goes through a tree. */
#define ADDRESSES 8192 /* a power of two */

struct address_protocol {
	uint32_t address; /* as it stands in a packet */
	uint16_t protocol;
	bool known;
};

struct dpi {
	unsigned modules;
	struct ndpi_detection_module_struct **module;
	struct states states;            /* struct ndpi_flow_struct each */
	uint32_t *said;                  /* for each state: what was last said of it, in short */
	bool quick;                      /* see "what ends alone say" */
	struct ndpi_flow_struct *opened; /* [2 * protocol + is_ipv6] */
	struct address_protocol *address;
	uint8_t port[2][65536 / 8]; /* TCP, UDP: ports of protocols that nDPI knows */
	dpi_announce *announce;
	void *ctx;
	struct application application[APPLICATIONS];
	uint16_t applications;
	uint8_t confidence_of[NDPI_CONFIDENCE_MAX];
	struct dpi_result result; /* the last one: too large to be cleared and copied for every packet */
};

/* --- differences between releases
 * ------------------------------------------------------------------------------------- */

/* nDPI reads rules from a path only: that of the descriptor, which each opening reads from its beginning.
 * Before the sandbox. */
static void
load_protocols(struct ndpi_detection_module_struct *m, int protocols)
{
	char path[32];

	if (protocols == -1)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", protocols);
	if (ndpi_load_protocols_file(m, path) < 0)
		fatalx("nDPI: cannot read the rules of engine.protocols_file");
}

static struct ndpi_detection_module_struct *
module_new(int protocols)
{
#if NDPI_VERSION_IS(4, 10)
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(NULL);
#else
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(ndpi_no_prefs);
#endif

	if (m == NULL)
		fatalx("nDPI: no memory for a detection module");
#if !NDPI_VERSION_IS(5, 0)
	NDPI_PROTOCOL_BITMASK all;

	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(m, &all);
#endif
	load_protocols(m, protocols);
	ndpi_finalize_initialization(m);
	return m;
}

static ndpi_protocol
process(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, const uint8_t *l3, uint16_t len,
	uint64_t ms)
{
#if NDPI_VERSION_IS(4, 4)
	return ndpi_detection_process_packet(m, f, l3, len, ms, NULL);
#else
	return ndpi_detection_process_packet(m, f, l3, len, ms);
#endif
}

static ndpi_protocol
giveup(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f)
{
#if NDPI_VERSION_IS(5, 0)
	return ndpi_detection_giveup(m, f);
#elif NDPI_VERSION_IS(4, 10)
	uint8_t guessed;

	return ndpi_detection_giveup(m, f, &guessed);
#else
	uint8_t guessed;

	return ndpi_detection_giveup(m, f, 1, &guessed);
#endif
}

/* Up to 4.8 the check of URLs for injections is left to whoever uses the library. */
static void
check_url(struct ndpi_flow_struct *f)
{
#if !NDPI_VERSION_IS(4, 10)
	ndpi_risk_enum risk = f->http.url != NULL ? ndpi_validate_url(f->http.url) : NDPI_NO_RISK;

	if (risk != NDPI_NO_RISK)
		NDPI_SET_BIT(f->risk, risk);
#else
	(void)f;
#endif
}

static uint16_t
master_of(ndpi_protocol p)
{
#if NDPI_VERSION_IS(4, 12)
	return p.proto.master_protocol;
#else
	return p.master_protocol;
#endif
}

static uint16_t
application_of(ndpi_protocol p)
{
#if NDPI_VERSION_IS(4, 12)
	return p.proto.app_protocol;
#else
	return p.app_protocol;
#endif
}

static bool
more_is_possible(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, ndpi_protocol p)
{
#if NDPI_VERSION_IS(5, 0)
	(void)m;
	(void)f;
	return p.state != NDPI_STATE_CLASSIFIED;
#else
	(void)p;
	return ndpi_extra_dissection_possible(m, f);
#endif
}

/* Which of its levels count as by inspection, partly, or guessed. */
static void
confidence_init(uint8_t *of)
{
	for (unsigned i = 1; i < NDPI_CONFIDENCE_MAX; i++)
		of[i] = CONFIDENCE_PARTIAL;
	of[NDPI_CONFIDENCE_UNKNOWN] = CONFIDENCE_GUESSED; /* an address of the user's own rules */
	of[NDPI_CONFIDENCE_MATCH_BY_PORT] = CONFIDENCE_GUESSED;
	of[NDPI_CONFIDENCE_MATCH_BY_IP] = CONFIDENCE_GUESSED;
	of[NDPI_CONFIDENCE_DPI] = CONFIDENCE_INSPECTED;
}

static const char *
cipher_name(uint16_t cipher, char unknown[static 8])
{
#if NDPI_VERSION_IS(4, 6)
	return ndpi_cipher2str(cipher, unknown);
#else
	(void)unknown;
	return ndpi_cipher2str(cipher);
#endif
}

static const char *
alpn_of(const struct ndpi_flow_struct *f)
{
#if NDPI_VERSION_IS(4, 6)
	return f->protos.tls_quic.negotiated_alpn != NULL ? f->protos.tls_quic.negotiated_alpn
							  : f->protos.tls_quic.advertised_alpns;
#else
	return f->protos.tls_quic.alpn;
#endif
}

/* Each release has its own fingerprints of the client's greeting. */
static void
put_client_fingerprints(struct wcur *list, const struct ndpi_flow_struct *f)
{
#if !NDPI_VERSION_IS(4, 14)
	attribute_put_text(list, ATTRIBUTE_TLS_JA3_CLIENT, f->protos.tls_quic.ja3_client,
			   strnlen(f->protos.tls_quic.ja3_client, sizeof(f->protos.tls_quic.ja3_client)));
#endif
	attribute_put_text(list, ATTRIBUTE_TLS_JA3_SERVER, f->protos.tls_quic.ja3_server,
			   strnlen(f->protos.tls_quic.ja3_server, sizeof(f->protos.tls_quic.ja3_server)));
#if NDPI_VERSION_IS(4, 10)
	attribute_put_text(list, ATTRIBUTE_TLS_JA4_CLIENT, f->protos.tls_quic.ja4_client,
			   strnlen(f->protos.tls_quic.ja4_client, sizeof(f->protos.tls_quic.ja4_client)));
#endif
}

/* Up to 4.2 it counts the packets that it was given, and past a fixed number of them only repeats what it
 * said. Later ones can be told how many, and are asked. */
static bool
looks_no_more(const struct ndpi_flow_struct *f)
{
#ifdef NDPI_MAX_NUM_PKTS_PER_FLOW_TO_DISSECT
	return f->num_processed_pkts >= NDPI_MAX_NUM_PKTS_PER_FLOW_TO_DISSECT;
#else
	(void)f;
	return false;
#endif
}

/* A few words for which there is no other place. */
static const char *
extra_info(const struct ndpi_flow_struct *f)
{
#if NDPI_VERSION_IS(4, 10)
	(void)f;
	return "";
#else
	return f->flow_extra_info;
#endif
}

static uint16_t
guess_ports(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, uint8_t protocol,
	    const uint16_t port[static 2])
{
#if NDPI_VERSION_IS(4, 10)
	(void)m;
	(void)f;
	(void)protocol;
	(void)port;
	return NDPI_PROTOCOL_UNKNOWN; /* later releases tell of no port alone */
#else
	uint8_t custom;

	return ndpi_guess_protocol_id(m, f, protocol, port[0], port[1], &custom);
#endif
}

static uint16_t
guess_port(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, uint8_t protocol,
	   uint16_t port)
{
	const uint16_t both[2] = { port, port };

	return guess_ports(m, f, protocol, both);
}

static const ndpi_ip_addr_t *
answer_of(const struct ndpi_flow_struct *f, uint16_t *type)
{
#if NDPI_VERSION_IS(4, 12)
	*type = f->protos.dns.num_rsp_addr == 0 ? 0 : f->protos.dns.is_rsp_addr_ipv6[0] ? 28 : 1;
	return &f->protos.dns.rsp_addr[0];
#else
	*type = f->protos.dns.num_answers == 0 ? 0 : f->protos.dns.rsp_type;
	return &f->protos.dns.rsp_addr;
#endif
}

/* --- whose turn it is
 *
 * For each packet of a flow that is not recognised yet nDPI 4.2 goes through about a hundred dissectors, and
 * to see that one of them has no turn it puts masks of 64 bytes on the stack, two at a time, and compares
 * them by four bytes. That was a seventh of the engine. The linker binds calls of functions that the library
 * exports to those of the program, also the library's own calls: so here is one of them that does the same
 * with less. Where the library is not quite as it was when this was written, and for the rarer kinds of
 * packets, its own is asked; a test holds both against each other.
 * ------------------------------------------------------------------------------------------------------------
 */

#if !NDPI_VERSION_IS(4, 4)
typedef void dissector(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f);
typedef uint32_t check_flow(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f,
			    uint32_t *selection);

static check_flow *librarys_own;
static bool own_turns; /* modules are as expected */

static bool
is_first_of(const struct ndpi_detection_module_struct *m)
{
	return m->callback_buffer_size > 0 && m->callback_buffer_size <= ARRAY_LEN(m->callback_buffer);
}

/* A dissector is left out where its own protocol is excluded, and nothing else. */
static bool
excludes_itself_only(const struct ndpi_call_function_struct *c)
{
	const unsigned id = c->ndpi_protocol_id & NDPI_NUM_BITS_MASK;
	NDPI_PROTOCOL_BITMASK own = { 0 };

	own.fds_bits[id / NDPI_BITS] = (ndpi_ndpi_mask)(1ul << id % NDPI_BITS);
	return memcmp(&own, &c->excluded_protocol_bitmask, sizeof(own)) == 0;
}

static void
turns_init(const struct ndpi_detection_module_struct *m)
{
	void *found = dlsym(RTLD_NEXT, "ndpi_check_flow_func");

	if (found == NULL)
		fatalx("nDPI: it has no ndpi_check_flow_func");
	memcpy(&librarys_own, &found, sizeof(found));
	own_turns = ndpi_get_ndpi_detection_module_size() == sizeof(*m) && is_first_of(m);
	for (uint32_t i = 0; own_turns && i < m->callback_buffer_size; i++)
		own_turns = excludes_itself_only(&m->callback_buffer[i]);
}

/* Whether a dissector takes part in detection and wants such packets. */
static bool
may_look(const struct ndpi_flow_struct *f, const struct ndpi_call_function_struct *c, uint32_t selection)
{
	return (c->ndpi_selection_bitmask & selection) == c->ndpi_selection_bitmask &&
	       !NDPI_ISSET(&f->excluded_protocol_bitmask, c->ndpi_protocol_id & NDPI_NUM_BITS_MASK) &&
	       NDPI_ISSET(&c->detection_bitmask, NDPI_PROTOCOL_UNKNOWN);
}

/* The dissector of the protocol that the ports suggest comes first; NULL: it had no turn. */
static dissector *
look_as_suggested(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, uint32_t selection)
{
	const ndpi_proto_defaults_t *p = &m->proto_defaults[f->guessed_protocol_id];

	if (f->guessed_protocol_id == NDPI_PROTOCOL_UNKNOWN || p->protoId == NDPI_PROTOCOL_UNKNOWN ||
	    p->func == NULL || !may_look(f, &m->callback_buffer[p->protoIdx], selection))
		return NULL;
	p->func(m, f);
	return p->func;
}

static uint32_t
look_for_parts(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, uint32_t selection,
	       dissector *looked)
{
	const ndpi_proto_defaults_t *p = &m->proto_defaults[f->detected_protocol_stack[0]];
	uint32_t calls = 0;

	for (uint32_t i = 0; i < p->subprotocol_count; i++) {
		uint16_t part = p->subprotocols[i];
		const struct ndpi_call_function_struct *c;

		if (part == (uint16_t)NDPI_PROTOCOL_MATCHED_BY_CONTENT)
			continue;
		c = &m->callback_buffer[m->proto_defaults[part].protoIdx];
		if (looked != m->proto_defaults[part].func && may_look(f, c, selection)) {
			c->func(m, f);
			calls++;
		}
		if (f->detected_protocol_stack[1] != NDPI_PROTOCOL_UNKNOWN)
			break;
	}
	return calls;
}

/* In place of nDPI's own. */
uint32_t
ndpi_check_flow_func(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, uint32_t *selection)
{
	const bool tcp = m->packet.tcp != NULL;
	const struct ndpi_call_function_struct *c, *end;
	uint32_t calls = 0;
	dissector *looked;

	if (!own_turns || f->detected_protocol_stack[0] != NDPI_PROTOCOL_UNKNOWN ||
	    (tcp ? m->packet.payload_packet_len == 0 : m->packet.udp == NULL))
		return librarys_own(m, f, selection);
	c = tcp ? m->callback_buffer_tcp_payload : m->callback_buffer_udp;
	end = c + (tcp ? m->callback_buffer_size_tcp_payload : m->callback_buffer_size_udp);
	looked = look_as_suggested(m, f, *selection);
	calls += looked != NULL;
	for (; c < end && f->detected_protocol_stack[0] == NDPI_PROTOCOL_UNKNOWN; c++)
		if (may_look(f, c, *selection) && looked != c->func) {
			c->func(m, f);
			calls++;
		}
	return calls + look_for_parts(m, f, *selection, looked);
}
#else
static void
turns_init(const struct ndpi_detection_module_struct *m)
{
	(void)m;
}
#endif

/* --- names
 * --------------------------------------------------------------------------------------------------------------
 */

static void
announce_risks(struct dpi *d)
{
	const unsigned end = NDPI_MAX_RISK; /* grows with nDPI's releases; flows have 64 bits for them */

	for (unsigned r = 1; r < (end < 64 ? end : 64); r++) {
		uint16_t client, server;

		d->announce(d->ctx, NAME_RISK, r, ndpi_risk2score((ndpi_risk)1 << r, &client, &server),
			    ndpi_risk2str((ndpi_risk_enum)r));
	}
}

static void
announce_categories(struct dpi *d)
{
	for (unsigned c = 1; c < NDPI_PROTOCOL_NUM_CATEGORIES; c++) {
		const char *name = ndpi_category_get_name(d->module[0], (ndpi_protocol_category_t)c);

		if (name != NULL && name[0] != '\0')
			d->announce(d->ctx, NAME_CATEGORY, c, 0, name);
	}
}

/* Numbers are given to combinations in the order in which they are met, and never taken back: there are fewer
 * than 4096 on any network. Past that, new ones stay unknown. */
static uint16_t
application_number(struct dpi *d, ndpi_protocol p)
{
	uint32_t protocols = (uint32_t)master_of(p) << 16 | application_of(p);
	uint32_t i = (uint32_t)(hash_mix(protocols, UINT64_C(0x9e3779b97f4a7c15)) % APPLICATIONS);
	char name[NAME_TEXT_MAX + 1];

	if (protocols == 0)
		return 0;
	for (; d->application[i].number != 0; i = (i + 1) % APPLICATIONS)
		if (d->application[i].protocols == protocols)
			return d->application[i].number;
	if (d->applications == NAME_NUMBER_MAX - 1)
		return 0;
	ndpi_protocol2name(d->module[0], p, name, sizeof(name));
	d->application[i] = (struct application){ protocols, ++d->applications };
	d->announce(d->ctx, NAME_APPLICATION, d->applications, 0, name);
	return d->applications;
}

/* --- what ends alone say
 *
 * Of a segment without payload nDPI 4.2 learns nothing but its ends, and takes some five microseconds for it;
 * a flood is made of them. Here the same comes from a copy: nDPI was shown, once for each protocol that ports
 * can suggest, the opening of a connection (quick_init), and what is a flow's own is put into a copy of what
 * it made of that. What the ends of other packets suggest is remembered by address. A test holds both ways
 * against each other, byte by byte. Left to nDPI itself: other releases, rules of the user's own, and ends
 * that one of its dissectors knows by heart.
 * ------------------------------------------------------------------------------------------------------------
 */

static struct ndpi_flow_struct *
state_at(const struct dpi *d, uint32_t state)
{
	return states_at(&d->states, state);
}

static void
learn_ports(struct dpi *d)
{
	static const uint8_t protocols[2] = { IP_TCP, IP_UDP };
	struct ndpi_flow_struct *f = state_at(d, d->states.max);

	for (unsigned i = 0; i < 2; i++)
		for (unsigned port = 1; port < 65536; port++)
			if (guess_port(d->module[0], f, protocols[i], (uint16_t)port) !=
			    NDPI_PROTOCOL_UNKNOWN)
				d->port[i][port / 8] |= (uint8_t)(1u << port % 8);
	memset(f, 0, sizeof(*f));
}

static bool
is_known_port(const struct dpi *d, uint8_t protocol, uint16_t port)
{
	return d->port[protocol == IP_UDP][port / 8] >> port % 8 & 1;
}

static bool
write_ip(struct wcur *c, uint8_t protocol, const struct ip_addr ip[static 2], uint16_t len)
{
	if (ip_is_v4(&ip[0]) && ip_is_v4(&ip[1])) {
		wcur_be16(c, 0x4500);
		wcur_be16(c, (uint16_t)(20 + len));
		wcur_be32(c, 0x4000); /* do not fragment */
		wcur_u8(c, 64);
		wcur_u8(c, protocol);
		wcur_be16(c, 0);
		wcur_put(c, ip[CLIENT].b + 12, 4);
		return wcur_put(c, ip[SERVER].b + 12, 4);
	}
	wcur_be32(c, UINT32_C(6) << 28);
	wcur_be16(c, len);
	wcur_u8(c, protocol);
	wcur_u8(c, 64);
	wcur_put(c, ip[CLIENT].b, 16);
	return wcur_put(c, ip[SERVER].b, 16);
}

/* A packet without payload, client to server. */
static void
show_opening(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, uint8_t protocol,
	     const struct ip_addr ip[static 2], const uint16_t port[static 2], uint8_t tcp_flags,
	     int64_t ts_ns)
{
	uint8_t packet[60] = { 0 };
	struct wcur c = wcur_of(packet, sizeof(packet));
	uint16_t len = protocol == IP_TCP ? 20 : 8;

	write_ip(&c, protocol, ip, len);
	wcur_be16(&c, port[CLIENT]);
	wcur_be16(&c, port[SERVER]);
	if (protocol == IP_TCP) {
		wcur_be64(&c, 0);
		wcur_u8(&c, 0x50);
		wcur_u8(&c, tcp_flags);
		wcur_be16(&c, UINT16_MAX);
		wcur_be32(&c, 0);
	} else {
		wcur_be16(&c, len);
		wcur_be16(&c, 0);
	}
	(void)process(m, f, packet, (uint16_t)wcur_len(&c), (uint64_t)(ts_ns / NS_PER_MS));
}

#if !NDPI_VERSION_IS(4, 4)
static struct ndpi_flow_struct *
opened_at(const struct dpi *d, uint16_t suggested, bool syn, bool v4)
{
	return &d->opened[(suggested * 2u + syn) * 2u + v4];
}

static void
open_with(struct dpi *d, uint16_t port)
{
	static const struct ip_addr ends[2][2] = {
		{ { { 0xfd, [15] = 1 } }, { { 0xfd, [15] = 2 } } },
		{ { { [10] = 0xff, 0xff, 10, 0, 0, 1 } }, { { [10] = 0xff, 0xff, 10, 0, 0, 2 } } },
	};
	const uint16_t ports[2] = { port, port };
	uint16_t suggested = guess_port(d->module[0], NULL, IP_TCP, port);

	if (suggested >= NDPI_MAX_SUPPORTED_PROTOCOLS || opened_at(d, suggested, false, false)->init_finished)
		return;
	for (unsigned i = 0; i < 4; i++)
		show_opening(d->module[0], opened_at(d, suggested, i & 1, i >> 1), IP_TCP, ends[i >> 1],
			     ports, i & 1 ? TCP_SYN : TCP_ACK, 0);
}

static void
quick_init(struct dpi *d, int protocols)
{
	d->quick = protocols == -1;
	d->opened = mem_pages(sizeof(d->opened[0]) * 4 * NDPI_MAX_SUPPORTED_PROTOCOLS);
	d->address = mem_pages(sizeof(d->address[0]) * ADDRESSES);
	for (unsigned port = 1; d->quick && port < 65536; port++)
		open_with(d, (uint16_t)port);
}

static void
quick_free(struct dpi *d)
{
	munmap(d->opened, sizeof(d->opened[0]) * 4 * NDPI_MAX_SUPPORTED_PROTOCOLS);
	munmap(d->address, sizeof(d->address[0]) * ADDRESSES);
}

static uint16_t
suggested_by_ports(const struct dpi *d, uint8_t protocol, const uint16_t port[static 2])
{
	if (!is_known_port(d, protocol, port[0]) && !is_known_port(d, protocol, port[1]))
		return NDPI_PROTOCOL_UNKNOWN;
	return guess_ports(d->module[0], NULL, protocol, port);
}

/* Without rules of the user's own no address is listed for one port only. */
static uint16_t
suggested_by_address(const struct dpi *d, const uint8_t v4[static 4])
{
	struct address_protocol *known;
	struct in_addr a;

	memcpy(&a, v4, sizeof(a));
	known = &d->address[hash_mix(a.s_addr, UINT64_C(0x9e3779b97f4a7c15)) % ADDRESSES];
	if (!known->known || known->address != a.s_addr)
		*known =
		    (struct address_protocol){ a.s_addr, ndpi_network_port_ptree_match(d->module[0], &a, 0),
					       true };
	return known->protocol;
}

static uint16_t
suggested_by_addresses(const struct dpi *d, const uint8_t from[static 4], const uint8_t to[static 4])
{
	uint16_t protocol = suggested_by_address(d, from);

	return protocol != NDPI_PROTOCOL_UNKNOWN ? protocol : suggested_by_address(d, to);
}

/* TeamViewer's servers, and the ports of a test of speed. */
static bool
known_by_heart(const struct ip_addr *ip, uint16_t port)
{
	uint32_t a =
	    (uint32_t)ip->b[12] << 24 | (uint32_t)ip->b[13] << 16 | (uint32_t)ip->b[14] << 8 | ip->b[15];

	return (a >= UINT32_C(0x5fd325c3) && a <= UINT32_C(0x5fd325cb)) ||
	       (a & UINT32_C(0xffffff80)) == UINT32_C(0xb24d7800) || port == 5001 || port == 5201;
}

/* f is all zero. False: nDPI has to see the packet itself. */
static bool
open_quickly(struct dpi *d, struct ndpi_flow_struct *f, uint8_t protocol, const struct ip_addr ip[static 2],
	     const uint16_t port[static 2], uint8_t tcp_flags, int64_t ts_ns)
{
	const struct ip_addr *from = &ip[CLIENT], *to = &ip[SERVER];
	bool v4 = ip_is_v4(from) && ip_is_v4(to), syn = tcp_flags == TCP_SYN;
	uint16_t suggested;

	if (!d->quick || protocol != IP_TCP ||
	    (v4 && (known_by_heart(from, port[CLIENT]) || known_by_heart(to, port[SERVER]))))
		return false;
	suggested = suggested_by_ports(d, protocol, port);
	/* A flow that begins in the middle and with ports that suggest nothing is given up at once, by
	 * looking into what is remembered of its addresses. */
	if (!syn && suggested == NDPI_PROTOCOL_UNKNOWN)
		return false;
	memcpy(f, opened_at(d, suggested, syn, v4), sizeof(*f));
	f->last_packet_time_ms = (uint64_t)(ts_ns / NS_PER_MS);
	f->sport = htons(port[CLIENT]);
	f->dport = htons(port[SERVER]);
	if (!v4) /* whose direction nDPI always finds the same */
		return true;
	f->setup_packet_direction = memcmp(from, to, sizeof(*from)) < 0;
	memcpy(&f->saddr, from->b + 12, sizeof(f->saddr));
	memcpy(&f->daddr, to->b + 12, sizeof(f->daddr));
	f->guessed_host_protocol_id = suggested_by_addresses(d, from->b + 12, to->b + 12);
	if (syn)
		f->tinc_cache_entry = (struct tinc_cache_entry){ f->saddr, f->daddr, f->dport };
	return true;
}

/* Before the first packet of a flow: what nDPI would look up of its ends. */
static void
suggest(struct dpi *d, struct ndpi_flow_struct *f, const struct packet *k)
{
	const uint16_t port[2] = { k->key.port[k->swapped], k->key.port[!k->swapped] };
	const uint8_t *ip = k->l3, protocol = k->key.protocol;
	bool v4 = ip[0] >> 4 == 4;

	/* Only of what nDPI takes for a whole segment or datagram, too. */
	if (!d->quick || f->num_processed_pkts > 0 || k->fragment != FRAGMENT_NONE ||
	    (protocol != IP_TCP && protocol != IP_UDP) || ip[v4 ? 9 : 6] != protocol ||
	    (uint32_t)(ip[v4 ? 2 : 4] << 8 | ip[v4 ? 3 : 5]) + (v4 ? 0 : 40) != k->l3_len)
		return;
	f->protocol_id_already_guessed = 1;
	f->guessed_protocol_id = suggested_by_ports(d, protocol, port);
	if (v4)
		f->guessed_host_protocol_id = suggested_by_addresses(d, ip + 12, ip + 16);
}
#else
static void
quick_init(struct dpi *d, int protocols)
{
	(void)d;
	(void)protocols;
}

static void
quick_free(struct dpi *d)
{
	(void)d;
}

static bool
open_quickly(struct dpi *d, struct ndpi_flow_struct *f, uint8_t protocol, const struct ip_addr ip[static 2],
	     const uint16_t port[static 2], uint8_t tcp_flags, int64_t ts_ns)
{
	(void)d;
	(void)f;
	(void)protocol;
	(void)ip;
	(void)port;
	(void)tcp_flags;
	(void)ts_ns;
	return false;
}

static void
suggest(struct dpi *d, struct ndpi_flow_struct *f, const struct packet *k)
{
	(void)d;
	(void)f;
	(void)k;
}
#endif

/* --- life
 * ---------------------------------------------------------------------------------------------------------------
 */

/* Of two ends of which neither is below 1024, that tells the server; ports from 49152 on are anybody's. */
bool
dpi_is_service_port(const struct dpi *d, uint8_t protocol, uint16_t port)
{
	return (protocol == IP_TCP || protocol == IP_UDP) && port >= 1024 && port < 49152 &&
	       is_known_port(d, protocol, port);
}

struct dpi *
dpi_new(unsigned modules, uint32_t states, int protocols, dpi_announce *announce, void *ctx)
{
	struct dpi *d = mem_calloc(1, sizeof(*d));

	d->modules = modules;
	d->announce = announce;
	d->ctx = ctx;
	d->module = mem_calloc(modules, sizeof(struct ndpi_detection_module_struct *));
	for (unsigned i = 0; i < modules; i++)
		d->module[i] = module_new(protocols);
	turns_init(d->module[0]);
	states_init(&d->states, states, sizeof(struct ndpi_flow_struct));
	d->said = mem_pages(sizeof(d->said[0]) * states);
	learn_ports(d);
	quick_init(d, protocols);
	confidence_init(d->confidence_of);
	announce_risks(d);
	announce_categories(d);
	return d;
}

void
dpi_free(struct dpi **dp)
{
	struct dpi *d = *dp;

	if (d == NULL)
		return;
	for (unsigned i = 0; i < d->modules; i++)
		ndpi_exit_detection_module(d->module[i]);
	munmap(d->said, sizeof(d->said[0]) * d->states.max);
	states_free(&d->states);
	quick_free(d);
	free(d->module);
	free(d);
	*dp = NULL;
}

uint32_t
dpi_begin(struct dpi *d)
{
	uint32_t state = states_take(&d->states);

	if (state != DPI_NONE)
		d->said[state] = 0;
	return state;
}

void
dpi_prefetch(const struct dpi *d, uint32_t state)
{
	const char *f = (const char *)state_at(d, state);

	prefetch_only();
	for (size_t at = 0; at < sizeof(struct ndpi_flow_struct); at += 64)
		__builtin_prefetch(f + at, 1);
}

void
dpi_release(struct dpi *d, uint32_t state)
{
	ndpi_free_flow_data(state_at(d, state));
	if (state != d->states.max)
		states_give(&d->states, state);
}

/* --- attributes: copied before the state goes back
 * ------------------------------------------------------------------------------------------------------------
 */

#define PUT_ARRAY(list, a, array) attribute_put_text((list), (a), (array), strnlen((array), sizeof(array)))

static void
put_string(struct wcur *list, enum attribute a, const char *text)
{
	attribute_put_text(list, a, text, text == NULL ? 0 : strnlen(text, UINT8_MAX));
}

/* What protocols were recognised, but for guesses: it says which of nDPI's unions holds. */
static bool
is_protocol(const struct ndpi_flow_struct *f, uint16_t protocol)
{
	return f->detected_protocol_stack[0] == protocol || f->detected_protocol_stack[1] == protocol;
}

/* As ndpi_free_flow_data has it. */
static bool
has_tls(const struct ndpi_flow_struct *f)
{
	return is_protocol(f, NDPI_PROTOCOL_TLS) || is_protocol(f, NDPI_PROTOCOL_QUIC) ||
	       is_protocol(f, NDPI_PROTOCOL_DTLS) || is_protocol(f, NDPI_PROTOCOL_MAIL_SMTPS) ||
	       is_protocol(f, NDPI_PROTOCOL_MAIL_POPS) || is_protocol(f, NDPI_PROTOCOL_MAIL_IMAPS);
}

static void
put_certificate_fingerprint(struct wcur *list, const uint8_t sha1[static 20])
{
	static const char digits[] = "0123456789abcdef";
	static const uint8_t none[20];
	char text[40];

	if (memcmp(sha1, none, sizeof(none)) == 0)
		return;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = digits[i % 2 == 0 ? sha1[i / 2] >> 4 : sha1[i / 2] & 15];
	attribute_put_text(list, ATTRIBUTE_TLS_FINGERPRINT, text, sizeof(text));
}

static void
put_tls(struct wcur *list, struct ndpi_flow_struct *f)
{
	char version[16], cipher[8];
	uint8_t unknown;

	if (f->protos.tls_quic.ssl_version != 0)
		put_string(
		    list, ATTRIBUTE_TLS_VERSION,
		    ndpi_ssl_version2str(version, sizeof(version), f->protos.tls_quic.ssl_version, &unknown));
	if (f->protos.tls_quic.server_cipher != 0)
		put_string(list, ATTRIBUTE_TLS_CIPHER, cipher_name(f->protos.tls_quic.server_cipher, cipher));
	put_string(list, ATTRIBUTE_TLS_ALPN, alpn_of(f));
	put_client_fingerprints(list, f);
	put_string(list, ATTRIBUTE_TLS_ISSUER, f->protos.tls_quic.issuerDN);
	put_string(list, ATTRIBUTE_TLS_SUBJECT, f->protos.tls_quic.subjectDN);
	if (f->protos.tls_quic.notBefore != 0)
		attribute_put_number(list, ATTRIBUTE_TLS_NOT_BEFORE, (uint64_t)f->protos.tls_quic.notBefore);
	if (f->protos.tls_quic.notAfter != 0)
		attribute_put_number(list, ATTRIBUTE_TLS_NOT_AFTER, (uint64_t)f->protos.tls_quic.notAfter);
	put_certificate_fingerprint(list, f->protos.tls_quic.sha1_certificate_fingerprint);
	put_string(list, ATTRIBUTE_TLS_VERSIONS, f->protos.tls_quic.tls_supported_versions);
	put_string(list, ATTRIBUTE_TLS_NAMES, f->protos.tls_quic.server_names);
}

static void
put_http(struct wcur *list, const struct ndpi_flow_struct *f)
{
	if (f->http.method != NDPI_HTTP_METHOD_UNKNOWN)
		put_string(list, ATTRIBUTE_HTTP_METHOD, ndpi_http_method2str(f->http.method));
	if (f->http.response_status_code != 0)
		attribute_put_number(list, ATTRIBUTE_HTTP_STATUS, f->http.response_status_code);
	put_string(list, ATTRIBUTE_HTTP_URL, f->http.url);
	put_string(list, ATTRIBUTE_HTTP_USER_AGENT, f->http.user_agent);
	put_string(list, ATTRIBUTE_HTTP_CONTENT_TYPE, f->http.content_type);
	put_string(list, ATTRIBUTE_HTTP_REQUEST_TYPE, f->http.request_content_type);
}

static void
put_dns(struct wcur *list, const struct ndpi_flow_struct *f)
{
	char text[IP_TEXT_MAX];
	const ndpi_ip_addr_t *answer;
	uint16_t type;

	PUT_ARRAY(list, ATTRIBUTE_DNS_QUERY, f->host_server_name);
	if (f->protos.dns.query_type != 0)
		put_string(list, ATTRIBUTE_DNS_QUERY_TYPE, dns_type_name(f->protos.dns.query_type, text));
	answer = answer_of(f, &type);
	if (type == 1 || type == 28) {
		struct ip_addr ip;

		if (type == 1)
			ip = ip_from_v4((const uint8_t *)&answer->ipv4);
		else
			memcpy(ip.b, &answer->ipv6, sizeof(ip.b));
		put_string(list, ATTRIBUTE_DNS_ANSWER, ip_format(&ip, text));
	}
	if (!f->protos.dns.is_query)
		put_string(list, ATTRIBUTE_DNS_RCODE, dns_rcode_name(f->protos.dns.reply_code, text));
}

static void
put_ssh(struct wcur *list, const struct ndpi_flow_struct *f)
{
	PUT_ARRAY(list, ATTRIBUTE_SSH_CLIENT, f->protos.ssh.client_signature);
	PUT_ARRAY(list, ATTRIBUTE_SSH_SERVER, f->protos.ssh.server_signature);
	PUT_ARRAY(list, ATTRIBUTE_SSH_HASSH_CLIENT, f->protos.ssh.hassh_client);
	PUT_ARRAY(list, ATTRIBUTE_SSH_HASSH_SERVER, f->protos.ssh.hassh_server);
}

static void
put_dhcp(struct wcur *list, const struct ndpi_flow_struct *f)
{
	PUT_ARRAY(list, ATTRIBUTE_DHCP_FINGERPRINT, f->protos.dhcp.fingerprint);
	PUT_ARRAY(list, ATTRIBUTE_DHCP_CLASS, f->protos.dhcp.class_ident);
	PUT_ARRAY(list, ATTRIBUTE_DHCP_NAME, f->host_server_name);
}

static void
result_attributes(struct ndpi_flow_struct *f, struct dpi_result *out)
{
	struct wcur list = wcur_of(out->attributes, sizeof(out->attributes));

	if (has_tls(f))
		put_tls(&list, f);
	put_http(&list, f); /* QUIC has a user agent too */
	if (is_protocol(f, NDPI_PROTOCOL_DNS) || is_protocol(f, NDPI_PROTOCOL_MDNS) ||
	    is_protocol(f, NDPI_PROTOCOL_LLMNR))
		put_dns(&list, f);
	if (is_protocol(f, NDPI_PROTOCOL_SSH))
		put_ssh(&list, f);
	if (is_protocol(f, NDPI_PROTOCOL_DHCP))
		put_dhcp(&list, f);
	out->attributes_len = wcur_len(&list);
}

/* --- detection
 * ------------------------------------------------------------------------------------------------------------
 */

static void
result_text(char *out, size_t *len, const char *text)
{
	*len = text == NULL ? 0 : strnlen(text, DPI_TEXT_MAX);
	memcpy(out, text == NULL ? "" : text, *len);
}

static uint8_t
breed_of(struct ndpi_detection_module_struct *m, ndpi_protocol p)
{
	static const uint8_t breeds[] = {
		[NDPI_PROTOCOL_SAFE] = BREED_SAFE,
		[NDPI_PROTOCOL_ACCEPTABLE] = BREED_ACCEPTABLE,
		[NDPI_PROTOCOL_FUN] = BREED_FUN,
		[NDPI_PROTOCOL_UNSAFE] = BREED_UNSAFE,
		[NDPI_PROTOCOL_POTENTIALLY_DANGEROUS] = BREED_POTENTIALLY_DANGEROUS,
		[NDPI_PROTOCOL_DANGEROUS] = BREED_DANGEROUS,
		[NDPI_PROTOCOL_TRACKER_ADS] = BREED_TRACKER_ADS,
		[NDPI_PROTOCOL_UNRATED] = BREED_UNRATED,
	};
	uint16_t protocol = application_of(p) != NDPI_PROTOCOL_UNKNOWN ? application_of(p) : master_of(p);
	unsigned breed;

	if (protocol == NDPI_PROTOCOL_UNKNOWN)
		return BREED_UNKNOWN;
	breed = (unsigned)ndpi_get_proto_breed(m, protocol);
	return breed < ARRAY_LEN(breeds) ? breeds[breed] : BREED_UNRATED;
}

static const struct dpi_result *
result_of(struct dpi *d, unsigned module, struct ndpi_flow_struct *f, ndpi_protocol p, bool done)
{
	struct ndpi_detection_module_struct *m = d->module[module];
	struct dpi_result *out = &d->result;
	uint16_t client, server;
	unsigned category = (unsigned)p.category;

	if (category == 0)
		category = (unsigned)ndpi_get_proto_category(m, p);
	out->meaning = (struct dpi_meaning){ 0 };
	out->meaning.application = application_number(d, p);
	out->meaning.breed = breed_of(m, p);
	out->meaning.category = category < NAME_NUMBER_MAX ? (uint16_t)category : 0;
	out->meaning.confidence = out->meaning.application != 0 && f->confidence < NDPI_CONFIDENCE_MAX
				      ? d->confidence_of[f->confidence]
				      : 0;
	if (done)
		check_url(f);
	out->meaning.risks = f->risk;
	out->meaning.score = f->risk != 0 ? ndpi_risk2score(f->risk, &client, &server) : 0;
	out->done = done;
	out->is_tls = master_of(p) == NDPI_PROTOCOL_TLS || application_of(p) == NDPI_PROTOCOL_TLS ||
		      master_of(p) == NDPI_PROTOCOL_QUIC || application_of(p) == NDPI_PROTOCOL_QUIC;
	result_text(out->server_name, &out->server_name_len, (const char *)f->host_server_name);
	out->os_len = f->http.detected_os == NULL ? 0 : strnlen(f->http.detected_os, DPI_OS_MAX);
	memcpy(out->os, f->http.detected_os == NULL ? "" : f->http.detected_os, out->os_len);
	result_text(out->info, &out->info_len, ndpi_get_flow_info(f, &p));
	if (out->info_len == 0 && application_of(p) == NDPI_PROTOCOL_SSH)
		result_text(out->info, &out->info_len, f->protos.ssh.client_signature);
	if (out->info_len == 0)
		result_text(out->info, &out->info_len, extra_info(f));
	out->attributes_len = 0;
	if (done)
		result_attributes(f, out);
	return out;
}

/* Whether there is something to say of a flow whose detection goes on. Most packets of it bring nothing new,
 * and the texts of a result cost more than nDPI's look at such a packet. When detection is over all is said
 * anyway. */
static bool
has_news(struct dpi *d, uint32_t state, const struct ndpi_flow_struct *f, ndpi_protocol p)
{
	const char *name = (const char *)f->host_server_name;
	uint64_t protocols = (uint64_t)master_of(p) << 16 | application_of(p) | (uint64_t)p.category << 32;
	uint64_t texts = hash_bytes(name, strnlen(name, DPI_TEXT_MAX), protocols);
	uint64_t parts = (uint64_t)(f->http.url != NULL) | (uint64_t)(f->http.detected_os != NULL) << 1 |
			 (uint64_t)(extra_info(f)[0] != 0) << 2 | (uint64_t)f->confidence << 8;
	uint32_t now = (uint32_t)(hash_mix(texts ^ parts, f->risk ^ UINT64_C(0x9e3779b97f4a7c15)) >> 32) | 1;

	if (d->said[state] == now)
		return false;
	d->said[state] = now;
	return true;
}

const struct dpi_result *
dpi_packet(struct dpi *d, unsigned module, uint32_t state, const struct packet *k, unsigned nth,
	   int64_t ts_ns)
{
	struct ndpi_detection_module_struct *m = d->module[module];
	struct ndpi_flow_struct *f = state_at(d, state);
	bool enough = nth > (k->key.protocol == IP_TCP ? PACKETS_TCP : PACKETS_OTHER);
	uint16_t len = k->l3_len > UINT16_MAX ? UINT16_MAX : (uint16_t)k->l3_len;
	ndpi_protocol p;
	bool known;

	/* What is unknown by then waits for its end all the same: nDPI may yet learn of its addresses. */
	if (looks_no_more(f) && !enough && f->detected_protocol_stack[0] == NDPI_PROTOCOL_UNKNOWN)
		return NULL;
	enough |= looks_no_more(f);
	suggest(d, f, k);
	p = process(m, f, k->l3, len, (uint64_t)(ts_ns / NS_PER_MS));
	known = application_of(p) != NDPI_PROTOCOL_UNKNOWN;
	enough |= f->fail_with_unknown;
	if (!enough && !known)
		return NULL;
	if (!enough && more_is_possible(m, f, p))
		return has_news(d, state, f, p) ? result_of(d, module, f, p, false) : NULL;
	if (!known)
		p = giveup(m, f);
	return result_of(d, module, f, p, true);
}

const struct dpi_result *
dpi_giveup(struct dpi *d, unsigned module, uint32_t state)
{
	struct ndpi_flow_struct *f = state_at(d, state);

	return result_of(d, module, f, giveup(d->module[module], f), true);
}

void
dpi_introduce(struct dpi *d, unsigned module, uint32_t state, uint8_t protocol,
	      const struct ip_addr ip[static 2], const uint16_t port[static 2], uint8_t tcp_flags,
	      int64_t ts_ns)
{
	struct ndpi_flow_struct *f = state_at(d, state);

	if (!open_quickly(d, f, protocol, ip, port, tcp_flags, ts_ns))
		show_opening(d->module[module], f, protocol, ip, port, tcp_flags, ts_ns);
}

uint32_t
dpi_spare(struct dpi *d)
{
	memset(state_at(d, d->states.max), 0, sizeof(struct ndpi_flow_struct));
	return d->states.max;
}
