/* Tenants with their selectors, as they stand in the database. Everything happens within the caller's
 * transaction, to which failures stick. */
#ifndef WEIR_AUTHD_TENANTS_H
#define WEIR_AUTHD_TENANTS_H

#include "db.h"
#include "record_policy.h"

/* False where there is none of this name, which is no failure. */
bool tenant_look(struct txn *x, const char *name, struct arena *arena, struct tenant_record *t);
/* The number of a name; 0 where there is none. */
uint32_t tenant_number(struct txn *x, const char *name);
/* "*" of TENANT_PLATFORM; "" of a number that is none. */
void tenant_name(struct txn *x, uint32_t number, char out[static TENANT_NAME_MAX]);
/* Fails with DB_NONE. */
void tenant_read(struct txn *x, uint32_t number, struct arena *arena, struct tenant_record *t);
/* Gives it (and its selectors) its number. DB_EXISTS where the name is taken, DB_FULL where there are
 * SNAPSHOT_TENANTS_MAX. */
void tenant_add(struct txn *x, struct tenant_record *t);
/* Its name stays. */
void tenant_write(struct txn *x, struct tenant_record *t);
void tenant_remove(struct txn *x, const struct tenant *t);
/* Whether an access of a user or group, or a token names it. */
bool tenant_in_use(struct txn *x, uint32_t number);
/* Whether somebody who has so many records of a table that all share may have another one, of all_max: nobody
 * can take what would be the others' part. */
bool tenant_has_room(struct txn *x, enum table t, size_t has, size_t all_max);

/* The next snapshot is another one. */
void policy_changed(struct txn *x);
/* Whether all of it is within the bounds of a snapshot. */
bool policy_fits(struct txn *x);
/* Adds every tenant, selector and narrowing. */
void policy_build(struct txn *x, struct snapshot_builder *b);

#endif
