/* Numbers and columns for people. */
#ifndef WEIR_CLI_TABLE_H
#define WEIR_CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* "1.5 MB", "12 kB", "99 B" (powers of 1000) into out[16]; returns out. */
const char *show_bytes(uint64_t bytes, char out[static 16]);
/* Bytes a second as bits: "12.3 Mbit/s" into out[20]. */
const char *show_rate(uint64_t bytes_per_s, char out[static 20]);

#endif
