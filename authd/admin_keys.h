/* Keys by operations: key.rotate, key.list. */
#ifndef WEIR_AUTHD_ADMIN_KEYS_H
#define WEIR_AUTHD_ADMIN_KEYS_H

#include "admin.h"

void key_op_rotate(struct admin_call *c);
void key_op_rotated(struct admin_call *c);
void key_op_list(struct admin_call *c);

#endif
