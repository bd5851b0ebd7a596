#include "named.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dn.h"

void
named_find(const struct provider *p, struct findings *f)
{
	char *wanted[PROVIDER_GROUPS_MAX];
	bool whole[PROVIDER_GROUPS_MAX], found[PROVIDER_GROUPS_MAX] = { false };

	for (size_t k = 0; k < p->ngroups; k++) {
		whole[k] = strchr(p->group[k], '=') != NULL;
		wanted[k] = whole[k] ? dn_normal(p->group[k]) : dn_value(p->group[k]);
		if (wanted[k] == NULL)
			findings_step(f, "ldap.groups: \"%.200s\" is no distinguished name", p->group[k]);
	}
	for (size_t i = 0; i < f->ngroups && p->ngroups > 0; i++) {
		char *normal = dn_normal(f->group[i]), *first = dn_first(f->group[i]);

		for (size_t k = 0; k < p->ngroups; k++) {
			const char *is = whole[k] ? normal : first;

			found[k] =
			    found[k] || (is != NULL && wanted[k] != NULL && strcmp(is, wanted[k]) == 0);
		}
		free(normal);
		free(first);
	}
	for (size_t k = 0; k < p->ngroups; k++) {
		free(wanted[k]);
		if (found[k])
			f->named[f->nnamed++] = mem_strdup(p->group[k]);
	}
}
