/* What is too old goes, and where store.size is reached, what is oldest: flows by whole segments. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "history_parts.h"

#define TRIM_BLOCKS 2000u /* entries of the catalogue, along with one commit */
#define PRESSURE    85u   /* percent of store.size: from here on the oldest goes, whatever its age */

/* Its file is deleted when x has been committed; its entries go in steps. */
static void
let_go(struct db_txn *x, struct segment_entry *e, struct history_gone *gone)
{
	e->gone = true;
	catalogue_put_segment(x, e);
	gone->number[gone->n++] = e->number;
	gone->rows += e->rows;
}

/* Entries of segments whose files are deleted. */
static void
forget_blocks(struct db_txn *x)
{
	struct segment_entry e;

	for (uint32_t n = 0; catalogue_segment(x, n, &e); n = e.number + 1) {
		if (e.gone) {
			if (catalogue_forget_blocks(x, e.number, TRIM_BLOCKS))
				catalogue_delete_segment(x, e.number);
			return;
		}
	}
}

static void
trim_old(struct history *h, struct db_txn *x, int64_t cutoff_ns, struct history_gone *gone)
{
	struct segment_entry e;

	for (uint32_t n = 0; gone->n < HISTORY_GONE_MAX && catalogue_segment(x, n, &e); n = e.number + 1)
		if (!e.gone && e.most_last_ns < cutoff_ns && history_writer_of(h, e.number) == NULL)
			let_go(x, &e, gone);
}

/* One that was made since has not had its time: where clocks are wrong, all that comes is old. */
static void
seal_old(struct history *h, struct segment_writer *w, int64_t cutoff_ns)
{
	const struct segment_entry *e = &w->segment;

	if (e->rows > 0 && e->most_last_ns < cutoff_ns && e->made_ns < cutoff_ns)
		history_seal(h, w);
}

void
history_seal_old(struct history *h, int64_t cutoff_ns)
{
	seal_old(h, &h->fresh, cutoff_ns);
	if (h->merge != NULL) /* it writes on where it began */
		return;
	for (unsigned i = 0; i < RETENTION_CLASSES; i++)
		seal_old(h, &h->merged[i], cutoff_ns);
}

/* The segment whose newest row is the oldest; and the bytes of all. */
static bool
oldest(struct history *h, struct db_txn *x, struct segment_entry *found, uint64_t *bytes)
{
	struct segment_entry e;
	bool any = false;

	*bytes = 0;
	for (uint32_t n = 0; catalogue_segment(x, n, &e); n = e.number + 1) {
		if (e.gone)
			continue;
		*bytes += e.bytes;
		if (history_writer_of(h, e.number) == NULL &&
		    (!any || e.most_last_ns < found->most_last_ns)) {
			*found = e;
			any = true;
		}
	}
	return any;
}

static void
let_oldest_go(struct history *h, struct db_txn *x, struct segment_entry *e, struct history_gone *gone)
{
	let_go(x, e, gone);
	atomic_fetch_add(&h->rows_forgotten, e->rows);
	log_info("store.size is reached: the oldest segment, flows-%08" PRIx32 ".mdb, goes with %" PRIu64
		 " flows",
		 e->number, e->rows);
}

static void
trim_pressure(struct history *h, struct db_txn *x, struct history_gone *gone)
{
	uint64_t most = h->limits.size / 100 * PRESSURE,
		 data = db_file_bytes(h->db) + series_store_bytes(h->series), bytes;
	struct segment_entry e;

	while (gone->n < HISTORY_GONE_MAX && oldest(h, x, &e, &bytes) && bytes + data > most)
		let_oldest_go(h, x, &e, gone);
}

void
history_trim(struct history *h, struct db_txn *x, int64_t now_ns, struct history_gone *gone)
{
	trim_pressure(h, x, gone);
	forget_blocks(x);
	if (h->limits.keep_everything)
		return;
	trim_old(h, x, now_ns - h->limits.keep_flows_ns, gone);
}

void
history_make_room(struct history *h, struct db_txn *x, struct history_gone *gone)
{
	struct segment_entry e;
	uint64_t bytes;

	if (oldest(h, x, &e, &bytes))
		let_oldest_go(h, x, &e, gone);
}

void
history_retire(struct history *h, const struct history_gone *gone)
{
	for (uint32_t i = 0; i < gone->n; i++) {
		history_merge_again(h, gone->number[i]);
		segments_retire(h->segments, gone->number[i]);
	}
}
