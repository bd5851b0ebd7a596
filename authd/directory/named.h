/* Which of the groups that the settings name are among those that were found. */
#ifndef WEIR_DIRECTORY_NAMED_H
#define WEIR_DIRECTORY_NAMED_H

#include "findings.h"
#include "provider.h"

/* Into f->named, as the settings write them. A group is named by its distinguished name, however that is
 * written, or by the value of its first component alone. A step says which line is neither. */
void named_find(const struct provider *p, struct findings *f);

#endif
