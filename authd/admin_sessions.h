/* Sessions: session.list, session.end. */
#ifndef WEIR_AUTHD_ADMIN_SESSIONS_H
#define WEIR_AUTHD_ADMIN_SESSIONS_H

#include "admin.h"

void session_op_list(struct admin_call *c);
void session_op_end(struct admin_call *c);
void session_op_ended(struct admin_call *c);

#endif
