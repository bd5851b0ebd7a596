/* Narrowings as the database has them: one of each content, by a number that stands in grants and that no
 * other ever gets. */
#ifndef WEIR_AUTHD_NARROWINGS_H
#define WEIR_AUTHD_NARROWINGS_H

#include "db.h"
#include "record_policy.h"

/* The number of a narrowing with this content; 0 where it never had one. */
uint32_t narrowing_look(struct txn *x, const struct narrowing *n);
/* The same, and gives it a number where it has none; 0 of the whole tenant. Where a snapshot holds no more,
 * what no access and no token names any more goes first; DB_FULL where that is not enough. */
uint32_t narrowing_number(struct txn *x, const struct narrowing *n);
/* Interfaces, exporters and networks in it. */
size_t narrowing_entries(const struct narrowing *n);
/* Sorts its lists and leaves out what is there twice, so that the same content is the same bytes. The lists
 * are changed in place. */
void narrowing_sort(struct narrowing *n);

#endif
