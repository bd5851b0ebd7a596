/* API tokens: token.list, add, remove. */
#ifndef WEIR_AUTHD_ADMIN_TOKENS_H
#define WEIR_AUTHD_ADMIN_TOKENS_H

#include "admin.h"

void token_op_list(struct admin_call *c);
void token_op_add(struct admin_call *c);
void token_op_remove(struct admin_call *c);
void token_op_removed(struct admin_call *c);

#endif
