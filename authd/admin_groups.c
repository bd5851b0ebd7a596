#include "admin_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "admin_person.h"
#include "base/auto.h"
#include "base/mem.h"
#include "groups.h"
#include "narrowings.h"
#include "rows.h"
#include "shapes.h"
#include "tenants.h"
#include "user_name.h"

static const char *const members[] = { "op", "name", "title", "members", "access" };

/* A group as it is or is to be. */
struct crowd {
	struct group group;
	size_t nmembers;
	uint64_t *member; /* ascending, in the arena */
	struct right has[ACCESSES_MAX];
	size_t nhas;
	char subject[GRANT_SUBJECT_MAX + 8]; /* "group:noc" */
};

static void
name_subject(struct crowd *g)
{
	(void)snprintf(g->subject, sizeof(g->subject), "group:%.*s", USER_NAME_MAX, g->group.name);
}

/* What there is of a group whose record has been read. */
static void
read_rest(struct admin_call *c, struct crowd *g)
{
	g->nhas = rights_list(&g->group.access, g->has, ACCESSES_MAX);
	g->member = arena_alloc(c->arena, MEMBERS_MAX * sizeof(*g->member));
	if (g->member == NULL)
		txn_fail(&c->x, DB_BROKEN);
	else
		g->nmembers = members_of(&c->x, g->group.number, g->member);
	name_subject(g);
}

static struct resource
resource_of(const struct crowd *g, const struct right *gets, size_t ngets)
{
	uint32_t tenant = g->nhas > 0 ? g->has[0].tenant : ngets > 0 ? gets[0].tenant : TENANT_PLATFORM;

	return (struct resource){
		.tenant = tenant, .has = g->has, .nhas = g->nhas, .gets = gets, .ngets = ngets
	};
}

static bool
is_visible(struct admin_call *c, const struct crowd *g)
{
	struct resource r = resource_of(g, NULL, 0);

	return call_may(c, ACTION_READ_GROUPS, &r);
}

/* False, and g is none: there is none of this name, or it is not the caller's. */
static bool
look(struct admin_call *c, const char *name, struct crowd *g)
{
	memset(g, 0, sizeof(*g));
	if (group_look(&c->x, name, c->arena, &g->group)) {
		read_rest(c, g);
		if (c->x.rc == 0 && is_visible(c, g))
			return true;
	}
	memset(g, 0, sizeof(*g));
	return false;
}

static bool
find_named(struct admin_call *c, const char *name, struct crowd *g)
{
	if (look(c, name, g))
		return true;
	call_end(c, ADMIN_NOT_FOUND);
	return false;
}

static bool
find(struct admin_call *c, struct crowd *g)
{
	char name[ACCOUNT_NAME_MAX];

	memset(g, 0, sizeof(*g));
	return field_text(&c->body, "name", REQUIRED, user_name_judge, name, sizeof(name)) &&
	       find_named(c, name, g);
}

static bool
is_seen(struct admin_call *c, const struct person *p)
{
	struct resource r = person_resource(p, NULL, 0);

	return call_may(c, ACTION_READ_USERS, &r);
}

/* Members whom the caller may not see are not told of, only counted with nobody. */
static void
write_members(struct admin_call *c, const struct crowd *g)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));

	json_array(c->w, "members");
	for (size_t i = 0; i < g->nmembers && c->x.rc == 0; i++) {
		person_read(c, g->member[i], p);
		if (c->x.rc == 0 && is_seen(c, p))
			json_string(c->w, NULL, p->who.name);
	}
	json_array_end(c->w);
}

static void
write_group(struct admin_call *c, const char *key, const struct crowd *g)
{
	json_object(c->w, key);
	json_string(c->w, "name", g->group.name);
	json_string(c->w, "title", g->group.title);
	write_members(c, g);
	shape_write_accesses(c, "access", &g->group.access);
	json_object_end(c->w);
}

/* --- reading what a request says --- */

