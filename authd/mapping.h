/*
 * Which of Weir's groups the groups of a directory are (ldap.groups), and the account of somebody whom the
 * directory knows: its memberships in those groups are what the directory says, all others are as they were
 * given here.
 */
#ifndef WEIR_AUTHD_MAPPING_H
#define WEIR_AUTHD_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"
#include "db.h"
#include "people.h"
#include "record.h"

/* The directory as a provider of accounts. */
#define PROVIDER_LDAP "ldap"

bool account_is_directorys(const struct account *who);

/* Whether a text is as ldap.groups wants it; then from and to are its sides. */
bool mapping_read(const char *item, char *from, size_t fromsize, char *to, size_t tosize);
/* Whether a group of the directory is the one that from names: by its distinguished name, or by the value of
 * its first component alone. Without regard to case. */
bool mapping_means(const char *from, const char *dn);

/* Whether anything of what was told is one of Weir's groups, there or not. */
bool mapping_admits(const struct settings *s, const struct person_told *t);

/* Within x: makes the memberships of the account, in the groups that ldap.groups names, those that were told
 * (NULL: none). True where any changed. A group that is not there is left out. */
bool mapping_write(struct txn *x, const struct settings *s, uint64_t account, const struct person_told *t);

#endif
