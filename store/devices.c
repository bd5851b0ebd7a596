/* Devices: rows of an lru. */
#include "devices.h"

#include <string.h>

#include "lru.h"
#include "sum.h"

static_assert(sizeof(struct device_key) == 16, "hashed as bytes: no padding");

struct lru *
devices_new(size_t max)
{
	return lru_new((uint32_t)max, sizeof(struct device), sizeof(struct device_key), NULL);
}

bool
device_is_one(const uint8_t mac[static 6])
{
	static const uint8_t none[6];

	return (mac[0] & 1) == 0 && memcmp(mac, none, sizeof(none)) != 0;
}

/* The newest address stands first; the one that was not heard of for longest makes room. */
static void
add_ip(struct device *d, const struct ip_addr *ip)
{
	uint32_t i = 0, kept = d->nips < DEVICE_IPS ? d->nips : DEVICE_IPS;

	while (i < kept && !ip_equal(&d->ip[i], ip))
		i++;
	if (i == kept) {
		d->nips++;
		i = kept < DEVICE_IPS ? kept : DEVICE_IPS - 1;
	}
	memmove(&d->ip[1], &d->ip[0], i * sizeof(d->ip[0]));
	d->ip[0] = *ip;
}

static void
seen(struct device *d, int64_t first_ns, int64_t last_ns)
{
	if (d->first_ns == 0 || first_ns < d->first_ns)
		d->first_ns = first_ns;
	if (last_ns > d->last_ns)
		d->last_ns = last_ns;
}

uint32_t
device_begin(struct lru *l, const struct device_key *key, const struct ip_addr *ip, int64_t first_ns,
	     bool *evicted)
{
	struct device *d = lru_get(l, key, evicted);

	if (ip != NULL)
		add_ip(d, ip);
	seen(d, first_ns, first_ns);
	return lru_number(l, d);
}

void
device_add(struct lru *l, uint32_t number, const struct device_key *key, int share,
	   const uint64_t bytes[static 2], const uint64_t packets[static 2], int64_t last_ns)
{
	struct device *d = lru_at(l, number);

	if (memcmp(&d->key, key, sizeof(*key)) != 0)
		return;
	for (int i = 0; i < 2; i++) {
		d->share[share].bytes[i] = sum_sat(d->share[share].bytes[i], bytes[i]);
		d->share[share].packets[i] = sum_sat(d->share[share].packets[i], packets[i]);
	}
	if (last_ns > d->last_ns)
		d->last_ns = last_ns;
}

bool
devices_learn(struct lru *l, const struct device_key *key, const struct rec_device *r)
{
	bool evicted;
	struct device *d = lru_get(l, key, &evicted);

	if (r->has_ip)
		add_ip(d, &r->ip);
	d->share[0].bytes[0] = sum_sat(d->share[0].bytes[0], r->bytes);
	d->share[0].packets[0] = sum_sat(d->share[0].packets[0], r->frames);
	d->arp_requests = sum_sat(d->arp_requests, r->arp_requests);
	d->arp_replies = sum_sat(d->arp_replies, r->arp_replies);
	seen(d, r->first_ns, r->last_ns);
	return evicted;
}
