/*
 * Every structure that crosses a process boundary of one machine: host byte order, fixed size, no padding, no
 * pointers (flow export and files have their own formats). A receiver checks sizes by msg.def, then judges
 * the content. Numbers are unsigned unless they can be negative; times are int64 nanoseconds UTC; 0 of a time
 * means unknown.
 */
#ifndef WEIR_IPC_WIRE_H
#define WEIR_IPC_WIRE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/counters.h"
#include "ipc/dimension.h"
#include "ipc/filter.h"

#define WIRE_VERSION 3

/* --- channels and rings --- */

struct wire_hello {
	uint32_t version; /* WIRE_VERSION */
	uint32_t proc;    /* for the log: who we think we are; identity is the uid */
	uint32_t instance;
	uint32_t reserved;
	int64_t start_ns; /* clock_boot_ns when the process began */
};
static_assert(sizeof(struct wire_hello) == 24, "no padding: it crosses a process boundary");

struct wire_ring_offer {
	uint32_t point; /* packets: observation point. records: 0 */
	uint32_t worker;
	uint32_t mtu; /* of the interface; 0 unknown */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_ring_offer) == 16, "no padding");

struct wire_ring_taken {
	uint32_t point;
	uint32_t worker;
};

/* In a packet ring: kinds of entries. */
enum frame_kind {
	FRAME_DATA = 1,  /* struct wire_frame, then the captured bytes */
	FRAME_END = 2,   /* struct wire_frame_end: the file was read, nothing follows */
	FRAME_BEGIN = 3, /* struct wire_frame_begin: first of a file that several workers share */
	FRAME_BLOCK = 4  /* struct wire_block: many frames, among bytes of a file as they were read */
};

struct wire_frame {
	int64_t ts_ns;
	uint32_t wire_len;  /* bytes on the wire, without FCS */
	uint16_t cap_len;   /* bytes that were captured */
	uint16_t link_type; /* LINKTYPE_ of pcap (tcpdump.org/linktypes.html) */
};
static_assert(sizeof(struct wire_frame) == 16, "no padding");

/* Behind it what was read of the file, and behind that, at `table`, a struct wire_block_frame for each frame,
 * in their order. */
struct wire_block {
	uint32_t frames; /* at least 1 */
	uint32_t table;  /* bytes from the start of the entry */
};
static_assert(sizeof(struct wire_block) == 8, "no padding");

struct wire_block_frame {
	struct wire_frame frame;
	uint32_t at; /* its bytes: from the start of the entry, and in front of the table */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_block_frame) == 24, "no padding");

struct wire_frame_end {
	uint64_t frames;    /* that capture put into this ring, in all */
	uint64_t bytes;     /* on the wire */
	int64_t last_ns;    /* time of the file's last frame, whoever got it; 0: the engine has them all */
	uint32_t truncated; /* 1: the file was cut or damaged behind the last frame */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_frame_end) == 32, "no padding");

struct wire_frame_begin {
	int64_t first_ns; /* time of the file's first frame, whoever got it */
};
static_assert(sizeof(struct wire_frame_begin) == 8, "no padding");

/* In a ring from engine to engine: FRAME_HANDED. */
enum { FRAME_HANDED = 1 };

/* A frame that came to another worker than its flow's, as it was captured. */
struct wire_handover {
	int64_t ts_ns;
	uint32_t wire_len;
	uint32_t cap_len; /* bytes that follow */
	uint16_t link_type, reserved0;
	uint8_t point; /* index in the boot document */
	uint8_t hops;  /* 1 or 2: how often it was handed over, this time included */
	uint8_t
	    resolved; /* 1: a fragment that was where the fragments of its datagram meet; of a later one: */
	uint8_t icmp_reply;
	uint8_t inside; /* what was cut carries a tunnel, and its flow is the one inside */
	uint8_t reserved[7];
	uint8_t key[48]; /* struct flow_key of that flow, as from its first fragment */
};
static_assert(sizeof(struct wire_handover) == 80, "no padding: it crosses a process boundary");

/* What capture knows of one handle (one observation point, one worker), since it started. */
struct wire_capture_counters {
	uint32_t point, worker;
	uint64_t frames;       /* put into the ring */
	uint64_t kernel_drops; /* PACKET_STATISTICS: lost before us */
	uint64_t ring_drops;   /* lost because the ring was full */
	uint64_t merged;       /* longer than the MTU: merged by GRO or LRO before we saw them */
	uint64_t truncated;    /* longer than the snaplen */
};
static_assert(sizeof(struct wire_capture_counters) == 48, "no padding");

/* --- records: engine to store --- */

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

struct wire_geo_file {
	uint32_t index; /* in the setting geoip_files */
	uint32_t reserved;
};

/* --- TLS session tickets (RFC 5077, RFC 8446 section 4.6.1) --- */

#define TICKET_KEY_BYTES 80 /* the name of the key (16), for HMAC-SHA256 (32), for AES-256 (32) */

struct wire_ticket_keys {
	uint32_t n; /* 1 or 2: the key that tickets are made with, and the one before, whose tickets are still
		       taken */
	uint32_t reserved;
	uint8_t key[2][TICKET_KEY_BYTES];
};
static_assert(sizeof(struct wire_ticket_keys) == 168, "no padding");

/* --- signatures of TLS handshakes --- */

#define CERTIFICATE_ID_BYTES 32   /* SHA-256 of the certificate (DER): its fingerprint */
#define SIGN_CONTENT_MAX     256  /* RFC 8446 section 4.4.3: 146; RFC 8422 section 5.4: 165 */
#define SIGNATURE_MAX        1024 /* RSA with 8192 bits */

/* What is to be signed comes whole, not as a digest, so that key can see what it is. */
struct wire_sign {
	uint64_t ticket; /* httpd's, comes back */
	uint8_t certificate[CERTIFICATE_ID_BYTES];
	uint32_t scheme; /* RFC 8446 section 4.2.3: SignatureScheme */
	uint32_t len;    /* of the content */
	uint8_t content[SIGN_CONTENT_MAX];
};
static_assert(sizeof(struct wire_sign) == 304, "no padding: it crosses a process boundary");

