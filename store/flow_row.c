/*
 * The row layout: a version byte, a byte of what is present, then the fields in a fixed order, mostly
 * varints. Version 2 has breed, latency and attributes at its end.
 */
#include "flow_row.h"

#include <string.h>

#include "ipc/attribute.h"
#include "varint.h"

enum part { PART_MAC = 1, PART_TCP = 2, PART_EXPORT = 4, PART_VLAN = 8, PART_ICMP = 16, PART_V6 = 32 };

static bool
all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i] != 0)
			return false;
	return true;
}

static uint8_t
parts_of(const struct rec_flow *f)
{
	unsigned p = 0;

	p |= all_zero(f->mac, sizeof(f->mac)) ? 0 : PART_MAC;
	p |= all_zero(&f->tcp, sizeof(f->tcp)) ? 0 : PART_TCP;
	p |= all_zero(f->vlan, sizeof(f->vlan)) ? 0 : PART_VLAN;
	p |= f->icmp_type == 0 && f->icmp_code == 0 ? 0 : PART_ICMP;
	p |= ip_is_v4(&f->ip[CLIENT]) && ip_is_v4(&f->ip[SERVER]) ? 0 : PART_V6;
	p |= all_zero(&f->exporter, sizeof(f->exporter)) && all_zero(&f->next_hop, sizeof(f->next_hop)) &&
		     f->in_interface == 0 && f->out_interface == 0 && f->sampling_rate == 0 &&
		     f->as_number[0] == 0 && f->as_number[1] == 0
		 ? 0
		 : PART_EXPORT;
	return (uint8_t)p;
}

static void
put_tcp(struct wcur *c, const struct flow_tcp *t)
{
	for (int s = CLIENT; s <= SERVER; s++) {
		wcur_u8(c, t->flags[s]);
		varint_put(c, t->retransmissions[s]);
		varint_put(c, t->out_of_order[s]);
		varint_put(c, t->lost[s]);
		varint_put(c, t->zero_windows[s]);
		varint_put(c, t->handshake_us[s]);
	}
}

static void
get_tcp(struct rcur *c, struct flow_tcp *t)
{
	for (int s = CLIENT; s <= SERVER; s++) {
		t->flags[s] = rcur_u8(c);
		t->retransmissions[s] = (uint32_t)varint_below(c, UINT32_MAX);
		t->out_of_order[s] = (uint32_t)varint_below(c, UINT32_MAX);
		t->lost[s] = (uint32_t)varint_below(c, UINT32_MAX);
		t->zero_windows[s] = (uint32_t)varint_below(c, UINT32_MAX);
		t->handshake_us[s] = (uint32_t)varint_below(c, UINT32_MAX);
	}
}

static void
put_export(struct wcur *c, const struct rec_flow *f)
{
	wcur_put(c, &f->exporter, sizeof(f->exporter));
	wcur_put(c, &f->next_hop, sizeof(f->next_hop));
	varint_put(c, f->in_interface);
	varint_put(c, f->out_interface);
	varint_put(c, f->sampling_rate);
	varint_put(c, f->as_number[0]);
	varint_put(c, f->as_number[1]);
}

static void
get_export(struct rcur *c, struct rec_flow *f)
{
	rcur_copy(c, &f->exporter, sizeof(f->exporter));
	rcur_copy(c, &f->next_hop, sizeof(f->next_hop));
	f->in_interface = (uint32_t)varint_below(c, UINT32_MAX);
	f->out_interface = (uint32_t)varint_below(c, UINT32_MAX);
	f->sampling_rate = (uint32_t)varint_below(c, UINT32_MAX);
	f->as_number[0] = (uint32_t)varint_below(c, UINT32_MAX);
	f->as_number[1] = (uint32_t)varint_below(c, UINT32_MAX);
}

static void
put_addresses(struct wcur *c, const struct rec_flow *f, bool v6)
{
	for (int s = CLIENT; s <= SERVER; s++) {
		wcur_put(c, v6 ? f->ip[s].b : f->ip[s].b + 12, v6 ? 16 : 4);
		varint_put(c, f->port[s]);
	}
}

static void
get_addresses(struct rcur *c, struct rec_flow *f, bool v6)
{
	for (int s = CLIENT; s <= SERVER; s++) {
		const uint8_t *b = rcur_take(c, v6 ? 16 : 4);

		if (b != NULL && v6)
			memcpy(f->ip[s].b, b, 16);
		else if (b != NULL)
			f->ip[s] = ip_from_v4(b);
		f->port[s] = (uint16_t)varint_below(c, UINT16_MAX);
	}
}

static void
put_counts(struct wcur *c, const struct flow_counters *n)
{
	for (int s = CLIENT; s <= SERVER; s++) {
		varint_put(c, n->bytes[s]);
		varint_put(c, n->packets[s]);
		varint_put(c, n->payload[s]);
	}
}

static void
get_counts(struct rcur *c, struct flow_counters *n)
{
	for (int s = CLIENT; s <= SERVER; s++) {
		n->bytes[s] = varint_get(c);
		n->packets[s] = varint_get(c);
		n->payload[s] = varint_get(c);
	}
}

