/*
 * What engines tell store: the entries of record rings. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_RECORD_H
#define WEIR_IPC_WIRE_RECORD_H

#include <assert.h>
#include <stdint.h>

#include "base/ip.h"

/* Kinds of entries in a record ring. All names are announced (REC_NAME) before they are used, and anew on
 * each new ring. */
enum record_kind {
	REC_NAME = 1,   /* struct rec_name + text */
	REC_FLOW_OPEN,  /* struct rec_flow + strings: a flow (or slice) began, or its meaning changed
			   (application found); counters cumulative, up to the second of last_ns */
	REC_FLOW_COUNT, /* struct rec_flow_count: its counters at the end of a second in which it had packets,
			   unless an OPEN says them */
	REC_FLOW_END,   /* struct rec_flow + strings: a slice ended; counters of the slice, final; the record
			   that is kept */
	REC_HOST, /* struct rec_host + strings: where an address belongs in the world, by the operator's files
		   */
	REC_SECOND,  /* struct rec_second: everything of one observation point in one second */
	REC_POINT,   /* struct rec_point: an observation point came, went, or its file ended */
	REC_DROPS,   /* struct rec_drops: counters of loss by place, cumulative since the engine started */
	REC_LEARNED, /* struct rec_learned + text: a name or system of an address, and whose packet told it */
	REC_DEVICE,  /* struct rec_device: a MAC address beside flows: ARP, and frames that are no flow's */
	REC_KIND_COUNT
};

/* Dictionaries that an engine announces: a number stands for a name on this ring only. */
enum name_kind {
	NAME_APPLICATION = 1,
	NAME_CATEGORY,
	NAME_RISK,
	NAME_UNDECODED,
	NAME_PLACE,
	NAME_KIND_COUNT
};
#define NAME_TEXT_MAX   63
#define NAME_NUMBER_MAX 4096 /* numbers are 1..4095; risks 0..63 */

struct rec_name {
	uint16_t kind; /* enum name_kind */
	uint16_t number;
	uint16_t value; /* risks: nDPI's score */
	uint16_t len;   /* of the text that follows, 1..NAME_TEXT_MAX */
};
static_assert(sizeof(struct rec_name) == 8, "no padding");

enum end_reason {
	END_NONE,     /* still active */
	END_IDLE,     /* idle time-out */
	END_ACTIVE,   /* active time-out: the flow goes on in the next slice */
	END_CLOSED,   /* TCP FIN of both sides, or RST */
	END_EVICTED,  /* the table was full */
	END_FILE,     /* the capture file ended */
	END_SHUTDOWN, /* Weir stopped */
	END_LOST,     /* the engine that kept it died; said by store */
	END_REASON_COUNT
};

enum flow_state { FLOW_NEW, FLOW_ESTABLISHED, FLOW_CLOSING, FLOW_CLOSED, FLOW_RESET, FLOW_STATE_COUNT };

enum tunnel {
	TUNNEL_NONE,
	TUNNEL_IPIP,
	TUNNEL_6IN4,
	TUNNEL_GRE,
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNEL_GTPU,
	TUNNEL_L2TP,
	TUNNEL_TEREDO,
	TUNNEL_CAPWAP,
	TUNNEL_MPLS,
	TUNNEL_PPPOE,
	TUNNEL_ERSPAN,
	TUNNEL_4IN6,
	TUNNEL_6IN6,
	TUNNEL_PPTP,
	TUNNEL_ETHERIP,
	TUNNEL_AYIYA,
	TUNNEL_PBB, /* and other Ethernet in Ethernet: FabricPath, TRILL */
	TUNNEL_COUNT
};

/* How an application is rated. */
enum breed {
	BREED_UNKNOWN,
	BREED_SAFE,
	BREED_ACCEPTABLE,
	BREED_FUN,
	BREED_UNSAFE,
	BREED_POTENTIALLY_DANGEROUS,
	BREED_DANGEROUS,
	BREED_TRACKER_ADS,
	BREED_UNRATED,
	BREED_COUNT
};