enum sign_status {
	SIGN_OK = 1,
	SIGN_UNKNOWN, /* no key of that certificate is here */
	SIGN_FAILED,  /* its key does not sign with that scheme */
	SIGN_STATUS_COUNT
};

struct wire_signed {
	uint64_t ticket;
	uint32_t status; /* enum sign_status */
	uint32_t len;    /* of the signature; 0 where there is none */
	uint8_t signature[SIGNATURE_MAX];
};
static_assert(sizeof(struct wire_signed) == 1040, "no padding: it crosses a process boundary");

struct wire_key_pair {
	uint64_t number; /* the launcher's, comes back */
};
static_assert(sizeof(struct wire_key_pair) == 8, "no padding: it crosses a process boundary");

/* --- names of addresses --- */

#define NAME_ASKS 256 /* most that are under way at a time */

struct wire_name_ask {
	uint64_t ticket; /* store's, comes back */
	struct ip_addr ip;
};
static_assert(sizeof(struct wire_name_ask) == 24, "no padding");

struct wire_name_told {
	uint64_t ticket;
	uint32_t len; /* 0: the address has no name, or no server said so in time */
	uint32_t reserved;
	char name[256]; /* lower case letters, digits, '-', '_' and '.'; not terminated, zeros behind it */
};
static_assert(sizeof(struct wire_name_told) == 272, "no padding");

/* --- authority --- */

#define GRANT_MAX      4096 /* bytes of a signed grant: policy/grant.h */
#define GRANT_ID_BYTES 16
#define SIGN_KEY_BYTES 32 /* Ed25519 public key */

struct wire_grant_keys {
	uint32_t n; /* 1 or 2: current, previous */
	uint32_t reserved;
	uint8_t key[2][SIGN_KEY_BYTES];
};

struct wire_snapshot {
	uint64_t number;
	uint64_t len; /* of the document in the sealed memfd: policy/snapshot.h */
};

/* The whole set, in parts: the first has begin = 1, the last end = 1. Ids follow. */
struct wire_grant_ids {
	uint32_t begin, end;
	uint32_t n, reserved;
};
struct wire_grant_live {
	uint8_t id[GRANT_ID_BYTES];
	int64_t expires_ns; /* UTC */
};
#define WIRE_GRANT_IDS_PER 1024
#define WIRE_GRANT_IDS_MAX                                                                                   \
	(sizeof(struct wire_grant_ids) + WIRE_GRANT_IDS_PER * sizeof(struct wire_grant_live))

struct wire_grant_change {
	uint64_t ticket; /* of authd's, comes back in GRANT_TAKEN */
	struct wire_grant_live grant;
};
static_assert(sizeof(struct wire_grant_change) == 32, "no padding");

/* --- logins --- */

#define ACCOUNT_NAME_MAX   128
#define PASSWORD_MAX       256
#define COOKIE_BYTES       32 /* a session's secret, random; authd keeps only its hash */
#define SETUP_SECRET_BYTES 32
#define TICKET_BYTES       32
#define AGENT_MAX          128
#define TENANT_TEXT_MAX    64
#define API_TOKEN_MAX      96

/* Who asks, as far as httpd can tell: for throttling and the record of logins. */
struct wire_client {
	struct ip_addr ip;
	char agent[AGENT_MAX]; /* what it calls itself (User-Agent), terminated, cut where it is longer; "":
				  unknown */
};
static_assert(sizeof(struct wire_client) == 144, "no padding");

struct wire_login {
	uint64_t request; /* httpd's, comes back */
	struct wire_client client;
	char name[ACCOUNT_NAME_MAX]; /* terminated */
	char password[PASSWORD_MAX]; /* terminated; wiped by both sides after use */
};

struct wire_setup {
	uint64_t request;
	struct wire_client client;
	uint8_t secret[SETUP_SECRET_BYTES];
	char name[ACCOUNT_NAME_MAX];
	char password[PASSWORD_MAX];
};

/* SESSION and LOGOUT. */
struct wire_session {
	uint64_t request;
	struct wire_client client;
	uint8_t cookie[COOKIE_BYTES];
	char tenant[TENANT_TEXT_MAX]; /* name of the tenant to work in, terminated; "": the first that the
					 user has */
};

/* The second step of a login that was answered with AUTH_SECOND_FACTOR. */
struct wire_second_factor {
	uint64_t request;
	struct wire_client client;
	uint8_t ticket[TICKET_BYTES]; /* what that answer had as its cookie */
	char code[32];                /* of the authenticator, or a recovery code; terminated */
};
static_assert(sizeof(struct wire_second_factor) == 216, "no padding");

/* An API token as its bearer showed it. */
struct wire_token {
	uint64_t request;
	struct wire_client client;
	char tenant[TENANT_TEXT_MAX]; /* as in wire_session; a token has one tenant, so that any other is
					 AUTH_DENIED */
	char token[API_TOKEN_MAX];    /* terminated */
};
static_assert(sizeof(struct wire_token) == 312, "no padding");

/* Name and password of Basic authentication (RFC 7617), which its client sends with every request. */
struct wire_basic {
	uint64_t request;
	struct wire_client client;
	char tenant[TENANT_TEXT_MAX]; /* as in wire_session */
	char name[ACCOUNT_NAME_MAX];  /* terminated */
	char password[PASSWORD_MAX];  /* terminated; wiped by both sides after use */
};
static_assert(sizeof(struct wire_basic) == 600, "no padding");

/* --- logins at a provider of OpenID Connect --- */

