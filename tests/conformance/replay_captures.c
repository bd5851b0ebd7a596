/*
 * Reader, decoder, nDPI and flow tables over capture files in one process without a sandbox, for valgrind and
 * the sanitizers:
 *
 *   replay_captures FILE...
 *
 * Every frame must end in a flow or as undecoded; damaged files are read up to the damage. Nothing may leak.
 * Exit status 1 where frames are missing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "engine_rig.h"
#include "replay.h"

/* What lane.c keeps of a frame. */
#define KEEP_MAX 65535u

struct tally {
	uint64_t frames, counted, undecoded;
};

static void
feed(struct rig *r, unsigned point, const struct replay_frame *f)
{
	struct point *p = &r->e->point[point];
	struct batch *b = &p->batch;

	batch_clear(b);
	assert(batch_add(b, f->link_type, f->ts_ns, f->wire_len, f->bytes,
			 f->cap_len < KEEP_MAX ? f->cap_len : KEEP_MAX));
	while (b->next < b->n) {
		(void)point_work(r->e, p);
		rig_take(r);
	}
}

static void
replay(struct rig *r, unsigned point, const char *path, struct tally *t)
{
	struct replay_frame f;
	struct file *s = replay_open(path);

	if (s != NULL) {
		while (replay_next(s, path, &f) == 1) {
			feed(r, point, &f);
			t->frames++;
		}
		replay_close(&s);
	}
	rig_finish(r, point);
}

static void
add_up(const struct rig *r, struct tally *t)
{
	for (unsigned i = 0; i < r->nrec[REC_FLOW_END]; i++)
		t->counted += r->end[i].r.count.packets[0] + r->end[i].r.count.packets[1];
	for (unsigned i = 0; i < r->b->npoints; i++)
		t->undecoded += r->e->point[i].undecoded;
}

int
main(int argc, char **argv)
{
	struct tally t = { 0 };

	for (int at = 1; at < argc; at += BOOT_POINTS_MAX) {
		unsigned n = argc - at < BOOT_POINTS_MAX ? (unsigned)(argc - at) : BOOT_POINTS_MAX;
		struct rig *r = rig_prepare(n);

		r->b->settings.dpi = true;
		r->b->settings.max_flows = 16384;
		rig_start(r);
		for (unsigned i = 0; i < n; i++)
			replay(r, i, argv[(unsigned)at + i], &t);
		add_up(r, &t);
		rig_free(r);
	}
	printf("%" PRIu64 " frames, %" PRIu64 " in flows, %" PRIu64 " undecoded\n", t.frames, t.counted,
	       t.undecoded);
	return t.frames == t.counted + t.undecoded ? 0 : 1;
}
