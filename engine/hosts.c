/* The hosts at the ends of flows: found once a flow, and warm as long as it lives. And what is told of hosts
 * and devices, once a second. */
#include <string.h>

#include "base/clock.h"
#include "engine.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

static struct host_key
key_of(const struct point *p, const struct ip_addr *ip, uint16_t vlan)
{
	return (struct host_key){ *ip, p->boot->space, vlan, 0 };
}

static struct host_key
key_of_end(const struct engine *e, const struct flow *f, unsigned side)
{
	unsigned client = (f->flags & FLOW_SWAPPED) != 0;

	return key_of(&e->point[f->key.point], &f->key.ip[client ^ side], f->key.vlan[0]);
}

void
hosts_mark(struct engine *e, uint32_t number)
{
	struct host *h = &e->hosts.host[number];
	struct touched *l = &e->point[h->point].dirty;

	if (h->flags & HOST_DIRTY)
		return;
	h->flags |= HOST_DIRTY;
	h->dirty = l->n;
	l->number[l->n++] = number;
}

static void
unmark(struct engine *e, uint32_t number)
{
	struct host *h = &e->hosts.host[number];
	struct touched *l = &e->point[h->point].dirty;
	uint32_t last;

	if (!(h->flags & HOST_DIRTY))
		return;
	last = l->number[--l->n];
	l->number[h->dirty] = last;
	e->hosts.host[last].dirty = h->dirty;
	h->flags &= (uint8_t)~HOST_DIRTY;
}

static void
gone(void *ctx, uint32_t number)
{
	struct engine *e = ctx;
	struct host *h = &e->hosts.host[number];

	unmark(e, number);
	if (h->flows > 0)
		e->point[h->point].hosts--;
}

void
hosts_of_flow(struct engine *e, struct point *p, struct flow *f)
{
	for (unsigned side = 0; side < 2; side++) {
		struct host_key key = key_of_end(e, f, side);
		uint32_t n = host_get(&e->hosts, &key, p->index, gone, e);
		struct host *h = &e->hosts.host[n];

		f->host[side] = n;
		if (h->flows++ == 0)
			e->point[h->point].hosts++;
		if (h->geo != geo_generation(e->geo)) /* looked up when store is told, once a second */
			hosts_mark(e, n);
	}
}

void
hosts_prefetch_index(const struct engine *e, const struct point *p, const struct packet *k,
		     uint32_t hash[static 2])
{
	for (unsigned i = 0; i < 2; i++) {
		struct host_key key = key_of(p, &k->key.ip[i], k->key.vlan[0]);

		hash[i] = host_prefetch_index(&e->hosts, &key);
	}
}

void
hosts_release(struct engine *e, struct flow *f)
{
	for (unsigned side = 0; side < 2; side++) {
		struct host_key key = key_of_end(e, f, side);
		struct host *h;

		if (!host_is(&e->hosts, f->host[side], &key))
			continue;
		h = &e->hosts.host[f->host[side]];
		h->flags |= HOST_WARM;
		if (h->flows > 0 && --h->flows == 0)
			e->point[h->point].hosts--;
	}
}

void
hosts_learn(struct engine *e, const struct point *p, unsigned kind, const struct ip_addr *ip, uint16_t vlan,
	    const struct ip_addr *from, const struct ip_addr *to, const char *text, size_t len)
{
	struct learned_key key = { .ip = *ip,
				   .end = { *from, *to },
				   .vlan = vlan,
				   .kind = (uint8_t)kind,
				   .point = (uint8_t)p->index };

	learned_add(&e->learned, &key, text, len, p->now_ns);
}

/* Whoever sends ARP says which address it has; an address of zeros asks whether anybody has one. */
static void
take_arp(struct device_key *key, const struct arp *a)
{
	static const uint8_t none[4];

	memcpy(key->mac, a->sender_mac, sizeof(key->mac));
	if (memcmp(a->sender_ip, none, sizeof(none)) == 0)
		return;
	key->ip = ip_from_v4(a->sender_ip);
	key->has_ip = 1;
}

