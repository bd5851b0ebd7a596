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

/* A record that will be applied soon. Flows and hosts lie in tables that no cache holds: their memory is
 * asked for before, in four steps, each of which looks at what the one before asked for. */
struct expected {
	const struct live_flow *row;   /* that the record is about; NULL: none */
	const struct rec_flow *begins; /* the record, where no row is there yet */
	struct host_place place[2];    /* of its hosts */
};
void ingest_expect(const struct engine *e, uint16_t kind, const void *bytes, size_t len, struct expected *x);
void ingest_expect_hosts(struct store *s, struct expected *x);
void ingest_expect_rest(struct store *s, const struct expected *x);
void ingest_expect_peers(struct store *s, const struct expected *x);

#endif
