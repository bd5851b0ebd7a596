/* The record ring, its names, its successor. */
#include "records.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* What an entry costs in the ring beside its payload, alignment included. */
#define ENTRY_COST 16

static void
new_ring(struct records *r)
{
	r->ring = ring_producer_new(r->size, &r->offer_fd);
	if (r->ring == NULL)
		fatal("record ring of %zu bytes", r->size);
	r->epoch = (uint8_t)(r->epoch == UINT8_MAX ? 1 : r->epoch + 1);
	r->announced = 0;
	r->changes++;
	r->attached = false;
}

void
records_init(struct records *r, size_t bytes)
{
	memset(r, 0, sizeof(*r));
	r->size = bytes;
	r->name = mem_calloc(RECORDS_NAMES_MAX, sizeof(*r->name));
	new_ring(r);
}

void
records_free(struct records *r)
{
	ring_producer_free(&r->ring);
	if (r->offer_fd != -1)
		close(r->offer_fd);
	r->offer_fd = -1;
	free(r->name);
	r->name = NULL;
}

static bool
put(struct records *r, enum record_kind kind, const void *rec, size_t len, const char *a, size_t alen,
    const char *b, size_t blen)
{
	uint8_t *p = ring_reserve(r->ring, len + alen + blen);

	r->changes++;
	if (p == NULL)
		return false;
	memcpy(p, rec, len);
	if (alen > 0)
		memcpy(p + len, a, alen);
	if (blen > 0)
		memcpy(p + len + alen, b, blen);
	ring_commit(r->ring, (uint16_t)kind, len + alen + blen);
	return true;
}

static bool
announce(struct records *r)
{
	while (r->announced < r->nnames) {
		const struct records_name *n = &r->name[r->announced];

		if (!put(r, REC_NAME, &n->name, sizeof(n->name), n->text, n->name.len, NULL, 0))
			return false;
		r->announced++;
	}
	return true;
}

int
records_offer(struct records *r)
{
	int fd;

	if (r->offer_fd == -1) {
		struct ring_producer *old = r->ring;
		size_t left;

		new_ring(r);
		announce(r);
		left = ring_carry_over(r->ring, old);
		if (left > 0)
			log_warn("store came back: %zu records did not fit into the new ring", left);
		r->lost += left;
		ring_producer_free(&old);
		ring_publish(r->ring);
	}
	fd = r->offer_fd;
	r->offer_fd = -1;
	return fd;
}

void
records_name(struct records *r, enum name_kind kind, unsigned number, unsigned value, const char *text)
{
	size_t len = strnlen(text, NAME_TEXT_MAX);
	struct records_name *n;

	if (r->nnames == RECORDS_NAMES_MAX || len == 0)
		return;
	n = &r->name[r->nnames++];
	r->changes++;
	n->name.kind = (uint16_t)kind;
	n->name.number = (uint16_t)number;
	n->name.value = (uint16_t)value;
	n->name.len = (uint16_t)len;
	memcpy(n->text, text, len);
}

bool
records_put(struct records *r, enum record_kind kind, const void *rec, size_t len, const char *a, size_t alen,
	    const char *b, size_t blen)
{
	return (r->announced == r->nnames || announce(r)) && put(r, kind, rec, len, a, alen, b, blen);
}

bool
records_soft_room(const struct records *r)
{
	size_t size = ring_producer_size(r->ring);

	return ring_producer_used(r->ring) <= size - size / 4;
}

bool
records_put_soft(struct records *r, enum record_kind kind, const void *rec, size_t len, const char *a,
		 size_t alen)
{
	if (records_soft_room(r) && records_put(r, kind, rec, len, a, alen, NULL, 0))
		return true;
	r->deferred++;
	return false;
}

bool
records_room(const struct records *r, size_t bytes)
{
	size_t names =
	    (size_t)(r->nnames - r->announced) * (sizeof(struct rec_name) + NAME_TEXT_MAX + ENTRY_COST);
	size_t need = bytes + names + 2 * (RECORD_LONGEST + ENTRY_COST); /* padding at the end of the area */

	return ring_producer_used(r->ring) + need <= ring_producer_size(r->ring);
}

bool
records_publish(struct records *r)
{
	return ring_publish(r->ring);
}
