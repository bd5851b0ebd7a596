#include "programs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd.h"

bool
programs_find(char folder[static PROGRAMS_MAX])
{
	static const char *const places[] = { "", "/../libexec/weir", "/../lib/weir" };
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0) {
		say("cannot find out where this program stands: %s", strerror(errno));
		return false;
	}
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", self, places[i]);
		if (strlen(path) >= PROGRAMS_MAX)
			continue;
		str_copy(folder, PROGRAMS_MAX, path);
		(void)snprintf(path, sizeof(path), "%s/weir-store", folder);
		if (access(path, X_OK) == 0)
			return true;
	}
	say("weir-store is neither in %s nor in ../libexec/weir: build it (ninja), or install it again",
	    self);
	return false;
}
