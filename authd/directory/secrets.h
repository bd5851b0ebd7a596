/* Memory with everybody's secrets, locked: a process that is made for one question wipes its copy of it first
 * of all. */
#ifndef WEIR_DIRECTORY_SECRETS_H
#define WEIR_DIRECTORY_SECRETS_H

#include <stddef.h>

/* Zeroed places for n objects of size bytes, for good. Before the sandbox. Dies where there is none. */
void *secrets_alloc(size_t n, size_t size);
/* All of it. */
void secrets_wipe(void);

#endif