void
hosts_frame(struct engine *e, const struct point *p, const struct packet *k)
{
	static const uint8_t nobody[6]; /* loopback's frames, and those of tunnels' ends, have no sender */
	struct device_key key = { .vlan = k->key.vlan[0], .point = (uint8_t)p->index };
	struct device *d;
	struct arp arp;
	bool is_arp;

	if (k->mac == NULL)
		return;
	memcpy(key.mac, k->mac + 6, sizeof(key.mac));
	is_arp = packet_arp(k, &arp);
	if (is_arp)
		take_arp(&key, &arp);
	if ((key.mac[0] & 1) != 0 || memcmp(key.mac, nobody, sizeof(nobody)) == 0) /* no group sends */
		return;
	d = device_seen(&e->devices, &key, p->now_ns);
	d->frames++;
	d->bytes += k->wire_len;
	if (is_arp) {
		d->arp_requests += arp.operation == ARP_REQUEST;
		d->arp_replies += arp.operation == ARP_REPLY;
	}
}

/* --- where hosts belong in the world
 * ------------------------------------------------------------------------------------ */

static void
set_text(struct engine *e, uint32_t *text, const char *to, size_t len)
{
	text_drop(&e->texts, *text);
	*text = text_hold(&e->texts, to, len);
}

void
hosts_locate(struct engine *e, uint32_t number)
{
	struct host *h = &e->hosts.host[number];
	struct geo_place place;

	if (h->geo == geo_generation(e->geo))
		return;
	geo_find(e->geo, &h->key.ip, &place);
	h->geo = geo_generation(e->geo);
	h->as_number = place.as_number;
	memcpy(h->country, place.country, sizeof(h->country));
	set_text(e, &h->as_name, place.as_name, place.as_name_len);
	set_text(e, &h->city, place.city, place.city_len);
}

uint32_t
hosts_as(struct engine *e, const struct flow *f, unsigned side)
{
	struct host_key key = key_of_end(e, f, side);

	if (geo_generation(e->geo) == 0 || !host_is(&e->hosts, f->host[side], &key))
		return 0;
	hosts_locate(e, f->host[side]);
	return e->hosts.host[f->host[side]].as_number;
}

void
hosts_take_geo(struct engine *e, unsigned index, int fd)
{
	const struct settings *s = &e->boot->settings;

	if (geo_take(e->geo, index, fd, index < s->geoip_files.n ? s->geoip_files.item[index] : "a file"))
		e->resync_host = 0;
}

/* --- telling
 * ------------------------------------------------------------------------------------------------------------
 */

enum told {
	TOLD_ALL,
	TOLD_LATER /* in this second */,
	TOLD_NEXT /* the ring is nearly full: the next second's occasion */
};

static enum told
tell_learned(struct engine *e, const struct point *p, unsigned *budget)
{
	const struct learned *l;

	for (; (l = learned_untold(&e->learned)) != NULL; --*budget) {
		if (*budget == 0 || !engine_ready(e, p))
			return TOLD_LATER;
		if (!report_learned(e, l, !p->live))
			return TOLD_NEXT;
		learned_was_told(&e->learned);
	}
	return TOLD_ALL;
}

static enum told
tell_devices(struct engine *e, const struct point *p, unsigned *budget)
{
	struct device *d;

	for (; (d = device_changed(&e->devices)) != NULL; --*budget) {
		if (*budget == 0 || !engine_ready(e, p))
			return TOLD_LATER;
		if (!report_device(e, d, !p->live))
			return TOLD_NEXT;
		device_was_told(&e->devices, d);
	}
	return TOLD_ALL;
}

static enum told
tell_hosts(struct engine *e, struct point *p, unsigned *budget)
{
	for (; p->dirty.n > 0; --*budget) {
		uint32_t n = p->dirty.number[p->dirty.n - 1];

		if (*budget == 0 || !engine_ready(e, p))
			return TOLD_LATER;
		if (!report_host(e, n, !p->live))
			return TOLD_NEXT;
		unmark(e, n);
	}
	return TOLD_ALL;
}

bool
hosts_tell(struct engine *e, struct point *p, unsigned budget)
{
	enum told told = tell_learned(e, p, &budget);

	if (told == TOLD_ALL)
		told = tell_devices(e, p, &budget);
	if (told == TOLD_ALL)
		told = tell_hosts(e, p, &budget);
	return told != TOLD_LATER;
}

bool
hosts_tell_again(struct engine *e, unsigned *budget)
{
	const struct learned *l;
	struct device *d;

	for (; *budget > 0 && (l = learned_untold(&e->learned)) != NULL; --*budget) {
		if (!report_learned(e, l, false))
			return false;
		learned_was_told(&e->learned);
	}
	for (; *budget > 0 && (d = device_changed(&e->devices)) != NULL; --*budget) {
		if (!report_device(e, d, false))
			return false;
		device_was_told(&e->devices, d);
	}
	return *budget > 0;
}
