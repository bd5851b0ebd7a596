/* Which series a subject's seconds go to, and what follows from them when a batch is complete. */
#ifndef WEIR_STORE_SUBJECT_SERIES_H
#define WEIR_STORE_SUBJECT_SERIES_H

#include "store.h"

/* Asks the book whether the subject may have a series of its own; what is new of it goes into the batch. Once
 * when it is made, then once a minute. */
void subject_admit(struct store *s, struct subject *u, struct batch *b);
/* Adds to a second of the subject's series in the open batch, or of (other)'s where it may not have one. */
void subject_second(struct store *s, struct subject *u, int64_t second, const struct series_value *v);
/* Before the batch is written: totals of its series, and categories, which are sums of applications. */
void subjects_derive(struct store *s, struct batch *b);
/* Active series that a tenant may have. */
uint64_t series_limit(const struct store *s, uint32_t tenant);

#endif
