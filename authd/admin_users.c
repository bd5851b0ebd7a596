#include "admin_users.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "admin_password.h"
#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "groups.h"
#include "mapping.h"
#include "narrowings.h"
#include "people.h"
#include "providers.h"
#include "rows.h"
#include "shapes.h"
#include "tenants.h"
#include "user_name.h"

static const char *const members[] = { "op",    "password", "name",     "kind",
				       "title", "access",   "disabled", "provider" };
static const char *const kinds[ACCOUNT_KIND_COUNT] = { "", "person", "service" };

void
user_write(struct admin_call *c, const char *key, const struct person *p)
{
	uint64_t group[GROUPS_OF_ONE_MAX];
	size_t ngroups = groups_of(&c->x, p->who.number, group);
	struct login_record login;
	struct factor_record factor;
	bool has_factor = factor_look(&c->x, p->who.number, &factor) && factor.confirmed;

	sodium_memzero(&factor, sizeof(factor));
	login_read(&c->x, p->who.number, &login);
	json_object(c->w, key);
	json_string(c->w, "name", p->who.name);
	json_string(c->w, "kind", kinds[p->who.kind]);
	json_string(c->w, "title", p->who.title);
	json_string(c->w, "provider", p->who.provider[0] == '\0' ? NULL : p->who.provider);
	shape_write_accesses(c, "access", &p->own);
	json_array(c->w, "groups");
	for (size_t i = 0; i < ngroups && c->x.rc == 0; i++) {
		struct group g;

		group_read(&c->x, group[i], c->arena, &g);
		json_string(c->w, NULL, g.name);
	}
	json_array_end(c->w);
	json_bool(c->w, "disabled", p->who.disabled);
	json_bool(c->w, "second_factor", has_factor);
	shape_write_time(c->w, "created", p->who.created_ns);
	shape_write_visit(c->w, "last_login", login.last_ns, &login.last_ip);
	json_uint(c->w, "failed_logins", login.failures);
	json_object_end(c->w);
}

/* Reads him again, as he is after a change, and writes him. */
static void
write_again(struct admin_call *c, uint64_t number)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));

	if (!call_good(c))
		return;
	person_read(c, number, p);
	if (c->x.rc == 0)
		user_write(c, "user", p);
}

/* --- reading what a request says --- */

static const char *
kind_judge(const char *text)
{
	return strcmp(text, kinds[ACCOUNT_PERSON]) == 0 || strcmp(text, kinds[ACCOUNT_SERVICE]) == 0
		   ? NULL
		   : "It must be person or service.";
}

static const char *
provider_judge(const char *text)
{
	return text[0] != '\0' ? NULL : "It must be ldap, or the name of a provider.";
}

