/* What an entry says of the person that it is of: who he is for good, what he is called, and whether he may
 * come in at all. */
#ifndef WEIR_DIRECTORY_ENTRY_H
#define WEIR_DIRECTORY_ENTRY_H

#include "findings.h"
#include "link.h"
#include "provider.h"
#include "range.h"

#define ENTRY_ATTRIBUTES 16
#define ENTRY_GROUPS     "memberOf" /* what it tells them by */

/* The attributes to ask for, ended with NULL; they live as long as p and name do. name: room for one. */
void entry_attributes(const struct provider *p, char name[static 64],
		      const char *out[static ENTRY_ATTRIBUTES]);

/* Into f: dn, id, name, title, and the groups that the entry itself tells of, or the first of them, and then
 * f->more_groups. DIRECTORY_RIGHT, or why the entry lets nobody in: DIRECTORY_DISABLED, DIRECTORY_EXPIRED.
 * That it is locked after wrong passwords is no such reason: strangers can do that to anybody. */
enum directory_verdict entry_read(const struct link_entry *e, const struct provider *p, struct findings *f);
/* Into f: the groups alone. True where they are a part of them. */
bool entry_take_groups(const struct link_entry *e, struct findings *f, struct range *part);

/* Whether the value of an attribute (any case) of an entry lets nobody in now. now_s: Unix time. */
enum directory_verdict entry_standing(const char *attribute, const char *value, int64_t now_s);

#endif
