/*
 * Hosts by (tenant, address space, VLAN, ip): a host seen in two tenants' flows is two rows that share
 * nothing. Bounded: where the table is full, the host that has been without flows for longest makes room.
 */
#ifndef WEIR_STORE_HOSTS_H
#define WEIR_STORE_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/wire.h"
#include "policy/snapshot.h"
#include "sum.h"

#define HOST_NONE  UINT32_MAX
#define HOST_PEERS 128

struct host_key {
	uint32_t tenant, space;
	struct ip_addr ip;
	uint32_t vlan;
};

/* One half of what was counted: in flows whose primary tenant this is, or in flows that another tenant has as
 * primary. The platform sums the first halves only, so that no flow counts twice. */
struct host_share {
	uint64_t bytes[2], packets[2]; /* [0] sent, [1] received */
	struct rate rate;              /* bytes: [0] sent, [1] received */
	uint32_t active[2];            /* flows: [0] as client, [1] as server */
	uint32_t seen[2];              /* flows that began, likewise */
};
enum { SHARE_PRIMARY, SHARE_SECONDARY, SHARES };

/* What of a share's counters was told. [0] sent, [1] received. */
struct host_told {
	uint64_t bytes[2], packets[2];
};

/* Few of many, those with most kept (space saving, Metwally et al., 2005): a newcomer takes the least one's
 * place with its count, of which `before` is not its own. */
struct host_app {
	uint64_t bytes, before, packets;
};

struct host_port {
	uint16_t port;
	uint8_t protocol; /* 0: empty */
	uint32_t flows, before;
	uint64_t bytes;
};
enum host_port_kind { PORT_SERVED /* its own */, PORT_USED /* of others */, PORT_KINDS };

enum host_mac { HOST_MAC_NONE, HOST_MAC_RECEIVED /* frames to it had it */, HOST_MAC_SENT, HOST_MAC_ARP };

/* What a host has once it has more than one of everything. */
struct host_more {
	uint16_t application[HOST_APPS]; /* dictionary; 0: empty */
	struct host_app app[HOST_APPS];
	struct host_port port[PORT_KINDS][HOST_PORTS];
	struct host_tcp tcp;
	struct host_share secondary;
};

#define HOST_MORE_OFTEN 128 /* bytes at its start that a delta likely touches */
#define HOST_MORE_ALONE                                                                                      \
	offsetof(struct host_more, secondary) /* that a flow likely does which is its end alone */

#define HOST_FEW_PEERS 3

/*
 * Four cache lines, of which a delta touches three. One application and one port of each kind have their
 * places here; a host with more keeps all of them in a struct host_more. Peers have a place of their own once
 * there are more than a few: hosts that are scanned have many of them and nothing else.
 */
struct host {
	struct host_key key; /* of nobody (TENANT_PLATFORM): the row is not used */
	bool local : 1;
	bool inside : 1;       /* of the tenant's networks (whose_network), as of the last look */
	uint8_t watched : 4;   /* watched_marks, likewise */
	bool shared;           /* more->secondary counts */
	uint16_t score_client; /* largest of its flows as client */
	struct host_share primary;
	int64_t last_ns;

	struct host_more *more; /* NULL: these do */
	struct host_app app;
	uint16_t application;
	uint8_t mac[6];
	uint64_t risks;
	int64_t first_ns;
	uint32_t points;       /* bit i: had flows at observation point i of the boot document */
	uint8_t mac_from;      /* enum host_mac: the higher the surer */
	uint8_t npeers;        /* exact while below HOST_PEERS / 4, then 255: registers */
	uint16_t score_server; /* as score_client */

	struct host_port port[PORT_KINDS];
	union {
		uint32_t peer[HOST_FEW_PEERS];
		uint32_t peers; /* more than that: the number of their place */
	};
};
static_assert(sizeof(struct host) == 256, "four cache lines: memory is counted");
static_assert(offsetof(struct host, more) == 128 && offsetof(struct host, port) == 192,
	      "what is touched together stands in one line");

/* Of all its flows. */
static inline uint16_t
host_score(const struct host *h)
{
	return h->score_client > h->score_server ? h->score_client : h->score_server;
}

struct hosts;

