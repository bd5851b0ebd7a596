#include "backup.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

static bool
is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

bool
backup_has_segment(const char *name)
{
	return strncmp(name, "flows-", 6) == 0 && strspn(name + 6, "0123456789abcdef") == 8 &&
	       strcmp(name + 14, ".mdb") == 0;
}

bool
backup_has_of_store(const char *name)
{
	static const char *const files[] = { "data.mdb", "series.mdb" };

	return is_one_of(name, files, ARRAY_LEN(files)) || backup_has_segment(name);
}

bool
backup_has_of_authd(const char *name)
{
	static const char *const files[] = { "accounts.mdb", "audit.key", "audit.tail" };

	return is_one_of(name, files, ARRAY_LEN(files));
}

bool
backup_is_of_file_system(const char *name)
{
	return strcmp(name, "lost+found") == 0;
}

bool
backup_has_of_launcher(const char *name)
{
	static const char *const others[] = { "lock", "store", "authd", "tls", BACKUP_MARK };

	if (backup_is_of_file_system(name))
		return false;
	return name[0] != '.' && !is_one_of(name, others, ARRAY_LEN(others));
}
