#include "admin_tokens.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "admin_person.h"
#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "narrowings.h"
#include "shapes.h"
#include "tenants.h"
#include "token_text.h"
#include "tokens_db.h"
#include "user_name.h"

/* --- what a token is like --- */

static void
write_scopes(struct json_writer *w, uint64_t scopes)
{
	if (scopes == UINT64_MAX)
		return; /* whatever the role has */
	json_array(w, "scopes");
	for (unsigned a = 1; a < ACTION_COUNT; a++)
		if (scopes >> a & 1)
			json_string(w, NULL, action_name((enum action)a));
	json_array_end(w);
}

static void
write_one(struct admin_call *c, const char *key, const struct token *t, const char *owner)
{
	char handle[HANDLE_TEXT], name[TENANT_NAME_MAX], prefix[PREFIX_TEXT_MAX];
	struct token_use use;

	token_use_read(&c->x, t->hash, &use);
	tenant_name(&c->x, t->access.tenant, name);
	json_object(c->w, key);
	json_string(c->w, "id", events_handle(t->hash, handle));
	json_string(c->w, "owner", owner);
	json_string(c->w, "label", t->label);
	json_string(c->w, "tenant", name);
	json_string(c->w, "role", role_name((enum role)t->access.role));
	write_scopes(c->w, t->scopes);
	shape_write_narrowing(c->w, &t->access.within);
	shape_write_time(c->w, "expires", t->expires_ns);
	json_array(c->w, "sources");
	for (size_t i = 0; i < t->nsources; i++)
		json_string(c->w, NULL, prefix_format(&t->sources[i], prefix));
	json_array_end(c->w);
	json_time_ns(c->w, "created", t->created_ns);
	shape_write_visit(c->w, "last_used", use.ns, &use.ip);
	json_object_end(c->w);
}

/* --- listing --- */

static bool
is_own(const struct admin_call *c, const struct person *p)
{
	return c->account != 0 && p->who.number == c->account;
}

static bool
may(struct admin_call *c, const struct person *p, bool write, const struct right *gets, size_t ngets)
{
	struct resource r = person_resource(p, gets, ngets);

	if (is_own(c, p) && call_may(c, write ? ACTION_WRITE_ACCOUNT : ACTION_READ_ACCOUNT, &r))
		return true;
	return call_may(c, write ? ACTION_WRITE_TOKENS : ACTION_READ_TOKENS, &r);
}

/* A list of one owner's tokens, or of all; only hashes, so that the rest is read in order. */
struct listing {
	struct admin_call *c;
	struct page *page;
	struct person *p;
};

static bool
list_one(struct listing *l, const uint8_t *hash)
{
	struct admin_call *c = l->c;
	char handle[HANDLE_TEXT];
	struct token t;

	(void)events_handle(hash, handle);
	if (strcmp(handle, l->page->after) <= 0)
		return true;
	if (!page_next(c, l->page, handle))
		return false;
	if (!token_look(&c->x, hash, c->arena, &t))
		return true;
	if (l->p->who.number != t.owner)
		person_read(c, t.owner, l->p);
	if (c->x.rc == 0 && may(c, l->p, false, NULL, 0) && page_takes(c, l->page))
		write_one(c, NULL, &t, l->p->who.name);
	return !l->page->more;
}

static bool
list_each(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct listing *l = ctx;
	struct arena *outer = l->c->arena;
	bool more;

	(void)value;
	l->c->arena = arena_new(4u << 20);
	more = key.n == TOKEN_HASH_LEN && list_one(l, key.p);
	l->p->who.number = 0; /* what was read of the owner goes with the arena */
	arena_free(&l->c->arena);
	l->c->arena = outer;
	return more;
}

static void
list_all(struct listing *l)
{
	uint8_t from[TOKEN_HASH_LEN] = { 0 };

	if (l->page->after[0] != '\0' &&
	    sodium_hex2bin(from, HANDLE_BYTES, l->page->after, strlen(l->page->after), NULL, NULL, NULL) != 0)
		fields_wrong(&l->c->body, "cursor", "It is none that an answer gave.");
	else
		txn_walk(&l->c->x, TABLE_TOKENS, db_bytes(from, sizeof(from)), false, list_each, l);
}

static void
list_of(struct listing *l, uint64_t owner)
{
	uint8_t hash[TOKENS_OF_ONE_MAX][TOKEN_HASH_LEN];
	size_t n = tokens_of(&l->c->x, owner, hash);

	for (size_t i = 0; i < n; i++)
		if (!list_one(l, hash[i]))
			break;
}

