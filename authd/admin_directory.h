/* What a provider says of somebody, step by step: directory.explain. */
#ifndef WEIR_AUTHD_ADMIN_DIRECTORY_H
#define WEIR_AUTHD_ADMIN_DIRECTORY_H

#include "admin.h"

/* Asks the directory, or for what a provider of OpenID Connect publishes, before the operation runs. */
void directory_op_explain_prepare(struct admin_call *c);
void directory_op_explain(struct admin_call *c);

#endif
