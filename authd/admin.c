#include "admin.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "admin_apply.h"
#include "admin_password.h"
#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "basic.h"
#include "granting.h"
#include "ipc/sealed.h"
#include "rights.h"

#define CALL_ARENA (32u << 20) /* what one operation may read and make */
#define ANSWER_MAX (6u << 20)  /* bytes of its answer: what a channel holds is 8 MiB */

/* --- for the operations --- */

void
call_end(struct admin_call *c, enum admin_status status)
{
	if (c->status == 0)
		c->status = status;
}

static void
end_with(struct admin_call *c, enum admin_status status, const char *field, const char *detail)
{
	if (!c->fault.set) {
		c->fault.set = true;
		(void)str_copy(c->fault.field, sizeof(c->fault.field), field);
		(void)str_copy(c->fault.detail, sizeof(c->fault.detail), detail);
	}
	call_end(c, status);
}

void
call_conflict(struct admin_call *c, const char *field, const char *detail)
{
	end_with(c, ADMIN_CONFLICT, field, detail);
}

void
call_denied(struct admin_call *c, const char *field, const char *detail)
{
	end_with(c, ADMIN_DENIED, field, detail);
}

bool
call_good(const struct admin_call *c)
{
	return c->status == 0 && !c->fault.set && c->x.rc == 0;
}

bool
call_may(const struct admin_call *c, enum action action, const struct resource *r)
{
	return policy_decide(&c->grant, action, r);
}

bool
call_may_tenant(const struct admin_call *c, enum action action, uint32_t tenant)
{
	return policy_decide_tenant(&c->grant, action, tenant);
}

bool
call_might(const struct admin_call *c, enum action action)
{
	return action != 0 && role_reach((enum role)c->grant.role, action) != 0 &&
	       (c->grant.scopes >> action & 1) != 0;
}

bool
call_spans_tenants(const struct admin_call *c)
{
	return c->grant.tenant == TENANT_PLATFORM;
}

/* An entry of the caller's. */
static struct audit_entry
entry_of(const struct admin_call *c, enum audit_kind kind, enum audit_outcome outcome, const char *subject)
{
	struct audit_entry e = audit_entry_of(kind, outcome, c->grant.subject, subject);

	(void)str_copy(e.credential, sizeof(e.credential), c->credential);
	if (c->account != 0) {
		e.has_address = true;
		e.address = c->client.ip;
	}
	return e;
}

static void __attribute__((format(printf, 5, 0)))
add_entry(struct admin_call *c, enum audit_kind kind, uint32_t tenant, const char *subject,
	  const char *format, va_list ap)
{
	struct audit_entry e = entry_of(c, kind, AUDIT_DONE, subject);

	(void)vsnprintf(e.detail, sizeof(e.detail), format, ap);
	e.tenant = tenant;
	audit_add(c->a->audit, &c->x, &e);
}

void
call_audit(struct admin_call *c, enum audit_kind kind, uint32_t tenant, const char *subject,
	   const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_entry(c, kind, tenant, subject, format, ap);
	va_end(ap);
}

void
numbers_add(struct numbers *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->item[i] == number)
			return;
	if (s->n == s->room) {
		s->room = s->room == 0 ? 16 : 2 * s->room;
		s->item = mem_reallocarray(s->item, s->room, sizeof(*s->item));
	}
	s->item[s->n++] = number;
}

/* --- the end of a call --- */

static void
call_free(struct admin_call *c)
{
	size_t len = 0;
	const char *text = json_text(c->w, &len);

	if (text != NULL)
		sodium_memzero((void *)(uintptr_t)text, len); /* a new token or password may be in it */
	json_doc_free(&c->doc);
	json_free(&c->w);
	arena_free(&c->arena);
	admin_secrets_free(&c->secrets);
	free(c->told);
	free(c->touched.item);
	free(c->ended.item);
	free(c->removed.item);
	free(c->tenants_gone.item);
	free(c);
}

/* {"field": ..., "detail": ...}, of what is wrong. */
static void
write_fault(struct admin_call *c)
{
	c->whole = false;
	json_reset(c->w);
	json_object(c->w, NULL);
	if (c->fault.set) {
		json_string(c->w, "field", c->fault.field[0] == '\0' ? "body" : c->fault.field);
		json_string(c->w, "detail", c->fault.detail);
	}
}

