/* Frames out of a packet ring: alone and in blocks, copied as far as they are looked at and no further, never
 * read twice; and entries of a capture that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_rig.h"

#define LONG 1400 /* bytes of a datagram */

static struct world {
	struct rig *r;
	struct point *p;
	struct ring_producer *producer;
} w;

static void
setup(bool dpi)
{
	struct ring_consumer *consumer;

	w.r = rig_prepare(1);
	w.r->b->settings.dpi = dpi;
	rig_start(w.r);
	w.p = &w.r->e->point[0];
	assert_true(ring_pair_in_process(1, &w.producer, &consumer));
	point_up(w.r->e, w.p, consumer);
}

static void
teardown(void)
{
	struct ring_consumer *consumer = w.p->ring;

	w.p->ring = NULL;
	rig_free(w.r);
	ring_consumer_free(&consumer);
	ring_producer_free(&w.producer);
}

/* A datagram of a flow of its own for each port. */
static void
datagram(struct test_frame *f, uint16_t port, uint16_t len)
{
	static char payload[LONG];

	for (unsigned i = 0; i < LONG; i++)
		payload[i] = (char)(i % 97);
	frame_make_udp(f, 0x0a000001, port, 0x0a000002, 9999, payload, len);
}

static struct wire_frame
described(const struct test_frame *f, uint16_t link_type)
{
	return (struct wire_frame){ RIG_T0, frame_len(f), (uint16_t)frame_len(f), link_type };
}

static void
put(uint16_t kind, const void *payload, size_t len)
{
	uint8_t *to = ring_reserve(w.producer, len);

	assert_non_null(to);
	memcpy(to, payload, len);
	ring_commit(w.producer, kind, len);
	(void)ring_publish(w.producer);
}

static void
put_frame(const struct test_frame *f)
{
	uint8_t entry[sizeof(struct wire_frame) + sizeof(f->bytes)];
	struct wire_frame h = described(f, 1);

	memcpy(entry, &h, sizeof(h));
	memcpy(entry + sizeof(h), f->bytes, frame_len(f));
	put(FRAME_DATA, entry, sizeof(h) + frame_len(f));
}

static void
put_end(void)
{
	struct wire_frame_end end = { 0 };

	put(FRAME_END, &end, sizeof(end));
}

/* A block in the making. */
struct making {
	uint8_t entry[RING_ENTRY_MAX];
	struct wire_block_frame table[600];
	struct wire_block head;
	size_t len;
};

static struct making m;

static void
make(void)
{
	memset(&m, 0, sizeof(m));
	m.len = sizeof(m.head);
}

static void
make_frame(const struct test_frame *f, uint16_t link_type)
{
	m.len += 16; /* what stands between frames in a file */
	m.table[m.head.frames++] =
	    (struct wire_block_frame){ .frame = described(f, link_type), .at = (uint32_t)m.len };
	memcpy(m.entry + m.len, f->bytes, frame_len(f));
	m.len += frame_len(f);
}

static void
put_block(void)
{
	size_t table = m.head.frames * sizeof(m.table[0]);

	m.len = (m.len + 7) & ~(size_t)7;
	if (m.head.table == 0)
		m.head.table = (uint32_t)m.len;
	memcpy(m.entry, &m.head, sizeof(m.head));
	memcpy(m.entry + m.len, m.table, table);
	put(FRAME_BLOCK, m.entry, m.len + table);
}

static void
work(void)
{
	while (point_work(w.r->e, w.p) == WORK_DONE && !w.p->ended)
		rig_take(w.r);
	rig_take(w.r);
}

/* 500 frames of two link types between single ones. */
static void
test_blocks(void **state)
{
	struct test_frame f, raw;

	(void)state;
	setup(false);
	datagram(&f, 1, 10);
	put_frame(&f);
	make();
	for (uint16_t i = 0; i < 250; i++) {
		datagram(&f, (uint16_t)(2 + i), i % 50);
		make_frame(&f, 1);
		frame_begin(&raw);
		frame_ipv4(
		    &raw, (struct test_ip){ .from = 0x0a000001, .to = 0x0a000002, .protocol = 17, .len = 8 });
		frame_udp(&raw, (uint16_t)(2 + i), 8888, 0);
		make_frame(&raw, 101);
	}
	put_block();
	datagram(&f, 300, 10);
	put_frame(&f);
	put_end();
	work();
	assert_true(w.p->ended);
	assert_false(w.p->lied);
	assert_int_equal(w.p->undecoded, 0);
	assert_int_equal(w.p->counted, 502);
	assert_int_equal(w.r->nrec[REC_FLOW_END], 502);
	assert_int_equal(ring_producer_used(w.producer), 0);
	teardown();
}

/* The room of a block is given back when its last frame was dealt with. */
static void
test_release(void **state)
{
	struct test_frame f;

	(void)state;
	setup(false);
	make();
	datagram(&f, 1, 10);
	for (unsigned i = 0; i < BATCH_MAX + 1; i++)
		make_frame(&f, 1);
	put_block();
	assert_int_equal(point_work(w.r->e, w.p), WORK_DONE);
	assert_int_equal(w.p->counted, BATCH_MAX);
	assert_true(ring_producer_used(w.producer) > m.len);
	assert_int_equal(point_work(w.r->e, w.p), WORK_DONE);
	assert_int_equal(w.p->counted, BATCH_MAX + 1);
	assert_int_equal(ring_producer_used(w.producer), 0);
	teardown();
}

