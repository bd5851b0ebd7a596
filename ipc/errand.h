/*
 * What a process says that a command line started for one errand (BOOT_CHECK, BOOT_COPY): words of one size,
 * each written whole into the pipe at BOOT_FD_TOLD. The reader takes them for a stranger's.
 */
#ifndef WEIR_IPC_ERRAND_H
#define WEIR_IPC_ERRAND_H

#include <stdint.h>

enum errand_kind {
	ERRAND_AT = 1,  /* file: what is looked at now, said before it is opened */
	ERRAND_FAULT,   /* file, block, part, text: something is not as it was written */
	ERRAND_NOTE,    /* file, text: no fault, but worth saying */
	ERRAND_REFUSED, /* text: why the errand cannot be done */
	ERRAND_DONE,    /* count: the errand is done */
	ERRAND_KINDS
};

enum errand_count {
	ERRAND_SEGMENTS,
	ERRAND_BLOCKS,
	ERRAND_ROWS, /* of flows, those included that are dead */
	ERRAND_DEAD_ROWS,
	ERRAND_CHUNKS, /* of series, and pieces that will be in some */
	ERRAND_NAMES,  /* of the dictionary */
	ERRAND_BYTES,  /* of blocks; of a copy: of what was written */
	ERRAND_FAULTS, /* those included that were not told one by one */
	ERRAND_COUNTS
};

struct errand_word {
	uint32_t kind; /* enum errand_kind */
	uint32_t reserved;
	uint64_t block; /* 0: none */
	uint64_t count[ERRAND_COUNTS];
	char file[40], part[40], text[160];
};
_Static_assert(sizeof(struct errand_word) == 320, "no padding: it crosses a process boundary");

#define ERRAND_FAULTS_TOLD 1000u /* one by one; the rest is counted */

#endif
