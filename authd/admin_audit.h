/* The audit log by operations: audit.list, audit.anchor. */
#ifndef WEIR_AUTHD_ADMIN_AUDIT_H
#define WEIR_AUTHD_ADMIN_AUDIT_H

#include "admin.h"

void audit_op_list(struct admin_call *c);
void audit_op_anchor(struct admin_call *c);

#endif
