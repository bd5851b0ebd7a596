/* Kept flows of one tenant, and its questions about all of them that find nothing: a load beside which others
 * ask. */
#ifndef WEIR_BENCH_SCANS_H
#define WEIR_BENCH_SCANS_H

#include <stddef.h>
#include <stdint.h>

#include "store.h"

/* Writes flows into history. Call before the writer starts. */
void scans_keep(struct store *s, uint64_t flows, uint32_t tenant);

struct scans;

/* n questions are under way at a time. grant: where the bytes and the length of one that is good are found.
 */
struct scans *scans_new(struct store *s, unsigned n, const uint8_t *grant, const size_t *grant_len);
void scans_free(struct scans **x);
/* Asks again what was answered. */
void scans_turn(struct scans *x);
/* How many were answered, and how, as members of a JSON object. */
void scans_print(const struct scans *x);

#endif
