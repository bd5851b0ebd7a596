/* Memory for secrets: never swapped, never in a core. */
#ifndef WEIR_AUTHD_LOCKED_H
#define WEIR_AUTHD_LOCKED_H

#include <stddef.h>

/* Zeroed, locked pages; never given back (wipe them with sodium_memzero). Before the sandbox. Dies where they
 * cannot be locked. */
void *locked_pages(size_t bytes);

#endif
