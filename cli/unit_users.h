/* Whether the users that the units start processes as are those that the launcher takes the processes for. */
#ifndef WEIR_CLI_UNIT_USERS_H
#define WEIR_CLI_UNIT_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ipc/proc.h"

#define UNIT_USER_MAX 32

/* The name that a unit has in User=, into out. */
void unit_user_name(enum proc proc, unsigned instance, char out[static UNIT_USER_MAX]);
/* Whether uid is the user of that unit and nobody else's, and which group it has; false with a sentence in
 * err. */
bool unit_user_is(uid_t uid, enum proc proc, unsigned instance, gid_t *gid, char *err, size_t errsize);

#endif
