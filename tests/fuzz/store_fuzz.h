/* A store for fuzz targets: made once, in a directory that is gone at once. */
#ifndef WEIR_TESTS_STORE_FUZZ_H
#define WEIR_TESTS_STORE_FUZZ_H

#include "store.h"

enum { FUZZ_ETH0 = 11, FUZZ_FILE = 12, FUZZ_TENANT = 1 };

/* The store; the first call makes it. Two engines, an interface and a file, one tenant that owns both. */
struct store *fuzz_store(void);
/* A grant for PROC_HTTPD 0 that is good for a minute: renewed when it is nearly over. part: what it is
 * narrowed to. */
enum { FUZZ_ETH0_ONLY = 1, FUZZ_NET_ONLY = 2, FUZZ_MASKED = 4 };
size_t fuzz_grant(uint32_t tenant, unsigned part, uint8_t out[GRANT_BYTES_MAX]);
/* An engine that has just offered a ring and announced a few names (numbers 1 to 3 of each kind). */
struct engine *fuzz_engine(unsigned i);

#endif
