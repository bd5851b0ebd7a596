/* Records of engines, judged: a taken engine may forge anything, and gets nothing by it but the end of its
 * channel. */
#ifndef WEIR_STORE_INGEST_H
#define WEIR_STORE_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

/* Applies one record. NULL, or what about it is a lie; nothing of it is applied then. There is room in the
 * open batch. */
const char *ingest_record(struct store *s, struct engine *e, uint16_t kind, const void *bytes, size_t len);

/* A record will be applied soon: asks for the memory of its flow; then, when that is likely there, of its
 * hosts. */
const struct live_flow *ingest_expect(const struct engine *e, uint16_t kind, const void *bytes, size_t len);
void ingest_expect_hosts(struct store *s, const struct live_flow *r);

#endif
