/* Making a grant out of another: only ever less. Pure: no I/O, no state. */
#ifndef WEIR_POLICY_DERIVE_H
#define WEIR_POLICY_DERIVE_H

#include "policy/grant.h"

/*
 * What of wanted lies within parent: the narrower tenant, the lower role, the scopes of both, the narrowings
 * of both, masked and of_token where either is, the later beginning, the earlier end, the newer snapshot. The
 * id is wanted's; the subject and the audience are parent's (an audience of 0: not settled yet). False, and
 * *out untouched, where nothing is left of it: another tenant, subject or audience (empty and 0 in wanted:
 * any), roles of which neither covers the other, more narrowings than a grant holds, no time. *out may be
 * *parent or *wanted.
 */
bool policy_derive(const struct grant *parent, const struct grant *wanted, struct grant *out);

#endif
