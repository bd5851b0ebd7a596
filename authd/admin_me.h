/* What everybody may do for himself: me.get, me.password, and the second factor (which administrators may
 * take away). */
#ifndef WEIR_AUTHD_ADMIN_ME_H
#define WEIR_AUTHD_ADMIN_ME_H

#include "admin.h"

void me_op_get(struct admin_call *c);
void me_op_password_prepare(struct admin_call *c);
void me_op_password(struct admin_call *c);

void factor_op_begin(struct admin_call *c);
void factor_op_confirm(struct admin_call *c);
void factor_op_recovery(struct admin_call *c);
void factor_op_remove(struct admin_call *c);

#endif
