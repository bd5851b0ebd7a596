#include "admin_tenants.h"

#include <stdio.h>
#include <string.h>

#include "admin_labels.h"
#include "admin_watched.h"
#include "base/mem.h"
#include "shapes.h"
#include "tenants.h"

static const char *const members[] = { "op", "name", "title", "selectors", "address_spaces", "quotas" };
static const char *const applied[] = { "name",   "title",  "selectors", "address_spaces",
				       "quotas", "labels", "watched" };

static void
subject_of(const char *name, char out[static 80])
{
	(void)snprintf(out, 80, "tenant:%.64s", name);
}

/* By the member "name". Ends the call where there is none, or it is not the caller's. */
static bool
find(struct admin_call *c, const struct fields *f, struct tenant_record *t)
{
	char name[TENANT_NAME_MAX];

	if (!field_text(f, "name", REQUIRED, tenant_name_judge, name, sizeof(name)))
		return false;
	if (!tenant_look(&c->x, name, c->arena, t) ||
	    !call_may_tenant(c, ACTION_READ_TENANTS, t->tenant.number)) {
		call_end(c, ADMIN_NOT_FOUND);
		return false;
	}
	return true;
}

static bool
may_write(struct admin_call *c)
{
	if (call_may_tenant(c, ACTION_WRITE_TENANTS, TENANT_PLATFORM))
		return true;
	call_denied(c, "", "Tenants are made and changed by the platform's administrators.");
	return false;
}

static bool
same_bytes(const void *a, size_t na, const void *b, size_t nb, size_t size)
{
	return na == nb && (na == 0 || memcmp(a, b, na * size) == 0);
}

/* What f says, over what is there. */
static void
read_members(struct admin_call *c, const struct fields *f, struct tenant_record *t, struct changes *ch)
{
	struct tenant_record was = *t;
	struct tenant_quota quota;

	if (fields_has(f, "title")) {
		(void)field_text(f, "title", OPTIONAL, title_judge, t->tenant.title, sizeof(t->tenant.title));
		changes_note(ch, strcmp(was.tenant.title, t->tenant.title) != 0, "title");
	}
	if (shape_read_selectors(c, f, t)) {
		for (size_t i = 0; i < t->nselectors; i++)
			t->selectors[i].tenant = t->tenant.number;
		changes_note(ch,
			     !same_bytes(was.selectors, was.nselectors, t->selectors, t->nselectors,
					 sizeof(*t->selectors)),
			     "selectors");
	}
	if (shape_read_spaces(f, &t->tenant))
		changes_note(ch,
			     !same_bytes(was.tenant.space, was.tenant.nspaces, t->tenant.space,
					 t->tenant.nspaces, sizeof(t->tenant.space[0])),
			     "address_spaces");
	if (shape_read_quotas(f, &quota)) {
		t->tenant.quota = quota;
		changes_note(ch, memcmp(&was.tenant.quota, &quota, sizeof(quota)) != 0, "quotas");
	}
	changes_finish(ch);
}

static void
write_changed(struct admin_call *c, struct tenant_record *t, const struct changes *ch)
{
	char subject[80];

	if (!call_good(c) || !may_write(c))
		return;
	subject_of(t->tenant.name, subject);
	if (ch->added)
		tenant_add(&c->x, t);
	else if (ch->n > 0)
		tenant_write(&c->x, t);
	else
		return;
	call_audit(c, ch->added ? AUDIT_TENANT_ADDED : AUDIT_TENANT_CHANGED, t->tenant.number, subject, "%s",
		   ch->text);
}

void
tenants_bound(struct admin_call *c)
{
	if (call_good(c) && !policy_fits(&c->x))
		call_conflict(c, "selectors", "There would be more selectors than a policy holds.");
}

/* --- the operations --- */

static void
list_one(struct admin_call *c, struct page *p, uint64_t number)
{
	struct tenant_record t;

	if (!call_may_tenant(c, ACTION_READ_TENANTS, (uint32_t)number))
		return;
	tenant_read(&c->x, (uint32_t)number, c->arena, &t);
	if (c->x.rc == 0 && page_takes(c, p))
		shape_write_tenant(c->w, NULL, &t);
}

void
tenant_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "limit", "cursor" };
	struct page p;

	fields_only(&c->body, known, ARRAY_LEN(known));
	page_begin(c, &p);
	json_array(c->w, "tenants");
	page_names(c, &p, TABLE_TENANT_NAMES, list_one);
	json_array_end(c->w);
	page_end(c, &p);
	c->reads_others = true;
}

void
tenant_op_get(struct admin_call *c)
{
	static const char *const known[] = { "op", "name" };
	struct tenant_record t;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!find(c, &c->body, &t))
		return;
	shape_write_tenant(c->w, "tenant", &t);
	c->reads_others = true;
}

void
tenant_op_add(struct admin_call *c)
{
	struct tenant_record t = { .nselectors = 0 };
	struct changes ch = { .added = true };

	fields_only(&c->body, members, ARRAY_LEN(members));
	(void)field_text(&c->body, "name", REQUIRED, tenant_name_judge, t.tenant.name, sizeof(t.tenant.name));
	read_members(c, &c->body, &t, &ch);
	if (call_good(c) && may_write(c) && tenant_number(&c->x, t.tenant.name) != 0)
		call_conflict(c, "name", "There is a tenant of this name.");
	write_changed(c, &t, &ch);
	tenants_bound(c);
	if (call_good(c))
		shape_write_tenant(c->w, "tenant", &t);
}

void
tenant_op_set(struct admin_call *c)
{
	struct changes ch = { .added = false };
	struct tenant_record t;

	fields_only(&c->body, members, ARRAY_LEN(members));
	if (!find(c, &c->body, &t))
		return;
	read_members(c, &c->body, &t, &ch);
	write_changed(c, &t, &ch);
	tenants_bound(c);
	if (call_good(c))
		shape_write_tenant(c->w, "tenant", &t);
}

static void
drop(struct admin_call *c, const struct tenant *t)
{
	char subject[80];

	if (!call_good(c) || !may_write(c))
		return;
	if (tenant_in_use(&c->x, t->number)) {
		call_conflict(c, "name", "Accesses of users or groups, or tokens, name this tenant.");
		return;
	}
	subject_of(t->name, subject);
	tenant_remove(&c->x, t);
	numbers_add(&c->tenants_gone, t->number);
	call_audit(c, AUDIT_TENANT_REMOVED, t->number, subject, "%s", "");
}

void
tenant_op_remove(struct admin_call *c)
{
	static const char *const known[] = { "op", "name" };
	struct tenant_record t;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (find(c, &c->body, &t))
		drop(c, &t.tenant);
}

/* --- for apply --- */

void
tenant_apply(struct admin_call *c, const struct fields *f, struct changes *ch)
{
	struct tenant_record t = { .nselectors = 0 };
	char name[TENANT_NAME_MAX];

	fields_only(f, applied, ARRAY_LEN(applied));
	if (!field_text(f, "name", REQUIRED, tenant_name_judge, name, sizeof(name)))
		return;
	ch->added = !tenant_look(&c->x, name, c->arena, &t);
	if (ch->added)
		(void)str_copy(t.tenant.name, sizeof(t.tenant.name), name);
	read_members(c, f, &t, ch);
	write_changed(c, &t, ch);
	labels_apply(c, f, &t.tenant, ch);
	watched_apply(c, f, &t.tenant, ch);
}

void
tenant_drop(struct admin_call *c, const char *name)
{
	struct tenant_record t;

	if (tenant_look(&c->x, name, c->arena, &t))
		drop(c, &t.tenant);
}
