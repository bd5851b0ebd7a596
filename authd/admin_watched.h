/* What is watched: watched.list, set, remove; and a tenant's for apply. */
#ifndef WEIR_AUTHD_ADMIN_WATCHED_H
#define WEIR_AUTHD_ADMIN_WATCHED_H

#include "admin.h"
#include "changes.h"

void watched_op_list(struct admin_call *c);
void watched_op_set(struct admin_call *c);
void watched_op_remove(struct admin_call *c);

/* Makes what the tenant watches that of the member "watched" of f, where it is there. */
void watched_apply(struct admin_call *c, const struct fields *f, const struct tenant *t, struct changes *ch);

#endif
