#include "basic.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "attempt.h"
#include "authd.h"
#include "base/mem.h"
#include "granting.h"
#include "judging.h"
#include "locked.h"
#include "newcomers.h"

#define ENDS(text) (memchr((text), 0, sizeof(text)) != NULL)
#define KEY_LEN    32

/* A name and password that were right, of a client's address. */
struct entry {
	struct holder holder;       /* first */
	bool used;                  /* somebody is remembered here */
	uint8_t key[KEY_LEN];       /* keyed hash: neither stands here */
	uint8_t judged[JUDGED_LEN]; /* by which hash it was right */
	int64_t made_ns, shown_ns;  /* boot clock */
};

struct basic {
	uint8_t secret[crypto_generichash_KEYBYTES];
	struct entry entry[BASIC_MAX];
};

/* What is being judged. */
struct showing {
	struct attempt *attempt;
	uint8_t key[KEY_LEN];
	char tenant[TENANT_TEXT_MAX];
};

struct basic *
basic_new(void)
{
	struct basic *b = locked_pages(sizeof(*b));

	randombytes_buf(b->secret, sizeof(b->secret));
	return b;
}

void
basic_wipe(struct basic *b)
{
	sodium_memzero(b, sizeof(*b));
}

/* Every part has one length, so that no two are the same bytes. */
static void
make_key(const struct basic *b, const struct wire_basic *w, uint8_t key[static KEY_LEN])
{
	struct {
		char name[ACCOUNT_NAME_MAX];
		char password[PASSWORD_MAX];
		struct ip_addr ip;
	} all;

	memset(&all, 0, sizeof(all));
	(void)str_copy(all.name, sizeof(all.name), w->name);
	(void)str_copy(all.password, sizeof(all.password), w->password);
	all.ip = w->client.ip;
	(void)crypto_generichash(key, KEY_LEN, (const uint8_t *)&all, sizeof(all), b->secret,
				 sizeof(b->secret));
	sodium_memzero(&all, sizeof(all));
}

/* --- what is remembered --- */

static void
forget(struct authd *a, struct entry *e)
{
	granting_revoke(a, &e->holder);
	sodium_memzero(e, sizeof(*e));
}

static bool
is_over(const struct entry *e, int64_t now_ns)
{
	return now_ns - e->shown_ns > BASIC_IDLE_NS || now_ns - e->made_ns > BASIC_LIFE_NS;
}

static struct entry *
find(struct basic *b, const uint8_t key[static KEY_LEN])
{
	for (size_t i = 0; i < BASIC_MAX; i++)
		if (b->entry[i].used && sodium_memcmp(b->entry[i].key, key, KEY_LEN) == 0)
			return &b->entry[i];
	return NULL;
}

/* A free one, after the one not used for longest has gone where there is none. */
static struct entry *
make_room(struct authd *a)
{
	struct entry *oldest = &a->basic->entry[0];

	for (size_t i = 0; i < BASIC_MAX; i++) {
		struct entry *e = &a->basic->entry[i];

		if (!e->used)
			return e;
		if (e->shown_ns < oldest->shown_ns)
			oldest = e;
	}
	forget(a, oldest);
	return oldest;
}

/* Two requests can have been judged at once. */
static struct entry *
remember(struct authd *a, const struct showing *s)
{
	int64_t now = clock_boot_ns();
	struct entry *e = find(a->basic, s->key);

	if (e == NULL) {
		e = make_room(a);
		memcpy(e->key, s->key, sizeof(e->key));
		e->used = true;
	}
	e->holder.kind = HOLDER_BASIC;
	e->holder.account = s->attempt->account;
	e->holder.expires_ns = clock_utc_ns() + BASIC_LIFE_NS;
	memcpy(e->judged, s->attempt->judged, sizeof(e->judged));
	e->made_ns = e->shown_ns = now;
	return e;
}

/* Changes empty the memory (basic_forget); the account itself has the last word all the same. */
static bool
still_holds(struct authd *a, const struct entry *e)
{
	struct txn x = txn_begin(accounts_db_tables(a->db), false);
	uint8_t now[JUDGED_LEN];
	struct account who;
	struct factor_record factor;
	bool good;

	account_read(&x, e->holder.account, &who);
	judging_fingerprint(&who, now);
	good = account_is_open(&who) && sodium_memcmp(now, e->judged, sizeof(now)) == 0 &&
	       !(factor_look(&x, e->holder.account, &factor) && factor.confirmed);
	sodium_memzero(&who, sizeof(who));
	sodium_memzero(&factor, sizeof(factor));
	return txn_end(&x) == DB_OK && good;
}