struct hosts *hosts_new(size_t max);
void hosts_free(struct hosts **h);
/* Calls gone for each row that is about to be forgotten. */
void hosts_on_gone(struct hosts *h, void (*gone)(void *ctx, uint32_t i), void *ctx);
/* What a share counted since it was last told. False: nothing. */
bool hosts_tell(struct hosts *h, uint32_t i, int share, struct host_told *d);
/* Counts as told what is about to be counted. */
void hosts_tell_not(struct hosts *h, uint32_t i, int share, const struct host_told *d);
/* Where a host will be looked for: asks for that memory. */
struct host_place {
	struct host_key key;
	uint32_t hash;
};
void hosts_expect(const struct hosts *h, uint32_t tenant, uint32_t space, const struct ip_addr *ip,
		  uint32_t vlan, struct host_place *place);
/* The host's number, made where there is none; HOST_NONE where every row has active flows. *fresh says that
 * it was made. */
uint32_t hosts_get(struct hosts *h, const struct host_place *place, bool *fresh);
/* Once that memory is likely there: asks for the row that it leads to. */
void hosts_expect_row(const struct hosts *h, const struct host_place *place);
/* Once the row is likely there too: asks for what one more peer is noted in. */
void hosts_expect_peers(const struct hosts *h, const struct host_place *place);
struct host *hosts_find(struct hosts *h, const struct host_key *key);
struct host *hosts_at(struct hosts *h, uint32_t i);
/* Rows 0 .. limit - 1 may be used: host_is_used. */
uint32_t hosts_limit(const struct hosts *h);
/* Entries (slots.h) of the n rows that are a tenant's: good until one is made or forgotten. */
const uint32_t *hosts_of(const struct hosts *h, uint32_t tenant, uint32_t *n);

/* A flow of the host began or ended. The row stays while it has any. Returns whether the host as a whole
 * became active or idle. */
bool hosts_flow_begins(struct hosts *h, uint32_t i, int share, enum side side);
bool hosts_flow_ends(struct hosts *h, uint32_t i, int share, enum side side);
/* Forgets hosts without flows whose last packet is older than before_ns, at most budget of them. */
void hosts_forget(struct hosts *h, int64_t before_ns, unsigned budget);

void host_add_peer(struct hosts *h, struct host *host, const struct ip_addr *peer);
uint32_t host_peers(const struct hosts *h, const struct host *host);
/* Adds what an application's flows counted; and takes it back. Keeps those with most bytes. */
void host_add_application(struct hosts *h, struct host *host, uint16_t application, uint64_t bytes,
			  uint64_t packets);
void host_less_application(struct host *host, uint16_t application, uint64_t bytes, uint64_t packets);
/* Its applications, some of them 0: their number, their counts. */
unsigned host_applications(const struct host *host, const uint16_t **application,
			   const struct host_app **app);
/* A flow of a port (flows 1, 0: only more bytes of one that was counted). Keeps those with most flows. */
void host_add_port(struct hosts *h, struct host *host, enum host_port_kind kind, uint8_t protocol,
		   uint16_t port, uint32_t flows, uint64_t bytes);
/* Its ports of a kind, some of them empty. */
const struct host_port *host_ports(const struct host *host, enum host_port_kind kind, unsigned *n);
void host_add_tcp(struct hosts *h, struct host *host, const struct host_tcp *t);
struct host_tcp host_tcp_of(const struct host *host);
/* mac belongs to the host, as sure as from says. */
void host_set_mac(struct host *host, const uint8_t mac[static 6], enum host_mac from);

/* What was counted of it as primary or secondary tenant's; NULL: nothing. */
static inline const struct host_share *
host_share_of(const struct host *h, int share)
{
	if (share == SHARE_PRIMARY)
		return &h->primary;
	return h->shared ? &h->more->secondary : NULL;
}
/* The same for who adds to it. */
struct host_share *host_share(struct hosts *h, struct host *host, int share);

static inline bool
host_is_used(const struct host *h)
{
	return h->key.tenant != TENANT_PLATFORM;
}

static inline bool
host_is_active(const struct host *h)
{
	return (h->primary.active[0] | h->primary.active[1]) != 0 ||
	       (h->shared && (h->more->secondary.active[0] | h->more->secondary.active[1]) != 0);
}

#endif
