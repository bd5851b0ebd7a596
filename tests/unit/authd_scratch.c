#include "authd_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts.h"
#include "base/mem.h"

char scratch_file[96];
static char scratch_dir[64];

struct accounts_db *
scratch_reopen(void)
{
	struct db_error e;
	struct accounts_db *db = accounts_db_open(scratch_file, NULL, &e);

	if (db == NULL)
		fail_msg("%s", e.text);
	return db;
}

void
scratch_make(void)
{
	(void)snprintf(scratch_dir, sizeof(scratch_dir), "/tmp/weir-authd-unit-XXXXXX");
	assert_non_null(mkdtemp(scratch_dir));
	(void)snprintf(scratch_file, sizeof(scratch_file), "%s/accounts.mdb", scratch_dir);
}

struct accounts_db *
scratch_open(void)
{
	scratch_make();
	return scratch_reopen();
}

void
scratch_close(struct accounts_db **db)
{
	char lock[128];

	accounts_db_close(db);
	(void)snprintf(lock, sizeof(lock), "%s-lock", scratch_file);
	(void)unlink(lock);
	(void)unlink(scratch_file);
	(void)rmdir(scratch_dir);
}

struct account
scratch_account(const char *name)
{
	struct account a = { .kind = ACCOUNT_PERSON, .created_ns = 5, .hash = "$argon2id$x" };

	assert_true(str_copy(a.name, sizeof(a.name), name));
	return a;
}

enum db_status
scratch_create(struct accounts_db *db, struct account *a, uint32_t tenant, enum role role,
	       struct session_record *s)
{
	struct txn x = txn_begin(accounts_db_tables(db), true);
	struct access own = { .tenant = tenant, .role = role };
	enum db_status status;

	account_add(&x, a);
	accesses_write(&x, a->number, &(struct accesses){ 1, &own });
	if (s != NULL) {
		s->account = a->number;
		sessions_put(&x, s, 1, NULL, 0);
	}
	status = txn_end(&x);
	return status == DB_OK ? accounts_db_refresh(db) : status;
}

enum db_status
scratch_find(struct accounts_db *db, const char *name, struct account *a)
{
	struct txn x = txn_begin(accounts_db_tables(db), false);
	bool found = account_look(&x, name, a);
	enum db_status status = txn_end(&x);

	return status == DB_OK && !found ? DB_NONE : status;
}