#define PROVIDER_NAME_MAX 32    /* with its end */
#define ORIGIN_MAX        272   /* "https://weir.example.com:3001", with its end */
#define OIDC_STATE_TEXT   48    /* more than 32 bytes in base64url, with its end */
#define OIDC_CODE_MAX     4096  /* an authorization code, with its end */
#define REDIRECT_URL_MAX  6144  /* with its end */
#define OIDC_TOKEN_MAX    16384 /* a logout token */

enum oidc_go {
	OIDC_GO_LOGIN = 1, /* to the provider's authorization endpoint */
	OIDC_GO_LOGOUT,    /* to its end_session_endpoint; where there is none, home */
	OIDC_GO_COUNT
};

/* Where a browser that wants to log in or out at a provider is to be sent. */
struct wire_oidc_go {
	uint64_t request;
	struct wire_client client;
	uint32_t what; /* enum oidc_go */
	uint32_t reserved;
	char provider[PROVIDER_NAME_MAX];
	char origin[ORIGIN_MAX]; /* of this server, as its browser named it; terminated */
};
static_assert(sizeof(struct wire_oidc_go) == 464, "no padding");

/* The answer to OIDC_GO. */
struct wire_oidc_gone {
	uint64_t request;
	uint32_t status; /* enum auth_status: OK, DENIED (no such provider), BUSY, UNAVAILABLE */
	uint32_t reserved;
	uint8_t cookie[COOKIE_BYTES]; /* of a login: what binds it to its browser */
	char url[REDIRECT_URL_MAX];   /* visible ASCII; terminated */
};
static_assert(sizeof(struct wire_oidc_gone) == 48 + REDIRECT_URL_MAX, "no padding");

/* A browser that comes back from a provider, with what that gave it (OpenID Connect Core 1.0 section
 * 3.1.2.5). The answer is AUTH_ANSWER, as to LOGIN. All texts are terminated. */
struct wire_oidc_callback {
	uint64_t request;
	struct wire_client client;
	uint8_t cookie[COOKIE_BYTES]; /* zero: it has none */
	char provider[PROVIDER_NAME_MAX];
	char state[OIDC_STATE_TEXT];
	char error[128];  /* "": none */
	char issuer[256]; /* RFC 9207; "": it does not say */
	char code[OIDC_CODE_MAX];
};
static_assert(sizeof(struct wire_oidc_callback) == 648 + OIDC_CODE_MAX, "no padding");

/* A provider says that somebody has logged out there (Back-Channel Logout 1.0): the logout token follows. The
 * answer is AUTH_ANSWER, with a status alone. */
struct wire_oidc_logout {
	uint64_t request;
	struct wire_client client;
	uint32_t token_len; /* 1..OIDC_TOKEN_MAX */
	uint32_t reserved;
	char provider[PROVIDER_NAME_MAX];
};
static_assert(sizeof(struct wire_oidc_logout) == 192, "no padding");
#define WIRE_OIDC_LOGOUT_MAX (sizeof(struct wire_oidc_logout) + OIDC_TOKEN_MAX)

enum auth_status {
	AUTH_OK = 1,
	AUTH_DENIED,        /* wrong name or password, no such session, no such tenant: one answer for all */
	AUTH_THROTTLED,     /* too many failures: retry_after_s says when */
	AUTH_BUSY,          /* the queue of password checks is full */
	AUTH_WEAK_PASSWORD, /* setup: detail says why */
	AUTH_BAD_NAME,      /* setup: detail says why */
	AUTH_SETUP_OVER,    /* an administrator exists already, or the link was used */
	AUTH_UNAVAILABLE,   /* authd cannot write: disk full */
	AUTH_SECOND_FACTOR, /* LOGIN, OIDC_CALLBACK: so far it was right; cookie is a ticket for
			       SECOND_FACTOR, good for 5 minutes. BASIC: the account takes a second factor,
			       and so comes in by a token only */
	AUTH_NO_TENANT /* BASIC: it is right, but not for this tenant. Others are asked about a second time */
};

struct wire_auth_answer {
	uint64_t request;
	uint32_t status; /* enum auth_status */
	uint32_t retry_after_s;
	uint8_t cookie[COOKIE_BYTES]; /* LOGIN, SETUP, SECOND_FACTOR, OIDC_CALLBACK: the new session */
	int64_t grant_expires_ns;     /* UTC */
	int64_t session_expires_ns;   /* absolute end */
	char name[ACCOUNT_NAME_MAX];
	char tenant[64];
	char role[32]; /* policy/role.h names */
	char detail[128];
	uint32_t setup_open; /* 1: no administrator exists yet */
	uint32_t grant_len;
	uint8_t grant[GRANT_MAX]; /* opaque to httpd */
};

struct wire_cli_request {
	uint64_t request;
};

struct wire_cli_answer {
	uint64_t request;
	uint32_t status; /* enum auth_status */
	uint32_t grant_len;
	uint8_t secret[SETUP_SECRET_BYTES];
	uint8_t grant[GRANT_MAX];
};

/* --- connections to others --- */

#define DIAL_ASKS     64  /* most that are under way at a time */
#define DIAL_HOST_MAX 256 /* with its end */

struct wire_dial_ask {
	uint64_t ticket; /* comes back */
	uint32_t port;   /* TCP, 1..65535 */
	uint32_t timeout_ms;
	char host[DIAL_HOST_MAX]; /* a name or an address; terminated */
};
static_assert(sizeof(struct wire_dial_ask) == 272, "no padding");

struct wire_dial_cancel {
	uint64_t ticket;
};

/* With the connected socket, which does not block. */
struct wire_dialed {
	uint64_t ticket;
	struct ip_addr ip;
};
static_assert(sizeof(struct wire_dialed) == 24, "no padding");

struct wire_dial_failed {
	uint64_t ticket;
	char why[120]; /* a sentence; terminated */
};
static_assert(sizeof(struct wire_dial_failed) == 128, "no padding");

/* --- directories --- */

