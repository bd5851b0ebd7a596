/* Frames out of a point's ring into its batch: copied once, and only as far as they are looked at. */
#include <string.h>

#include "engine.h"

/* Nothing that was copied out of shared memory is looked at there again. */
#define COPIED() __asm__ volatile("" ::: "memory")

static struct frame *
next_frame(struct batch *b, int64_t ts_ns, uint32_t wire_len, uint32_t cap_len, uint16_t link_type)
{
	struct frame *f = &b->frame[b->n++];

	*f = (struct frame){ .ts_ns = ts_ns,
			     .wire_len = wire_len > cap_len ? wire_len : cap_len,
			     .cap_len = cap_len,
			     .link_type = link_type,
			     .bytes = b->bytes + b->used };
	b->used += (cap_len + 15u) & ~15u;
	return f;
}

bool
batch_add(struct batch *b, uint16_t link_type, int64_t ts_ns, uint32_t wire_len, const uint8_t *bytes,
	  uint32_t cap_len)
{
	if (!batch_has_room(b))
		return false;
	memcpy(next_frame(b, ts_ns, wire_len, cap_len, link_type)->bytes, bytes, cap_len);
	return true;
}

void
batch_clear(struct batch *b)
{
	b->n = b->next = 0;
	b->used = 0;
	b->decoded = false;
}

/* A frame whose bytes lie in the ring. They are asked for here, and copied when all of the batch were. */
static void
note(struct batch *b, const struct wire_frame *w, const uint8_t *bytes)
{
	next_frame(b, w->ts_ns, w->wire_len, w->cap_len, w->link_type)->rest = bytes;
	__builtin_prefetch(bytes);
	__builtin_prefetch(bytes + FRAME_HEAD / 2);
}

static void
copy_heads(struct batch *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		struct frame *f = &b->frame[i];

		if (f->cap_len > FRAME_HEAD) {
			memcpy(f->bytes, f->rest, FRAME_HEAD);
			f->rest += FRAME_HEAD;
		} else {
			memcpy(f->bytes, f->rest, f->cap_len);
			f->rest = NULL;
		}
	}
	COPIED();
}

void
frame_complete(struct frame *f)
{
	if (f->rest == NULL)
		return;
	memcpy(f->bytes + FRAME_HEAD, f->rest, f->cap_len - FRAME_HEAD);
	COPIED();
	f->rest = NULL;
}

/* --- entries. False: the capture broke a rule. --- */

static bool
take_data(struct point *p, const uint8_t *entry, uint32_t len)
{
	struct wire_frame w;

	if (len < sizeof(w))
		return false;
	memcpy(&w, entry, sizeof(w));
	COPIED();
	if (w.cap_len != len - sizeof(w))
		return false;
	note(&p->batch, &w, entry + sizeof(w));
	return true;
}

static bool
take_begin(struct point *p, const uint8_t *entry, uint32_t len)
{
	struct wire_frame_begin w;

	if (len != sizeof(w) || p->live || p->now_ns != 0 || p->batch.n != 0)
		return false;
	memcpy(&w, entry, sizeof(w));
	p->begin_ns = w.first_ns;
	return true;
}

static bool
take_end(struct point *p, const uint8_t *entry, uint32_t len)
{
	if (len != sizeof(p->end) || p->live)
		return false;
	memcpy(&p->end, entry, sizeof(p->end));
	p->ending = true;
	return true;
}

static bool
take_block(struct point *p, const uint8_t *entry, uint32_t len, uint64_t position)
{
	struct wire_block w;

	if (len < sizeof(w) || p->live)
		return false;
	memcpy(&w, entry, sizeof(w));
	COPIED();
	if (w.frames == 0 || w.table < sizeof(w) || w.table > len ||
	    w.frames > (len - w.table) / sizeof(struct wire_block_frame))
		return false;
	p->block = (struct block){ entry, w.table, w.frames, 0, position };
	return true;
}

static bool
take_of_block(struct point *p)
{
	struct block *b = &p->block;
	struct wire_block_frame w;

	memcpy(&w, b->entry + b->table + b->next * sizeof(w), sizeof(w));
	COPIED();
	if (w.at < sizeof(struct wire_block) || w.at > b->table || w.frame.cap_len > b->table - w.at)
		return false;
	b->next++;
	note(&p->batch, &w.frame, b->entry + w.at);
	return true;
}

static bool
take_entry(struct point *p, const uint8_t *entry, uint16_t kind, uint32_t len, uint64_t position)
{
	switch (kind) {
	case FRAME_DATA:
		return take_data(p, entry, len);
	case FRAME_BLOCK:
		return take_block(p, entry, len, position);
	case FRAME_BEGIN:
		return take_begin(p, entry, len);
	case FRAME_END:
		return take_end(p, entry, len);
	default:
		return false;
	}
}

void
intake(struct point *p)
{
	struct batch *b = &p->batch;

	batch_clear(b);
	while (batch_has_room(b) && !p->ending && !p->lied) {
		uint64_t position = ring_position(p->ring);
		const uint8_t *entry;
		uint16_t kind;
		uint32_t len;
		int got;

		if (p->block.next < p->block.n) {
			p->lied = !take_of_block(p);
			continue;
		}
		got = ring_look(p->ring, &entry, &kind, &len);
		if (got == 0)
			break;
		p->lied = got < 0 || !take_entry(p, entry, kind, len, position);
	}
	copy_heads(b);
}

void
intake_release(struct point *p)
{
	const struct block *b = &p->block;

	if (p->ring != NULL)
		p->nudge |= ring_release(p->ring, b->next < b->n ? b->position : ring_position(p->ring));
}
