#include "admin_me.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "admin_password.h"
#include "admin_person.h"
#include "admin_users.h"
#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "factor.h"
#include "granting.h"
#include "shapes.h"
#include "tenants.h"
#include "user_name.h"

/* Who asks, as a person; the command line is none. */
static bool
read_me(struct admin_call *c, enum action action, struct person *p)
{
	struct resource r;

	if (c->account == 0) {
		call_denied(c, "", "The command line is no user.");
		return false;
	}
	person_read(c, c->account, p);
	r = person_resource(p, NULL, 0);
	if (c->x.rc == 0 && !call_may(c, action, &r))
		call_end(c, ADMIN_DENIED);
	return call_good(c);
}

/* --- me.get --- */

struct choosing {
	struct admin_call *c;
	size_t n;
};

static bool
write_tenant_name(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct choosing *k = ctx;

	(void)value;
	json_string_n(k->c->w, NULL, key.p, key.n);
	return ++k->n < SNAPSHOT_TENANTS_MAX;
}

/* Each tenant that he can choose, once, in the order of his accesses; with the platform's come all of them.
 */
static void
write_choices(struct admin_call *c, const struct person *p)
{
	struct choosing k = { c, 0 };
	bool all = false;

	for (size_t i = 0; i < p->all.n; i++)
		all = all || p->all.item[i].tenant == TENANT_PLATFORM;
	json_array(c->w, "tenants");
	if (all) {
		json_string(c->w, NULL, "*");
		txn_walk(&c->x, TABLE_TENANT_NAMES, db_bytes("\001", 1), false, write_tenant_name, &k);
	}
	for (size_t i = 0; i < p->all.n && !all; i++) {
		char name[TENANT_NAME_MAX];
		bool before = false;

		for (size_t j = 0; j < i; j++)
			before = before || p->all.item[j].tenant == p->all.item[i].tenant;
		if (before)
			continue;
		tenant_name(&c->x, p->all.item[i].tenant, name);
		json_string(c->w, NULL, name);
	}
	json_array_end(c->w);
}

void
me_op_get(struct admin_call *c)
{
	static const char *const known[] = { "op" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct factor_record f;
	char name[TENANT_NAME_MAX];
	bool has_factor;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!read_me(c, ACTION_READ_ACCOUNT, p))
		return;
	has_factor = factor_look(&c->x, c->account, &f) && f.confirmed;
	tenant_name(&c->x, c->grant.tenant, name);
	user_write(c, "user", p);
	json_string(c->w, "tenant", name);
	json_string(c->w, "role", role_name((enum role)c->grant.role));
	write_choices(c, p);
	json_bool(c->w, "second_factor", has_factor);
	json_uint(c->w, "recovery_codes_left", has_factor ? f.nrecovery : 0);
	json_bool(c->w, "must_enrol",
		  !has_factor && p->who.kind == ACCOUNT_PERSON && granting_wants_factor(c->a, c->grant.role));
	sodium_memzero(&f, sizeof(f));
}

/* --- attempts, throttled as logins are --- */

static bool
begin_attempt(struct admin_call *c, bool of_code, struct throttle_attempt *t)
{
	int64_t now = clock_boot_ns();
	char detail[80];
	uint32_t retry;

	if (of_code ? throttle_begin_code(c->a->throttle, c->name, &c->client.ip, now, t, &retry)
		    : throttle_begin(c->a->throttle, c->name, &c->client.ip, now, t, &retry))
		return true;
	(void)snprintf(detail, sizeof(detail), "There were too many attempts: try again in %u s.", retry);
	if (!c->fault.set) {
		c->fault.set = true;
		(void)str_copy(c->fault.detail, sizeof(c->fault.detail), detail);
	}
	call_end(c, ADMIN_BUSY);
	return false;
}

/* --- me.password --- */

/* Read outside of the operation's transaction, which begins when the hashers are done. */
static bool
read_hash(struct admin_call *c, char out[static PASSWORD_HASH_MAX])
{
	struct txn x = txn_begin(accounts_db_tables(c->a->db), false);
	struct account who;

	account_read(&x, c->account, &who);
	(void)str_copy(out, PASSWORD_HASH_MAX, who.hash);
	sodium_memzero(&who, sizeof(who));
	return txn_end(&x) == DB_OK;
}

void
me_op_password_prepare(struct admin_call *c)
{
	static const char *const known[] = { "op", "old", "new" };
	struct admin_secrets *s = c->secrets;
	struct throttle_attempt t;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (c->account == 0) {
		call_denied(c, "", "The command line is no user.");
		return;
	}
	(void)field_text(&c->body, "old", REQUIRED, any_text, s->check, sizeof(s->check));
	if (s->check[0] == '\0')
		fields_wrong(&c->body, "old", "It is empty.");
	(void)admin_password_new(c, "new", c->name, true);
	if (c->fault.set || !begin_attempt(c, false, &t))
		return;
	memcpy(c->memory, &t, sizeof(t));
	if (!read_hash(c, s->against))
		call_end(c, ADMIN_UNAVAILABLE);
}