#define DIRECTORY_ASKS      32           /* most that are under way at a time */
#define DIRECTORY_SERVERS   4            /* of one provider, tried in this order */
#define DIRECTORY_REFERRALS 4            /* servers that may be referred to */
#define DIRECTORY_URL_MAX   272          /* "ldaps://host:636", with its end */
#define DIRECTORY_NAME_MAX  256          /* what somebody calls himself at a login, with its end */
#define DIRECTORY_ASK_MAX   (256u << 10) /* bytes of what is asked in sealed memory */
#define DIRECTORY_TOLD_MAX  (4u << 20)   /* bytes of what is told */

enum directory_what {
	DIRECTORY_LOGIN = 1, /* is this his password, and who is he */
	DIRECTORY_LOOK,      /* who is he, without a password */
	DIRECTORY_TEST,      /* do the servers answer, and take what Weir binds with */
	DIRECTORY_WHAT_COUNT
};

/* Terminated texts; both sides wipe it after use. In sealed memory: what the provider's settings are
 * (authd/directory/provider.h), without secrets. */
struct wire_directory_ask {
	uint64_t request;
	uint32_t what; /* enum directory_what */
	uint32_t timeout_ms;
	uint32_t len; /* of the sealed memory: 1..DIRECTORY_ASK_MAX */
	uint32_t nservers;
	uint32_t nreferrals, unused;
	char server[DIRECTORY_SERVERS][DIRECTORY_URL_MAX];
	char referral[DIRECTORY_REFERRALS][DIRECTORY_URL_MAX]; /* servers that those may refer to */
	char name[DIRECTORY_NAME_MAX];
	char password[PASSWORD_MAX]; /* of DIRECTORY_LOGIN, else "" */
	char secret[PASSWORD_MAX];   /* that Weir itself binds with; "": none */
};
static_assert(sizeof(struct wire_directory_ask) == 2976, "no padding");

enum directory_verdict {
	DIRECTORY_RIGHT = 1,   /* it is he; of a look: he is there; of a test: all is well */
	DIRECTORY_WRONG,       /* the password is not his */
	DIRECTORY_UNKNOWN,     /* nobody, or several, by that name */
	DIRECTORY_DISABLED,    /* he is there, but may not come in: disabled, */
	DIRECTORY_LOCKED,      /* locked after too many failures, */
	DIRECTORY_EXPIRED,     /* the account or the password has expired, */
	DIRECTORY_MUST_CHANGE, /* or the password must be changed first */
	DIRECTORY_REFUSED, /* the directory does not take what Weir binds with, or the settings are wrong */
	DIRECTORY_UNAVAILABLE, /* no server answers as it should, in time */
	DIRECTORY_VERDICT_COUNT
};

/* In sealed memory: {"why": sentence, "dn", "title" (or null), "groups": [dn...], "cut": whether there are
 * more groups, "steps": [sentence...]}; for the record and for administrators, never for the stranger. */
struct wire_directory_told {
	uint64_t request;
	uint32_t verdict; /* enum directory_verdict */
	uint32_t len;     /* of the sealed memory: 1..DIRECTORY_TOLD_MAX */
};
static_assert(sizeof(struct wire_directory_told) == 16, "no padding");

/* --- OpenID Connect providers --- */

#define OIDC_ASKS       32           /* most that are under way at a time */
#define OIDC_URL_MAX    512          /* of an issuer, with its end */
#define OIDC_SECRET_MAX 512          /* of a client, with its end */
#define OIDC_PROOF_MAX  (16u << 10)  /* a code or a logout token, with its end */
#define OIDC_RANDOM_MAX 132          /* a PKCE verifier (RFC 7636 section 4.1) or a nonce, with its end */
#define OIDC_ASK_MAX    (256u << 10) /* bytes of what is asked in sealed memory */
#define OIDC_TOLD_MAX   (1u << 20)   /* bytes of what is told */
#define OIDC_GROUPS_MAX 5000         /* of one person; more are cut */

enum oidc_what {
	OIDC_METADATA = 1, /* where does the provider want browsers to go */
	OIDC_CODE,         /* exchange a code, and say who it is (OpenID Connect Core 1.0 section 3.1.3) */
	OIDC_LOGOUT, /* is this a logout token of his, and whose (Back-Channel Logout 1.0 section 2.6) */
	OIDC_TEST,   /* as OIDC_METADATA, and his keys; nothing that is remembered counts */
	OIDC_WHAT_COUNT
};

/*
 * Terminated texts; both sides wipe it after use. In sealed memory, without secrets, an object of JSON
 * (authd/directory/oidc_settings.h says what holds where a member is not there):
 *
 * {"client_id": text,                          OIDC_CODE, OIDC_LOGOUT
 *  "redirect_uri": text,                       OIDC_CODE: the one that the browser was sent with
 *  "algorithms": ["RS256", "PS256", "ES256"],  that a token may be signed with: of these and the ...512
 *  "client_auth": "auto", "basic" or "post",   how the client shows its secret
 *  "clock_skew": seconds,                      by which clocks may differ
 *  "max_age": seconds,                         since he logged in there; 0: any
 *  "userinfo": "never", "missing" or "always", whether it is asked; missing: where the token has no groups
 *  "name_claim", "title_claim": text,
 *  "groups_claim": text,                       "": nothing is looked for
 *  "authorities": PEM,                         "": the machine's
 *  "insecure_http": bool}                      http:// is taken where the provider's URLs say so
 */
struct wire_oidc_ask {
	uint64_t request;
	uint32_t what; /* enum oidc_what */
	uint32_t timeout_ms;
	uint32_t len; /* of the sealed memory: 1..OIDC_ASK_MAX */
	uint32_t reserved;
	char issuer[OIDC_URL_MAX];      /* exactly as the provider calls himself */
	char secret[OIDC_SECRET_MAX];   /* of the client: OIDC_CODE; "": a public client */
	char verifier[OIDC_RANDOM_MAX]; /* OIDC_CODE, else "" */
	char nonce[OIDC_RANDOM_MAX];    /* OIDC_CODE, else "" */
	char proof[OIDC_PROOF_MAX];     /* OIDC_CODE: the code; OIDC_LOGOUT: the token; else "" */
};
static_assert(sizeof(struct wire_oidc_ask) == 17696, "no padding");