/* How sure the application is. */
enum confidence {
	CONFIDENCE_UNKNOWN,
	CONFIDENCE_GUESSED, /* by port or address */
	CONFIDENCE_PARTIAL, /* by part of the exchange */
	CONFIDENCE_INSPECTED,
	CONFIDENCE_COUNT
};

enum side { CLIENT, SERVER };

/* 128 bits: node (32), boot (32), sequence (64), each big-endian, so that ids sort by age within a boot. */
struct flow_id {
	uint8_t b[16];
};

struct flow_counters {
	uint64_t bytes[2]; /* of frames on the wire; [CLIENT] is sent by the client */
	uint64_t packets[2];
	uint64_t payload[2]; /* bytes above the transport header (goodput) */
};
static_assert(sizeof(struct flow_counters) == 48, "no padding");

struct flow_tcp {
	uint8_t flags[2]; /* or-ed flags seen */
	uint16_t reserved;
	uint32_t retransmissions[2], out_of_order[2], lost[2], zero_windows[2];
	uint32_t handshake_us[2]; /* round trip of the handshake on each side; 0 unknown */
};
static_assert(sizeof(struct flow_tcp) == 44, "no padding");

#define FLOW_VLANS 4

/* Fields behind `exporter` have their room now and come from flow export later. */
struct rec_flow {
	struct flow_id id;
	uint32_t slot, generation; /* row in the engine's table: store checks both */
	uint32_t slice;            /* 0, 1, ... of one id */
	uint32_t point, space;
	uint16_t vlan[FLOW_VLANS]; /* outermost first; 0 none */
	uint8_t protocol;          /* IANA protocol number */
	uint8_t tunnel;            /* enum tunnel: the innermost that was opened to reach this flow */
	uint8_t state;             /* enum flow_state */
	uint8_t end_reason;        /* enum end_reason */
	uint8_t icmp_type, icmp_code;
	uint8_t breed; /* enum breed */
	uint8_t reserved1;
	uint32_t latency_us; /* from the client's first payload to the server's first answer; 0 unknown */
	int64_t first_ns;    /* of the flow */
	int64_t slice_ns;    /* of this slice */
	int64_t last_ns;
	struct ip_addr ip[2]; /* [CLIENT], [SERVER] */
	uint16_t port[2];     /* host order; 0 where the protocol has none. ICMP: identifier, 0 */
	uint8_t mac[2][6];
	struct flow_counters count;
	struct flow_tcp tcp;
	uint16_t application, category; /* announced numbers; 0 unknown yet */
	uint16_t score;
	uint8_t confidence; /* enum confidence */
	uint8_t dpi_done;
	uint8_t ttl_min[2], ttl_max[2];
	uint8_t dscp[2];
	uint8_t reserved2[4];
	uint16_t attributes_len; /* of the third string: a list as ipc/attribute.h has it */
	uint64_t risks;          /* bits: announced NAME_RISK numbers */
	struct ip_addr exporter, next_hop;
	uint32_t in_interface, out_interface, sampling_rate, as_number[2];
	uint16_t server_name_len; /* strings follow, without NUL: server name, info, attributes */
	uint16_t info_len;
};
static_assert(sizeof(struct rec_flow) == 304, "no padding: it crosses a process boundary");
#define SERVER_NAME_MAX 255
#define INFO_MAX        255
#define ATTRIBUTES_MAX  1024
#define FLOW_TEXT_MAX   (SERVER_NAME_MAX + INFO_MAX + ATTRIBUTES_MAX)

struct rec_flow_count {
	uint32_t slot, generation;
	int64_t second; /* Unix second that the counters belong to */
	int64_t last_ns;
	struct flow_counters count; /* cumulative for the slice */
	uint16_t state;
	uint16_t reserved[3];
};
static_assert(sizeof(struct rec_flow_count) == 80, "no padding");

