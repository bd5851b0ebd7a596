/* The file of the master key (vault/master.h): made, and given another key. */
#ifndef WEIR_CLI_MASTER_KEY_H
#define WEIR_CLI_MASTER_KEY_H

#include <stdbool.h>

#include "base/settings.h"

/* Makes a file with a new key, which must not be there yet: root's, 0600, on disk. False after a line that
 * says why not. */
bool master_key_make(const char *path);
/* `weir key rotate master`: the file of authd.master_key has another key in front, authd seals everything
 * with it, then the former key goes. Wherever it is cut short, the file has what the database needs, and the
 * next one goes on. A status of weir's, after lines that say what is wrong. */
int master_rotate(const struct settings *s);

#endif