enum oidc_verdict {
	OIDC_RIGHT = 1,      /* it is he; of a logout token: it is one; of the others: all is well */
	OIDC_CODE_REFUSED,   /* the provider does not take the code: used, too old, another client's */
	OIDC_REFUSED,        /* the provider does not take the client, or the settings are wrong */
	OIDC_UNAVAILABLE,    /* the provider does not answer as he should, in time */
	OIDC_MALFORMED,      /* the token is none: its form, sizes, members that stand there twice */
	OIDC_ALGORITHM,      /* it is not signed, or with an algorithm that is not allowed */
	OIDC_KEY_UNKNOWN,    /* by a key that the provider does not publish */
	OIDC_SIGNATURE,      /* its signature is wrong */
	OIDC_WRONG_ISSUER,   /* it is another provider's, */
	OIDC_WRONG_AUDIENCE, /* for another client (aud, azp), */
	OIDC_EXPIRED,        /* too old, */
	OIDC_TOO_EARLY,      /* of the future (iat, nbf): the clocks differ, */
	OIDC_WRONG_NONCE,    /* or of another login */
	OIDC_STALE,          /* he logged in there longer ago than max_age */
	OIDC_WRONG_SUBJECT,  /* userinfo speaks of somebody else, or nobody is named */
	OIDC_WRONG_HASH,     /* the access token is not the one that the ID token came with (at_hash) */
	OIDC_NO_LOGOUT,      /* it is some token, but none that ends sessions */
	OIDC_VERDICT_COUNT
};

/*
 * In sealed memory an object of JSON, for the record and for administrators, never for the stranger. Members
 * that are not known are null.
 *
 * {"why": sentence, "steps": [sentence...],
 *  "sub": text, "sid": text, "jti": text,      of a token: whose, of which session there, which token
 *  "name": text, "title": text, "email": text, "email_verified": bool,
 *  "groups": [text...], "cut": bool,           whether there are more than are told
 *  "issued": s, "expires": s, "auth_time": s,  Unix times of the token
 *  "id_token": text,                           OIDC_CODE: the hint of a logout; wiped by who takes it
 *  "authorization_endpoint": URL,              this and the rest: OIDC_METADATA, OIDC_TEST
 *  "end_session_endpoint": URL,
 *  "backchannel_logout": bool, "pkce": bool,   what the provider says that he does
 *  "iss_parameter": bool}                      he sends iss with each code (RFC 9207): without, it is none
 */
struct wire_oidc_told {
	uint64_t request;
	uint32_t verdict; /* enum oidc_verdict */
	uint32_t len;     /* of the sealed memory: 1..OIDC_TOLD_MAX */
};
static_assert(sizeof(struct wire_oidc_told) == 16, "no padding");

/* --- administration --- */

#define ADMIN_BODY_MAX        60000
#define WIRE_ADMIN_MAX        (sizeof(struct wire_admin) + GRANT_MAX + ADMIN_BODY_MAX)
#define WIRE_ADMIN_ANSWER_MAX (sizeof(struct wire_admin_answer) + ADMIN_BODY_MAX)

/* ADMIN, CLI_ADMIN: the grant (CLI_ADMIN: none) and the operation as JSON text follow. */
struct wire_admin {
	uint64_t request;
	struct wire_client client;
	uint32_t grant_len;
	uint32_t body_len; /* 1..ADMIN_BODY_MAX */
};
static_assert(sizeof(struct wire_admin) == 160, "no padding");

#define APPLY_BODY_MAX (4u << 20)

/* CLI_APPLY: the operation apply as JSON text that CLI_ADMIN has no room for, in sealed memory of just this
 * length. CLI_ADMIN_ANSWER answers it. */
struct wire_cli_apply {
	uint64_t request;
	uint32_t body_len; /* 1..APPLY_BODY_MAX */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_cli_apply) == 16, "no padding");

enum admin_status {
	ADMIN_OK = 1,
	ADMIN_BAD,         /* body: {"field": "access[2].networks[0]", "detail": "..."} */
	ADMIN_DENIED,      /* the role may never do this */
	ADMIN_NOT_FOUND,   /* no such thing, or not the caller's: one answer for both */
	ADMIN_CONFLICT,    /* the name is taken, or other things hang on it: body as of ADMIN_BAD */
	ADMIN_UNAVAILABLE, /* authd cannot write: disk full; nothing was changed */
	ADMIN_BUSY,        /* a queue is full, or (detail) too many attempts: try again */
	ADMIN_NOT_GRANTED, /* the grant is expired, revoked, forged or another's: get a new one and ask again
			    */
	ADMIN_STATUS_COUNT
};

/* ADMIN_ANSWER, CLI_ADMIN_ANSWER: a part of the answer's JSON text follows; the parts one after another are
 * one text. */
struct wire_admin_answer {
	uint64_t request;
	uint32_t status; /* enum admin_status, the same in all parts */
	uint32_t more;   /* 1: another part follows; 0: the last */
	uint32_t body_len;
	uint32_t unconfirmed; /* 1: done, but store did not say in time that it knows; the same in all
				 parts; 0: it did, or need not */
};
static_assert(sizeof(struct wire_admin_answer) == 24, "no padding");

/* --- questions about traffic --- */

