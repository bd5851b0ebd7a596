#include "admin_labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "label_view.h"
#include "shapes.h"

/* --- what a label is of --- */

static void
read_key(const struct fields *f, struct label *l)
{
	struct ip_prefix network;
	struct ip_addr ip;

	if (!field_text(f, "key", REQUIRED, interface_judge, l->key, sizeof(l->key)))
		return;
	if (l->kind == LABEL_HOST) {
		if (ip_parse(l->key, &ip))
			(void)ip_format(&ip, l->key);
		else
			fields_wrong(f, "key", "It is no address: write it as 192.0.2.1 or 2001:db8::1.");
	} else if (l->kind == LABEL_NETWORK) {
		if (prefix_parse(l->key, &network))
			(void)prefix_format(&network, l->key);
		else
			fields_wrong(f, "key",
				     "It is no network: write it as 192.0.2.0/24 or 2001:db8::/32.");
	}
}

static void
read_kind(const struct fields *f, struct label *l)
{
	char name[16];

	if (!field_text(f, "kind", REQUIRED, any_text, name, sizeof(name)))
		return;
	l->kind = label_kind_parse(name);
	if (l->kind == 0)
		fields_wrong(f, "kind", "It must be host, interface or network.");
}

/* A host's, else 0. */
static void
read_place(const struct fields *f, const struct label *l, const char *key, int64_t max, int64_t *number)
{
	*number = 0;
	if (field_int(f, key, OPTIONAL, 0, max, number) && *number != 0 && l->kind != LABEL_HOST)
		fields_wrong(f, key, "Only hosts have one.");
}

void
label_read_thing(const struct fields *f, struct label *l)
{
	int64_t vlan, space;

	memset(l, 0, sizeof(*l));
	read_kind(f, l);
	read_key(f, l);
	read_place(f, l, "vlan", 4094, &vlan);
	read_place(f, l, "address_space", UINT16_MAX, &space);
	l->vlan = (uint16_t)vlan;
	l->space = (uint32_t)space;
}

static void
read_text(const struct fields *f, struct label *l)
{
	(void)field_text(f, "label", REQUIRED, title_judge, l->text, sizeof(l->text));
}

/* --- whose --- */

bool
label_find_tenant(struct admin_call *c, enum action action, uint32_t *tenant)
{
	*tenant = c->grant.tenant;
	(void)shape_read_tenant(c, &c->body, "tenant", OPTIONAL, tenant);
	if (!call_good(c))
		return false;
	if (!call_may_tenant(c, action, *tenant))
		call_end(c, action == ACTION_READ_LABELS ? ADMIN_NOT_FOUND : ADMIN_DENIED);
	return call_good(c);
}

struct writing {
	struct admin_call *c;
	const struct label_view *view;
};

void
label_write_thing(struct json_writer *w, const struct label *l)
{
	json_string(w, "kind", label_kind_name(l->kind));
	json_string(w, "key", l->key);
	json_uint(w, "vlan", l->vlan);
	json_uint(w, "address_space", l->space);
}

static void
write_label(void *ctx, const struct label *l)
{
	const struct writing *to = ctx;
	struct json_writer *w = to->c->w;

	if (!label_view_shows(to->view, l))
		return;
	json_object(w, NULL);
	label_write_thing(w, l);
	json_string(w, "label", l->text);
	json_object_end(w);
}

void
label_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "tenant" };
	AUTO(mem_drop) struct label_view *view = mem_calloc(1, sizeof(*view));
	const struct writing to = { c, view };
	uint32_t tenant;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!label_find_tenant(c, ACTION_READ_LABELS, &tenant))
		return;
	label_view_of(c, tenant, view);
	json_array(c->w, "labels");
	labels_each(&c->x, tenant, write_label, (void *)(uintptr_t)&to);
	json_array_end(c->w);
	c->reads_others = tenant != c->grant.tenant;
}

/* --- changing --- */

