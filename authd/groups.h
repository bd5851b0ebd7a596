/* Groups and who is in them, as they stand in the database. Everything happens within the caller's
 * transaction, to which failures stick. */
#ifndef WEIR_AUTHD_GROUPS_H
#define WEIR_AUTHD_GROUPS_H

#include "db.h"
#include "record_policy.h"

#define GROUPS_MAX        4096
#define MEMBERS_MAX       4096 /* of one group */
#define GROUPS_OF_ONE_MAX 256  /* of one account */

/* False where there is none of this name, which is no failure. */
bool group_look(struct txn *x, const char *name, struct arena *arena, struct group *g);
/* Fails with DB_NONE. */
void group_read(struct txn *x, uint64_t number, struct arena *arena, struct group *g);
/* Gives it its number. DB_EXISTS where the name is taken, DB_FULL where there are GROUPS_MAX. */
void group_add(struct txn *x, struct group *g);
/* Its name stays. */
void group_write(struct txn *x, const struct group *g);
/* With its memberships. */
void group_remove(struct txn *x, const struct group *g);

/* Once more is no failure; nor is to remove who is not in it. */
void member_add(struct txn *x, uint64_t group, uint64_t account);
/* The same, by a provider: that is remembered until member_remove. */
void member_give(struct txn *x, uint64_t group, uint64_t account);
void member_remove(struct txn *x, uint64_t group, uint64_t account);
/* An account leaves all its groups. */
void memberships_remove(struct txn *x, uint64_t account);
/* Numbers, ascending, into out[MEMBERS_MAX]. */
size_t members_of(struct txn *x, uint64_t group, uint64_t *out);
/* Numbers, ascending, into out[GROUPS_OF_ONE_MAX]. */
size_t groups_of(struct txn *x, uint64_t account, uint64_t *out);
/* Those among them that a provider gave. */
size_t groups_given(struct txn *x, uint64_t account, uint64_t *out);

#endif
