/*
 * MAC addresses by (tenant, observation point, VLAN, MAC): traffic of the tenant's flows, and what ARP and
 * other frames beside flows said. Bounded: what was longest unheard of makes room.
 */
#ifndef WEIR_STORE_DEVICES_H
#define WEIR_STORE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/wire.h"

#define DEVICE_NONE UINT32_MAX

struct device_key {
	uint32_t tenant;
	uint32_t point; /* index in the boot document */
	uint16_t vlan;  /* outermost */
	uint8_t mac[6];
};

/* As of hosts: what is in flows of another tenant first is not the platform's to sum. */
struct device_share {
	uint64_t bytes[2], packets[2]; /* [0] sent, [1] received */
};

/* What a delta touches stands first. */
struct device {
	struct device_key key;
	int64_t first_ns, last_ns;
	struct device_share share[2];
	uint64_t arp_requests, arp_replies;
	uint32_t nips; /* may be more than are kept */
	struct ip_addr ip[DEVICE_IPS];
};

struct lru;

struct lru *devices_new(size_t max);
/* Whether a MAC address is one device's: no group, not all zero. */
bool device_is_one(const uint8_t mac[static 6]);
/* A flow of the device began: its number, for device_add. ip: NULL where the address is somebody's behind it.
 */
uint32_t device_begin(struct lru *l, const struct device_key *key, const struct ip_addr *ip, int64_t first_ns,
		      bool *evicted);
/* Adds what a flow counted. Nothing where the row has gone to another device since. */
void device_add(struct lru *l, uint32_t number, const struct device_key *key, int share,
		const uint64_t bytes[static 2], const uint64_t packets[static 2], int64_t last_ns);
/* True where another device had to make room. */
bool devices_learn(struct lru *l, const struct device_key *key, const struct rec_device *r);

#endif
