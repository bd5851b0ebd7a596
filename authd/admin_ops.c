/* Every operation: what it is called, what its caller must be allowed, and who does it. */
#include <string.h>

#include "admin.h"
#include "admin_apply.h"
#include "admin_audit.h"
#include "admin_directory.h"
#include "admin_groups.h"
#include "admin_keys.h"
#include "admin_labels.h"
#include "admin_me.h"
#include "admin_sessions.h"
#include "admin_settings.h"
#include "admin_tenants.h"
#include "admin_tokens.h"
#include "admin_users.h"
#include "admin_watched.h"
#include "base/mem.h"

#define NOBODY ((enum action)0)

/* clang-format off */
static const struct admin_op ops[] = {
	/* name                      of others               of one's own          writes  prepare                  run                done */
	{ "tenant.list",             ACTION_READ_TENANTS,    NOBODY,               false,  NULL,                    tenant_op_list,    NULL },
	{ "tenant.get",              ACTION_READ_TENANTS,    NOBODY,               false,  NULL,                    tenant_op_get,     NULL },
	{ "tenant.add",              ACTION_WRITE_TENANTS,   NOBODY,               true,   NULL,                    tenant_op_add,     NULL },
	{ "tenant.set",              ACTION_WRITE_TENANTS,   NOBODY,               true,   NULL,                    tenant_op_set,     NULL },
	{ "tenant.remove",           ACTION_WRITE_TENANTS,   NOBODY,               true,   NULL,                    tenant_op_remove,  NULL },
	{ "user.list",               ACTION_READ_USERS,      NOBODY,               false,  NULL,                    user_op_list,      NULL },
	{ "user.get",                ACTION_READ_USERS,      NOBODY,               false,  NULL,                    user_op_get,       NULL },
	{ "user.add",                ACTION_WRITE_USERS,     NOBODY,               true,   user_op_add_prepare,     user_op_add,       NULL },
	{ "user.set",                ACTION_WRITE_USERS,     NOBODY,               true,   NULL,                    user_op_set,       NULL },
	{ "user.remove",             ACTION_WRITE_USERS,     NOBODY,               true,   NULL,                    user_op_remove,    NULL },
	{ "user.password",           ACTION_WRITE_USERS,     NOBODY,               true,   user_op_password_prepare, user_op_password, NULL },
	{ "group.list",              ACTION_READ_GROUPS,     NOBODY,               false,  NULL,                    group_op_list,     NULL },
	{ "group.get",               ACTION_READ_GROUPS,     NOBODY,               false,  NULL,                    group_op_get,      NULL },
	{ "group.add",               ACTION_WRITE_GROUPS,    NOBODY,               true,   NULL,                    group_op_add,      NULL },
	{ "group.set",               ACTION_WRITE_GROUPS,    NOBODY,               true,   NULL,                    group_op_set,      NULL },
	{ "group.remove",            ACTION_WRITE_GROUPS,    NOBODY,               true,   NULL,                    group_op_remove,   NULL },
	{ "session.list",            ACTION_READ_SESSIONS,   ACTION_READ_ACCOUNT,  false,  NULL,                    session_op_list,   NULL },
	{ "session.end",             ACTION_WRITE_SESSIONS,  ACTION_WRITE_ACCOUNT, true,   NULL,                    session_op_end,    session_op_ended },
	{ "token.list",              ACTION_READ_TOKENS,     ACTION_READ_ACCOUNT,  false,  NULL,                    token_op_list,     NULL },
	{ "token.add",               ACTION_WRITE_TOKENS,    ACTION_WRITE_ACCOUNT, true,   NULL,                    token_op_add,      NULL },
	{ "token.remove",            ACTION_WRITE_TOKENS,    ACTION_WRITE_ACCOUNT, true,   NULL,                    token_op_remove,   token_op_removed },
	{ "second_factor.begin",     NOBODY,                 ACTION_WRITE_ACCOUNT, true,   NULL,                    factor_op_begin,   NULL },
	{ "second_factor.confirm",   NOBODY,                 ACTION_WRITE_ACCOUNT, true,   NULL,                    factor_op_confirm, NULL },
	{ "second_factor.recovery",  NOBODY,                 ACTION_WRITE_ACCOUNT, true,   NULL,                    factor_op_recovery, NULL },
	{ "second_factor.remove",    ACTION_WRITE_USERS,     ACTION_WRITE_ACCOUNT, true,   NULL,                    factor_op_remove,  NULL },
	{ "me.get",                  NOBODY,                 ACTION_READ_ACCOUNT,  false,  NULL,                    me_op_get,         NULL },
	{ "me.password",             NOBODY,                 ACTION_WRITE_ACCOUNT, true,   me_op_password_prepare,  me_op_password,    NULL },
	{ "label.list",              ACTION_READ_LABELS,     NOBODY,               false,  NULL,                    label_op_list,     NULL },
	{ "label.set",               ACTION_WRITE_LABELS,    NOBODY,               true,   NULL,                    label_op_set,      NULL },
	{ "label.remove",            ACTION_WRITE_LABELS,    NOBODY,               true,   NULL,                    label_op_remove,   NULL },
	{ "watched.list",            ACTION_READ_LABELS,     NOBODY,               false,  NULL,                    watched_op_list,   NULL },
	{ "watched.set",             ACTION_WRITE_LABELS,    NOBODY,               true,   NULL,                    watched_op_set,    NULL },
	{ "watched.remove",          ACTION_WRITE_LABELS,    NOBODY,               true,   NULL,                    watched_op_remove, NULL },
	{ "audit.list",              ACTION_READ_AUDIT,      NOBODY,               false,  NULL,                    audit_op_list,     NULL },
	{ "audit.anchor",            ACTION_WRITE_PLATFORM,  NOBODY,               false,  NULL,                    audit_op_anchor,   NULL },
	{ "key.rotate",              ACTION_WRITE_PLATFORM,  NOBODY,               true,   NULL,                    key_op_rotate,     key_op_rotated },
	{ "key.list",                ACTION_READ_PLATFORM,   NOBODY,               false,  NULL,                    key_op_list,       NULL },
	{ "setting.list",            ACTION_READ_PLATFORM,   NOBODY,               false,  NULL,                    setting_op_list,   NULL },
	{ "directory.explain",       ACTION_WRITE_PLATFORM,  NOBODY,               false,  directory_op_explain_prepare, directory_op_explain, NULL },
	{ "apply",                   ACTION_WRITE_USERS,     NOBODY,               true,   NULL,                    apply_op,          NULL },
};
/* clang-format on */

const struct admin_op *
admin_op_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	return NULL;
}

const struct admin_op *
admin_op_at(size_t i)
{
	return i < ARRAY_LEN(ops) ? &ops[i] : NULL;
}