static int
number_order(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static bool
is_member(const struct crowd *g, uint64_t account)
{
	return g->nmembers > 0 &&
	       bsearch(&account, g->member, g->nmembers, sizeof(account), number_order) != NULL;
}

/* Whom the caller may not see is as good as nobody. */
static uint64_t
read_member(struct admin_call *c, const struct fields *f, const struct json_node *list, size_t i,
	    struct person *p)
{
	const char *name = element_text(f, "members", list, i, ACCOUNT_NAME_MAX, user_name_judge);
	struct account who;

	if (name == NULL)
		return 0;
	if (account_look(&c->x, name, &who)) {
		person_read(c, who.number, p);
		if (c->x.rc == 0 && is_seen(c, p))
			return who.number;
	}
	fields_wrong_at(f, "members", i, "There is no such user.");
	return 0;
}

/* Whom the caller was not told of stays: it cannot have been meant. Returns how many these are. */
static size_t
keep_unseen(struct admin_call *c, const struct crowd *was, uint64_t *to, struct person *p)
{
	size_t n = 0;

	for (size_t i = 0; i < was->nmembers && c->x.rc == 0; i++) {
		person_read(c, was->member[i], p);
		if (c->x.rc == 0 && !is_seen(c, p))
			to[n++] = was->member[i];
	}
	return n;
}

static bool
read_member_list(struct admin_call *c, const struct fields *f, const struct crowd *was, struct crowd *g)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	const struct json_node *list;
	size_t n, kept = 0;

	if (!field_list(f, "members", OPTIONAL, MEMBERS_MAX, &list))
		return false;
	n = json_node_count(list);
	g->member = arena_alloc(c->arena, (n + was->nmembers + 1) * sizeof(*g->member));
	if (g->member == NULL) {
		fields_wrong(f, "members", "It is too long.");
		return false;
	}
	for (size_t i = 0; i < n && call_good(c); i++)
		g->member[i] = read_member(c, f, list, i, p);
	n += call_good(c) ? keep_unseen(c, was, g->member + n, p) : 0;
	if (call_good(c) && n > MEMBERS_MAX)
		fields_wrong(f, "members", "It is too long.");
	if (!call_good(c))
		return false;
	qsort(g->member, n, sizeof(*g->member), number_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || g->member[i] != g->member[i - 1])
			g->member[kept++] = g->member[i];
	g->nmembers = kept;
	return true;
}

/* What f says, over what is there: to is a copy of was. */
static void
read_changes(struct admin_call *c, const struct fields *f, const struct crowd *was, struct crowd *to,
	     struct changes *ch)
{
	struct accesses access;

	if (fields_has(f, "title"))
		(void)field_text(f, "title", OPTIONAL, title_judge, to->group.title, sizeof(to->group.title));
	changes_note(ch, strcmp(was->group.title, to->group.title) != 0, "title");
	if (read_member_list(c, f, was, to))
		changes_note(ch,
			     was->nmembers != to->nmembers ||
				 (to->nmembers > 0 &&
				  memcmp(was->member, to->member, to->nmembers * sizeof(*to->member)) != 0),
			     "members");
	if (shape_read_accesses(c, f, "access", &access)) {
		changes_note(ch, !accesses_equal(&was->group.access, &access), "access");
		to->group.access = access;
	}
	changes_finish(ch);
}

/* --- changing --- */

static bool
may_change(struct admin_call *c, const struct crowd *was, const struct crowd *to)
{
	struct right gets[ACCESSES_MAX];
	size_t ngets = rights_list(&to->group.access, gets, ACCESSES_MAX);
	struct resource r = resource_of(was, gets, ngets);

	if (call_may(c, ACTION_WRITE_GROUPS, &r))
		return true;
	call_denied(c, "access", "You may not give these rights, or not change a group that has such.");
	return false;
}

/* A member gets what the group has, or loses it: that is to change the user. */
static bool
may_move(struct admin_call *c, uint64_t account, const struct crowd *to)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct right gets[ACCESSES_MAX];
	size_t ngets = rights_list(&to->group.access, gets, ACCESSES_MAX);
	struct resource r;

	person_read(c, account, p);
	r = person_resource(p, gets, ngets);
	if (c->x.rc == 0 && call_may(c, ACTION_WRITE_USERS, &r))
		return true;
	call_denied(c, "members", "You may not change a user who has such rights.");
	return false;
}

static void
join_one(struct admin_call *c, uint64_t account, const struct crowd *to)
{
	uint64_t group[GROUPS_OF_ONE_MAX];

	if (!may_move(c, account, to))
		return;
	if (groups_of(&c->x, account, group) >= GROUPS_OF_ONE_MAX) {
		call_conflict(c, "members", "A user is in too many groups.");
		return;
	}
	member_add(&c->x, to->group.number, account);
	numbers_add(&c->touched, account);
}

static void
move_members(struct admin_call *c, const struct crowd *was, const struct crowd *to)
{
	for (size_t i = 0; i < to->nmembers && call_good(c); i++)
		if (!is_member(was, to->member[i]))
			join_one(c, to->member[i], to);
	for (size_t i = 0; i < was->nmembers && call_good(c); i++) {
		if (is_member(to, was->member[i]) || !may_move(c, was->member[i], to))
			continue;
		member_remove(&c->x, to->group.number, was->member[i]);
		numbers_add(&c->touched, was->member[i]);
	}
}

