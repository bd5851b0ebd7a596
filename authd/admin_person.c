#include "admin_person.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "user_name.h"

void
person_subject(const char *name, char out[static GRANT_SUBJECT_MAX])
{
	(void)snprintf(out, GRANT_SUBJECT_MAX, "user:%.*s", USER_NAME_MAX, name);
}

/* More rights than there is room for: one of the platform's stands for the rest, so that nobody else may
 * touch him. */
static size_t
list_rights(const struct accesses *all, struct right out[PERSON_RIGHTS_MAX])
{
	size_t n = rights_list(all, out, PERSON_RIGHTS_MAX);

	if (all->n > PERSON_RIGHTS_MAX)
		out[0] = (struct right){ TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, UINT64_MAX };
	return n;
}

void
person_read(struct admin_call *c, uint64_t number, struct person *p)
{
	memset(p, 0, sizeof(*p));
	account_read(&c->x, number, &p->who);
	accesses_read(&c->x, number, c->arena, &p->own);
	rights_gather(&c->x, number, c->arena, &p->all);
	if (c->x.rc != 0)
		return;
	p->nhas = list_rights(&p->all, p->has);
	person_subject(p->who.name, p->subject);
}

uint32_t
person_matter(const struct person *p, const struct accesses *own)
{
	return rights_matter(&p->all, own == NULL ? &p->own : own);
}

struct resource
person_resource(const struct person *p, const struct right *gets, size_t ngets)
{
	struct resource r = { .tenant = p->nhas == 0 ? TENANT_PLATFORM : p->has[0].tenant,
			      .owner = p->subject,
			      .has = p->has,
			      .nhas = p->nhas,
			      .gets = gets,
			      .ngets = ngets };

	if (p->nhas == 0 && ngets > 0)
		r.tenant = gets[0].tenant;
	return r;
}

bool
person_look(struct admin_call *c, const char *name, enum action see, struct person *p)
{
	struct account who;
	struct resource r;
	bool found = account_look(&c->x, name, &who);

	if (found) {
		person_read(c, who.number, p);
		r = person_resource(p, NULL, 0);
		found = call_may(c, see, &r);
	}
	sodium_memzero(&who, sizeof(who));
	if (!found)
		sodium_memzero(p, sizeof(*p));
	return found && c->x.rc == 0;
}

bool
person_find(struct admin_call *c, const char *name, enum action see, struct person *p)
{
	if (person_look(c, name, see, p))
		return true;
	call_end(c, ADMIN_NOT_FOUND);
	return false;
}