/* A capture that changes what it has published: headers are what they were when they were copied. */
static void
test_never_read_twice(void **state)
{
	struct test_frame f;
	uint8_t *entry;

	(void)state;
	setup(false);
	datagram(&f, 7, LONG);
	entry = ring_reserve(w.producer, 100);
	put_frame(&f);
	intake(w.p);
	memset(entry, 0xff, sizeof(struct wire_frame) + frame_len(&f));
	assert_true(point_process(w.r->e, w.p));
	assert_int_equal(w.p->counted, 1);
	assert_int_equal(w.p->count.bytes, frame_len(&f));
	assert_int_equal(w.p->batch.packet[0].key.port[w.p->batch.packet[0].swapped], 7);
	teardown();
}

/* Nothing but the head of a plain frame is copied where nobody asks for more. */
static void
check_rest(bool dpi, uint16_t port, uint16_t len, bool copied)
{
	struct test_frame f;

	setup(dpi);
	datagram(&f, port, len);
	put_frame(&f);
	intake(w.p);
	assert_int_equal(w.p->batch.n, 1);
	assert_int_equal(w.p->batch.frame[0].rest != NULL, frame_len(&f) > FRAME_HEAD);
	assert_true(point_process(w.r->e, w.p));
	assert_int_equal(w.p->batch.frame[0].rest == NULL, copied);
	if (copied)
		assert_memory_equal(w.p->batch.frame[0].bytes, f.bytes, frame_len(&f));
	teardown();
}

static void
test_rest(void **state)
{
	(void)state;
	check_rest(false, 7, 0, true);
	check_rest(false, 7, FRAME_HEAD - 42, true);
	check_rest(false, 7, FRAME_HEAD - 42 + 1, false);
	check_rest(false, 7, LONG, false);
	check_rest(true, 7, LONG, true);
	check_rest(false, 53, LONG, true);   /* names */
	check_rest(false, 4789, LONG, true); /* may be a tunnel */
}

/* --- lies --- */

/* What was put is refused, and what was in front of it counts. */
static void
check_refused(void)
{
	for (int i = 0; i < 10; i++)
		(void)point_work(w.r->e, w.p);
	assert_true(w.p->lied);
	assert_int_equal(w.p->counted, 1);
	teardown();
}

static void
begin_lie(void)
{
	struct test_frame f;

	setup(false);
	datagram(&f, 1, 10);
	put_frame(&f);
	make();
	make_frame(&f, 1);
}

static void
test_lies(void **state)
{
	static const uint16_t kinds[] = { FRAME_DATA, FRAME_BLOCK, FRAME_BEGIN, FRAME_END, 5, 9 };
	const struct wire_frame half = { .cap_len = 60 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		begin_lie();
		put(kinds[i], "short", 5);
		check_refused();
	}
	begin_lie();
	put(FRAME_DATA, &half, sizeof(half));
	check_refused();
	begin_lie(); /* a file's first is said first */
	put(FRAME_BEGIN, &(struct wire_frame_begin){ RIG_T0 }, sizeof(struct wire_frame_begin));
	check_refused();
}

static void
test_lies_of_blocks(void **state)
{
	static const struct {
		uint32_t frames, table, at, cap_len;
	} rows[] = {
		{ 0, 0, 0, 0 },                          /* no frames */
		{ 2, 0, 0, 0 },                          /* more than the table has */
		{ UINT32_MAX, 0, 0, 0 }, { 1, 4, 0, 0 }, /* the table in the head */
		{ 1, 4096, 0, 0 },                       /* ... behind the end */
		{ 1, UINT32_MAX, 0, 0 }, { 1, 0, 4, 0 }, /* a frame in the head */
		{ 1, 0, 25, 0 },                         /* ... that ends in the table */
		{ 1, 0, 0, 1000 },       { 1, 0, UINT32_MAX, 0 }, { 1, 0, UINT32_MAX - 20, 60 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len;

		begin_lie();
		m.len = (m.len + 7) & ~(size_t)7;
		m.head = (struct wire_block){ rows[i].frames,
					      rows[i].table != 0 ? rows[i].table : (uint32_t)m.len };
		if (rows[i].at != 0)
			m.table[0].at = rows[i].at == 25 ? m.table[0].at + 8 : rows[i].at;
		if (rows[i].cap_len != 0)
			m.table[0].frame.cap_len = (uint16_t)rows[i].cap_len;
		memcpy(m.entry, &m.head, sizeof(m.head));
		memcpy(m.entry + m.len, m.table, sizeof(m.table[0]));
		len = m.len + sizeof(m.table[0]);
		put(FRAME_BLOCK, m.entry, len);
		check_refused();
	}
}

static void
test_blocks_are_of_files(void **state)
{
	(void)state;
	begin_lie();
	w.p->live = true;
	put_block();
	check_refused();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_never_read_twice),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_lies_of_blocks),
		cmocka_unit_test(test_blocks_are_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
