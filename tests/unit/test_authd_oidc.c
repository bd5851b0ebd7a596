/* Logins at providers of OpenID Connect: what is drawn, kept and taken once, and whom an account is bound to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd_scratch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "groups.h"
#include "mapping.h"
#include "oidc_begun.h"
#include "oidc_logout.h"
#include "oidc_url.h"
#include "people.h"
#include "rows.h"
#include "tenants.h"
#include "tickets.h"
#include "told.h"

#define NOW    (1000 * NS_PER_S)
#define ORIGIN "https://weir.example.com:3001"

#define IP4(n)                                                                                               \
	{                                                                                                    \
		{                                                                                            \
			[10] = 0xff, 0xff, 10, 0, 0, (n)                                                     \
		}                                                                                            \
	}

static const struct ip_addr here = IP4(1), there = IP4(2);

static void *
new_begun(void)
{
	return mem_calloc(1, sizeof(struct begun_logins));
}

static void
a_login_comes_back_once(void **state)
{
	struct begun_logins *b = new_begun();
	uint8_t cookie[COOKIE_BYTES], other[COOKIE_BYTES] = { 0 };
	char state_text[BEGUN_SECRET_MAX];
	struct begun taken;
	const struct begun *begun = begun_draw(b, "corp", ORIGIN, &here, NOW, cookie);

	(void)state;
	assert_int_equal(strlen(begun->state), 43);
	assert_int_equal(strlen(begun->nonce), 43);
	assert_int_equal(strlen(begun->verifier), 43);
	assert_string_not_equal(begun->state, begun->nonce);
	assert_string_not_equal(begun->nonce, begun->verifier);
	(void)str_copy(state_text, sizeof(state_text), begun->state);

	assert_false(begun_take(b, other, "corp", state_text, NOW, &taken));
	assert_false(begun_take(b, cookie, "other", state_text, NOW, &taken));
	assert_false(begun_take(b, cookie, "corp", "", NOW, &taken));
	state_text[0] ^= 1;
	assert_false(begun_take(b, cookie, "corp", state_text, NOW, &taken));
	state_text[0] ^= 1;
	assert_true(begun_take(b, cookie, "corp", state_text, NOW, &taken));
	assert_string_equal(taken.state, state_text);
	assert_string_equal(taken.origin, ORIGIN);
	assert_false(begun_take(b, cookie, "corp", state_text, NOW, &taken));
	free(b);
}

static void
a_login_is_forgotten_after_ten_minutes(void **state)
{
	struct begun_logins *b = new_begun();
	uint8_t cookie[COOKIE_BYTES];
	char text[BEGUN_SECRET_MAX];
	struct begun taken;

	(void)state;
	(void)str_copy(text, sizeof(text), begun_draw(b, "corp", ORIGIN, &here, NOW, cookie)->state);
	assert_false(begun_take(b, cookie, "corp", text, NOW + BEGUN_LIFE_S * NS_PER_S, &taken));
	assert_false(begun_take(b, cookie, "corp", text, NOW, &taken));
	free(b);
}

static void
who_begins_many_voids_his_own(void **state)
{
	struct begun_logins *b = new_begun();
	uint8_t first[COOKIE_BYTES], his[COOKIE_BYTES], cookie[COOKIE_BYTES];
	char first_text[BEGUN_SECRET_MAX], his_text[BEGUN_SECRET_MAX];
	struct begun taken;

	(void)state;
	(void)str_copy(his_text, sizeof(his_text), begun_draw(b, "corp", ORIGIN, &there, NOW, his)->state);
	(void)str_copy(first_text, sizeof(first_text),
		       begun_draw(b, "corp", ORIGIN, &here, NOW, first)->state);
	for (int i = 0; i < BEGUN_MAX; i++)
		(void)begun_draw(b, "corp", ORIGIN, &here, NOW + 1 + i, cookie);
	assert_false(begun_take(b, first, "corp", first_text, NOW, &taken));
	assert_true(begun_take(b, his, "corp", his_text, NOW, &taken));
	free(b);
}

/* Whoever has one address of IPv6 has a /64 of them. */
static void
a_network_of_one_client_has_one_share(void **state)
{
	struct begun_logins *b = new_begun();
	uint8_t his[COOKIE_BYTES], cookie[COOKIE_BYTES];
	struct ip_addr from = { .b = { 0x20, 0x01, 0x0d, 0xb8 } };
	char his_text[BEGUN_SECRET_MAX];
	struct begun taken;

	(void)state;
	(void)str_copy(his_text, sizeof(his_text), begun_draw(b, "corp", ORIGIN, &there, NOW, his)->state);
	for (int i = 0; i < BEGUN_MAX; i++) {
		from.b[14] = (uint8_t)(i >> 8);
		from.b[15] = (uint8_t)i;
		(void)begun_draw(b, "corp", ORIGIN, &from, NOW + 1 + i, cookie);
	}
	assert_true(begun_take(b, his, "corp", his_text, NOW, &taken));
	free(b);
}

