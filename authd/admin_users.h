/* Users: user.list, get, add, set, remove, password; me.get, me.password; and the same for apply. */
#ifndef WEIR_AUTHD_ADMIN_USERS_H
#define WEIR_AUTHD_ADMIN_USERS_H

#include "admin.h"
#include "admin_person.h"
#include "changes.h"

void user_op_list(struct admin_call *c);
void user_op_get(struct admin_call *c);
void user_op_add_prepare(struct admin_call *c);
void user_op_add(struct admin_call *c);
void user_op_set(struct admin_call *c);
void user_op_remove(struct admin_call *c);
void user_op_password_prepare(struct admin_call *c);
void user_op_password(struct admin_call *c);

void user_apply(struct admin_call *c, const struct fields *f, struct changes *ch);
void user_drop(struct admin_call *c, const char *name);

/* The object of a user. */
void user_write(struct admin_call *c, const char *key, const struct person *p);

#endif
