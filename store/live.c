/* From records into rows and columns, and back. */
#include "live.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#define TEXTS_PER_SLOT 2 /* chunks: twice that of a name is rare */

static void *
column(uint32_t max, size_t size)
{
	return mem_pages((size_t)max * size);
}

void
live_init(struct live *l, uint32_t slots)
{
	uint32_t rows = slots + 1;

	*l = (struct live){ .max = slots };
	l->flow = mem_pages_small((size_t)rows * sizeof(*l->flow));
	l->tcp = column(rows, sizeof(*l->tcp));
	l->rare = column(rows, sizeof(*l->rare));
	l->second = column(rows, sizeof(*l->second));
	l->uncounted = column(rows, sizeof(*l->uncounted));
	l->texts = texts_new(rows * TEXTS_PER_SLOT);
	l->slots = slots_new(slots);
}

void
live_stays(struct live *l)
{
	mem_pages_merge(l->flow, ((size_t)l->max + 1) * sizeof(*l->flow));
}

void
live_free(struct live *l)
{
	size_t rows = (size_t)l->max + 1;

	munmap(l->flow, rows * sizeof(*l->flow));
	munmap(l->tcp, rows * sizeof(*l->tcp));
	munmap(l->rare, rows * sizeof(*l->rare));
	munmap(l->second, rows * sizeof(*l->second));
	munmap(l->uncounted, rows * sizeof(*l->uncounted));
	texts_free(&l->texts);
	slots_free(&l->slots);
	*l = (struct live){ 0 };
}

void
live_begin(struct live_flow *r, const struct rec_flow *f, uint32_t point)
{
	*r = (struct live_flow){ .generation = f->generation,
				 .point = (uint8_t)point,
				 .flags = LIVE_ACTIVE,
				 .state = f->state,
				 .last_ns = f->last_ns,
				 .ip = { f->ip[CLIENT], f->ip[SERVER] },
				 .vlan = f->vlan[0],
				 .application = f->application,
				 .port = { f->port[CLIENT], f->port[SERVER] },
				 .id = f->id,
				 .first_ns = f->first_ns,
				 .slice = f->slice,
				 .protocol = f->protocol };
	memcpy(r->mac, f->mac, sizeof(r->mac));
}

static bool
is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	return b[0] == 0 && memcmp(b, b + 1, n - 1) == 0;
}

/* More than its flags: who only was tried at has no more. */
static bool
has_tcp(const struct flow_tcp *t)
{
	struct flow_tcp rest = *t;

	memset(rest.flags, 0, sizeof(rest.flags));
	return !is_zero(&rest, sizeof(rest));
}

static bool
has_rare(const struct rec_flow *f)
{
	return f->slice_ns != f->first_ns || (f->vlan[1] | f->vlan[2] | f->vlan[3]) != 0 ||
	       !is_zero(&f->exporter, sizeof(f->exporter)) || !is_zero(&f->next_hop, sizeof(f->next_hop)) ||
	       (f->in_interface | f->out_interface | f->sampling_rate) != 0 ||
	       (f->as_number[CLIENT] | f->as_number[SERVER]) != 0;
}

static void
learn_rare(struct live_rare *x, const struct rec_flow *f)
{
	*x = (struct live_rare){ .slice_ns = f->slice_ns,
				 .exporter = f->exporter,
				 .next_hop = f->next_hop,
				 .in_interface = f->in_interface,
				 .out_interface = f->out_interface,
				 .sampling_rate = f->sampling_rate,
				 .as_number = { f->as_number[CLIENT], f->as_number[SERVER] } };
	memcpy(x->vlan, f->vlan, sizeof(x->vlan));
}

struct lengths {
	uint16_t server_name, info, attributes;
};

static uint32_t
put_text(struct live *l, const struct lengths *n, const char *text, size_t len)
{
	uint8_t bytes[sizeof(*n) + FLOW_TEXT_MAX];

	memcpy(bytes, n, sizeof(*n));
	memcpy(bytes + sizeof(*n), text, len);
	return texts_put(l->texts, bytes, sizeof(*n) + len);
}

static bool
learn_text(struct live *l, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	const struct lengths n = { f->server_name_len, f->info_len, f->attributes_len };
	size_t len = (size_t)n.server_name + n.info + n.attributes;

	texts_drop(l->texts, r->text);
	r->text = len == 0 ? TEXT_NONE : put_text(l, &n, text, len);
	return len == 0 || r->text != TEXT_NONE;
}

static void
set_flag(struct live_flow *r, enum live_flag flag, bool on)
{
	r->flags = (uint8_t)(on ? r->flags | flag : r->flags & ~(unsigned)flag);
}