void
token_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "owner", "all", "limit", "cursor" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct page page;
	struct listing l = { c, &page, p };
	char name[ACCOUNT_NAME_MAX];
	uint64_t owner = c->account;
	bool all = false;

	fields_only(&c->body, known, ARRAY_LEN(known));
	page_begin(c, &page);
	(void)field_flag(&c->body, "all", &all);
	if (field_text(&c->body, "owner", OPTIONAL, user_name_judge, name, sizeof(name)) &&
	    strcmp(name, c->name) != 0 && person_find(c, name, ACTION_READ_TOKENS, p))
		owner = p->who.number;
	if (!all && owner == 0)
		fields_wrong(&c->body, "owner", "It is missing: a user, or \"all\".");
	c->reads_others = all || owner != c->account;
	json_array(c->w, "tokens");
	if (call_good(c) && all)
		list_all(&l);
	else if (call_good(c))
		list_of(&l, owner);
	json_array_end(c->w);
	page_end(c, &page);
}

/* --- adding --- */

static bool
read_scopes(struct admin_call *c, uint64_t *scopes)
{
	const struct json_node *list;

	*scopes = UINT64_MAX;
	if (!field_list(&c->body, "scopes", OPTIONAL, ACTION_COUNT, &list))
		return false;
	*scopes = 0;
	for (size_t i = 0; i < json_node_count(list); i++) {
		const char *name = element_text(&c->body, "scopes", list, i, 40, any_text);
		enum action action = name == NULL ? (enum action)0 : action_parse(name);

		if (action == 0)
			fields_wrong_at(&c->body, "scopes", i, "There is no such scope.");
		*scopes |= UINT64_C(1) << action;
	}
	if (*scopes == 0)
		fields_wrong(&c->body, "scopes", "It is empty: leave it out for whatever the role may do.");
	return true;
}

static void
read_sources(struct admin_call *c, struct token *t)
{
	const struct json_node *list;

	if (!field_list(&c->body, "sources", OPTIONAL, TOKEN_SOURCES_MAX, &list))
		return;
	t->nsources = json_node_count(list);
	t->sources = arena_alloc(c->arena, (t->nsources + 1) * sizeof(*t->sources));
	for (size_t i = 0; t->sources != NULL && i < t->nsources; i++)
		(void)element_prefix(&c->body, "sources", list, i, &t->sources[i]);
	if (t->sources == NULL)
		fields_wrong(&c->body, "sources", "It is too long.");
}

static void
read_expiry(struct admin_call *c, struct token *t)
{
	if (field_time(&c->body, "expires", &t->expires_ns) && t->expires_ns <= t->created_ns)
		fields_wrong(&c->body, "expires", "It is over already.");
}

/* The tenant and role: by themselves those of the owner there, or less. */
static void
read_access(struct admin_call *c, const struct person *p, struct token *t)
{
	uint32_t tenant = is_own(c, p) ? c->grant.tenant : TENANT_UNASSIGNED, role = ROLE_NONE;
	char name[TENANT_NAME_MAX] = "";
	struct rights rights;

	if (shape_read_tenant(c, &c->body, "tenant", OPTIONAL, &tenant) || tenant != TENANT_UNASSIGNED)
		tenant_name(&c->x, tenant, name);
	(void)shape_read_role(&c->body, "role", OPTIONAL, &role);
	shape_read_narrowing(c, &c->body, &t->access.within);
	if (!call_good(c))
		return;
	if (!rights_choose(&c->x, &p->all, name, c->arena, &rights)) {
		fields_wrong(&c->body, "tenant", "Its owner has no access there.");
		return;
	}
	t->access.tenant = rights.tenant;
	t->access.role = role == ROLE_NONE ? rights.role : role;
	if (!role_covers((enum role)rights.role, (enum role)t->access.role, rights.tenant == TENANT_PLATFORM))
		fields_wrong(&c->body, "role", "It may do what its owner may not.");
}

static bool
may_have_tokens(const struct admin_call *c)
{
	return role_rank((enum role)c->grant.role) >= role_rank(role_parse(c->a->boot->settings.tokens_for));
}

/* Oneself, or somebody whose tokens are the caller's business. */
static bool
find_owner(struct admin_call *c, struct person *p)
{
	char name[ACCOUNT_NAME_MAX] = "";

	if (field_text(&c->body, "owner", c->account == 0 ? REQUIRED : OPTIONAL, user_name_judge, name,
		       sizeof(name)) &&
	    strcmp(name, c->name) != 0)
		return person_find(c, name, ACTION_READ_TOKENS, p);
	if (c->account == 0 || c->fault.set)
		return false;
	person_read(c, c->account, p);
	return c->x.rc == 0;
}

