/*
 * Two batches: one is filled while the other is written. What an engine's ring holds is given back once it is
 * on disk. Where the disk refuses, the batch is kept and tried again, and the open one is filled as far as it
 * goes.
 */
#include "commit.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "minutes.h"
#include "pump.h"
#include "subject_series.h"
#include "sum.h"

#define RETRY_NS (3 * NS_PER_S)

/* History's idea of now: where only files are read, the time of their last frame. */
static int64_t
history_now(const struct store *s)
{
	int64_t last = 0;

	for (uint32_t i = 0; i < s->points.n; i++)
		if (s->points.point[i].last_ns > last)
			last = s->points.point[i].last_ns;
	return s->points.any_interface || s->points.n == 0 ? s->now_ns : last;
}

/* --- starting
 * ----------------------------------------------------------------------------------------------------------
 */

static void
add_names(struct store *s, struct batch *b)
{
	for (enum name_kind k = NAME_APPLICATION; k < NAME_KIND_COUNT; k++) {
		uint16_t n = names_count(s->names, k);

		for (uint16_t i = (uint16_t)(s->names_saved[k] + 1); i <= n && i != 0; i++)
			batch_add_name(b, k, i, names_text(s->names, k, i));
		b->names_upto[k] = n;
	}
}

static void
add_applied(struct store *s, struct batch *b)
{
	for (unsigned i = 0; i < s->nengines; i++) {
		struct engine *e = &s->engine[i];

		for (uint32_t p = 0; p < s->points.n && b->napplied < BATCH_APPLIED_MAX; p++) {
			if (!e->progress[p].dirty)
				continue;
			b->applied[b->napplied++] = e->progress[p].applied;
			e->progress[p].dirty = false;
		}
		b->ring[i] = e->now.number;
		b->position[i] = e->now.number == 0 ? 0 : ring_position(e->now.ring);
	}
}

/* The open batch goes to the writer, the other one is opened. */
static void
start(struct store *s)
{
	struct batch *b = s->open;

	subjects_derive(s, b);
	add_names(s, b);
	add_applied(s, b);
	s->tidy_wanted = false;
	s->flight = b;
	s->open = b == &s->batch[0] ? &s->batch[1] : &s->batch[0];
	batch_reset(s->open);
	s->open->generation = ++s->generations;
	s->last_commit_ns = s->now_boot_ns;
	writer_submit(s->writer, b, history_now(s));
}

static bool
names_wait(const struct store *s)
{
	for (enum name_kind k = NAME_APPLICATION; k < NAME_KIND_COUNT; k++)
		if (names_count(s->names, k) != s->names_saved[k])
			return true;
	return false;
}

static bool
nothing_to_write(const struct store *s)
{
	if (!batch_empty(s->open) || names_wait(s) || s->tidy_wanted)
		return false;
	for (unsigned i = 0; i < s->nengines; i++)
		for (uint32_t p = 0; p < s->points.n; p++)
			if (s->engine[i].progress[p].dirty)
				return false;
	return true;
}

/* A ring that is more than a quarter held needs its room back before the interval is over; one of files only
 * may be half full, since they wait. */
static bool
ring_presses(const struct store *s)
{
	uint64_t size = (uint64_t)s->boot->settings.record_ring;

	for (unsigned i = 0; i < s->nengines; i++)
		if (pump_held(&s->engine[i]) > (s->points.any_interface ? size / 4 : size / 2))
			return true;
	return false;
}

/* Of an analysis: nothing more will come, and somebody waits for the disk. */
static bool
everything_ended(const struct store *s)
{
	if ((s->boot->flags & BOOT_ANALYZE) == 0)
		return false;
	for (unsigned i = 0; i < s->nengines; i++)
		for (uint32_t p = 0; p < s->points.n; p++)
			if (s->engine[i].progress[p].state != POINT_ENDED)
				return false;
	return true;
}

static bool
due(const struct store *s)
{
	return s->now_boot_ns - s->last_commit_ns >= s->boot->settings.commit_interval_ms * NS_PER_MS ||
	       batch_full(s->open) || ring_presses(s) || everything_ended(s);
}

/* --- results
 * ------------------------------------------------------------------------------------------------------------
 */

