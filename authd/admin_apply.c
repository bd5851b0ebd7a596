#include "admin_apply.h"

#include <stdlib.h>
#include <string.h>

#include "admin_groups.h"
#include "admin_tenants.h"
#include "admin_users.h"
#include "base/mem.h"
#include "rows.h"

#define THINGS_MAX 4096 /* of one kind in one document */

/*
 * The kinds in the order in which they are made: a user's accesses name tenants, a group's members are users.
 * What is not wanted any more goes in the opposite order.
 */
static const struct {
	const char *list, *kind;
	enum table names;
	void (*apply)(struct admin_call *c, const struct fields *f, struct changes *ch);
	void (*drop)(struct admin_call *c, const char *name);
} kinds[] = {
	{ "tenants", "tenant", TABLE_TENANT_NAMES, tenant_apply, tenant_drop },
	{ "users", "user", TABLE_NAMES, user_apply, user_drop },
	{ "groups", "group", TABLE_GROUP_NAMES, group_apply, group_drop },
};

static void
write_step(struct admin_call *c, const char *action, const char *kind, const char *name,
	   const struct changes *ch)
{
	json_object(c->w, NULL);
	json_string(c->w, "action", action);
	json_string(c->w, "kind", kind);
	json_string(c->w, "name", name);
	json_array(c->w, "changes");
	for (size_t i = 0; ch != NULL && i < ch->n; i++)
		json_string(c->w, NULL, ch->member[i]);
	json_array_end(c->w);
	json_object_end(c->w);
}

static void
apply_list(struct admin_call *c, const struct fields *document, size_t k)
{
	const struct json_node *list;

	if (!field_list(document, kinds[k].list, OPTIONAL, THINGS_MAX, &list))
		return;
	for (size_t i = 0; i < json_node_count(list) && call_good(c); i++) {
		struct fields f = fields_element(document, kinds[k].list, list, i);
		struct changes ch = { .added = false };

		if (!call_good(c))
			return;
		kinds[k].apply(c, &f, &ch);
		if (call_good(c) && (ch.added || ch.n > 0))
			write_step(c, ch.added ? "add" : "change", kinds[k].kind,
				   json_node_text(json_node_member(f.node, "name")), &ch);
		if (c->status == ADMIN_NOT_FOUND || c->status == ADMIN_DENIED)
			fields_wrong(&f, "name", "It is not yours to change.");
	}
}

/* --- pruning --- */

struct leftovers {
	const char **wanted; /* in order */
	size_t nwanted;
	char (*name)[ACCOUNT_NAME_MAX];
	size_t n;
};

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
gather_wanted(struct leftovers *l, const struct json_node *list)
{
	l->wanted = mem_calloc(json_node_count(list) + 1, sizeof(*l->wanted));
	for (size_t i = 0; i < json_node_count(list); i++) {
		const char *name = json_node_text(json_node_member(json_node_at(list, i), "name"));

		if (name != NULL)
			l->wanted[l->nwanted++] = name;
	}
	qsort(l->wanted, l->nwanted, sizeof(*l->wanted), text_order);
}

static bool
take_leftover(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct leftovers *l = ctx;
	char name[ACCOUNT_NAME_MAX] = "";

	(void)value;
	if (key.n >= sizeof(name))
		return false;
	memcpy(name, key.p, key.n);
	if (bsearch(&(const char *){ name }, l->wanted, l->nwanted, sizeof(*l->wanted), text_order) != NULL)
		return true;
	l->name = mem_reallocarray(l->name, l->n + 1, sizeof(*l->name));
	memcpy(l->name[l->n++], name, sizeof(name));
	return true;
}

/* A kind of which the document says nothing is left alone, and so is who asks. What is not the caller's is
 * not there for him. */
static void
prune_list(struct admin_call *c, const struct fields *document, size_t k)
{
	const struct json_node *list = json_node_member(document->node, kinds[k].list);
	struct leftovers l = { .n = 0 };

	if (list == NULL || !call_good(c))
		return;
	gather_wanted(&l, list);
	txn_walk(&c->x, kinds[k].names, db_bytes("\001", 1), false, take_leftover, &l);
	for (size_t i = 0; i < l.n && call_good(c); i++) {
		if (kinds[k].names == TABLE_NAMES && strcmp(l.name[i], c->name) == 0)
			continue;
		kinds[k].drop(c, l.name[i]);
		if (c->status == ADMIN_NOT_FOUND)
			c->status = 0;
		else if (call_good(c))
			write_step(c, "remove", kinds[k].kind, l.name[i], NULL);
	}
	free(l.name);
	free(l.wanted);
}

void
apply_op(struct admin_call *c)
{
	static const char *const known[] = { "op", "document", "dry_run", "prune" };
	static const char *const lists[] = { "tenants", "users", "groups" };
	bool dry_run = false, prune = false;
	struct fields document;

	fields_only(&c->body, known, ARRAY_LEN(known));
	(void)field_flag(&c->body, "dry_run", &dry_run);
	(void)field_flag(&c->body, "prune", &prune);
	if (!fields_object(&c->body, "document", REQUIRED, &document))
		return;
	fields_only(&document, lists, ARRAY_LEN(lists));
	json_array(c->w, "plan");
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		apply_list(c, &document, k);
	for (size_t k = ARRAY_LEN(kinds); k-- > 0 && prune;)
		prune_list(c, &document, k);
	tenants_bound(c);
	json_array_end(c->w);
	json_bool(c->w, "applied", !dry_run);
	c->undo = dry_run;
	if (call_good(c) && !dry_run)
		call_audit(c, AUDIT_APPLIED, TENANT_PLATFORM, "", "%s", prune ? "with pruning" : "");
}