/* The same for everybody: files say it, not traffic. */
struct rec_host {
	struct ip_addr ip;
	uint32_t as_number;            /* 0 unknown */
	char country[2];               /* two letters (ISO 3166-1); zero: unknown */
	uint8_t as_name_len, city_len; /* strings follow in this order, without NUL */
};
static_assert(sizeof(struct rec_host) == 24, "no padding");

/* Where a name came from. Who gave the name to the host itself is surest: store's order is in store/known.c.
 */
enum host_name_source {
	HOST_NAME_NONE,
	HOST_NAME_DNS,
	HOST_NAME_DHCP,
	HOST_NAME_MDNS,
	HOST_NAME_NETBIOS,
	HOST_NAME_TLS,
	HOST_NAME_RESOLVED, /* what the operator's name servers call the address: no engine says that */
	HOST_NAME_SOURCES
};
#define LEARNED_OS HOST_NAME_SOURCES /* no name: the host's operating system */

/* What a packet told of an address. It is the knowledge of the tenants of that packet's ends alone, which
 * store finds out. */
struct rec_learned {
	uint32_t point, space;
	uint16_t vlan; /* outermost */
	uint8_t kind;  /* enum host_name_source, or LEARNED_OS */
	uint8_t len;   /* of the text that follows, 1..HOST_NAME_MAX_LEN */
	uint32_t reserved;
	struct ip_addr ip;     /* what it was told of */
	struct ip_addr end[2]; /* of the packet or flow that told it */
	int64_t time_ns;
};
static_assert(sizeof(struct rec_learned) == 72, "no padding");

/* Counters are of the time since the last record about the same (point, vlan, mac, ip). */
struct rec_device {
	uint32_t point, space;
	uint16_t vlan; /* outermost */
	uint8_t mac[6];
	uint8_t has_ip; /* 1: the sender of an ARP packet said that it has this address */
	uint8_t reserved[7];
	struct ip_addr ip;
	uint32_t arp_requests, arp_replies; /* sent */
	uint64_t frames, bytes;             /* sent, that belong to no flow: ARP, LLDP and the like */
	int64_t first_ns, last_ns;          /* of what is counted here */
};
static_assert(sizeof(struct rec_device) == 80, "no padding");
#define HOST_NAME_MAX_LEN 255

#define UNDECODED_REASONS 64

/* packets == decoded into flows + sum of undecoded. */
struct rec_second {
	uint32_t point, worker;
	int64_t second;
	uint64_t packets, bytes;               /* all frames, on the wire */
	uint64_t undecoded[UNDECODED_REASONS]; /* by announced NAME_UNDECODED number (0..63) */
	uint32_t flows_new, flows_active, hosts_active, reserved;
};
static_assert(sizeof(struct rec_second) == 560, "no padding");

enum point_state { POINT_UP = 1, POINT_DOWN, POINT_ENDED };

struct rec_point {
	uint32_t point, worker;
	uint32_t state;            /* enum point_state */
	uint32_t truncated;        /* POINT_ENDED: the file was damaged behind the last frame */
	uint64_t frames, bytes;    /* POINT_ENDED: what capture said it had put into the ring */
	uint64_t counted;          /* POINT_ENDED: frames that went into flows */
	uint64_t undecoded;        /* POINT_ENDED: frames that did not, all reasons */
	int64_t first_ns, last_ns; /* of frames seen so far */
};
static_assert(sizeof(struct rec_point) == 64, "no padding");

/* Places of loss, by announced NAME_PLACE number: capture's (per point) and the engine's own (point 0). */
struct rec_drops {
	uint32_t point, worker;
	uint32_t place;   /* announced NAME_PLACE number */
	uint32_t is_loss; /* 1: frames or records were lost; 0: a count worth showing (merged, truncated) */
	uint64_t count;   /* cumulative since the process that counts started */
};
static_assert(sizeof(struct rec_drops) == 24, "no padding");

#endif
