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

/* Few of many, those with most kept (space saving, Metwally et al., 2005): a newcomer takes the least one's
 * place with its count, of which `before` is not its own. */
struct host_app {
	uint16_t application; /* dictionary; 0: empty */
	uint64_t bytes, before, packets;
};

struct host_port {
	uint16_t port;
	uint8_t protocol; /* 0: empty */
	uint32_t flows, before;
	uint64_t bytes;
};

enum host_mac { HOST_MAC_NONE, HOST_MAC_RECEIVED /* frames to it had it */, HOST_MAC_SENT, HOST_MAC_ARP };

struct host {
	struct host_key key;
	bool used, local;
	uint8_t mac[6];
	uint8_t mac_from;      /* enum host_mac: the higher the surer */
	uint8_t npeers;        /* exact while below HOST_PEERS / 4, then 255: registers */
	uint16_t score;        /* largest of its flows */
	uint32_t next;         /* in its bucket */
	uint32_t older, newer; /* among those without active flows */
	uint32_t points;       /* bit i: had flows at observation point i of the boot document */
	uint64_t risks;
	int64_t first_ns, last_ns;
	struct host_share share[SHARES];
	struct host_app app[HOST_APPS];
	struct host_port served[HOST_PORTS],
	    used_port[HOST_PORTS]; /* its own, and those of others that it used */
	struct host_tcp tcp;
	union {
		uint32_t exact[HOST_PEERS / 4];
		uint8_t reg[HOST_PEERS]; /* HyperLogLog (Flajolet et al., 2007) */
	} peers;
};

struct hosts;

struct hosts *hosts_new(size_t max);
void hosts_free(struct hosts **h);
/* The host's number, made where there is none; HOST_NONE where every row has active flows. *fresh says that
 * it was made. */
uint32_t hosts_get(struct hosts *h, const struct host_key *key, bool *fresh);
struct host *hosts_find(struct hosts *h, const struct host_key *key);
struct host *hosts_at(struct hosts *h, uint32_t i);
/* Rows 0 .. limit - 1 may be used. */
uint32_t hosts_limit(const struct hosts *h);

/* A flow of the host began or ended. The row stays while it has any. Returns whether the host as a whole
 * became active or idle. */
bool hosts_flow_begins(struct hosts *h, uint32_t i, int share, enum side side);
bool hosts_flow_ends(struct hosts *h, uint32_t i, int share, enum side side);
/* Forgets hosts without flows whose last packet is older than before_ns, at most budget of them. */
void hosts_forget(struct hosts *h, int64_t before_ns, unsigned budget);

void host_add_peer(struct host *host, const struct ip_addr *peer, uint64_t seed);
uint32_t host_peers(const struct host *host);
/* Adds what an application's flows counted; and takes it back. Keeps those with most bytes. */
void host_add_application(struct host *host, uint16_t application, uint64_t bytes, uint64_t packets);
void host_less_application(struct host *host, uint16_t application, uint64_t bytes, uint64_t packets);
/* A flow of a port (flows 1, 0: only more bytes of one that was counted). Keeps those with most flows. */
void host_add_port(struct host_port list[static HOST_PORTS], uint8_t protocol, uint16_t port, uint32_t flows,
		   uint64_t bytes);
/* mac belongs to the host, as sure as from says. */
void host_set_mac(struct host *host, const uint8_t mac[static 6], enum host_mac from);
uint64_t hosts_seed(const struct hosts *h);

static inline bool
host_is_active(const struct host *h)
{
	const struct host_share *p = &h->share[SHARE_PRIMARY], *s = &h->share[SHARE_SECONDARY];

	return (p->active[0] | p->active[1] | s->active[0] | s->active[1]) != 0;
}

#endif
