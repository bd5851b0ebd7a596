/* What captures, other engines, store and the launcher send to an engine: rings and their pages, files,
 * counters; the rings are read as far as they go. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "ipc/ring.h"
#include "ipc/wire.h"
#include "receiver.h"
#include "run.h"
#include "serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BATCHES_MAX 64
#define UNTAKEN_MAX 16384 /* bytes in a ring that nobody takes */

static struct server s;

/* A number that is its sender's, mostly. */
static uint32_t
mend(uint32_t said, uint32_t right)
{
	return said % 4 == 3 ? said : right;
}

/* They say who they are, mostly. */
static void
make_good(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory)
{
	uint32_t worker = id == MSG_FRAME_RING || id == MSG_FRAME_RING_TAKEN ? channel_instance(from) : 0;
	struct wire_ring_offer o;
	struct wire_ring_taken t;
	struct wire_counters c;

	(void)memory;
	if (id == MSG_PACKET_RING || id == MSG_FRAME_RING) {
		memcpy(&o, body, sizeof(o));
		o.point = mend(o.point, 1);
		o.worker = mend(o.worker, worker);
		memcpy(body, &o, sizeof(o));
	} else if (id == MSG_RECORD_RING_TAKEN || id == MSG_FRAME_RING_TAKEN) {
		memcpy(&t, body, sizeof(t));
		t.worker = mend(t.worker, worker);
		memcpy(body, &t, sizeof(t));
	} else if (id == MSG_CAPTURE_TOLD) {
		memcpy(&c, body, sizeof(c));
		c.proc = mend(c.proc, PROC_CAPTURE);
		c.instance = mend(c.instance, channel_instance(from));
		memcpy(body, &c, sizeof(c));
	}
	(void)len;
}

static void
turn(void)
{
	for (unsigned i = 0; i < s.e->npoints; i++)
		for (unsigned n = 0; n < BATCHES_MAX && point_work(s.e, &s.e->point[i]) == WORK_DONE; n++)
			;
	for (unsigned n = 0; n < BATCHES_MAX && handover_work(s.e) == WORK_DONE; n++)
		;
	serve_after_turn(&s);
}

static void
begin_ring(struct ring_producer **ring, size_t bytes, int *offer_fd)
{
	ring_producer_free(ring);
	fd_drop(offer_fd);
	*ring = ring_producer_new(bytes, offer_fd);
	if (*ring == NULL)
		abort();
}

/* Nobody takes what is said to store and to the other worker, and each time that they come again all of it
 * would be carried over: full rings would be nearly all that there is to do. */
static void
take_what_was_said(void)
{
	struct records *r = &s.e->records;
	struct handover_peer *p = &s.e->handover.peer[1];

	if (ring_producer_used(r->ring) > UNTAKEN_MAX) {
		begin_ring(&r->ring, r->size, &r->offer_fd);
		r->attached = false;
	}
	if (ring_producer_used(p->out) > UNTAKEN_MAX) {
		begin_ring(&p->out, s.e->handover.ring_bytes, &p->offer_fd);
		p->attached = false;
	}
}

static void
open_engine(void)
{
	struct boot *b = receiver_boot(PROC_ENGINE);

	b->settings.max_flows = 1024;
	b->settings.max_hosts = 1024;
	b->settings.workers = 2;
	b->settings.record_ring = 1 << 21;
	b->settings.handover_ring = 1 << 21;
	b->npoints = 1;
	b->points[0] = (struct boot_point){ .id = 1, .kind = POINT_INTERFACE, .name = "eth0" };
	run_init(&s, engine_new(b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks hooks = { .before = make_good, .after = turn };

	if (s.e == NULL)
		open_engine();
	receiver_run(&hooks, data, size);
	take_what_was_said();
	return 0;
}
