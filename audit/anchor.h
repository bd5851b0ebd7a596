/*
 * A statement of how far the log had got at a time: so many entries, and the hash of the last. It is signed
 * with the key of the epoch that was running then, which the log names. As a line of text it is kept where
 * authd cannot reach it; the last one, overwritten again and again beside the log (its tail), shows when
 * entries are cut off. Pure.
 */
#ifndef WEIR_AUDIT_ANCHOR_H
#define WEIR_AUDIT_ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/chain.h"

/* "weir-audit-anchor 1 sequence=N epoch=N time=SECONDS.FRACTION hash=HEX key=HEX signature=HEX": longest,
 * with its end */
#define AUDIT_ANCHOR_TEXT_MAX 512

struct audit_anchor {
	uint64_t sequence;
	uint32_t epoch;
	int64_t time_ns; /* UTC */
	uint8_t hash[AUDIT_HASH_BYTES];
	uint8_t key[AUDIT_KEY_BYTES];
	uint8_t signature[AUDIT_SIGNATURE_BYTES];
};

/* Of the place that *h has got to, with its epoch's secret key. */
struct audit_anchor audit_anchor_make(const struct audit_head *h, int64_t time_ns,
				      const uint8_t secret[static AUDIT_SECRET_BYTES]);
/* The line, without a line feed. */
const char *audit_anchor_format(const struct audit_anchor *a, char out[static AUDIT_ANCHOR_TEXT_MAX]);
/* Finds an anchor in a line; what stands before it (a log's time and names) does not matter, behind it
 * nothing may stand. False where there is none that is whole. */
bool audit_anchor_parse(const char *line, size_t len, struct audit_anchor *a);

/*
 * Whether an anchor holds for a log whose head has just come to its sequence. A fault names the entry, or
 * says that the anchor is not signed by the key that the log names.
 */
bool audit_anchor_holds(struct audit_walk *w, const struct audit_anchor *a);
/* After the last entry: what the anchor tells of must be there. */
bool audit_anchor_reached(struct audit_walk *w, const struct audit_anchor *a);

#endif
