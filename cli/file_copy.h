/* Files copied by root, byte by byte and never looked into, between directories that others can write. */
#ifndef WEIR_CLI_FILE_COPY_H
#define WEIR_CLI_FILE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Copies the regular file `name` between two directories; the copy is new, uid's, and on disk. False with a
 * sentence in err. A link is followed nowhere, and a file is refused that is not owner's. */
bool file_copy(int from, int to, const char *name, uid_t owner, uid_t uid, char *err, size_t errsize);
/* Calls each for every name in a directory until it returns false; false then, and where it cannot be read.
 */
bool directory_each(int directory, bool (*each)(void *ctx, const char *name), void *ctx);
/* What was made and removed in it is on disk. */
bool directory_sync(int directory);

#endif
