/* One question's way through the blocks: which rows, which groups each counts for, what is added. */
#ifndef WEIR_STORE_GROUP_SCAN_H
#define WEIR_STORE_GROUP_SCAN_H

#include "group_axis.h"
#include "group_table.h"
#include "groups.h"
#include "kept_rows.h"

#define GROUP_WORDS_MAX (GROUP_DIMENSIONS_MAX * AXIS_WORDS_MAX)

struct group_scan {
	struct find *f;
	const struct group_query *q;
	struct kept_rows rows;
	struct group_axis axis[GROUP_DIMENSIONS_MAX];
	unsigned naxes;
	bool each;          /* a flow counts for its ends */
	unsigned risk_axis; /* naxes: none */
	uint32_t words, name_word;
	uint64_t seed;
	unsigned nvalues;               /* that are summed of a group; the first is MEASURE_FLOWS */
	uint8_t measure[MEASURE_COUNT]; /* of each */
	unsigned by;                    /* which of them the groups are ordered by */
	bool kept_sums;                 /* blocks may have what is asked for as sums already */

	/* Of the block. */
	uint32_t *row, nrows;                    /* rows that count */
	const uint64_t *value[2][MEASURE_COUNT]; /* of each row, as its client and its server see it */
	uint64_t *sum[MEASURE_COUNT];            /* memory for those that are in no column */
	const char *text;                        /* where names of keys are */

	/* What is made. */
	struct group_table table;
	uint64_t *part; /* of the block: sums of each code of the only axis */
	struct groups *g;
	bool first;         /* the first pass: the sum of all is made too */
	uint64_t *cell;     /* of the bucket pass: groups of the table, the others; nbuckets each */
	uint32_t *group_of; /* of a code: number in the table + 1; 0: not looked up, UINT32_MAX: none */
};

void group_scan_begin(struct group_scan *s, struct find *f, const struct group_query *q, struct groups *g);
void group_scan_end(struct group_scan *s);

uint64_t group_scan_hash(const struct group_scan *s, const uint64_t *key);

/* Both for each block: sums of groups into s->table and, in the first pass, of all; or values of buckets into
 * s->cell and the sum of all. False where it is to be given up. */
bool group_scan_sums(struct group_scan *s);
bool group_scan_buckets(struct group_scan *s);

#endif