static void
change(struct admin_call *c, const struct label *to, uint32_t tenant)
{
	AUTO(mem_drop) struct label_view *view = mem_calloc(1, sizeof(*view));
	struct label was = *to;
	char subject[96];

	label_view_of(c, tenant, view);
	if (!label_view_shows(view, to)) {
		call_end(c, ADMIN_NOT_FOUND);
		return;
	}
	(void)label_look(&c->x, tenant, &was);
	if (c->x.rc != 0 || strcmp(was.text, to->text) == 0)
		return;
	if (to->text[0] == '\0')
		label_remove(&c->x, tenant, to);
	else
		label_put(&c->x, tenant, to);
	(void)snprintf(subject, sizeof(subject), "%s:%s", label_kind_name(to->kind), to->key);
	call_audit(c, AUDIT_LABEL_CHANGED, tenant, subject, "%s", to->text);
}

void
label_op_set(struct admin_call *c)
{
	static const char *const known[] = {
		"op", "tenant", "kind", "key", "vlan", "address_space", "label"
	};
	uint32_t tenant;
	struct label l;

	fields_only(&c->body, known, ARRAY_LEN(known));
	label_read_thing(&c->body, &l);
	read_text(&c->body, &l);
	if (label_find_tenant(c, ACTION_WRITE_LABELS, &tenant))
		change(c, &l, tenant);
}

void
label_op_remove(struct admin_call *c)
{
	static const char *const known[] = { "op", "tenant", "kind", "key", "vlan", "address_space" };
	uint32_t tenant;
	struct label l;

	fields_only(&c->body, known, ARRAY_LEN(known));
	label_read_thing(&c->body, &l);
	if (label_find_tenant(c, ACTION_WRITE_LABELS, &tenant))
		change(c, &l, tenant);
}

/* --- for apply --- */

static int
by_order(const void *a, const void *b)
{
	return label_order(a, b);
}

/* In order; 0 where something is wrong. */
static size_t
read_list(const struct fields *f, const struct json_node *list, struct label *out)
{
	static const char *const known[] = { "kind", "key", "vlan", "address_space", "label" };
	size_t n = json_node_count(list);

	for (size_t i = 0; i < n && !f->fault->set; i++) {
		struct fields e = fields_element(f, "labels", list, i);

		fields_only(&e, known, ARRAY_LEN(known));
		label_read_thing(&e, &out[i]);
		read_text(&e, &out[i]);
		if (!f->fault->set && out[i].text[0] == '\0')
			fields_wrong(&e, "label", "It is empty.");
	}
	if (f->fault->set)
		return 0;
	qsort(out, n, sizeof(*out), by_order);
	for (size_t i = 1; i < n; i++)
		if (label_order(&out[i - 1], &out[i]) == 0)
			fields_wrong(f, "labels", "%s stands in it twice.", out[i].key);
	return n;
}

void
labels_apply(struct admin_call *c, const struct fields *f, const struct tenant *t, struct changes *ch)
{
	AUTO(mem_drop) struct label *to = NULL;
	const struct json_node *list;
	struct labels_changed n;
	char subject[80];
	size_t ngiven;

	if (!call_good(c) || !field_list(f, "labels", OPTIONAL, LABELS_MAX, &list))
		return;
	to = mem_calloc(json_node_count(list) + 1, sizeof(*to));
	ngiven = read_list(f, list, to);
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_WRITE_LABELS, t->number) || c->grant.nnarrowings > 0 ||
	    grant_is_masked(&c->grant)) {
		call_denied(c, "labels", "Who sees a part of a tenant does not write all its labels.");
		return;
	}
	n = labels_replace(&c->x, t->number, to, ngiven);
	if (n.set + n.removed == 0)
		return;
	changes_note(ch, true, "labels");
	(void)snprintf(subject, sizeof(subject), "tenant:%.64s", t->name);
	call_audit(c, AUDIT_LABEL_CHANGED, t->number, subject, "%zu set, %zu removed", n.set, n.removed);
}