/* Whether its owner may have it beside the tokens that are there. */
static bool
has_room(struct admin_call *c, const struct token *t)
{
	uint8_t of_one[TOKENS_OF_ONE_MAX][TOKEN_HASH_LEN];
	size_t n = tokens_of(&c->x, t->owner, of_one), entries = narrowing_entries(&t->access.within);

	if (n == TOKENS_OF_ONE_MAX)
		call_conflict(c, "owner", "This user has as many tokens as one may have.");
	for (size_t i = 0; i < n && c->x.rc == 0; i++) {
		struct token other;

		if (token_look(&c->x, of_one[i], c->arena, &other))
			entries += narrowing_entries(&other.access.within);
	}
	if (entries > TOKENS_ENTRIES_MAX)
		call_conflict(
		    c, "owner",
		    "The tokens of this user name as many interfaces, exporters and networks as those of "
		    "one may.");
	return call_good(c);
}

static void
write_token(struct admin_call *c, const struct person *p, struct token *t)
{
	char text[TOKEN_TEXT_LEN + 1], subject[32], handle[HANDLE_TEXT];

	if (!has_room(c, t))
		return;
	token_text_draw(text);
	token_text_hash(text, t->hash);
	(void)narrowing_number(&c->x, &t->access.within);
	token_add(&c->x, t);
	(void)snprintf(subject, sizeof(subject), "token:%s", events_handle(t->hash, handle));
	call_audit(c, AUDIT_TOKEN_ADDED, t->access.tenant, subject, "of %s, %s", p->who.name,
		   role_name((enum role)t->access.role));
	if (c->x.rc == 0) {
		write_one(c, "token", t, p->who.name);
		json_string(c->w, "secret", text);
	}
	sodium_memzero(text, sizeof(text));
}

void
token_op_add(struct admin_call *c)
{
	static const char *const known[] = { "op",       "owner",  "label",      "tenant",
					     "role",     "scopes", "interfaces", "exporters",
					     "networks", "masked", "expires",    "sources" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct token t = { .created_ns = clock_utc_ns() };
	struct right gets;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!find_owner(c, p))
		return;
	t.owner = p->who.number;
	(void)field_text(&c->body, "label", REQUIRED, interface_judge, t.label, sizeof(t.label));
	(void)read_scopes(c, &t.scopes);
	read_access(c, p, &t);
	read_sources(c, &t);
	read_expiry(c, &t);
	if (!call_good(c))
		return;
	gets = (struct right){ t.access.tenant, t.access.role, t.scopes };
	if (!may(c, p, true, &gets, 1))
		call_denied(c, "role", "You may not give these rights, or not to this user.");
	else if (is_own(c, p) && !may_have_tokens(c))
		call_denied(c, "owner", "Users with your role make no tokens here.");
	else
		write_token(c, p, &t);
}

/* --- removing --- */

/* What token_op_remove tells token_op_removed, in call->memory: the hash. */
void
token_op_remove(struct admin_call *c)
{
	static const char *const known[] = { "op", "id" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	uint8_t id[HANDLE_BYTES];
	char subject[32], handle[HANDLE_TEXT];
	struct token t;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!shape_read_handle(&c->body, "id", id))
		return;
	if (!token_look_id(&c->x, id, c->arena, &t)) {
		call_end(c, ADMIN_NOT_FOUND);
		return;
	}
	person_read(c, t.owner, p);
	if (c->x.rc != 0 || !may(c, p, false, NULL, 0)) {
		call_end(c, ADMIN_NOT_FOUND);
		return;
	}
	if (!may(c, p, true, NULL, 0)) {
		call_denied(c, "id", "You may not remove the tokens of a user who has such rights.");
		return;
	}
	token_remove(&c->x, &t);
	memcpy(c->memory, t.hash, sizeof(t.hash));
	(void)snprintf(subject, sizeof(subject), "token:%s", events_handle(t.hash, handle));
	call_audit(c, AUDIT_TOKEN_REMOVED, t.access.tenant, subject, "of %s", p->who.name);
}

void
token_op_removed(struct admin_call *c)
{
	uint8_t hash[TOKEN_HASH_LEN];

	memcpy(hash, c->memory, sizeof(hash));
	tokens_forget(c->a->tokens, hash);
}