size_t
flow_row_encode(const struct rec_flow *f, const struct flow_texts *texts, uint8_t out[static FLOW_ROW_MAX])
{
	struct wcur c = wcur_of(out, FLOW_ROW_MAX);
	uint8_t parts = parts_of(f);

	wcur_u8(&c, FLOW_ROW_VERSION);
	wcur_u8(&c, parts);
	varint_put(&c, f->point);
	varint_put(&c, f->space);
	/* Both are at most last_ns: ingest sees to it. */
	varint_put(&c, (uint64_t)(f->last_ns - f->first_ns));
	varint_put(&c, (uint64_t)(f->last_ns - f->slice_ns));
	const uint8_t fixed[] = { f->protocol,   f->tunnel,     f->state,      f->end_reason,
				  f->confidence, f->dpi_done,   f->ttl_min[0], f->ttl_min[1],
				  f->ttl_max[0], f->ttl_max[1], f->dscp[0],    f->dscp[1] };

	wcur_put(&c, fixed, sizeof(fixed));
	put_addresses(&c, f, (parts & PART_V6) != 0);
	put_counts(&c, &f->count);
	varint_put(&c, f->application);
	varint_put(&c, f->category);
	varint_put(&c, f->score);
	varint_put(&c, f->risks);
	if (parts & PART_VLAN)
		wcur_put(&c, f->vlan, sizeof(f->vlan));
	if (parts & PART_ICMP) {
		wcur_u8(&c, f->icmp_type);
		wcur_u8(&c, f->icmp_code);
	}
	if (parts & PART_MAC)
		wcur_put(&c, f->mac, sizeof(f->mac));
	if (parts & PART_TCP)
		put_tcp(&c, &f->tcp);
	if (parts & PART_EXPORT)
		put_export(&c, f);
	varint_put(&c, f->server_name_len);
	wcur_put(&c, texts->server_name, f->server_name_len);
	varint_put(&c, f->info_len);
	wcur_put(&c, texts->info, f->info_len);
	wcur_u8(&c, f->breed);
	varint_put(&c, f->latency_us);
	varint_put(&c, f->attributes_len);
	wcur_put(&c, texts->attributes, f->attributes_len);
	return c.bad ? 0 : wcur_len(&c);
}

static void
get_fixed(struct rcur *c, struct rec_flow *f)
{
	const uint8_t *b = rcur_take(c, 12);

	if (b == NULL)
		return;
	f->protocol = b[0];
	f->tunnel = b[1];
	f->state = b[2];
	f->end_reason = b[3];
	f->confidence = b[4];
	f->dpi_done = b[5];
	memcpy(f->ttl_min, b + 6, 2);
	memcpy(f->ttl_max, b + 8, 2);
	memcpy(f->dscp, b + 10, 2);
}

bool
flow_row_decode(const uint8_t *row, size_t len, struct kept_flow *k)
{
	struct rcur c = rcur_of(row, len);
	struct rec_flow *f = &k->f;

	uint8_t version = rcur_u8(&c);

	if (version == 0 || version > FLOW_ROW_VERSION)
		return false;

	uint8_t parts = rcur_u8(&c);

	f->point = (uint32_t)varint_below(&c, UINT32_MAX);
	f->space = (uint32_t)varint_below(&c, UINT32_MAX);
	f->first_ns = f->last_ns - (int64_t)varint_below(&c, (uint64_t)f->last_ns);
	f->slice_ns = f->last_ns - (int64_t)varint_below(&c, (uint64_t)f->last_ns);
	get_fixed(&c, f);
	get_addresses(&c, f, (parts & PART_V6) != 0);
	get_counts(&c, &f->count);
	f->application = (uint16_t)varint_below(&c, UINT16_MAX);
	f->category = (uint16_t)varint_below(&c, UINT16_MAX);
	f->score = (uint16_t)varint_below(&c, UINT16_MAX);
	f->risks = varint_get(&c);
	if (parts & PART_VLAN)
		rcur_copy(&c, f->vlan, sizeof(f->vlan));
	if (parts & PART_ICMP) {
		f->icmp_type = rcur_u8(&c);
		f->icmp_code = rcur_u8(&c);
	}
	if (parts & PART_MAC)
		rcur_copy(&c, f->mac, sizeof(f->mac));
	if (parts & PART_TCP)
		get_tcp(&c, &f->tcp);
	if (parts & PART_EXPORT)
		get_export(&c, f);
	f->server_name_len = (uint16_t)varint_below(&c, SERVER_NAME_MAX);
	k->texts.server_name = (const char *)rcur_take(&c, f->server_name_len);
	f->info_len = (uint16_t)varint_below(&c, INFO_MAX);
	k->texts.info = (const char *)rcur_take(&c, f->info_len);
	if (version == 1)
		return !c.bad;
	f->breed = rcur_u8(&c);
	f->latency_us = (uint32_t)varint_below(&c, UINT32_MAX);
	f->attributes_len = (uint16_t)varint_below(&c, ATTRIBUTES_MAX);
	k->texts.attributes = rcur_take(&c, f->attributes_len);
	return !c.bad && attributes_are_sane(k->texts.attributes, f->attributes_len);
}