/* A logout at the provider that names the session alone voids what waits for its second factor, too. */
static void
a_session_that_is_over_there_opens_none_here(void **state)
{
	struct tickets *t = mem_calloc(1, sizeof(*t));
	struct session_origin over = { .provider = "corp", .sid = { 1, 2, 3 } };
	uint8_t his[TICKET_BYTES], same_sid[TICKET_BYTES], local[TICKET_BYTES];
	struct ticket *at;

	(void)state;
	at = tickets_draw(t, 7, "alice", NOW, his);
	at->origin = over;
	at = tickets_draw(t, 8, "bob", NOW, same_sid);
	at->origin = over;
	(void)str_copy(at->origin.provider, sizeof(at->origin.provider), "other");
	(void)tickets_draw(t, 9, "carol", NOW, local);
	tickets_forget_origin(t, &over);
	assert_null(tickets_try(t, his, NOW));
	assert_non_null(tickets_try(t, same_sid, NOW));
	assert_non_null(tickets_try(t, local, NOW));
	free(t);
}

/* RFC 7636 appendix B. */
static void
addresses_say_all(void **state)
{
	static struct provider_settings s;
	struct begun b = { .state = "st",
			   .nonce = "no",
			   .verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" };
	char url[1024], small[64];

	(void)state;
	(void)str_copy(s.name, sizeof(s.name), "corp");
	(void)str_copy(s.client_id, sizeof(s.client_id), "we&ir=1");
	(void)str_copy(s.scopes, sizeof(s.scopes), "openid profile");
	(void)str_copy(b.origin, sizeof(b.origin), ORIGIN);
	assert_true(authorization_url("https://op.example/auth", &s, &b, url, sizeof(url)));
	assert_string_equal(
	    url,
	    "https://op.example/"
	    "auth?response_type=code&client_id=we%26ir%3D1&redirect_uri=https%3A%2F%2Fweir.example.com%3A3001"
	    "%2Fapi%2Fv1%2Fsession%2Foidc%2Fcorp%2Fcallback&scope=openid%20profile&state=st&nonce=no&code_"
	    "challenge="
	    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
	assert_true(end_session_url("https://op.example/end?x=1", &s, ORIGIN, url, sizeof(url)));
	assert_string_equal(
	    url, "https://op.example/end?x=1&client_id=we%26ir%3D1&post_logout_redirect_uri=https%3A%2F%2F"
		 "weir.example.com%3A3001%2F");
	assert_false(authorization_url("https://op.example/auth", &s, &b, small, sizeof(small)));
}

/* --- accounts --- */

static struct accounts_db *db;

static int
make_db(void **state)
{
	(void)state;
	db = scratch_open();
	return db == NULL;
}

static int
drop_db(void **state)
{
	(void)state;
	scratch_close(&db);
	return 0;
}

static void
what_was_told_stays_with_the_account(void **state)
{
	struct account alice = scratch_account("alice");
	struct told *t = mem_calloc(1, sizeof(*t));
	struct txn x;

	(void)state;
	alice.hash[0] = '\0';
	(void)str_copy(alice.provider, sizeof(alice.provider), "corp");
	(void)str_copy(alice.subject, sizeof(alice.subject), "0815");
	assert_int_equal(scratch_create(db, &alice, 1, ROLE_VIEWER, NULL), DB_OK);
	t->last_ns = 5;
	t->cut = true;
	(void)str_copy(t->groups, sizeof(t->groups), "noc\nall hands\n");
	x = txn_begin(accounts_db_tables(db), true);
	told_write(&x, alice.number, t);
	assert_int_equal(txn_end(&x), DB_OK);

	/* What is on disk is judged when it is opened again. */
	accounts_db_close(&db);
	db = scratch_reopen();
	assert_non_null(db);
	x = txn_begin(accounts_db_tables(db), true);
	assert_int_equal(subject_look(&x, "corp", "0815"), alice.number);
	assert_int_equal(subject_look(&x, "other", "0815"), 0);
	assert_true(told_look(&x, alice.number, t));
	assert_string_equal(t->groups, "noc\nall hands\n");
	assert_true(t->cut);
	account_remove(&x, &alice);
	assert_false(told_look(&x, alice.number, t));
	assert_int_equal(subject_look(&x, "corp", "0815"), 0);
	assert_int_equal(txn_end(&x), DB_OK);
	free(t);
}

static uint64_t
make_group(struct txn *x, const char *name, uint32_t tenant)
{
	struct access access = { .tenant = tenant, .role = ROLE_VIEWER };
	struct group g = { .access = { 1, &access } };

	(void)str_copy(g.name, sizeof(g.name), name);
	group_add(x, &g);
	return g.number;
}

/* What one customer's provider says lets nobody into another's tenant, whatever a group of Weir's has. */
static void
a_provider_lets_into_its_tenants_only(void **state)
{
	static struct provider_settings o;
	static const char *const told[] = { "noc" };
	const struct person_told t = { .verdict = DIRECTORY_RIGHT, .ngroups = 1, .group = told };
	struct account bob = scratch_account("bob");
	char name[TENANT_NAME_MAX];
	uint64_t of[GROUPS_OF_ONE_MAX], own, all;
	struct mapping m;
	struct txn x;

	(void)state;
	assert_int_equal(scratch_create(db, &bob, 1, ROLE_VIEWER, NULL), DB_OK);
	o.groups.n = 2;
	(void)str_copy(o.groups.item[0], sizeof(o.groups.item[0]), "noc => own");
	(void)str_copy(o.groups.item[1], sizeof(o.groups.item[1]), "noc => everything");
	x = txn_begin(accounts_db_tables(db), true);
	tenant_name(&x, 1, name);
	o.tenants.n = 1;
	(void)str_copy(o.tenants.item[0], sizeof(o.tenants.item[0]), name);
	own = make_group(&x, "own", 1);
	all = make_group(&x, "everything", TENANT_PLATFORM);
	m = mapping_of_provider(&o);
	assert_true(mapping_write(&x, &m, bob.number, &t));
	assert_int_equal(groups_of(&x, bob.number, of), 1);
	assert_int_equal(of[0], own);
	assert_false(mapping_write(&x, &m, bob.number, &t));
	m.ntenants = 0;
	assert_true(mapping_write(&x, &m, bob.number, &t));
	assert_int_equal(groups_of(&x, bob.number, of), 2);
	assert_true(of[0] == all || of[1] == all);
	assert_true(mapping_write(&x, &m, bob.number, NULL));
	assert_int_equal(groups_of(&x, bob.number, of), 0);
	assert_int_equal(txn_end(&x), DB_OK);
}

/* A line that is gone takes what it gave, and nothing that he was given here. */
static void
what_no_line_gives_any_more_is_taken(void **state)
{
	static struct provider_settings o;
	static const char *const told[] = { "noc", "ops" };
	const struct person_told t = { .verdict = DIRECTORY_RIGHT, .ngroups = 2, .group = told };
	struct account bob = scratch_account("bob");
	uint64_t of[GROUPS_OF_ONE_MAX], own, first, second;
	struct mapping m;
	struct txn x;

	(void)state;
	assert_int_equal(scratch_create(db, &bob, 1, ROLE_VIEWER, NULL), DB_OK);
	o.groups.n = 3;
	o.tenants.n = 0;
	(void)str_copy(o.groups.item[0], sizeof(o.groups.item[0]), "noc => first");
	(void)str_copy(o.groups.item[1], sizeof(o.groups.item[1]), "ops => first");
	(void)str_copy(o.groups.item[2], sizeof(o.groups.item[2]), "ops => second");
	x = txn_begin(accounts_db_tables(db), true);
	own = make_group(&x, "own", 1);
	first = make_group(&x, "first", 1);
	second = make_group(&x, "second", 1);
	member_add(&x, own, bob.number);
	m = mapping_of_provider(&o);
	assert_true(mapping_write(&x, &m, bob.number, &t));
	assert_int_equal(groups_of(&x, bob.number, of), 3);
	assert_int_equal(groups_given(&x, bob.number, of), 2);
	assert_false(mapping_prune(&x, &m, bob.number));
	/* The other line still gives the first. */
	m.n = 1;
	assert_true(mapping_write(&x, &m, bob.number, &t));
	assert_int_equal(groups_given(&x, bob.number, of), 1);
	assert_int_equal(of[0], first);
	/* What he was given here, and what a line names, stays where nobody was asked. */
	member_add(&x, second, bob.number);
	assert_false(mapping_prune(&x, &m, bob.number));
	m.n = 0;
	assert_true(mapping_prune(&x, &m, bob.number));
	assert_int_equal(groups_given(&x, bob.number, of), 0);
	assert_int_equal(groups_of(&x, bob.number, of), 2);
	assert_true(of[0] == own && of[1] == second);
	/* From when a line names it, it is the provider's to give and to take. */
	m.n = 3;
	assert_true(mapping_write(&x, &m, bob.number, &t));
	m.n = 1;
	assert_true(mapping_write(&x, &m, bob.number, &t));
	assert_int_equal(groups_of(&x, bob.number, of), 2);
	assert_true(of[0] == own && of[1] == first);
	account_remove(&x, &bob);
	assert_int_equal(txn_count(&x, TABLE_GIVEN), 0);
	assert_int_equal(txn_end(&x), DB_OK);
}

static void
sessions_remember_who_opened_them(void **state)
{
	struct session_record r = { .id = { 3 },
				    .account = 7,
				    .created_ns = 1,
				    .last_seen_ns = 2,
				    .expires_ns = 3 },
			      s;
	uint8_t bytes[RECORD_MAX];
	size_t n;

	(void)state;
	(void)str_copy(r.origin.provider, sizeof(r.origin.provider), "corp");
	oidc_sid("08a5019c-17e1-4977-8f42-65a12843ea02", r.origin.sid);
	n = session_encode(&r, bytes, sizeof(bytes));
	assert_true(n > 0);
	assert_true(session_decode(bytes, n, &s));
	assert_memory_equal(&r, &s, sizeof(r));
	/* As the version before wrote it. */
	bytes[0] = 2;
	n -= 1 + strlen("corp") + SESSION_SID_LEN;
	assert_true(session_decode(bytes, n, &s));
	assert_string_equal(s.origin.provider, "");
	assert_int_equal(s.account, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_comes_back_once),
		cmocka_unit_test(a_login_is_forgotten_after_ten_minutes),
		cmocka_unit_test(who_begins_many_voids_his_own),
		cmocka_unit_test(a_network_of_one_client_has_one_share),
		cmocka_unit_test(a_session_that_is_over_there_opens_none_here),
		cmocka_unit_test(addresses_say_all),
		cmocka_unit_test_setup_teardown(what_was_told_stays_with_the_account, make_db, drop_db),
		cmocka_unit_test_setup_teardown(a_provider_lets_into_its_tenants_only, make_db, drop_db),
		cmocka_unit_test_setup_teardown(what_no_line_gives_any_more_is_taken, make_db, drop_db),
		cmocka_unit_test(sessions_remember_who_opened_them),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