enum question_kind {
	ASK_POINTS = 1, /* ROW_POINT: observation points with totals and rates */
	ASK_HOSTS,      /* ROW_HOST: live hosts */
	ASK_HOST,       /* ROW_HOST: one, by ip (and vlan, space) */
	ASK_FLOWS, /* ROW_FLOW: live flows (from_ns == 0), or kept ones that ended within [from_ns, to_ns) */
	ASK_FLOW,  /* ROW_FLOW: by id: live and every kept slice */
	ASK_APPLICATIONS, /* ROW_APPLICATION: live totals by application */
	ASK_SERIES,       /* ROW_SERIES: points of one series in [from_ns, to_ns) */
	ASK_TOTALS,       /* ROW_TOTALS: one row (design.md, totals) */
	ASK_COUNTERS,     /* ROW_COUNTER: drops by place, undecoded by reason, store's own */
	ASK_COMPONENTS,   /* ROW_COMPONENT: processes and how they do */
	ASK_DEVICES,      /* ROW_DEVICE: MAC addresses */
	ASK_GROUPS,      /* ROW_GROUP: kept flows summed by `grouping`, at a point or any: the sum of all, the
			    first `limit` groups, the sum of the others */
	ASK_SERIES_LIST, /* ROW_SERIES_OF: what a subject has series of */
	ASK_RECENT, /* ROW_FLOW_EVENT: what flows did since the cursor; without one none, and where to begin
		     */
	ASK_KIND_COUNT
};

enum sort_key {
	SORT_DEFAULT,
	SORT_BYTES,
	SORT_PACKETS,
	SORT_RATE,
	SORT_FIRST,
	SORT_LAST,
	SORT_SCORE,
	SORT_FLOWS,
	SORT_KEY_COUNT
};

enum series_subject {
	SERIES_TENANT = 1, /* key: none: the sum of the tenant's flows */
	SERIES_POINT, /* key: observation point id: all frames where the grant owns the whole point, else its
			 flows */
	SERIES_APPLICATION,        /* key: application name */
	SERIES_CATEGORY,           /* key: its name */
	SERIES_HOST,               /* key: its address; ip, vlan, space are set */
	SERIES_NETWORK,            /* key: "10.0.0.0/8": one of the tenant's networks */
	SERIES_AS,                 /* key: its number, as text; "0": not known */
	SERIES_COUNTRY,            /* key: two letters; "ZZ": not known */
	SERIES_EXPORTER,           /* key: its address */
	SERIES_EXPORTER_INTERFACE, /* key: "3@192.0.2.1": its ifIndex and the exporter */
	SERIES_WEIR,               /* key: place of a counter, or what is measured: the platform's */
	SERIES_SUBJECT_COUNT
};

#define GROUP_DIMENSIONS_MAX 3u
#define GROUP_BUCKETS_MAX    1000u   /* of one group */
#define GROUP_CELLS_MAX      250000u /* groups times buckets */

/* ASK_GROUPS: kept flows whose last packet is in [from_ns, to_ns), summed by what they have in common. */
struct wire_grouping {
	uint8_t dimension[GROUP_DIMENSIONS_MAX]; /* enum dimension; 0: none, and none behind it */
	uint8_t bits_v4, bits_v6; /* addresses are grouped by networks of so many bits; 0: each for itself */
	uint8_t measure;          /* enum measure: the groups with most of it, or with least, are answered */
	uint16_t reserved;
	uint32_t measures; /* MEASURE_BIT of those that are told besides */
	uint32_t bucket_s; /* then `measure` in each stretch of so many seconds too, by the flows' last
			      packets; 0: not */
};
static_assert(sizeof(struct wire_grouping) == 16, "no padding");

#define ANY_POINT         UINT32_MAX
#define CURSOR_MAX        64
#define WIRE_QUESTION_MAX (sizeof(struct wire_question) + GRANT_MAX + FILTER_BYTES_MAX)
#define WIRE_ANSWER_MAX   65536u

struct wire_question {
	uint64_t request;   /* the asker's, comes back */
	uint32_t kind;      /* enum question_kind */
	uint32_t limit;     /* rows wanted, 1..1000; 0: the kind's default */
	uint32_t sort;      /* enum sort_key */
	uint32_t ascending; /* 0: largest first */
	uint32_t point;     /* observation point or ANY_POINT */
	uint32_t
	    resolution_s; /* series: 1 or minutes; 0: the finest that covers the range within limit points */
	int64_t from_ns, to_ns; /* UTC; 0, 0: live */
	struct ip_addr ip;      /* ASK_HOST; ASK_FLOWS, ASK_RECENT: either end, all zero: any */
	uint32_t space;
	uint16_t vlan;
	uint16_t has_ip;
	struct flow_id flow; /* ASK_FLOW */
	uint16_t subject;    /* ASK_SERIES: enum series_subject */
	uint16_t
	    percent; /* ASK_SERIES: 1 to 100: not the points, but their percentile (one row); 0: the points */
	uint16_t cursor_len; /* 0: from the start; else the bytes that an answer gave */
	uint16_t key_len; /* ASK_FLOWS, ASK_RECENT: name of an application; ASK_SERIES: as its subject says;
			     0: none */
	uint8_t cursor[CURSOR_MAX];
	char key[64];
	struct wire_grouping grouping; /* ASK_GROUPS */
	uint32_t grant_len;            /* the signed grant follows */
	uint32_t filter_len; /* ASK_FLOWS, ASK_GROUPS, ASK_RECENT: then a filter (ipc/filter.h); 0: none */
};
static_assert(sizeof(struct wire_question) == 248, "no padding");

/* Nobody wants the answer any more. One that is answered, or was never asked, is ignored. */
struct wire_question_cancel {
	uint64_t request;
};
static_assert(sizeof(struct wire_question_cancel) == 8, "no padding");

enum answer_status {
	ANSWER_OK = 1,
	ANSWER_NOT_FOUND,   /* no such thing, or not the caller's: one answer for both */
	ANSWER_NOT_GRANTED, /* no grant, expired, revoked, forged, meant for another asker */
	ANSWER_UNAVAILABLE, /* authd is silent, or the set of grants has not come yet */
	ANSWER_BAD_QUESTION,
	ANSWER_HISTORY_DOWN, /* the database cannot be read or written */
	ANSWER_NARROWED,   /* it is kept of the tenant as a whole, and the grant sees a part: there is none of
			    * it, or not at that resolution */
	ANSWER_BUSY,       /* too many questions wait: worth asking again in a second */
	ANSWER_TIMEOUT,    /* store.query_time was over */
	ANSWER_TOO_COSTLY, /* it would have looked into more than store.query_rows */
	ANSWER_STATUS_COUNT
};

