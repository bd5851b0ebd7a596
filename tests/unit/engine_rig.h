/* A whole engine without processes: frames in at one end, records out at the other. */
#ifndef WEIR_TESTS_ENGINE_RIG_H
#define WEIR_TESTS_ENGINE_RIG_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine.h"
#include "engine_frame.h"

#define RIG_T0 (INT64_C(1700000000) * NS_PER_S)

struct rig_flow {
	struct rec_flow r;
	char name[256], info[256];
	uint8_t attributes[ATTRIBUTES_MAX];
};

struct rig {
	struct boot *b;
	struct engine *e;
	struct ring_consumer *c;
	bool hold; /* do not release: the ring fills */
	unsigned nrec[REC_KIND_COUNT];
	struct rig_flow *end, *open;
	struct rec_flow_count *count;
	struct rec_second *second;
	struct rec_host *host;
	char (*host_text)[2 * UINT8_MAX + 1]; /* name of the AS, then city */
	struct rec_learned *learned;
	char (*learned_text)[256];
	struct rec_device *device;
	struct rec_point *point;
	struct rec_drops *drops;
	char names[NAME_KIND_COUNT][NAME_NUMBER_MAX][NAME_TEXT_MAX + 1];
	uint16_t last_kind;
	/* All records in the order of the ring: the how manieth of its kind. */
	struct rig_place {
		uint16_t kind;
		unsigned n;
	} * place;
	unsigned nplaces;
	/* OPEN before COUNT, on this ring */
	uint32_t opened[65536];
};

static inline struct rig *
rig_prepare(unsigned points)
{
	struct rig *r = mem_calloc(1, sizeof(*r));

	r->b = mem_calloc(1, sizeof(*r->b));
	settings_default(&r->b->settings);
	r->b->settings.max_flows = 1024;
	r->b->settings.max_hosts = 1024;
	r->b->settings.dpi = false;
	r->b->settings.idle_timeout_ms = 60000;
	r->b->settings.record_ring = 16 << 20;
	r->b->node = 0x01020304;
	r->b->boot = 7;
	r->b->flags = BOOT_ANALYZE;
	r->b->npoints = points;
	for (unsigned i = 0; i < points; i++) {
		r->b->points[i].id = 10 + i;
		r->b->points[i].space = i;
		r->b->points[i].kind = POINT_FILE;
	}
	return r;
}

static inline void
rig_attach(struct rig *r)
{
	int page = -1;

	ring_consumer_free(&r->c);
	r->c = ring_consumer_new(records_offer(&r->e->records), &page);
	assert(r->c != NULL);
	assert(ring_producer_attach(r->e->records.ring, page));
	r->e->records.attached = true;
}

static inline void
rig_start(struct rig *r)
{
	r->e = engine_new(r->b);
	rig_attach(r);
	for (unsigned i = 0; i < r->b->npoints; i++) {
		r->e->point[i].state = POINT_UP;
	}
}

static inline struct rig *
rig_new(void)
{
	struct rig *r = rig_prepare(1);

	rig_start(r);
	return r;
}

static inline void
rig_free(struct rig *r)
{
	engine_free(&r->e);
	ring_consumer_free(&r->c);
	free(r->end);
	free(r->open);
	free(r->count);
	free(r->second);
	free(r->host);
	free(r->host_text);
	free(r->learned);
	free(r->learned_text);
	free(r->device);
	free(r->point);
	free(r->drops);
	free(r->place);
	free(r->b);
	free(r);
}

/* Room doubles, so that n entries cost n. */
#define RIG_GROW(array, n)                                                                                   \
	do {                                                                                                 \
		if (((n) & ((n)-1)) == 0)                                                                    \
			(array) =                                                                            \
			    mem_reallocarray((array), (n) == 0 ? 1 : 2 * (size_t)(n), sizeof(*(array)));     \
	} while (0)
#define RIG_APPEND(array, n, value)                                                                          \
	do {                                                                                                 \
		RIG_GROW(array, n);                                                                          \
		(array)[n] = (value);                                                                        \
	} while (0)

static inline struct rig_flow
rig_flow(const uint8_t *buf, uint32_t len)
{
	struct rig_flow f;

	memset(&f, 0, sizeof(f));
	assert(len >= sizeof(f.r));
	memcpy(&f.r, buf, sizeof(f.r));
	assert(len == sizeof(f.r) + f.r.server_name_len + f.r.info_len + f.r.attributes_len);
	memcpy(f.name, buf + sizeof(f.r), f.r.server_name_len);
	memcpy(f.info, buf + sizeof(f.r) + f.r.server_name_len, f.r.info_len);
	memcpy(f.attributes, buf + sizeof(f.r) + f.r.server_name_len + f.r.info_len, f.r.attributes_len);
	return f;
}

