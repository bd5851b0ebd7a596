/* When what is in memory goes to disk, and what happens when the disk will not have it. */
#ifndef WEIR_STORE_COMMIT_H
#define WEIR_STORE_COMMIT_H

#include <stdbool.h>

#include "store.h"

/* Looks after the writer: takes its result, gives rings back what is on disk, tries again, starts what is
 * due. Call often. */
void commit_turn(struct store *s);
/*
 * The open batch is full. True where there is room again: another one could be started, or, while the disk is
 * full, history goes without what was in it, counted, so that live views go on. False: take no more records
 * for now.
 */
bool commit_make_room(struct store *s);
/* Writes everything that is there and waits for it, at most timeout_ms. False where it could not. */
bool commit_all(struct store *s, int timeout_ms);

#endif
