/* The master keys that the launcher hands over: a file that is open already. */
#ifndef WEIR_AUTHD_MASTER_FILE_H
#define WEIR_AUTHD_MASTER_FILE_H

#include "vault/master.h"

/* Reads the file at fd into locked memory and closes it. Dies with a sentence where it is none of master
 * keys: it is the operator's to mend. */
struct master_keys *master_file_read(int fd);
/* Wipes all but the newest, once nothing is sealed with another any more; keys may be NULL. */
void master_file_settle(struct master_keys *keys);
/* Wipes them; keys may be NULL. */
void master_file_forget(struct master_keys *keys);

#endif