static inline void
rig_record(struct rig *r, uint16_t kind, const uint8_t *buf, uint32_t len)
{
	unsigned n = r->nrec[kind]++;
	struct rec_flow_count c;
	struct rec_second s;
	struct rec_point p;
	struct rec_drops d;
	struct rec_host h;
	struct rec_learned learned;
	struct rec_device device;
	struct rec_name name;

	r->last_kind = kind;
	RIG_APPEND(r->place, r->nplaces, ((struct rig_place){ kind, n }));
	r->nplaces++;
	switch (kind) {
	case REC_NAME:
		memcpy(&name, buf, sizeof(name));
		assert(len == sizeof(name) + name.len);
		memcpy(r->names[name.kind][name.number], buf + sizeof(name), name.len);
		break;
	case REC_FLOW_OPEN:
		RIG_APPEND(r->open, n, rig_flow(buf, len));
		assert(r->open[n].r.slot < 65536);
		r->opened[r->open[n].r.slot] = r->open[n].r.generation;
		break;
	case REC_FLOW_END:
		RIG_APPEND(r->end, n, rig_flow(buf, len));
		assert(r->end[n].r.end_reason != END_NONE);
		break;
	case REC_FLOW_COUNT:
		assert(len == sizeof(c));
		memcpy(&c, buf, sizeof(c));
		assert(r->opened[c.slot] == c.generation);
		RIG_APPEND(r->count, n, c);
		break;
	case REC_SECOND:
		memcpy(&s, buf, sizeof(s));
		RIG_APPEND(r->second, n, s);
		break;
	case REC_HOST:
		memcpy(&h, buf, sizeof(h));
		RIG_APPEND(r->host, n, h);
		RIG_GROW(r->host_text, n);
		memset(r->host_text[n], 0, sizeof(r->host_text[n]));
		assert(len == sizeof(h) + h.as_name_len + h.city_len);
		memcpy(r->host_text[n], buf + sizeof(h), len - sizeof(h));
		break;
	case REC_LEARNED:
		memcpy(&learned, buf, sizeof(learned));
		RIG_APPEND(r->learned, n, learned);
		RIG_GROW(r->learned_text, n);
		memset(r->learned_text[n], 0, sizeof(r->learned_text[n]));
		assert(learned.len > 0 && len == sizeof(learned) + learned.len);
		memcpy(r->learned_text[n], buf + sizeof(learned), learned.len);
		break;
	case REC_DEVICE:
		assert(len == sizeof(device));
		memcpy(&device, buf, sizeof(device));
		RIG_APPEND(r->device, n, device);
		break;
	case REC_POINT:
		memcpy(&p, buf, sizeof(p));
		RIG_APPEND(r->point, n, p);
		break;
	case REC_DROPS:
		memcpy(&d, buf, sizeof(d));
		RIG_APPEND(r->drops, n, d);
		break;
	default:
		abort(); /* a record of an unknown kind */
	}
}

/* Takes what store would take. */
static inline void
rig_take(struct rig *r)
{
	static uint8_t buf[RING_ENTRY_MAX];
	uint16_t kind;
	uint32_t len;
	int got;

	records_publish(&r->e->records);
	if (r->hold)
		return;
	while ((got = ring_take(r->c, buf, sizeof(buf), &kind, &len)) == 1)
		rig_record(r, kind, buf, len);
	assert(got == 0);
	ring_release(r->c, ring_position(r->c));
}

static inline void
rig_batch(struct rig *r, unsigned point, int64_t t_ns, const struct test_frame *f)
{
	struct batch *b = &r->e->point[point].batch;

	if (b->next == b->n)
		batch_clear(b);
	assert(batch_add(b, 1, t_ns, frame_len(f), f->bytes, frame_len(f)));
}

/* One frame, processed at once. */
static inline void
rig_frame(struct rig *r, unsigned point, int64_t t_ns, const struct test_frame *f)
{
	struct point *p = &r->e->point[point];

	rig_batch(r, point, t_ns, f);
	while (p->batch.next < p->batch.n) {
		(void)point_work(r->e, p);
		rig_take(r);
		if (r->hold)
			break;
	}
}

/* The file ends: everything is reported. */
static inline void
rig_finish(struct rig *r, unsigned point)
{
	struct point *p = &r->e->point[point];

	p->ending = true;
	while (!p->ended) {
		(void)point_work(r->e, p);
		rig_take(r);
	}
	rig_take(r);
}

#endif
