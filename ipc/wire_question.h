/*
 * Questions about traffic, and their answers: httpd, the command line and store. The rules of ipc/wire.h
 * hold.
 */
#ifndef WEIR_IPC_WIRE_QUESTION_H
#define WEIR_IPC_WIRE_QUESTION_H

#include <assert.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/dimension.h"
#include "ipc/filter.h"
#include "ipc/wire_login.h"
#include "ipc/wire_record.h"

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
	uint16_t score_client;         /* largest of its flows in which it is the client */
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
	uint8_t reserved;
	uint16_t score_server; /* largest of its flows in which it is the server */
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

#endif