static void
answer(struct admin_call *c)
{
	struct answer answer = { .id = c->answer_id, .to = c->to };
	const char *text;

	if (c->fault.set)
		call_end(c, ADMIN_BAD);
	call_end(c, ADMIN_OK);
	if (c->status != ADMIN_OK)
		write_fault(c);
	if (!c->whole)
		json_object_end(c->w);
	text = json_text(c->w, &answer.admin.len);
	answer.admin.request = c->request;
	answer.admin.status = c->status;
	if (text != NULL)
		answer.admin.body = mem_strdup(text);
	else
		admin_answer_refuse(&answer.admin, ADMIN_BAD,
				    "The answer is too long: ask for less at once.");
	/* Only what this call has taken back is worth waiting for. */
	store_link_answer(c->a, &answer, c->a->store.ticket > c->ticket ? c->a->store.ticket : 0, true);
	call_free(c);
}

static int
number_order(const void *va, const void *vb)
{
	const uint64_t *x = va, *y = vb;

	return (*x > *y) - (*x < *y);
}

static void
take_back(struct authd *a, struct numbers *s)
{
	if (s->n == 0)
		return;
	qsort(s->item, s->n, sizeof(*s->item), number_order);
	granting_revoke_accounts(a, s->item, s->n);
}

/* Whatever changed about somebody, what is remembered of his password may not be true any more. */
static void
forget_basic(struct authd *a, const struct numbers *s)
{
	for (size_t i = 0; i < s->n; i++)
		basic_forget(a, s->item[i]);
}

/* What is on disk now holds in memory as well. */
static void
settle(struct admin_call *c)
{
	static const uint8_t none[SESSION_ID_LEN];
	struct authd *a = c->a;
	bool by_session = memcmp(c->session, none, sizeof(none)) != 0;

	for (size_t i = 0; i < c->ended.n; i++) {
		bool own = by_session && c->ended.item[i] == c->account;

		(void)sessions_forget(a->sessions, c->ended.item[i], own ? c->session : NULL);
		tickets_forget(a->tickets, c->ended.item[i]);
	}
	for (size_t i = 0; i < c->removed.n; i++) {
		(void)sessions_forget(a->sessions, c->removed.item[i], NULL);
		tokens_forget_of(a->tokens, c->removed.item[i]);
	}
	if (c->op->done != NULL)
		c->op->done(c);
	forget_basic(a, &c->touched);
	forget_basic(a, &c->ended);
	forget_basic(a, &c->removed);
	take_back(a, &c->touched);
	for (size_t i = 0; i < c->tenants_gone.n; i++)
		granting_revoke_tenant(a, (uint32_t)c->tenants_gone.item[i]);
	(void)authd_refresh(a);
}

/* Reading others' business leaves a trace, or it is not done. */
static void
note_reading(struct admin_call *c)
{
	struct audit_entry e =
	    entry_of(c, c->reading == AUDIT_NONE ? AUDIT_ADMIN_READ : c->reading, AUDIT_DONE, "");

	audit_detail(&e, "%s", c->op->name);
	e.tenant = c->grant.tenant;
	if (audit_write(c->a->audit, &e) != DB_OK)
		call_end(c, ADMIN_UNAVAILABLE);
}

static void
note_denial(struct admin_call *c)
{
	struct audit_entry e = entry_of(c, AUDIT_DENIED, AUDIT_REFUSED, "");

	audit_detail(&e, "%s", c->op->name);
	e.tenant = c->grant.tenant;
	(void)audit_failure(c->a->audit, &e, false);
}

/* --- running --- */

static void
end_of_transaction(struct admin_call *c, enum db_status status)
{
	if (status == DB_OK)
		return;
	if (status == DB_BROKEN)
		authd_give_up(c->a, accounts_db_why(c->a->db));
	if (status == DB_EXISTS)
		call_end(c, ADMIN_CONFLICT);
	else if (status == DB_NONE)
		call_end(c, ADMIN_NOT_FOUND);
	else if (status == DB_FULL)
		call_conflict(c, "", accounts_db_why(c->a->db));
	else
		end_with(c, ADMIN_UNAVAILABLE, "", accounts_db_why(c->a->db));
}

/* Somebody must stay who can set things right, and can do so while a directory or a provider is away. */
static void
keep_an_administrator(struct admin_call *c)
{
	const struct accounts_db *db = c->a->db;

	if (!c->op->writes || !call_good(c))
		return;
	if (accounts_db_has_administrator(db) && !rights_any_administrator(&c->x, false))
		call_conflict(c, "", "Nobody would be platform administrator any more.");
	else if (accounts_db_has_own_administrator(db) && !rights_any_administrator(&c->x, true))
		call_conflict(c, "",
			      "Only people of a provider would be platform administrators any more: nobody "
			      "could set things right while it is away.");
}

