/* Tenants: tenant.list, get, add, set, remove; and the same for apply. */
#ifndef WEIR_AUTHD_ADMIN_TENANTS_H
#define WEIR_AUTHD_ADMIN_TENANTS_H

#include "admin.h"
#include "changes.h"

void tenant_op_list(struct admin_call *c);
void tenant_op_get(struct admin_call *c);
void tenant_op_add(struct admin_call *c);
void tenant_op_set(struct admin_call *c);
void tenant_op_remove(struct admin_call *c);

/* Ends the call where the selectors of all tenants together are more than a snapshot holds. */
void tenants_bound(struct admin_call *c);
/* Makes the tenant that f describes what f says, or makes it. ch gets what changes. */
void tenant_apply(struct admin_call *c, const struct fields *f, struct changes *ch);
/* Removes one that the caller may remove; a refusal ends the call. */
void tenant_drop(struct admin_call *c, const char *name);

#endif
