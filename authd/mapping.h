/*
 * Which of Weir's groups the groups of a provider are (ldap.groups, oidc[].groups), and the account of
 * somebody whom it knows: its memberships in those groups are what the provider says, all others are as they
 * were given here.
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

#define MAPPING_ITEM_MAX 120
#define MAPPING_MAX      32 /* lines of one provider */

struct mapping {
	const char (*item)[MAPPING_ITEM_MAX];
	uint32_t n;
	bool plain; /* its groups are words, and not names that weir-directory has to compare */
	const char (*tenant)[64];
	uint32_t ntenants; /* 0: a group may be of any */
};
struct mapping mapping_of_directory(const struct settings *s);
struct mapping mapping_of_provider(const struct provider_settings *o);

/* Whether a text is as ldap.groups wants it; then from and to are its sides. */
bool mapping_read(const char *item, char *from, size_t fromsize, char *to, size_t tosize);
/* Whether what was told is in the group that from names. */
bool mapping_has(const struct mapping *m, const struct person_told *t, const char *from);

/* Whether a group of the provider is one of Weir's. */
bool mapping_names(const struct mapping *m, const char *group);
/* Whether anything of what was told is one of Weir's groups, there or not. */
bool mapping_admits(const struct mapping *m, const struct person_told *t);

/* Within x: makes the memberships of the account, in the groups that m names, those that were told (NULL:
 * none), and takes those that were given by lines that m has no more. True where any changed. A group that is
 * not there, or is of other tenants than it may be, is left out. */
bool mapping_write(struct txn *x, const struct mapping *m, uint64_t account, const struct person_told *t);
/* Within x: takes what was given by lines that m has no more, and leaves the rest as it is. True where there
 * was any. */
bool mapping_prune(struct txn *x, const struct mapping *m, uint64_t account);

#endif