/* Somebody who is to come in by a provider, and has what he is given here from the start. */
static void
read_provider(struct admin_call *c, const struct fields *f, struct account *who, bool added)
{
	char provider[PROVIDER_MAX];

	if (!field_text(f, "provider", OPTIONAL, provider_judge, provider, sizeof(provider)))
		return;
	if (!added && strcmp(provider, who->provider) != 0)
		fields_wrong(f, "provider", "It cannot be changed.");
	else if (strcmp(provider, PROVIDER_LDAP) == 0 && !people_are_there(c->a->people))
		fields_wrong(f, "provider", "There is no directory: set ldap.servers.");
	else if (strcmp(provider, PROVIDER_LDAP) != 0 && providers_find(c->a->providers, provider) == NULL)
		fields_wrong(f, "provider", "There is no provider of this name (oidc[].name).");
	else if (who->kind != ACCOUNT_PERSON)
		fields_wrong(f, "provider", "A service has no provider.");
	else if (fields_has(f, "password"))
		fields_wrong(f, "password", "Its provider judges this user's password.");
	else if (strpbrk(who->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		fields_wrong(f, "name", "Users of a provider are written in small letters.");
	else
		(void)str_copy(who->provider, sizeof(who->provider), provider);
}

/* What f says, over what is there; out gets the accesses that he is to have by himself. */
static void
read_members(struct admin_call *c, const struct fields *f, struct account *who, struct accesses *own,
	     struct changes *ch)
{
	struct account was = *who;
	struct accesses access;
	char kind[16];

	if (field_text(f, "kind", ch->added ? REQUIRED : OPTIONAL, kind_judge, kind, sizeof(kind))) {
		who->kind = strcmp(kind, kinds[ACCOUNT_SERVICE]) == 0 ? ACCOUNT_SERVICE : ACCOUNT_PERSON;
		if (!ch->added && who->kind != was.kind)
			fields_wrong(f, "kind", "It cannot be changed.");
	}
	read_provider(c, f, who, ch->added);
	if (fields_has(f, "title"))
		(void)field_text(f, "title", OPTIONAL, title_judge, who->title, sizeof(who->title));
	changes_note(ch, strcmp(was.title, who->title) != 0, "title");
	if (shape_read_accesses(c, f, "access", &access)) {
		changes_note(ch, !accesses_equal(own, &access), "access");
		*own = access;
	}
	(void)field_flag(f, "disabled", &who->disabled);
	changes_note(ch, was.disabled != who->disabled, "disabled");
	changes_finish(ch);
	sodium_memzero(&was, sizeof(was));
}

/* --- changing --- */

/* Every narrowing gets its number with the change, so that no login has to write. */
static void
number_accesses(struct admin_call *c, const struct accesses *a)
{
	for (size_t i = 0; i < a->n && c->x.rc == 0; i++)
		(void)narrowing_number(&c->x, &a->item[i].within);
}

static bool
may_change(struct admin_call *c, const struct person *p, const struct accesses *own)
{
	struct right gets[ACCESSES_MAX];
	size_t ngets = rights_list(own, gets, ACCESSES_MAX);
	struct resource r = person_resource(p, gets, ngets);

	if (call_may(c, ACTION_WRITE_USERS, &r))
		return true;
	call_denied(c, "access", "You may not give these rights, or not change a user who has such.");
	return false;
}

static void
audit_rights(struct admin_call *c, const struct person *p, const struct accesses *own,
	     const struct changes *ch)
{
	uint32_t tenant = person_matter(p, own);
	char detail[AUDIT_DETAIL_MAX] = "";

	for (size_t i = 0; i < own->n; i++) {
		size_t at = strlen(detail);
		char name[TENANT_NAME_MAX];

		tenant_name(&c->x, own->item[i].tenant, name);
		(void)snprintf(detail + at, sizeof(detail) - at, "%s%s in %s%s", at == 0 ? "" : ", ",
			       role_name((enum role)own->item[i].role), name,
			       narrowing_is_whole(&own->item[i].within) ? "" : " (narrowed)");
	}
	for (size_t i = 0; i < ch->n; i++)
		if (strcmp(ch->member[i], "access") == 0)
			call_audit(c, own->n > 0 ? AUDIT_RIGHTS_GRANTED : AUDIT_RIGHTS_REMOVED, tenant,
				   p->subject, "%s", detail[0] == '\0' ? "none are left" : detail);
}

/* Makes p->who what it is, with these accesses. */
static void
write_changed(struct admin_call *c, struct person *p, const struct accesses *own, const struct changes *ch)
{
	if (!call_good(c) || !may_change(c, p, own) || (!ch->added && ch->n == 0))
		return;
	if (ch->added)
		account_add(&c->x, &p->who);
	else
		account_write(&c->x, &p->who);
	accesses_write(&c->x, p->who.number, own);
	number_accesses(c, own);
	call_audit(c, ch->added ? AUDIT_USER_ADDED : AUDIT_USER_CHANGED, person_matter(p, own), p->subject,
		   "%s", ch->text);
	audit_rights(c, p, own, ch);
	numbers_add(&c->touched, p->who.number);
	if (p->who.disabled) {
		sessions_remove_of(&c->x, p->who.number, NULL);
		numbers_add(&c->ended, p->who.number);
	}
}

/* Whose the name is that is taken is not told, as it may be nobody's of the caller's. */
static void
refuse_taken(struct admin_call *c, const struct person *p, const struct accesses *own)
{
	if (call_good(c) && may_change(c, p, own) && name_look(&c->x, TABLE_NAMES, p->who.name) != 0)
		call_conflict(c, "name", "There is a user of this name.");
}

/* --- the operations --- */

static void
list_one(struct admin_call *c, struct page *page, uint64_t number)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct resource r;

	person_read(c, number, p);
	r = person_resource(p, NULL, 0);
	if (c->x.rc == 0 && call_may(c, ACTION_READ_USERS, &r) && page_takes(c, page))
		user_write(c, NULL, p);
}

void
user_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "limit", "cursor" };
	struct page p;

	fields_only(&c->body, known, ARRAY_LEN(known));
	page_begin(c, &p);
	json_array(c->w, "users");
	page_names(c, &p, TABLE_NAMES, list_one);
	json_array_end(c->w);
	page_end(c, &p);
	c->reads_others = true;
}

static bool
find(struct admin_call *c, enum action see, struct person *p)
{
	char name[ACCOUNT_NAME_MAX];

	return field_text(&c->body, "name", REQUIRED, user_name_judge, name, sizeof(name)) &&
	       person_find(c, name, see, p);
}

void
user_op_get(struct admin_call *c)
{
	static const char *const known[] = { "op", "name" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (find(c, ACTION_READ_USERS, p))
		user_write(c, "user", p);
	c->reads_others = true;
}

/* A person needs a password to begin with, unless a provider judges his; a service has its tokens. */
void
user_op_add_prepare(struct admin_call *c)
{
	char name[ACCOUNT_NAME_MAX], kind[16] = "";

	(void)field_text(&c->body, "name", REQUIRED, user_name_judge, name, sizeof(name));
	(void)field_text(&c->body, "kind", REQUIRED, kind_judge, kind, sizeof(kind));
	if (!admin_password_new(c, "password", name, false) && !c->fault.set &&
	    strcmp(kind, kinds[ACCOUNT_PERSON]) == 0 && !fields_has(&c->body, "provider"))
		admin_password_draw(c);
}

void
user_op_add(struct admin_call *c)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct accesses own = { .n = 0 };
	struct changes ch = { .added = true };

	fields_only(&c->body, members, ARRAY_LEN(members));
	(void)field_text(&c->body, "name", REQUIRED, user_name_judge, p->who.name, sizeof(p->who.name));
	p->who.created_ns = clock_utc_ns();
	(void)str_copy(p->who.hash, sizeof(p->who.hash), c->secrets->hash);
	person_subject(p->who.name, p->subject);
	read_members(c, &c->body, &p->who, &own, &ch);
	refuse_taken(c, p, &own);
	write_changed(c, p, &own, &ch);
	write_again(c, p->who.number);
	if (call_good(c) && c->secrets->generated)
		json_string(c->w, "password", c->secrets->make);
	sodium_memzero(p, sizeof(*p));
}

