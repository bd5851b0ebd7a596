#include "authd_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts.h"
#include "admin_password.h"
#include "authd_scratch.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "narrowings.h"
#include "people.h"
#include "providers.h"
#include "rights.h"
#include "tenants.h"

static char key_file[128], tail_file[128];

static void
on_ended(void *ctx, struct session *s)
{
	(void)ctx;
	(void)s;
}

static void
make_user(struct desk *d, const char *name, uint32_t tenant, enum role role)
{
	struct account a = scratch_account(name);

	if (scratch_create(d->a.db, &a, tenant, role, NULL) != DB_OK)
		fatalx("cannot make %s", name);
}

static uint32_t
make_tenant(struct desk *d, const char *name)
{
	struct txn x = txn_begin(accounts_db_tables(d->a.db), true);
	struct tenant_record t = { .nselectors = 0 };

	(void)str_copy(t.tenant.name, sizeof(t.tenant.name), name);
	tenant_add(&x, &t);
	if (txn_end(&x) != DB_OK)
		fatalx("cannot make %s", name);
	return t.tenant.number;
}

void
desk_open(struct desk *d)
{
	const struct sessions_rules rules = { INT64_MAX / 4, INT64_MAX / 4, 100 };
	const struct audit_rules audit = { INT64_MAX / 4, INT64_MAX / 4, -1 };
	struct db_error e;
	uint32_t acme;

	memset(d, 0, sizeof(*d));
	settings_default(&d->boot.settings);
	d->a.boot = &d->boot;
	d->a.db = scratch_open();
	(void)snprintf(key_file, sizeof(key_file), "%s.key", scratch_file);
	(void)snprintf(tail_file, sizeof(tail_file), "%s.tail", scratch_file);
	d->a.audit = audit_open(accounts_db_tables(d->a.db), key_file, tail_file, &audit, &e);
	if (d->a.audit == NULL)
		fatalx("%s", e.text);
	if (!signing_load(&d->a.signing, d->a.db, clock_utc_ns()))
		fatalx("no signing key");
	d->a.throttle = throttle_new();
	d->a.events = events_new(&d->a);
	d->a.tickets = mem_calloc(1, sizeof(*d->a.tickets));
	d->a.tokens = tokens_new(&d->a);
	d->a.people = people_new(&d->a);
	d->a.providers = providers_new(&d->a);
	d->a.sessions = sessions_new(d->a.db, &rules, on_ended, &d->a);
	acme = make_tenant(d, "acme");
	make_user(d, "root", TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR);
	make_user(d, "tess", acme, ROLE_TENANT_ADMINISTRATOR);
	make_user(d, "vic", acme, ROLE_VIEWER);
}

void
desk_close(struct desk *d)
{
	signing_forget(&d->a.signing);
	sessions_free(&d->a.sessions);
	tokens_free(&d->a.tokens);
	people_free(&d->a.people);
	providers_free(&d->a.providers);
	events_free(&d->a.events);
	free(d->a.tickets);
	throttle_free(&d->a.throttle);
	audit_close(&d->a.audit);
	(void)unlink(key_file);
	(void)unlink(tail_file);
	scratch_close(&d->a.db);
}

/* The grant that the user would have, by default. */
static void
become(struct admin_call *c, const char *user)
{
	struct txn x = txn_begin(accounts_db_tables(c->a->db), false);
	struct arena *arena = arena_new(RIGHTS_ARENA);
	struct accesses all;
	struct account who;
	struct rights r;
	uint32_t within;

	c->grant = (struct grant){ .audience_proc = PROC_HTTPD,
				   .tenant = TENANT_PLATFORM,
				   .role = ROLE_PLATFORM_ADMINISTRATOR,
				   .scopes = UINT64_MAX,
				   .subject = "cli:0" };
	if (user[0] != '\0' && account_look(&x, user, &who)) {
		rights_gather(&x, who.number, arena, &all);
		if (!rights_choose(&x, &all, "", arena, &r))
			fatalx("%s has no rights", user);
		c->account = who.number;
		(void)str_copy(c->name, sizeof(c->name), user);
		c->grant.tenant = r.tenant;
		c->grant.role = r.role;
		c->grant.masked = r.within.masked;
		within = narrowing_look(&x, &r.within);
		if (within != 0 && !grant_narrow(&c->grant, within))
			fatalx("%s has too many narrowings", user);
		(void)snprintf(c->grant.subject, sizeof(c->grant.subject), "user:%s", user);
	}
	arena_free(&arena);
	(void)txn_end(&x);
}

