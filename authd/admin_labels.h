/* Labels: label.list, set, remove; and a tenant's for apply. */
#ifndef WEIR_AUTHD_ADMIN_LABELS_H
#define WEIR_AUTHD_ADMIN_LABELS_H

#include "admin.h"
#include "changes.h"
#include "labels.h"

void label_op_list(struct admin_call *c);
void label_op_set(struct admin_call *c);
void label_op_remove(struct admin_call *c);

/* What a label is of, as administration's JSON says it: kind, key, vlan, address_space. A host is one VLAN's
 * of one address space. */
void label_read_thing(const struct fields *f, struct label *l);
void label_write_thing(struct json_writer *w, const struct label *l);
/* The tenant that the caller works in, or (who sees all of them) that it names. False where it is not to be.
 */
bool label_find_tenant(struct admin_call *c, enum action action, uint32_t *tenant);

/* Makes the tenant's labels those of the member "labels" of f, where it is there. */
void labels_apply(struct admin_call *c, const struct fields *f, const struct tenant *t, struct changes *ch);

#endif
