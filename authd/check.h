/* Every record of the database is read once when it is opened: damage shows here and not at a login. */
#ifndef WEIR_AUTHD_CHECK_H
#define WEIR_AUTHD_CHECK_H

#include "db.h"

/* False with *e where the format is another one, or a record cannot be. */
bool check_all(struct db *db, const char *path, struct db_error *e);

#endif