static void
run(struct admin_call *c, bool keep)
{
	if (!call_might(c, c->op->action) && !call_might(c, c->op->own_action)) {
		call_end(c, ADMIN_DENIED);
		return;
	}
	if (c->op->prepare != NULL)
		c->op->prepare(c);
	if (!call_good(c))
		return;
	(void)str_copy(c->secrets->hash, sizeof(c->secrets->hash), "$argon2id$test");
	c->x = txn_begin(accounts_db_tables(c->a->db), c->op->writes);
	json_object(c->w, NULL);
	c->op->run(c);
	if (keep && call_good(c) && !c->undo) {
		if (txn_end(&c->x) != DB_OK)
			call_end(c, ADMIN_UNAVAILABLE);
		if (c->op->done != NULL && c->status == 0)
			c->op->done(c);
		(void)accounts_db_refresh(c->a->db);
	} else if (c->x.rc == 0) {
		txn_abort(&c->x);
	} else {
		enum db_status status = txn_end(&c->x);

		call_end(c, status == DB_NONE     ? ADMIN_NOT_FOUND
			    : status == DB_EXISTS ? ADMIN_CONFLICT
			    : status == DB_FULL   ? ADMIN_CONFLICT
						  : ADMIN_UNAVAILABLE);
	}
	if (!c->whole)
		json_object_end(c->w);
}

static void
take_verdict(struct admin_call *c, struct verdict *v)
{
	const char *text;

	if (c->fault.set)
		call_end(c, ADMIN_BAD);
	call_end(c, ADMIN_OK);
	v->status = c->status;
	v->fault = c->fault;
	text = v->status == ADMIN_OK ? json_text(c->w, NULL) : NULL;
	if (v->status == ADMIN_OK && text == NULL)
		fatalx("%s: its answer is no JSON", c->op->name);
	if (text != NULL)
		(void)str_copy(v->body, sizeof(v->body), text);
}

void
desk_ask(struct desk *d, const char *user, const char *json, size_t len, bool keep, struct verdict *v)
{
	struct admin_call *c = mem_calloc(1, sizeof(*c));
	char name[64];

	memset(v, 0, sizeof(*v));
	c->a = &d->a;
	c->w = json_new(8u << 20);
	c->arena = arena_new(32u << 20);
	c->secrets = admin_secrets_new();
	become(c, user);
	c->doc = json_parse_where(json, len, ADMIN_BODY_MAX, c->fault.field, sizeof(c->fault.field),
				  c->fault.detail, sizeof(c->fault.detail));
	c->fault.set = c->doc == NULL;
	if (c->doc != NULL) {
		c->body = fields_top(c->doc, &c->fault);
		if (field_text(&c->body, "op", REQUIRED, any_text, name, sizeof(name)))
			c->op = admin_op_find(name);
		if (c->op == NULL)
			fields_wrong(&c->body, "op", "There is no such operation.");
		else
			run(c, keep);
	}
	take_verdict(c, v);
	json_doc_free(&c->doc);
	json_free(&c->w);
	arena_free(&c->arena);
	admin_secrets_free(&c->secrets);
	free(c->touched.item);
	free(c->ended.item);
	free(c->removed.item);
	free(c->tenants_gone.item);
	free(c);
}