enum row_kind {
	ROW_NONE,
	ROW_POINT,
	ROW_HOST,
	ROW_FLOW,
	ROW_APPLICATION,
	ROW_SERIES,
	ROW_TOTALS,
	ROW_COUNTER,
	ROW_COMPONENT,
	ROW_DEVICE,
	ROW_SERIES_OF,
	ROW_GROUP,
	ROW_FLOW_EVENT,
	ROW_KIND_COUNT
};

/* Rows follow, each: uint32_t length (of struct and strings), then the struct of row_kind, then its strings
 * in order. */
struct wire_answer {
	uint64_t request;
	uint32_t status; /* enum answer_status */
	uint32_t row_kind;
	uint32_t nrows;
	uint32_t more;       /* 1: another ANSWER for this request follows; 0: the last */
	uint32_t has_cursor; /* in the last: rows are left; ask again with cursor */
	uint16_t cursor_len;
	uint16_t reserved;
	uint8_t cursor[CURSOR_MAX];
	int64_t now_ns; /* what live means: UTC now, or the last frame's time of a file */
};
static_assert(sizeof(struct wire_answer) == 104, "no padding");

struct row_point {
	uint32_t id, space, kind, state;     /* enum point_kind, enum point_state */
	uint64_t bytes, packets;             /* since Weir started */
	uint64_t bytes_per_s, packets_per_s; /* of the last full second */
	uint64_t dropped;
	uint32_t flows, hosts;
	int64_t first_ns, last_ns;
	uint64_t speed_bps; /* bits a second that the interface can carry; 0: not known, or not the asker's */
	char name[64];
};
static_assert(sizeof(struct row_point) == 152, "no padding");

#define HOST_NAMES 5 /* names kept of one host */
#define HOST_APPS  8 /* applications kept of one host */
#define HOST_PORTS 4 /* ports kept of one host, of each kind */

/* A port that a host served, or that it used at others. */
struct row_port {
	uint16_t port;
	uint8_t protocol; /* IANA protocol number; 0: no more ports */
	uint8_t reserved;
	uint32_t flows;
	uint64_t bytes; /* of flows that ended */
};
static_assert(sizeof(struct row_port) == 16, "no padding");

/* TCP of a host's flows that ended, or of their slices. [0] sent by the host, [1] received. */
struct host_tcp {
	uint64_t retransmissions[2], out_of_order[2], lost[2], zero_windows[2];
	uint64_t resets;     /* flows that ended by RST */
	uint64_t handshakes; /* flows whose handshake was seen whole */
	uint64_t
	    handshake_us; /* sum of the round trips of them: between the observation point and the host */
};
static_assert(sizeof(struct host_tcp) == 88, "no padding");

struct row_host {
	struct ip_addr ip;
	uint32_t space;
	uint16_t vlan;
	uint8_t mac[6];
	uint8_t has_mac, local;
	uint16_t score;
	uint64_t bytes[2], packets[2]; /* [0] sent by the host, [1] received */
	uint64_t bytes_per_s[2];
	uint32_t flows_client, flows_server; /* active */
	uint32_t flows_seen[2];              /* since first_ns: as client, as server */
	uint32_t peers;
	uint32_t as_number;                                                    /* 0 unknown */
	uint64_t application_bytes[HOST_APPS], application_packets[HOST_APPS]; /* as the string's order */
	struct row_port served[HOST_PORTS], used[HOST_PORTS];                  /* most flows first */
	struct host_tcp tcp;
	int64_t first_ns, last_ns;
	char country[2]; /* zero: unknown */
	uint8_t name_source[HOST_NAMES];
	uint8_t reserved[3];
	uint16_t names_len, applications_len, risks_len, vendor_len, as_name_len, city_len,
	    os_len; /* strings in this order: names, separated by newlines, surest first; applications
		       ("TLS.Google,DNS", most bytes first); risks, comma-separated */
};
static_assert(sizeof(struct row_host) == 488, "no padding");

#define DEVICE_IPS 8

struct row_device {
	uint32_t point, space;
	uint16_t vlan;
	uint8_t mac[6];
	uint32_t nips, reserved;
	struct ip_addr ip[DEVICE_IPS];
	uint64_t bytes[2], packets[2];      /* [0] sent, [1] received; of flows, and of other frames sent */
	uint32_t arp_requests, arp_replies; /* sent */
	int64_t first_ns, last_ns;
	uint16_t vendor_len, point_len, reserved2[2]; /* strings in this order */
};
static_assert(sizeof(struct row_device) == 216, "no padding");

struct row_flow {
	struct rec_flow
	    flow; /* its own string lengths are 0 here; risks and numbers are store's, not for display */
	uint64_t bytes_per_s[2];
	uint32_t live;     /* 1: still active */
	uint8_t masked[2]; /* 1: of this end the address is its network, and nothing else is told */
	uint8_t reserved[2];
	uint16_t application_len, category_len, server_name_len, info_len, risks_len, client_name_len,
	    server_host_len, point_len, attributes_len; /* strings in this order */
	uint16_t reserved2[3];
};
static_assert(sizeof(struct row_flow) == 352, "no padding");

enum flow_event {
	FLOW_OPENED = 1, /* live since, as it is now */
	FLOW_CHANGED,    /* had packets, or its meaning changed; as it is now */
	FLOW_ENDED,      /* a slice, as it is kept; where the flow was short, nothing else was told of it */
	FLOW_DROPPED,    /* no flow: so many events are not told */
	FLOW_EVENT_COUNT
};