void
me_op_password(struct admin_call *c)
{
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct throttle_attempt t;

	memcpy(&t, c->memory, sizeof(t));
	if (c->secrets->wrong) {
		fields_wrong(&c->body, "old", "It is not your password.");
		return;
	}
	throttle_succeeded(c->a->throttle, &t, clock_boot_ns());
	if (!read_me(c, ACTION_WRITE_ACCOUNT, p))
		return;
	if (strcmp(p->who.hash, c->secrets->against) != 0) {
		/* It became another, or was hashed anew, while the old one was judged. */
		sodium_memzero(p, sizeof(*p));
		call_end(c, ADMIN_BUSY);
		return;
	}
	(void)str_copy(p->who.hash, sizeof(p->who.hash), c->secrets->hash);
	account_write(&c->x, &p->who);
	sessions_remove_of(&c->x, c->account, c->session);
	call_audit(c, AUDIT_PASSWORD_CHANGED, person_matter(p, NULL), p->subject, "%s", "by the user");
	numbers_add(&c->ended, c->account);
	sodium_memzero(p, sizeof(*p));
}

/* --- the second factor --- */

void
factor_op_begin(struct admin_call *c)
{
	static const char *const known[] = { "op" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct factor_offer offer;
	struct factor_record f;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!read_me(c, ACTION_WRITE_ACCOUNT, p))
		return;
	if (factor_look(&c->x, c->account, &f) && f.confirmed) {
		call_conflict(c, "", "There is a second factor: remove it first.");
	} else if (factor_begin(FACTOR_TOTP, c->name, clock_utc_ns(), &f, &offer)) {
		factor_write(&c->x, c->account, &f);
		json_string(c->w, "secret", offer.secret);
		json_string(c->w, "uri", offer.uri);
	} else {
		call_end(c, ADMIN_UNAVAILABLE);
	}
	sodium_memzero(&f, sizeof(f));
	sodium_memzero(&offer, sizeof(offer));
}

/* Whether the member "code" is right for the factor, which has changed then. It is not written yet. */
static bool
check_code(struct admin_call *c, struct factor_record *f)
{
	struct throttle_attempt t;
	char code[32];
	bool right;

	if (!field_text(&c->body, "code", REQUIRED, any_text, code, sizeof(code)) ||
	    !begin_attempt(c, true, &t))
		return false;
	right = factor_check(f, code, clock_utc_ns());
	sodium_memzero(code, sizeof(code));
	if (right)
		throttle_succeeded(c->a->throttle, &t, clock_boot_ns());
	else
		fields_wrong(&c->body, "code", "The code is wrong, or was used before.");
	return right;
}

static void
write_recovery(struct admin_call *c, struct factor_record *f)
{
	char codes[RECOVERY_CODES][RECOVERY_TEXT_MAX];

	factor_draw_recovery(f, codes);
	json_array(c->w, "recovery_codes");
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		json_string(c->w, NULL, codes[i]);
	json_array_end(c->w);
	sodium_memzero(codes, sizeof(codes));
}

/* confirm: of one that was begun; otherwise of one that holds. */
static void
renew_factor(struct admin_call *c, bool confirm)
{
	static const char *const known[] = { "op", "code" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct factor_record f;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!read_me(c, ACTION_WRITE_ACCOUNT, p))
		return;
	if (!factor_look(&c->x, c->account, &f) || f.confirmed == confirm) {
		call_conflict(c, "",
			      confirm ? "There is no second factor that waits to be confirmed."
				      : "There is no second factor.");
	} else if (check_code(c, &f)) {
		f.confirmed = true;
		write_recovery(c, &f);
		factor_write(&c->x, c->account, &f);
		call_audit(c, confirm ? AUDIT_SECOND_FACTOR_ON : AUDIT_RECOVERY_CODES, person_matter(p, NULL),
			   p->subject, "%s", "");
		/* What could only enrol may do everything from now on. */
		numbers_add(&c->touched, c->account);
	}
	sodium_memzero(&f, sizeof(f));
}

void
factor_op_confirm(struct admin_call *c)
{
	renew_factor(c, true);
}

void
factor_op_recovery(struct admin_call *c)
{
	renew_factor(c, false);
}

static void
drop_factor(struct admin_call *c, const struct person *p)
{
	factor_remove(&c->x, p->who.number);
	call_audit(c, AUDIT_SECOND_FACTOR_OFF, person_matter(p, NULL), p->subject, "%s", "");
	numbers_add(&c->touched, p->who.number);
}

/* Who takes it away could then be that user with his password alone: he must have all that the user has. */
static void
remove_of(struct admin_call *c, struct person *p)
{
	char name[ACCOUNT_NAME_MAX];
	struct factor_record f;
	struct resource r;

	if (!field_text(&c->body, "user", REQUIRED, user_name_judge, name, sizeof(name)) ||
	    !person_find(c, name, ACTION_READ_USERS, p))
		return;
	r = person_resource(p, p->has, p->nhas);
	if (!call_may(c, ACTION_WRITE_USERS, &r))
		call_denied(c, "user", "You may not do this to a user who has such rights.");
	else if (!factor_look(&c->x, p->who.number, &f))
		call_conflict(c, "user", "This user has no second factor.");
	else
		drop_factor(c, p);
	sodium_memzero(&f, sizeof(f));
}

void
factor_op_remove(struct admin_call *c)
{
	static const char *const known[] = { "op", "user", "code" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct factor_record f;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (fields_has(&c->body, "user")) {
		remove_of(c, p);
		return;
	}
	if (!read_me(c, ACTION_WRITE_ACCOUNT, p))
		return;
	if (!factor_look(&c->x, c->account, &f))
		call_conflict(c, "", "There is no second factor.");
	else if (!f.confirmed || check_code(c, &f))
		drop_factor(c, p);
	sodium_memzero(&f, sizeof(f));
}
