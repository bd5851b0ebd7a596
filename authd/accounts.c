#include "accounts.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "groups.h"
#include "rows.h"
#include "tokens_db.h"
#include "told.h"

void
account_read(struct txn *x, uint64_t number, struct account *a)
{
	struct be64 key = be64_of(number);
	struct db_bytes v;

	memset(a, 0, sizeof(*a));
	if (txn_get(x, TABLE_ACCOUNTS, be64_bytes(&key), &v) && !account_decode(v.p, v.n, a))
		txn_damaged(x);
}

bool
account_look(struct txn *x, const char *name, struct account *a)
{
	uint64_t number = name_look(x, TABLE_NAMES, name);

	memset(a, 0, sizeof(*a));
	if (number == 0)
		return false;
	account_read(x, number, a);
	return x->rc == 0;
}

void
account_write(struct txn *x, const struct account *a)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put(x, TABLE_ACCOUNTS, a->number, account_encode(a, room, size));
}

struct subject_key {
	size_t n;
	uint8_t b[PROVIDER_MAX + SUBJECT_MAX];
};

static struct db_bytes
subject_key(const char *provider, const char *subject, struct subject_key *k)
{
	size_t np = strlen(provider) + 1, ns = strlen(subject);

	memcpy(k->b, provider, np);
	memcpy(k->b + np, subject, ns);
	k->n = np + ns;
	return db_bytes(k->b, k->n);
}

uint64_t
subject_look(struct txn *x, const char *provider, const char *subject)
{
	struct subject_key k;
	struct db_bytes v;
	uint64_t number = 0;

	if (provider[0] == '\0' || subject[0] == '\0' || strlen(provider) >= PROVIDER_MAX ||
	    strlen(subject) >= SUBJECT_MAX)
		return 0;
	if (txn_look(x, TABLE_SUBJECTS, subject_key(provider, subject, &k), &v) && !be64_read(v, &number))
		txn_damaged(x);
	return number;
}

static void
subject_add(struct txn *x, const struct account *a)
{
	struct be64 number = be64_of(a->number);
	struct subject_key k;

	if (a->subject[0] != '\0')
		txn_put_new(x, TABLE_SUBJECTS, subject_key(a->provider, a->subject, &k), be64_bytes(&number));
}

static void
subject_remove(struct txn *x, const struct account *a)
{
	struct subject_key k;

	if (a->subject[0] != '\0')
		txn_delete(x, TABLE_SUBJECTS, subject_key(a->provider, a->subject, &k));
}

void
account_bind(struct txn *x, struct account *a, const char *subject)
{
	subject_remove(x, a);
	if (!str_copy(a->subject, sizeof(a->subject), subject))
		txn_fail(x, DB_BROKEN);
	subject_add(x, a);
	account_write(x, a);
}

void
account_rename(struct txn *x, struct account *a, const char *name)
{
	name_remove(x, TABLE_NAMES, a->name);
	if (!str_copy(a->name, sizeof(a->name), name))
		txn_fail(x, DB_BROKEN);
	name_add(x, TABLE_NAMES, a->name, a->number);
	account_write(x, a);
}

bool
account_is_open(const struct account *a)
{
	return !a->disabled && !a->absent;
}

void
account_add(struct txn *x, struct account *a)
{
	if (txn_count(x, TABLE_ACCOUNTS) >= ACCOUNTS_MAX)
		txn_full(x, "accounts", ACCOUNTS_MAX);
	a->number = meta_next(x, META_NEXT_ACCOUNT);
	name_add(x, TABLE_NAMES, a->name, a->number);
	subject_add(x, a);
	account_write(x, a);
}

struct owned_sessions {
	uint64_t account;
	const uint8_t *but; /* NULL: none */
	size_t n;
	uint8_t id[64][SESSION_ID_LEN];
};

static bool
take_session(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct owned_sessions *o = ctx;
	struct session_record s;

	(void)key;
	if (session_decode(value.p, value.n, &s) && s.account == o->account &&
	    (o->but == NULL || memcmp(s.id, o->but, sizeof(s.id)) != 0))
		memcpy(o->id[o->n++], s.id, sizeof(s.id));
	return o->n < sizeof(o->id) / sizeof(o->id[0]);
}

void
sessions_remove_of(struct txn *x, uint64_t account, const uint8_t *but)
{
	static const uint8_t first[SESSION_ID_LEN];
	struct owned_sessions o = { .account = account, .but = but };

	do {
		o.n = 0;
		txn_walk(x, TABLE_SESSIONS, db_bytes(first, sizeof(first)), false, take_session, &o);
		for (size_t i = 0; i < o.n; i++)
			txn_delete(x, TABLE_SESSIONS, db_bytes(o.id[i], sizeof(o.id[i])));
	} while (o.n > 0 && x->rc == 0);
}

void
account_remove(struct txn *x, const struct account *a)
{
	struct be64 key = be64_of(a->number);

	name_remove(x, TABLE_NAMES, a->name);
	subject_remove(x, a);
	txn_delete(x, TABLE_ACCOUNTS, be64_bytes(&key));
	txn_delete(x, TABLE_ACCESSES, be64_bytes(&key));
	txn_delete(x, TABLE_LOGINS, be64_bytes(&key));
	txn_delete(x, TABLE_FACTORS, be64_bytes(&key));
	told_remove(x, a->number);
	memberships_remove(x, a->number);
	tokens_remove_of(x, a->number);
	sessions_remove_of(x, a->number, NULL);
}

void
accesses_read(struct txn *x, uint64_t account, struct arena *arena, struct accesses *a)
{
	struct be64 key = be64_of(account);
	struct db_bytes v;

	memset(a, 0, sizeof(*a));
	if (txn_look(x, TABLE_ACCESSES, be64_bytes(&key), &v) && !accesses_decode(v.p, v.n, arena, a))
		txn_damaged(x);
}

void
accesses_write(struct txn *x, uint64_t account, const struct accesses *a)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put(x, TABLE_ACCESSES, account, accesses_encode(a, room, size));
}

void
login_read(struct txn *x, uint64_t account, struct login_record *l)
{
	struct be64 key = be64_of(account);
	struct db_bytes v;

	memset(l, 0, sizeof(*l));
	if (txn_look(x, TABLE_LOGINS, be64_bytes(&key), &v) && !login_decode(v.p, v.n, l))
		txn_damaged(x);
}

void
login_write(struct txn *x, uint64_t account, const struct login_record *l)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put(x, TABLE_LOGINS, account, login_encode(l, room, size));
}

bool
factor_look(struct txn *x, uint64_t account, struct factor_record *f)
{
	struct be64 key = be64_of(account);
	struct db_bytes v;

	memset(f, 0, sizeof(*f));
	if (!txn_look(x, TABLE_FACTORS, be64_bytes(&key), &v))
		return false;
	if (!factor_decode(v.p, v.n, f))
		txn_damaged(x);
	return x->rc == 0;
}

void
factor_write(struct txn *x, uint64_t account, const struct factor_record *f)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put(x, TABLE_FACTORS, account, factor_encode(f, room, size));
}

void
factor_remove(struct txn *x, uint64_t account)
{
	struct be64 key = be64_of(account);

	txn_delete(x, TABLE_FACTORS, be64_bytes(&key));
}
