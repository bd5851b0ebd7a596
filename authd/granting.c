#include "granting.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "narrowings.h"
#include "policy/derive.h"
#include "rights.h"
#include "tenants.h"
#include "user_name.h"

/* Until its second factor is there an account that needs one can do nothing but to make it. */
#define SCOPES_OF_ENROLMENT                                                                                  \
	(UINT64_C(1) << ACTION_READ_ACCOUNT | UINT64_C(1) << ACTION_WRITE_ACCOUNT |                          \
	 UINT64_C(1) << ACTION_READ_HEALTH)

bool
granting_wants_factor(const struct authd *a, uint32_t role)
{
	const struct settings *s = &a->boot->settings;

	for (uint32_t i = 0; i < s->second_factor_roles.n; i++)
		if (strcmp(s->second_factor_roles.item[i], role_name((enum role)role)) == 0)
			return true;
	return false;
}

/* What is read of the database for one grant. */
struct basis {
	struct account who;
	struct rights rights;
	bool lacks_factor;
	uint32_t narrowing, token_narrowing; /* 0: none */
};

/* Numbers of narrowings; false where one has none yet and x cannot write. */
static bool
number_narrowings(struct txn *x, bool write, const struct token *token, struct basis *b)
{
	const struct narrowing *n = &b->rights.within;

	b->narrowing = write ? narrowing_number(x, n) : narrowing_look(x, n);
	if (token != NULL)
		b->token_narrowing = write ? narrowing_number(x, &token->access.within)
					   : narrowing_look(x, &token->access.within);
	return write ||
	       ((b->narrowing != 0 || narrowing_is_whole(n)) &&
		(token == NULL || b->token_narrowing != 0 || narrowing_is_whole(&token->access.within)));
}

/* DB_NONE where there is nothing to be had. *complete: every narrowing has its number. */
static enum db_status
read_basis(struct authd *a, bool write, uint64_t account, const char *tenant, const struct token *token,
	   struct basis *b, bool *complete)
{
	struct txn x = txn_begin(accounts_db_tables(a->db), write);
	struct arena *arena = arena_new(RIGHTS_ARENA);
	char of_token[TENANT_NAME_MAX];
	struct factor_record factor;
	struct accesses all;

	account_read(&x, account, &b->who);
	if (!account_is_open(&b->who))
		txn_fail(&x, DB_NONE);
	rights_gather(&x, account, arena, &all);
	if (token != NULL) {
		tenant_name(&x, token->access.tenant, of_token);
		if (tenant[0] != '\0' && strcmp(tenant, of_token) != 0)
			txn_fail(&x, DB_NONE);
		tenant = of_token;
	}
	if (x.rc == 0 && !rights_choose(&x, &all, tenant, arena, &b->rights))
		txn_fail(&x, DB_NONE);
	if (x.rc == 0)
		*complete = number_narrowings(&x, write, token, b);
	b->lacks_factor = x.rc == 0 && token == NULL && b->who.kind == ACCOUNT_PERSON &&
			  granting_wants_factor(a, b->rights.role) &&
			  !(factor_look(&x, account, &factor) && factor.confirmed);
	sodium_memzero(&factor, sizeof(factor));
	sodium_memzero(b->who.hash, sizeof(b->who.hash));
	arena_free(&arena);
	return txn_end(&x);
}

bool
granting_lacks_factor(struct authd *a, uint64_t account, const char *tenant)
{
	enum db_status status;
	struct basis b;
	bool complete;

	memset(&b, 0, sizeof(b));
	status = read_basis(a, false, account, tenant, NULL, &b, &complete);
	if (status == DB_NONE && tenant[0] != '\0')
		status = read_basis(a, false, account, "", NULL, &b, &complete);
	return status == DB_OK && b.lacks_factor;
}

static bool
make_grant(const struct authd *a, const struct return_address *to, const struct holder *h,
	   const struct token *token, const struct basis *b, struct grant *out)
{
	int64_t now = clock_utc_ns(), end = now + GRANT_LIFE_S * NS_PER_S;
	struct grant g = {
		.audience_proc = to->proc,
		.audience_instance = to->instance,
		.tenant = b->rights.tenant,
		.role = b->rights.role,
		.snapshot = accounts_db_snapshot_number(a->db),
		.scopes = b->lacks_factor ? SCOPES_OF_ENROLMENT : UINT64_MAX,
		.masked = b->rights.within.masked,
		.issued_ns = now,
		.expires_ns = end < h->expires_ns ? end : h->expires_ns,
	};
	struct grant narrower;

	(void)snprintf(g.subject, sizeof(g.subject), "user:%.*s", USER_NAME_MAX, b->who.name);
	if (b->narrowing != 0 && !grant_narrow(&g, b->narrowing))
		return false;
	*out = g;
	if (token == NULL)
		return true;
	narrower = g;
	narrower.role = token->access.role;
	narrower.scopes = token->scopes;
	narrower.masked = token->access.within.masked;
	narrower.of_token = true;
	if (b->token_narrowing != 0 && !grant_narrow(&narrower, b->token_narrowing))
		return false;
	return policy_derive(&g, &narrower, out);
}

