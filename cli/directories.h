/* The directories that the launcher keeps: made where missing, refused where they are somebody else's. */
#ifndef WEIR_CLI_DIRECTORIES_H
#define WEIR_CLI_DIRECTORIES_H

#include <stddef.h>
#include <sys/types.h>

/* A directory of root's that others may enter but not write to: opened O_DIRECTORY, made 0755 where it is
 * missing (its parent must be there). -1 with a sentence in err; key names the setting. */
int directory_of_root(const char *path, const char *key, char *err, size_t errsize);
/* name below parent, owned by uid and 0700; made where it is missing. Its descriptor (O_PATH), or -1. */
int directory_of(int parent, const char *parent_path, const char *name, uid_t uid, char *err, size_t errsize);
/* Takes the lock file in it, held until the descriptor is closed. -1 where another holds it (*taken is 1) or
 * it cannot be had. */
int directory_lock(int directory, int *taken);

/* Removes everything below path and itself: at most 5 levels, never following links. For throw-away
 * directories. */
void directory_remove(const char *path);

#endif
