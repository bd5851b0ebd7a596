/* What a backup is made of: `weir backup` makes one, `weir restore` takes it apart. */
#ifndef WEIR_CLI_BACKUP_H
#define WEIR_CLI_BACKUP_H

#include <stdbool.h>

/* Written last: a directory without it is no whole backup. */
#define BACKUP_MARK "weir-backup"
#define BACKUP_TEXT "weir backup, format 1\n"

/* Where weir restore copies to, in the data directory: while it is there, what is beside it is not whole. In
 * it, from when all was checked: a restore that was interrupted since is gone on with. */
#define RESTORE_STAGE   ".restoring"
#define RESTORE_CHECKED ".checked"

/* Files of store's and authd's that are copied; all else (locks) is made anew. */
/* Of store's, whether it is a segment: not written any more, mostly. */
bool backup_has_segment(const char *name);
bool backup_has_of_store(const char *name);
bool backup_has_of_authd(const char *name);
/* A folder that a file system has of its own: the data directory can be the whole of one. */
bool backup_is_of_file_system(const char *name);
/* Files of the launcher's in the data directory, beside its lock. */
bool backup_has_of_launcher(const char *name);

#endif