static struct live_grant *
issue(struct authd *a, struct holder *h, const struct basis *b, const char *tenant, struct grant *g)
{
	struct live_grant *l, *surplus = grants_surplus(h);
	struct grant_words words = { .is_default = tenant[0] == '\0' };

	if (surplus != NULL) {
		store_link_revoke(a, surplus);
		grants_drop(&a->grants, surplus);
	}
	(void)str_copy(words.name, sizeof(words.name), b->who.name);
	(void)str_copy(words.tenant_name, sizeof(words.tenant_name), b->rights.tenant_name);
	l = grants_issue(&a->grants, g, signing_secret(&a->signing), h, &words);
	if (l != NULL)
		store_link_add(a, l);
	return l;
}

enum db_status
granting_get(struct authd *a, const struct return_address *to, struct holder *h, const char *tenant,
	     const struct token *token, struct live_grant **out)
{
	bool complete = false;
	enum db_status status;
	struct basis b;
	struct grant g;

	*out = grants_reusable(h, to->proc, to->instance, tenant, clock_utc_ns());
	if (*out != NULL)
		return DB_OK;
	memset(&b, 0, sizeof(b));
	status = read_basis(a, false, h->account, tenant, token, &b, &complete);
	if (status == DB_OK && !complete) {
		status = read_basis(a, true, h->account, tenant, token, &b, &complete);
		if (status == DB_OK)
			status = authd_refresh(a);
	}
	if (status != DB_OK)
		return status;
	/* Nobody can enrol without a session, and a password alone shall not do. */
	if (h->kind == HOLDER_BASIC && b.lacks_factor)
		return DB_NONE;
	if (!make_grant(a, to, h, token, &b, &g))
		return DB_NONE;
	*out = issue(a, h, &b, tenant, &g);
	return *out == NULL ? DB_EXISTS : DB_OK;
}

static void
answer_refusal(struct authd *a, const struct return_address *to, uint64_t request, enum db_status why)
{
	if (why == DB_NONE) {
		reply_status(a, to, request, AUTH_DENIED, 0, NULL);
		return;
	}
	if (why == DB_EXISTS) {
		reply_status(a, to, request, AUTH_BUSY, 0, "Too many grants are in use.");
		return;
	}
	if (why == DB_BROKEN)
		authd_give_up(a, accounts_db_why(a->db));
	reply_status(a, to, request, AUTH_UNAVAILABLE, 0, "The accounts cannot be read.");
}

enum db_status
granting_answer(struct authd *a, const struct return_address *to, uint64_t request, struct holder *h,
		const char *tenant, const struct token *token, const uint8_t *cookie)
{
	struct answer answer = { .id = MSG_AUTH_ANSWER, .to = *to };
	struct wire_auth_answer *w = &answer.auth;
	struct live_grant *g;
	enum db_status status = granting_get(a, to, h, tenant, token, &g);

	if (status != DB_OK) {
		answer_refusal(a, to, request, status);
		return status;
	}
	w->request = request;
	w->status = AUTH_OK;
	if (cookie != NULL)
		memcpy(w->cookie, cookie, sizeof(w->cookie));
	w->grant_expires_ns = g->live.expires_ns;
	w->session_expires_ns = h->expires_ns;
	(void)str_copy(w->name, sizeof(w->name), g->words.name);
	(void)str_copy(w->tenant, sizeof(w->tenant), g->words.tenant_name);
	(void)str_copy(w->role, sizeof(w->role), role_name((enum role)g->role));
	w->rights = g->rights;
	memcpy(w->grant, g->bytes, g->len);
	w->grant_len = (uint32_t)g->len;
	store_link_answer(a, &answer, g->ticket, false);
	return DB_OK;
}

/* --- taking back --- */

void
granting_revoke(struct authd *a, struct holder *h)
{
	while (h->grants != NULL) {
		store_link_revoke(a, h->grants);
		grants_drop(&a->grants, h->grants);
	}
}

static int
number_order(const void *va, const void *vb)
{
	const uint64_t *x = va, *y = vb;

	return (*x > *y) - (*x < *y);
}

void
granting_revoke_accounts(struct authd *a, const uint64_t *account, size_t n)
{
	for (struct live_grant *g = a->grants.first, *next; g != NULL && n > 0; g = next) {
		next = g->next;
		if (g->holder == NULL ||
		    bsearch(&g->holder->account, account, n, sizeof(*account), number_order) == NULL)
			continue;
		store_link_revoke(a, g);
		grants_drop(&a->grants, g);
	}
}

void
granting_revoke_tenant(struct authd *a, uint32_t tenant)
{
	for (struct live_grant *g = a->grants.first, *next; g != NULL && tenant != 0; g = next) {
		next = g->next;
		if (g->tenant != tenant)
			continue;
		store_link_revoke(a, g);
		grants_drop(&a->grants, g);
	}
}