bool
live_learn(struct live *l, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	uint32_t slot = live_slot(l, r);

	r->state = f->state;
	r->last_ns = f->last_ns;
	r->first_ns = f->first_ns;
	r->risks = f->risks;
	r->latency_us = f->latency_us;
	r->category = f->category;
	r->score = f->score;
	r->tunnel = f->tunnel;
	r->icmp_type = f->icmp_type;
	r->icmp_code = f->icmp_code;
	r->breed = f->breed;
	r->confidence = f->confidence;
	r->dpi_done = f->dpi_done;
	memcpy(r->port, f->port, sizeof(r->port));
	memcpy(r->mac, f->mac, sizeof(r->mac));
	memcpy(r->ttl_min, f->ttl_min, sizeof(r->ttl_min));
	memcpy(r->ttl_max, f->ttl_max, sizeof(r->ttl_max));
	memcpy(r->dscp, f->dscp, sizeof(r->dscp));
	memcpy(r->tcp_flags, f->tcp.flags, sizeof(r->tcp_flags));
	set_flag(r, LIVE_TCP, has_tcp(&f->tcp));
	if (r->flags & LIVE_TCP)
		l->tcp[slot] = f->tcp;
	set_flag(r, LIVE_RARE, has_rare(f));
	if (r->flags & LIVE_RARE)
		learn_rare(&l->rare[slot], f);
	return learn_text(l, r, f, text);
}

bool
live_is_flow(const struct live *l, const struct live_flow *r, const struct rec_flow *f)
{
	static const uint16_t none[FLOW_VLANS - 1];
	const uint16_t *inner = r->flags & LIVE_RARE ? &l->rare[live_slot(l, r)].vlan[1] : none;

	return memcmp(&r->id, &f->id, sizeof(r->id)) == 0 && r->protocol == f->protocol &&
	       memcmp(r->ip, f->ip, sizeof(r->ip)) == 0 && r->vlan == f->vlan[0] &&
	       memcmp(inner, &f->vlan[1], sizeof(none)) == 0;
}

void
live_end(struct live *l, struct live_flow *r)
{
	texts_drop(l->texts, r->text);
	r->text = TEXT_NONE;
	r->flags = 0;
}

void
live_text(const struct live *l, const struct live_flow *r, char out[static FLOW_TEXT_MAX])
{
	uint8_t bytes[sizeof(struct lengths) + FLOW_TEXT_MAX];
	size_t len = texts_get(l->texts, r->text, bytes, sizeof(bytes));

	if (len > sizeof(struct lengths))
		memcpy(out, bytes + sizeof(struct lengths), len - sizeof(struct lengths));
}

static void
record_text(const struct live *l, const struct live_flow *r, struct rec_flow *f)
{
	struct lengths n = { 0 };

	(void)texts_get(l->texts, r->text, &n, sizeof(n));
	f->server_name_len = n.server_name;
	f->info_len = n.info;
	f->attributes_len = n.attributes;
}

static void
record_rare(const struct live_rare *x, struct rec_flow *f)
{
	f->slice_ns = x->slice_ns;
	memcpy(f->vlan, x->vlan, sizeof(f->vlan));
	f->exporter = x->exporter;
	f->next_hop = x->next_hop;
	f->in_interface = x->in_interface;
	f->out_interface = x->out_interface;
	f->sampling_rate = x->sampling_rate;
	memcpy(f->as_number, x->as_number, sizeof(f->as_number));
}

void
live_record(const struct live *l, const struct live_flow *r, const struct points *points, struct rec_flow *f)
{
	const struct boot_point *p = points->point[r->point].boot;
	uint32_t slot = live_slot(l, r);

	*f = (struct rec_flow){ .id = r->id,
				.slot = slot,
				.generation = r->generation,
				.slice = r->slice,
				.point = p->id,
				.space = p->space,
				.vlan = { r->vlan },
				.protocol = r->protocol,
				.tunnel = r->tunnel,
				.state = r->state,
				.icmp_type = r->icmp_type,
				.icmp_code = r->icmp_code,
				.breed = r->breed,
				.latency_us = r->latency_us,
				.first_ns = r->first_ns,
				.slice_ns = r->first_ns,
				.last_ns = r->last_ns,
				.ip = { r->ip[CLIENT], r->ip[SERVER] },
				.port = { r->port[CLIENT], r->port[SERVER] },
				.count = r->count,
				.application = r->application,
				.category = r->category,
				.score = r->score,
				.confidence = r->confidence,
				.dpi_done = r->dpi_done,
				.risks = r->risks };
	memcpy(f->mac, r->mac, sizeof(f->mac));
	memcpy(f->ttl_min, r->ttl_min, sizeof(f->ttl_min));
	memcpy(f->ttl_max, r->ttl_max, sizeof(f->ttl_max));
	memcpy(f->dscp, r->dscp, sizeof(f->dscp));
	memcpy(f->tcp.flags, r->tcp_flags, sizeof(r->tcp_flags));
	if (r->flags & LIVE_TCP)
		f->tcp = l->tcp[slot];
	if (r->flags & LIVE_RARE)
		record_rare(&l->rare[slot], f);
	record_text(l, r, f);
}
