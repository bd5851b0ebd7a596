/* When a dead process is started again. Pure: times are given. */
#ifndef WEIR_CLI_BACKOFF_H
#define WEIR_CLI_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS  50
#define BACKOFF_MOST_MS   5000
#define BACKOFF_STABLE_MS 10000 /* one that lived this long begins anew */

struct backoff {
	int64_t next_ms; /* 0 at first */
};

/* Milliseconds to wait before the next start of a process that lived for lived_ms. Doubles from the first to
 * the most. */
int64_t backoff_next(struct backoff *b, int64_t lived_ms);

#endif