static void
run(struct admin_call *c)
{
	bool changed;

	c->ticket = c->a->store.ticket;
	c->x = txn_begin(accounts_db_tables(c->a->db), c->op->writes);
	json_object(c->w, NULL);
	c->op->run(c);
	keep_an_administrator(c);
	changed = c->op->writes && call_good(c) && !c->undo;
	if (c->x.rc == 0 && !changed)
		txn_abort(&c->x);
	else
		end_of_transaction(c, txn_end(&c->x));
	if (changed && c->status == 0)
		settle(c);
	if (c->status == 0 && !c->fault.set && c->reads_others)
		note_reading(c);
	if (c->status == ADMIN_DENIED)
		note_denial(c);
	answer(c);
}

/* Passwords took their time: the grant may have been taken back meanwhile. */
static void
go_on(struct admin_call *c)
{
	if (c->account != 0 && grants_find(&c->a->grants, c->grant.id) == NULL)
		call_end(c, ADMIN_NOT_GRANTED);
	if (c->status == 0)
		run(c);
	else
		answer(c);
}

static void
begin(struct admin_call *c)
{
	char name[64];

	c->body = fields_top(c->doc, &c->fault);
	if (!field_text(&c->body, "op", REQUIRED, any_text, name, sizeof(name))) {
		answer(c);
		return;
	}
	c->op = admin_op_find(name);
	if (c->op == NULL) {
		fields_wrong(&c->body, "op", "There is no such operation.");
		answer(c);
		return;
	}
	if (c->in_memory && c->op->run != apply_op) {
		fields_wrong(&c->body, "op", "Only apply may come this way.");
		answer(c);
		return;
	}
	if (!call_might(c, c->op->action) && !call_might(c, c->op->own_action)) {
		call_end(c, ADMIN_DENIED);
		note_denial(c);
		answer(c);
		return;
	}
	if (c->op->prepare != NULL)
		c->op->prepare(c);
	if (c->status != 0 || c->fault.set)
		answer(c);
	else if (c->wait != NULL)
		c->wait(c, go_on);
	else
		admin_password_compute(c, go_on);
}

/* --- who asks --- */

/* A grant that is live, and this very peer's. */
static bool
identify_holder(struct admin_call *c, const struct channel *ch, const uint8_t *bytes, size_t len)
{
	struct authd *a = c->a;
	struct wire_grant_keys keys;
	const struct live_grant *l;
	char handle[HANDLE_TEXT];

	signing_public(&a->signing, &keys);
	if (grant_verify(bytes, len, (const uint8_t(*)[GRANT_SIGN_PUBLIC])keys.key, keys.n, clock_utc_ns(),
			 &c->grant) != GRANT_GOOD)
		return false;
	l = grants_find(&a->grants, c->grant.id);
	if (l == NULL || l->holder == NULL || l->holder->kind == HOLDER_LOCAL ||
	    l->audience_proc != (uint32_t)channel_proc(ch) || l->audience_instance != channel_instance(ch))
		return false;
	c->account = l->holder->account;
	(void)str_copy(c->name, sizeof(c->name), l->words.name);
	if (l->holder->kind == HOLDER_SESSION) {
		memcpy(c->session, ((const struct session *)(const void *)l->holder)->r.id,
		       sizeof(c->session));
		(void)snprintf(c->credential, sizeof(c->credential), "session:%s",
			       events_handle(c->session, handle));
	} else if (l->holder->kind == HOLDER_TOKEN) {
		(void)snprintf(c->credential, sizeof(c->credential), "token:%s",
			       tokens_handle(l->holder, handle));
	} else {
		(void)str_copy(c->credential, sizeof(c->credential), BASIC_CREDENTIAL);
	}
	return true;
}

/* Who the kernel says: it may do everything. */
static void
identify_command_line(struct admin_call *c, const struct channel *ch)
{
	c->grant = (struct grant){ .audience_proc = channel_proc(ch),
				   .audience_instance = channel_instance(ch),
				   .tenant = TENANT_PLATFORM,
				   .role = ROLE_PLATFORM_ADMINISTRATOR,
				   .scopes = UINT64_MAX };
	(void)snprintf(c->grant.subject, sizeof(c->grant.subject), "cli:%u", channel_uid(ch));
}

static struct admin_call *
call_new(struct authd *a, const struct channel *ch, const struct wire_admin *w)
{
	struct admin_call *c = mem_calloc(1, sizeof(*c));

	c->a = a;
	c->ticket = UINT64_MAX; /* nothing, until it runs */
	c->answer_id = channel_proc(ch) == PROC_WEIR ? MSG_CLI_ADMIN_ANSWER : MSG_ADMIN_ANSWER;
	c->to = return_address_of(ch);
	c->request = w->request;
	c->client = w->client;
	c->w = json_new(ANSWER_MAX);
	c->arena = arena_new(CALL_ARENA);
	c->secrets = admin_secrets_new();
	return c;
}

