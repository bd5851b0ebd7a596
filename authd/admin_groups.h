/* Groups: group.list, get, add, set, remove; and the same for apply. */
#ifndef WEIR_AUTHD_ADMIN_GROUPS_H
#define WEIR_AUTHD_ADMIN_GROUPS_H

#include "admin.h"
#include "changes.h"

void group_op_list(struct admin_call *c);
void group_op_get(struct admin_call *c);
void group_op_add(struct admin_call *c);
void group_op_set(struct admin_call *c);
void group_op_remove(struct admin_call *c);

void group_apply(struct admin_call *c, const struct fields *f, struct changes *ch);
void group_drop(struct admin_call *c, const char *name);

#endif
