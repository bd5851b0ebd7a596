/* Which groups somebody is in, by what the server finds, and by groups in groups. */
#ifndef WEIR_DIRECTORY_MEMBERSHIP_H
#define WEIR_DIRECTORY_MEMBERSHIP_H

#include <stdbool.h>

#include "findings.h"
#include "link.h"
#include "provider.h"

/* Adds to f's groups those of f->dn. Where there are more than are told, f->cut is set. False, with a step,
 * where the server would not say. name: as the user was looked for. */
bool membership_find(struct link *l, const struct provider *p, const char *name, struct findings *f);

#endif
