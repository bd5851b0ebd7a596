/* The configuration, read only: setting.list. It is changed in its file. */
#ifndef WEIR_AUTHD_ADMIN_SETTINGS_H
#define WEIR_AUTHD_ADMIN_SETTINGS_H

#include "admin.h"

void setting_op_list(struct admin_call *c);

#endif
