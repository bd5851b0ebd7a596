#include "admin_watched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_labels.h"
#include "base/auto.h"
#include "base/mem.h"
#include "label_view.h"
#include "watched.h"

/* Interfaces have seconds as they are, and other networks have no series. */
static void
judge(struct admin_call *c, const struct fields *f, uint32_t tenant, const struct label *l)
{
	if (!call_good(c))
		return;
	if (l->kind == LABEL_INTERFACE)
		fields_wrong(f, "kind",
			     "An interface has points of seconds as it is: watch hosts and networks.");
	else if (l->kind == LABEL_NETWORK && !label_network_is_own(c, tenant, l->key))
		fields_wrong(f, "key",
			     "It is none of the networks that have series: the tenant's own, or "
			     "else those of local_networks.");
}

struct writing {
	struct admin_call *c;
	const struct label_view *view;
};

static void
write_one(void *ctx, const struct label *l)
{
	const struct writing *to = ctx;
	struct json_writer *w = to->c->w;

	if (!label_view_shows(to->view, l))
		return;
	json_object(w, NULL);
	label_write_thing(w, l);
	json_object_end(w);
}

void
watched_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "tenant" };
	AUTO(mem_drop) struct label_view *view = mem_calloc(1, sizeof(*view));
	const struct writing to = { c, view };
	uint32_t tenant;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!label_find_tenant(c, ACTION_READ_LABELS, &tenant))
		return;
	label_view_of(c, tenant, view);
	json_array(c->w, "watched");
	watched_each(&c->x, tenant, write_one, (void *)(uintptr_t)&to);
	json_array_end(c->w);
	c->reads_others = tenant != c->grant.tenant;
}

/* --- changing --- */

static void
change(struct admin_call *c, const struct label *what, bool watched)
{
	AUTO(mem_drop) struct label_view *view = mem_calloc(1, sizeof(*view));
	char subject[96];
	uint32_t tenant;

	if (!label_find_tenant(c, ACTION_WRITE_LABELS, &tenant))
		return;
	label_view_of(c, tenant, view);
	if (!label_view_shows(view, what)) {
		call_end(c, ADMIN_NOT_FOUND);
		return;
	}
	if (watched)
		judge(c, &c->body, tenant, what);
	if (!call_good(c) || !watched_set(&c->x, tenant, what, watched))
		return;
	(void)snprintf(subject, sizeof(subject), "%s:%s", label_kind_name(what->kind), what->key);
	call_audit(c, AUDIT_WATCHED_CHANGED, tenant, subject, "%s", watched ? "watched" : "not watched");
}

void
watched_op_set(struct admin_call *c)
{
	static const char *const known[] = {
		"op", "tenant", "kind", "key", "vlan", "address_space", "watched"
	};
	bool watched = true;
	struct label what;

	fields_only(&c->body, known, ARRAY_LEN(known));
	label_read_thing(&c->body, &what);
	(void)field_flag(&c->body, "watched", &watched);
	change(c, &what, watched);
}

void
watched_op_remove(struct admin_call *c)
{
	static const char *const known[] = { "op", "tenant", "kind", "key", "vlan", "address_space" };
	struct label what;

	fields_only(&c->body, known, ARRAY_LEN(known));
	label_read_thing(&c->body, &what);
	change(c, &what, false);
}

/* --- for apply --- */

static int
by_order(const void *a, const void *b)
{
	return label_order(a, b);
}

/* In order; 0 where something is wrong. */
static size_t
read_list(struct admin_call *c, const struct fields *f, uint32_t tenant, const struct json_node *list,
	  struct label *out)
{
	static const char *const known[] = { "kind", "key", "vlan", "address_space" };
	size_t n = json_node_count(list);

	for (size_t i = 0; i < n && !f->fault->set; i++) {
		struct fields e = fields_element(f, "watched", list, i);

		fields_only(&e, known, ARRAY_LEN(known));
		label_read_thing(&e, &out[i]);
		judge(c, &e, tenant, &out[i]);
	}
	if (f->fault->set)
		return 0;
	qsort(out, n, sizeof(*out), by_order);
	for (size_t i = 1; i < n; i++)
		if (label_order(&out[i - 1], &out[i]) == 0)
			fields_wrong(f, "watched", "%s stands in it twice.", out[i].key);
	return n;
}

void
watched_apply(struct admin_call *c, const struct fields *f, const struct tenant *t, struct changes *ch)
{
	AUTO(mem_drop) struct label *to = NULL;
	const struct json_node *list;
	struct labels_changed n;
	char subject[80];
	size_t ngiven;

	if (!call_good(c) || !field_list(f, "watched", OPTIONAL, WATCHED_MAX, &list))
		return;
	to = mem_calloc(json_node_count(list) + 1, sizeof(*to));
	ngiven = read_list(c, f, t->number, list, to);
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_WRITE_LABELS, t->number) || c->grant.nnarrowings > 0 ||
	    grant_is_masked(&c->grant)) {
		call_denied(c, "watched", "Who sees a part of a tenant does not say all that it watches.");
		return;
	}
	n = watched_replace(&c->x, t->number, to, ngiven);
	if (n.set + n.removed == 0)
		return;
	changes_note(ch, true, "watched");
	(void)snprintf(subject, sizeof(subject), "tenant:%.64s", t->name);
	call_audit(c, AUDIT_WATCHED_CHANGED, t->number, subject, "%zu watched, %zu not any more", n.set,
		   n.removed);
}