/* Whoever called has bounded len. */
static void
read_body(struct admin_call *c, const char *text, size_t len)
{
	c->doc = json_parse_where(text, len, len, c->fault.field, sizeof(c->fault.field), c->fault.detail,
				  sizeof(c->fault.detail));
	c->fault.set = c->doc == NULL;
	if (c->doc == NULL)
		answer(c);
	else
		begin(c);
}

bool
admin_serve(struct authd *a, struct channel *ch, const void *body, size_t len)
{
	const uint8_t *grant = (const uint8_t *)body + sizeof(struct wire_admin);
	struct admin_call *c;
	struct wire_admin w;

	memcpy(&w, body, sizeof(w));
	if (w.grant_len > GRANT_MAX || w.body_len == 0 || w.body_len > ADMIN_BODY_MAX ||
	    len != sizeof(w) + w.grant_len + w.body_len ||
	    memchr(w.client.agent, 0, sizeof(w.client.agent)) == NULL)
		return false;
	c = call_new(a, ch, &w);
	if (c->answer_id == MSG_CLI_ADMIN_ANSWER) {
		identify_command_line(c, ch);
	} else if (!identify_holder(c, ch, grant, w.grant_len)) {
		call_end(c, ADMIN_NOT_GRANTED);
		answer(c);
		return true;
	}
	read_body(c, (const char *)grant + w.grant_len, w.body_len);
	return true;
}

bool
admin_serve_apply(struct authd *a, struct channel *ch, const struct wire_cli_apply *w, int fd)
{
	struct wire_admin head = { .request = w->request };
	AUTO(mem_drop) char *text = NULL;
	struct admin_call *c;

	if (w->body_len == 0 || w->body_len > APPLY_BODY_MAX || w->reserved != 0)
		return false;
	text = sealed_read(fd, w->body_len);
	if (text == NULL)
		return false;
	c = call_new(a, ch, &head);
	c->in_memory = true;
	identify_command_line(c, ch);
	read_body(c, text, w->body_len);
	return true;
}

/* --- pages --- */

void
page_begin(struct admin_call *c, struct page *p)
{
	memset(p, 0, sizeof(*p));
	p->limit = 100;
	(void)field_int(&c->body, "limit", OPTIONAL, 1, 1000, &p->limit);
	(void)field_text(&c->body, "cursor", OPTIONAL, any_text, p->after, sizeof(p->after));
}

bool
page_next(struct admin_call *c, struct page *p, const char *name)
{
	if (!call_good(c) || p->more)
		return false;
	if (p->looked >= PAGE_LOOKED_MAX) {
		p->more = true;
		(void)str_copy(p->last, sizeof(p->last), p->looking);
		return false;
	}
	p->looked++;
	(void)str_copy(p->looking, sizeof(p->looking), name);
	return true;
}

bool
page_takes(struct admin_call *c, struct page *p)
{
	p->more = p->n >= (size_t)p->limit || json_size(c->w) >= PAGE_BYTES_MAX;
	if (p->more)
		return false;
	p->n++;
	(void)str_copy(p->last, sizeof(p->last), p->looking);
	return true;
}

void
page_end(struct admin_call *c, const struct page *p)
{
	if (p->more)
		json_string(c->w, "cursor", p->last);
}

struct naming {
	struct admin_call *c;
	struct page *p;
	void (*each)(struct admin_call *c, struct page *p, uint64_t number);
};

static bool
take_name(void *ctx, struct db_bytes key, struct db_bytes value)
{
	const struct naming *n = ctx;
	struct arena *outer = n->c->arena;
	char name[ACCOUNT_NAME_MAX] = "";
	uint64_t number;

	if (key.n >= sizeof(name) || !be64_read(value, &number))
		return false;
	memcpy(name, key.p, key.n);
	if (strcmp(name, n->p->after) == 0)
		return true;
	if (!page_next(n->c, n->p, name))
		return false;
	/* What one takes is given back before the next. */
	n->c->arena = arena_new(CALL_ARENA);
	n->each(n->c, n->p, number);
	arena_free(&n->c->arena);
	n->c->arena = outer;
	return !n->p->more;
}

void
page_names(struct admin_call *c, struct page *p, enum table t,
	   void (*each)(struct admin_call *c, struct page *p, uint64_t number))
{
	struct naming n = { c, p, each };
	const char *from = p->after[0] == '\0' ? "\001" : p->after;

	txn_walk(&c->x, t, db_bytes(from, strlen(from)), false, take_name, &n);
}
