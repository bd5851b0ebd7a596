/*
 * MAC addresses by (point, VLAN, mac, ip it claims), in fixed memory: what frames beside flows say of them.
 * Counters are of the time since store was told. The least recently seen make room.
 */
#ifndef WEIR_ENGINE_DEVICE_H
#define WEIR_ENGINE_DEVICE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "index.h"

#define DEVICE_NONE INDEX_NONE

struct device_key {
	struct ip_addr ip; /* zero where has_ip is 0 */
	uint8_t mac[6];
	uint16_t vlan;  /* outermost */
	uint8_t point;  /* index in the boot document */
	uint8_t has_ip; /* it says of itself that it has ip */
	uint8_t reserved[6];
};
static_assert(sizeof(struct device_key) == 32, "hashed as bytes: no padding");

struct device {
	struct device_key key;
	uint32_t hash;
	uint32_t newer, older;
	uint32_t changed; /* place in the list of those that store is to be told of, or DEVICE_NONE */
	uint32_t arp_requests, arp_replies;
	uint64_t frames, bytes;
	int64_t first_ns, last_ns;
};

struct device_table {
	struct device *row;
	uint32_t *changed; /* numbers */
	struct index index;
	uint64_t seed;
	uint64_t evicted;
	uint32_t max, used, nchanged;
	uint32_t newest, oldest;
};

void device_table_init(struct device_table *t, uint32_t max, uint64_t seed);
void device_table_free(struct device_table *t);

/* The device with this key, made where it is new, marked as changed and seen at now_ns. */
struct device *device_seen(struct device_table *t, const struct device_key *key, int64_t now_ns);
/* One that store is to be told of, or NULL; device_was_told begins its counters anew. */
struct device *device_changed(struct device_table *t);
void device_was_told(struct device_table *t, struct device *d);
/* Store forgot everything: all that are known are changed. */
void device_tell_again(struct device_table *t);

#endif