static void
succeeded(struct store *s)
{
	struct batch *b = s->flight;

	memcpy(s->names_saved, b->names_upto, sizeof(s->names_saved));
	s->flows_stored += b->nflows;
	s->packets_stored = sum_sat(s->packets_stored, b->packets);
	for (unsigned i = 0; i < s->nengines; i++)
		pump_release(&s->engine[i], b->ring[i], b->position[i]);
	minutes_committed(s);
	history_counts(s->history, &s->counters.n[OWN_HISTORY_FORGOTTEN], &s->counters.n[OWN_BLOCK_DAMAGED]);
	s->counters.n[OWN_SECONDS_FULL] = history_seconds_refused(s->history);
	s->flight = NULL;
	if (s->degraded) {
		s->degraded = false;
		s->why[0] = '\0';
		log_info("history is written again");
	}
}

static void
failed(struct store *s, enum db_status status, const char *why)
{
	if (status == DB_DAMAGED)
		fatal_status(EXIT_BAD_INPUT,
			     "data.mdb in the store's directory is damaged (%s): move it away or restore a "
			     "copy, then start again",
			     why);
	if (status == DB_BROKEN)
		fatalx("the database gave up: %s", why);
	if (!s->degraded) {
		s->degraded = true;
		s->degraded_since_ns = s->now_ns;
		log_error("history cannot be written: %s; live views go on, trying again every %d s", why,
			  (int)(RETRY_NS / NS_PER_S));
	}
	str_copy(s->why, sizeof(s->why), why);
	s->retry_ns = s->now_boot_ns + RETRY_NS;
}

/* Room is given back although nothing was written: live views need what comes next more than history needs a
 * longer gap. What is given up here is in the batches still, and lost only if store dies before the disk has
 * room. */
static void
give_up_rings(struct store *s)
{
	uint64_t size = (uint64_t)s->boot->settings.record_ring;

	for (unsigned i = 0; s->points.any_interface && i < s->nengines; i++) {
		struct engine *e = &s->engine[i];

		if (pump_held(e) > size / 2)
			pump_release(e, e->now.number, ring_position(e->now.ring));
	}
}

void
commit_turn(struct store *s)
{
	char why[HISTORY_WHY_MAX] = "";
	enum db_status status;

	if (s->flight != NULL && writer_result(s->writer, &status, why)) {
		if (status == DB_OK)
			succeeded(s);
		else
			failed(s, status, why);
	}
	if (s->flight != NULL) {
		if (!writer_idle(s->writer))
			return;
		give_up_rings(s);
		if (s->now_boot_ns >= s->retry_ns) {
			s->retry_ns = INT64_MAX;
			writer_submit(s->writer, s->flight, history_now(s));
		}
		return;
	}
	if (!due(s))
		return;
	if (!nothing_to_write(s)) {
		start(s);
		return;
	}
	/* Nothing of it was for the disk. */
	s->last_commit_ns = s->now_boot_ns;
	for (unsigned i = 0; i < s->nengines; i++)
		if (pump_held(&s->engine[i]) > 0)
			pump_release(&s->engine[i], s->engine[i].now.number,
				     ring_position(s->engine[i].now.ring));
}

bool
commit_make_room(struct store *s)
{
	commit_turn(s);
	if (!batch_full(s->open))
		return true;
	if (!s->degraded || !s->points.any_interface)
		return false;
	s->counters.n[OWN_HISTORY_FULL] += s->open->nflows == 0 ? 1 : s->open->nflows;
	batch_discard(s->open);
	s->open->generation = ++s->generations;
	return true;
}

static bool
wait_for_writer(struct store *s, int timeout_ms)
{
	int64_t until = clock_boot_ns() + timeout_ms * NS_PER_MS;

	while (s->flight != NULL && !writer_idle(s->writer)) {
		int64_t left = until - clock_boot_ns();

		if (left <= 0 || !writer_wait(s->writer, (int)(left / NS_PER_MS) + 1))
			return false;
		store_clock(s);
		commit_turn(s);
	}
	return s->flight == NULL;
}

bool
commit_all(struct store *s, int timeout_ms)
{
	store_clock(s);
	commit_turn(s);
	if (!wait_for_writer(s, timeout_ms))
		return false;
	if (nothing_to_write(s))
		return true;
	s->last_commit_ns = INT64_MIN / 2;
	commit_turn(s);
	return wait_for_writer(s, timeout_ms);
}
