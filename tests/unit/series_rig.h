/* A history without a store, in a directory of its own, and series that are put into it. */
#ifndef WEIR_TESTS_SERIES_RIG_H
#define WEIR_TESTS_SERIES_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "history.h"
#include "names.h"

#define RIG_BASE INT64_C(1699999200) /* a whole hour */

/* One at a time: a process has one working directory. */
extern struct series_rig {
	struct history *h; /* NULL: closed */
	struct names *names;
	struct batch batch;
	struct history_limits limits; /* of the next rig_open */
	char dir[64];
	uint64_t seed; /* of what is drawn: the same in each test */
} rig;

/* For cmocka: opened and empty, keeps everything; and all of it gone. */
int rig_begin(void **state);
int rig_end(void **state);
void rig_open(void);
void rig_close(void);

/* Below n; of any size up to so many bits, small ones as often as large ones. */
uint64_t rig_draw(uint64_t n);
uint64_t rig_draw_number(unsigned bits);
void rig_draw_value(struct series_value *v, unsigned bits);

/* Into the batch that the next commit writes. */
void rig_add(const struct series_key *k, int64_t second, bool by_minute, const struct series_value *v);
void rig_commit(int64_t now_s);

/* What there is of a series at all. */
struct rig_total {
	struct series_value sum, most, least; /* most, least: of the last point */
	unsigned points;
	int64_t first_s;
	uint32_t finest_s;
};
/* For history_series; ctx is a rig_total. */
bool rig_total_add(void *ctx, const struct series_point *p);
struct rig_total rig_total(const struct series_key *k, uint32_t resolution_s);

#endif
