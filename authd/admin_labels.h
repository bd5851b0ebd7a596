/* Labels: label.list, set, remove; and a tenant's for apply. */
#ifndef WEIR_AUTHD_ADMIN_LABELS_H
#define WEIR_AUTHD_ADMIN_LABELS_H

#include "admin.h"
#include "changes.h"

void label_op_list(struct admin_call *c);
void label_op_set(struct admin_call *c);
void label_op_remove(struct admin_call *c);

/* Makes the tenant's labels those of the member "labels" of f, where it is there. */
void labels_apply(struct admin_call *c, const struct fields *f, const struct tenant *t, struct changes *ch);

#endif