struct row_flow_event {
	struct row_flow flow; /* its strings follow this structure */
	uint64_t dropped;     /* FLOW_DROPPED: their number; UINT64_MAX: it is not the asker's to know */
	uint32_t what;        /* enum flow_event */
	uint32_t reserved;
};
static_assert(sizeof(struct row_flow_event) == 368, "no padding");

struct row_application {
	uint64_t bytes, packets, bytes_per_s;
	uint32_t flows, hosts; /* flows seen; hosts: 0 where not counted */
	uint16_t name_len, category_len;
	uint32_t reserved;
};
static_assert(sizeof(struct row_application) == 40, "no padding");

/* Of a percentile: of its bytes, those in and those out, each by itself; packets is the number of buckets. */
struct row_series {
	int64_t time_ns; /* start of the bucket */
	uint32_t resolution_s;
	uint32_t finest_s; /* 1; 60 where it is kept by the minute; 0: made of flows, maxima are not known */
	uint64_t bytes, packets;         /* within the bucket */
	uint64_t bytes_max, packets_max; /* largest second (minute: finest_s) within it */
	uint64_t flows_max;              /* most active flows; 0 where not known for the subject */
	uint64_t in_bytes, out_bytes, in_packets, out_packets; /* of bytes, packets */
};
static_assert(sizeof(struct row_series) == 88, "no padding");

/* One of the series that there are. */
struct row_series_of {
	uint64_t in_bytes, out_bytes, in_packets, out_packets; /* since store started */
	uint64_t in_bytes_per_s, out_bytes_per_s;              /* over the newest whole minute */
	int64_t last_ns;                                       /* of its newest minute with traffic, about */
	uint32_t space;                                        /* of a host */
	uint16_t vlan;
	uint16_t key_len;  /* the key follows, */
	uint16_t name_len; /* and what an AS is called, where that is known */
	uint16_t reserved[3];
};
static_assert(sizeof(struct row_series_of) == 72, "no padding");

struct group_key {
	uint8_t dimension; /* enum dimension; 0: the question has no more */
	uint8_t bits;      /* addresses: of the network that ip is, 1..32 for IPv4, 1..128 for IPv6; else 0 */
	uint16_t text_len; /* names; 0: unknown, or none */
	uint32_t reserved;
	uint64_t number; /* MAC: the lower 48 bits */
	struct ip_addr ip;
};
static_assert(sizeof(struct group_key) == 32, "no padding");

enum group_what {
	GROUP_ONE = 1, /* a group, in the order that was asked for */
	GROUP_REST,    /* the sum of the groups that are not shown */
	GROUP_ALL,     /* every flow once; with dimensions of which a flow has several, the groups add up to
			  more */
	GROUP_WHAT_COUNT
};

/* What is in one stretch of time. */
struct group_bucket {
	int64_t time_ns; /* start */
	uint64_t value;  /* of the question's measure, not 0 */
};
static_assert(sizeof(struct group_bucket) == 16, "no padding");

struct row_group {
	uint32_t what;                 /* enum group_what */
	uint16_t buckets_len;          /* bytes: struct group_bucket, oldest first, behind the strings */
	uint16_t measures;             /* MEASURE_BIT of those that were asked for */
	uint64_t groups;               /* that it sums: 1, those not shown, all of them */
	uint64_t value[MEASURE_COUNT]; /* of `measures`, else 0 */
	struct group_key key[GROUP_DIMENSIONS_MAX]; /* GROUP_ONE */
						    /* strings in this order: those of the keys, buckets */
};
static_assert(sizeof(struct row_group) == 224, "no padding");
static_assert(MEASURE_COUNT <= 16, "they are bits");
static_assert(GROUP_BUCKETS_MAX * sizeof(struct group_bucket) <= UINT16_MAX, "they have a length");

struct row_totals {
	uint64_t packets, bytes, counted, undecoded, dropped, captured;
	uint64_t bytes_per_s, packets_per_s;
	uint32_t flows, hosts;             /* active */
	uint64_t flows_seen, flows_stored; /* flows; slices on disk (platform only), since store started */
	uint64_t packets_stored;           /* of those slices */
	uint32_t points, points_ended;
	uint32_t truncated_files, reserved;
};
static_assert(sizeof(struct row_totals) == 112, "no padding");

struct row_counter {
	uint32_t point, worker;       /* UINT32_MAX: none */
	uint32_t class_;              /* enum counter_class */
	uint16_t name_len, point_len; /* strings: place or reason; observation point */
	uint64_t count;
};
static_assert(sizeof(struct row_counter) == 24, "no padding");
enum counter_class { COUNTER_DROP = 1, COUNTER_UNDECODED, COUNTER_INFO };

/* What a process counted since it began: those of counters.def that are its own. */
struct wire_counters {
	uint32_t proc, instance; /* whose; the channel says who may tell it */
	int64_t start_ns;        /* which process of several that had the place: those before it are over */
	uint64_t n[PROCESS_COUNTERS];
};
static_assert(sizeof(struct wire_counters) == 16 + 8 * PROCESS_COUNTERS, "no padding");

/* A process as the launcher sees it (and, without one, as store's channels show it). */
enum component_state {
	COMPONENT_RUNNING = 1,
	COMPONENT_RESTARTING,
	COMPONENT_WAITING,
	COMPONENT_DEGRADED,
	COMPONENT_ENDED
};
struct wire_component {
	uint32_t proc, instance; /* enum proc */
	uint32_t state;          /* enum component_state */
	uint32_t restarts;
	int64_t since_ns;   /* UTC: of this state */
	int64_t died_ns;    /* UTC: last death; 0 never */
	uint64_t speed_bps; /* capture: bits a second that its interface can carry; 0 not known */
	char point[64];     /* capture: its interface or file */
	char why[160]; /* last death, in words: "killed by SIGSYS: system call 41 (socket)"; or what it waits
			  for */
};
static_assert(sizeof(struct wire_component) == 264, "no padding");
/* ROW_COMPONENT is a struct wire_component; store's own row says COMPONENT_DEGRADED with the reason where it
 * cannot write. */

#endif
