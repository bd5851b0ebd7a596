#include "authd_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/role.h"

char scratch_file[96];
static char scratch_dir[64];

struct accounts_db *
scratch_reopen(void)
{
	struct db_error e;
	struct accounts_db *db = accounts_db_open(scratch_file, &e);

	if (db == NULL)
		fail_msg("%s", e.text);
	return db;
}

struct accounts_db *
scratch_open(void)
{
	(void)snprintf(scratch_dir, sizeof(scratch_dir), "/tmp/weir-authd-unit-XXXXXX");
	assert_non_null(mkdtemp(scratch_dir));
	(void)snprintf(scratch_file, sizeof(scratch_file), "%s/accounts.mdb", scratch_dir);
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
	struct account a = {
		.role = ROLE_PLATFORM_ADMINISTRATOR, .tenant = 1, .created_ns = 5, .hash = "$argon2id$x"
	};

	assert_true(str_copy(a.name, sizeof(a.name), name));
	return a;
}
