/*
 * What a provider of OpenID Connect told of somebody when he last came in: it says nothing between, so this
 * is what his memberships and whoever asks for their reasons rest on. Everything happens within the caller's
 * transaction, to which failures stick.
 */
#ifndef WEIR_AUTHD_TOLD_H
#define WEIR_AUTHD_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"

#define TOLD_GROUPS_MAX   8192                  /* bytes of the groups that are kept */
#define TOLD_GROUPS_COUNT (TOLD_GROUPS_MAX / 2) /* each has a letter and a line feed at least */

struct told {
	int64_t last_ns;              /* UTC: when he came in */
	bool lapsed;                  /* that was too long ago: what the groups gave was taken back */
	bool cut;                     /* there were more groups */
	char groups[TOLD_GROUPS_MAX]; /* a line feed behind each */
};

/* The groups, at most TOLD_GROUPS_COUNT; t->groups is cut up. */
size_t told_groups(struct told *t, const char **group);
bool told_decode(const void *bytes, size_t len, struct told *t);
/* False where there is none, which is no failure. */
bool told_look(struct txn *x, uint64_t account, struct told *t);
void told_write(struct txn *x, uint64_t account, const struct told *t);
/* No failure where there is none. */
void told_remove(struct txn *x, uint64_t account);

#endif