static struct entry *
recall(struct authd *a, const uint8_t key[static KEY_LEN])
{
	int64_t now = clock_boot_ns();
	struct entry *e = find(a->basic, key);

	if (e == NULL)
		return NULL;
	if (is_over(e, now) || !still_holds(a, e)) {
		forget(a, e);
		return NULL;
	}
	e->shown_ns = now;
	return e;
}

void
basic_forget(struct authd *a, uint64_t account)
{
	for (size_t i = 0; i < BASIC_MAX; i++)
		if (a->basic->entry[i].used && a->basic->entry[i].holder.account == account)
			forget(a, &a->basic->entry[i]);
}

void
basic_sweep(struct authd *a, int64_t now_ns)
{
	for (size_t i = 0; i < BASIC_MAX; i++)
		if (a->basic->entry[i].used && is_over(&a->basic->entry[i], now_ns))
			forget(a, &a->basic->entry[i]);
}

/* --- judging --- */

/* httpd cannot ask a second time whether it was the tenant: a wrong password would be judged twice. */
static void
answer(struct authd *a, const struct return_address *to, uint64_t request, struct entry *e,
       const char *tenant)
{
	struct live_grant *g;

	if (tenant[0] != '\0' && granting_get(a, to, &e->holder, tenant, NULL, &g) == DB_NONE &&
	    granting_get(a, to, &e->holder, "", NULL, &g) == DB_OK)
		reply_status(a, to, request, AUTH_NO_TENANT, 0, NULL);
	else
		(void)granting_answer(a, to, request, &e->holder, tenant, NULL, NULL);
}

static void
admit(struct showing *s)
{
	struct attempt *t = s->attempt;
	struct authd *a = t->a;
	struct return_address to = t->to;
	uint64_t request = t->request;
	struct entry *e;

	if (!attempt_note(t, BASIC_CREDENTIAL))
		return;
	e = remember(a, s);
	free(t);
	answer(a, &to, request, e, s->tenant);
}

static void
on_judged(void *ctx, const struct hash_answer *judged)
{
	struct showing *s = ctx;
	struct attempt *t = s->attempt;
	bool has_factor;

	if (judging_passed(t, judged, &has_factor)) {
		/* Who is refused for it has not come in: the audit log is not to say so. */
		if (has_factor || granting_lacks_factor(t->a, t->account, s->tenant))
			attempt_excuse(t, AUTH_SECOND_FACTOR,
				       "This account takes a second factor: use a token.");
		else
			admit(s);
	}
	sodium_memzero(s, sizeof(*s));
	free(s);
}

static void
judge(struct attempt *t, const uint8_t key[static KEY_LEN], const struct wire_basic *w)
{
	struct showing *s = mem_calloc(1, sizeof(*s));

	s->attempt = t;
	memcpy(s->key, key, sizeof(s->key));
	(void)str_copy(s->tenant, sizeof(s->tenant), w->tenant);
	if (!judging_begin(t, w->password, on_judged, s))
		free(s);
}

static void
begin(struct authd *a, struct channel *ch, const uint8_t key[static KEY_LEN], const struct wire_basic *w)
{
	struct attempt *t = attempt_new(a, ch, w->request, w->name, &w->client);
	uint32_t retry;

	newcomers_spell(a, t->name);
	if (!throttle_begin(a->throttle, t->name, &w->client.ip, clock_boot_ns(), &t->charge, &retry))
		attempt_throttled(t, retry);
	else if (w->password[0] == '\0' || w->name[0] == '\0')
		attempt_end(t, AUTH_DENIED, NULL);
	else
		judge(t, key, w);
}

bool
basic_serve(struct authd *a, struct channel *ch, struct wire_basic *w)
{
	struct return_address to = return_address_of(ch);
	uint8_t key[KEY_LEN];
	struct entry *e;

	if (!ENDS(w->name) || !ENDS(w->password) || !ENDS(w->tenant) || !ENDS(w->client.agent))
		return false;
	make_key(a->basic, w, key);
	e = recall(a, key);
	if (e != NULL)
		answer(a, &to, w->request, e, w->tenant);
	else
		begin(a, ch, key, w);
	sodium_memzero(w, sizeof(*w));
	return true;
}
