#include "unit_users.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

void
unit_user_name(enum proc proc, unsigned instance, char out[static UNIT_USER_MAX])
{
	bool has_instances = proc == PROC_ENGINE || proc == PROC_HTTPD || proc == PROC_CAPTURE;

	if (has_instances)
		(void)snprintf(out, UNIT_USER_MAX, "weir-%s-%u", proc_name(proc), instance);
	else
		(void)snprintf(out, UNIT_USER_MAX, "weir-%s", proc_name(proc));
}

/* A uid is all that the launcher hands secrets over for. Where the number was taken when the package came,
 * systemd-sysusers gave the user another one, and whoever has it would be taken for the process; a number
 * that is nobody's is one that DynamicUser= gives to anybody. */
bool
unit_user_is(uid_t uid, enum proc proc, unsigned instance, gid_t *gid, char *err, size_t errsize)
{
	char wanted[UNIT_USER_MAX];
	const struct passwd *who = getpwuid(uid);

	unit_user_name(proc, instance, wanted);
	if (who != NULL && strcmp(who->pw_name, wanted) == 0) {
		*gid = who->pw_gid;
		return true;
	}
	(void)snprintf(err, errsize,
		       "first_uid: uid %u must be the user %s, as whom the unit starts it, and is %s: see "
		       "/usr/lib/sysusers.d/weir.conf",
		       uid, wanted, who == NULL ? "nobody's" : who->pw_name);
	return false;
}