void
user_op_set(struct admin_call *c)
{
	static const char *const known[] = { "op", "name", "title", "access", "disabled" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct changes ch = { .added = false };
	struct accesses own;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!find(c, ACTION_READ_USERS, p))
		return;
	own = p->own;
	read_members(c, &c->body, &p->who, &own, &ch);
	write_changed(c, p, &own, &ch);
	write_again(c, p->who.number);
	sodium_memzero(p, sizeof(*p));
}

static void
drop(struct admin_call *c, const struct person *p)
{
	struct resource r = person_resource(p, NULL, 0);

	if (!call_good(c))
		return;
	if (!call_may(c, ACTION_WRITE_USERS, &r)) {
		call_denied(c, "name", "You may not remove a user who has such rights.");
		return;
	}
	account_remove(&c->x, &p->who);
	call_audit(c, AUDIT_USER_REMOVED, person_matter(p, NULL), p->subject, "%s", "");
	numbers_add(&c->touched, p->who.number);
	numbers_add(&c->removed, p->who.number);
}

void
user_op_remove(struct admin_call *c)
{
	static const char *const known[] = { "op", "name" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (find(c, ACTION_READ_USERS, p))
		drop(c, p);
}

void
user_op_password_prepare(struct admin_call *c)
{
	static const char *const known[] = { "op", "name", "password" };
	char name[ACCOUNT_NAME_MAX];

	fields_only(&c->body, known, ARRAY_LEN(known));
	(void)field_text(&c->body, "name", REQUIRED, user_name_judge, name, sizeof(name));
	/* Whoever finds an open session must not be able to keep it. */
	if (c->account != 0 && strcmp(name, c->name) == 0)
		fields_wrong(&c->body, "name",
			     "Your own password is changed with me.password, which asks for the old one.");
	if (!admin_password_new(c, "password", name, false) && !c->fault.set)
		admin_password_draw(c);
}

/* Who sets a password could then be that user: he must have all that the user has. */
void
user_op_password(struct admin_call *c)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct resource r;

	if (!find(c, ACTION_READ_USERS, p))
		return;
	r = person_resource(p, p->has, p->nhas);
	if (!call_may(c, ACTION_WRITE_USERS, &r)) {
		call_denied(c, "name", "You may not set the password of a user who has such rights.");
		return;
	}
	if (p->who.provider[0] != '\0') {
		call_conflict(c, "name",
			      account_is_directorys(&p->who)
				  ? "The directory judges this user's password."
				  : "This user logs in at an identity provider, and has no password here.");
		return;
	}
	(void)str_copy(p->who.hash, sizeof(p->who.hash), c->secrets->hash);
	account_write(&c->x, &p->who);
	sessions_remove_of(&c->x, p->who.number, NULL);
	call_audit(c, AUDIT_PASSWORD_CHANGED, person_matter(p, NULL), p->subject, "%s",
		   "by an administrator");
	numbers_add(&c->touched, p->who.number);
	numbers_add(&c->ended, p->who.number);
	if (c->secrets->generated)
		json_string(c->w, "password", c->secrets->make);
	sodium_memzero(p, sizeof(*p));
}

/* --- for apply --- */

void
user_apply(struct admin_call *c, const struct fields *f, struct changes *ch)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct accesses own = { .n = 0 };
	char name[ACCOUNT_NAME_MAX];

	fields_only(f, members + 2, ARRAY_LEN(members) - 2);
	if (!field_text(f, "name", REQUIRED, user_name_judge, name, sizeof(name)))
		return;
	/* Who is not the caller's is not there for him. */
	ch->added = !person_look(c, name, ACTION_READ_USERS, p);
	if (ch->added) {
		(void)str_copy(p->who.name, sizeof(p->who.name), name);
		p->who.created_ns = clock_utc_ns();
		person_subject(name, p->subject);
	} else {
		own = p->own;
	}
	read_members(c, f, &p->who, &own, ch);
	if (ch->added)
		refuse_taken(c, p, &own);
	write_changed(c, p, &own, ch);
	sodium_memzero(p, sizeof(*p));
}

void
user_drop(struct admin_call *c, const char *name)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));

	if (person_find(c, name, ACTION_READ_USERS, p))
		drop(c, p);
}