static void
write_changed(struct admin_call *c, const struct crowd *was, struct crowd *to, const struct changes *ch)
{
	uint32_t tenant = rights_matter(&was->group.access, &to->group.access);

	if (!call_good(c) || !may_change(c, was, to) || (!ch->added && ch->n == 0))
		return;
	if (ch->added)
		group_add(&c->x, &to->group);
	else
		group_write(&c->x, &to->group);
	for (size_t i = 0; i < to->group.access.n && c->x.rc == 0; i++)
		(void)narrowing_number(&c->x, &to->group.access.item[i].within);
	move_members(c, was, to);
	for (size_t i = 0; i < to->nmembers; i++)
		numbers_add(&c->touched, to->member[i]);
	call_audit(c, ch->added ? AUDIT_GROUP_ADDED : AUDIT_GROUP_CHANGED, tenant, to->subject, "%s",
		   ch->text);
	for (size_t i = 0; i < ch->n; i++)
		if (strcmp(ch->member[i], "access") == 0 || strcmp(ch->member[i], "members") == 0)
			call_audit(c, AUDIT_RIGHTS_GRANTED, tenant, to->subject, "%s: %zu accesses",
				   ch->member[i], to->group.access.n);
}

/* Whose the name is that is taken is not told, as it may be nobody's of the caller's. */
static void
refuse_taken(struct admin_call *c, const struct crowd *was, const struct crowd *to)
{
	if (call_good(c) && may_change(c, was, to) &&
	    name_look(&c->x, TABLE_GROUP_NAMES, to->group.name) != 0)
		call_conflict(c, "name", "There is a group of this name.");
}

/* --- the operations --- */

static void
list_one(struct admin_call *c, struct page *p, uint64_t number)
{
	struct crowd g;

	memset(&g, 0, sizeof(g));
	group_read(&c->x, number, c->arena, &g.group);
	if (c->x.rc != 0)
		return;
	read_rest(c, &g);
	if (c->x.rc == 0 && is_visible(c, &g) && page_takes(c, p))
		write_group(c, NULL, &g);
}

void
group_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "limit", "cursor" };
	struct page p;

	fields_only(&c->body, known, ARRAY_LEN(known));
	page_begin(c, &p);
	json_array(c->w, "groups");
	page_names(c, &p, TABLE_GROUP_NAMES, list_one);
	json_array_end(c->w);
	page_end(c, &p);
	c->reads_others = true;
}

void
group_op_get(struct admin_call *c)
{
	static const char *const known[] = { "op", "name" };
	struct crowd g;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (find(c, &g))
		write_group(c, "group", &g);
	c->reads_others = true;
}

void
group_op_add(struct admin_call *c)
{
	const struct crowd nothing = { .nmembers = 0 };
	struct changes ch = { .added = true };
	struct crowd to = { .nmembers = 0 };

	fields_only(&c->body, members, ARRAY_LEN(members));
	(void)field_text(&c->body, "name", REQUIRED, user_name_judge, to.group.name, sizeof(to.group.name));
	name_subject(&to);
	read_changes(c, &c->body, &nothing, &to, &ch);
	refuse_taken(c, &nothing, &to);
	write_changed(c, &nothing, &to, &ch);
	if (call_good(c))
		write_group(c, "group", &to);
}

void
group_op_set(struct admin_call *c)
{
	struct changes ch = { .added = false };
	struct crowd was, to;

	fields_only(&c->body, members, ARRAY_LEN(members));
	if (!find(c, &was))
		return;
	to = was;
	read_changes(c, &c->body, &was, &to, &ch);
	write_changed(c, &was, &to, &ch);
	if (call_good(c))
		write_group(c, "group", &to);
}

static void
drop(struct admin_call *c, const struct crowd *g)
{
	struct crowd empty = *g;

	empty.group.access.n = 0;
	empty.nmembers = 0;
	if (!call_good(c) || !may_change(c, g, &empty))
		return;
	move_members(c, g, &empty);
	group_remove(&c->x, &g->group);
	call_audit(c, AUDIT_GROUP_REMOVED, rights_matter(&g->group.access, &g->group.access), g->subject,
		   "%s", "");
}

void
group_op_remove(struct admin_call *c)
{
	static const char *const known[] = { "op", "name" };
	struct crowd g;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (find(c, &g))
		drop(c, &g);
}

/* --- for apply --- */

void
group_apply(struct admin_call *c, const struct fields *f, struct changes *ch)
{
	struct crowd was = { .nmembers = 0 }, to;
	char name[ACCOUNT_NAME_MAX];

	fields_only(f, members + 1, ARRAY_LEN(members) - 1);
	if (!field_text(f, "name", REQUIRED, user_name_judge, name, sizeof(name)))
		return;
	/* What is not the caller's is not there for him. */
	ch->added = !look(c, name, &was);
	to = was;
	if (ch->added) {
		(void)str_copy(to.group.name, sizeof(to.group.name), name);
		name_subject(&to);
	}
	read_changes(c, f, &was, &to, ch);
	if (ch->added)
		refuse_taken(c, &was, &to);
	write_changed(c, &was, &to, ch);
}

void
group_drop(struct admin_call *c, const char *name)
{
	struct crowd g;

	if (find_named(c, name, &g))
		drop(c, &g);
}
