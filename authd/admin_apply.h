/* apply: makes tenants, users and groups what a document says, in one transaction. */
#ifndef WEIR_AUTHD_ADMIN_APPLY_H
#define WEIR_AUTHD_ADMIN_APPLY_H

#include "admin.h"

void apply_op(struct admin_call *c);

#endif
