/*
 * What the configuration was when authd last ran, so that a change of it is an entry of the audit log: for
 * each key a hash of its value, never the value.
 */
#ifndef WEIR_AUTHD_CONFIGURATION_H
#define WEIR_AUTHD_CONFIGURATION_H

#include <stdbool.h>

#include "audit.h"
#include "base/settings.h"
#include "db.h"

/*
 * Compares with the last run, and keeps these settings, in one transaction with the entry that names the keys
 * that differ, came or went. The first time (a new database, or one of a version before this) there is
 * nothing to compare with, and no entry. Once, at the start.
 */
enum db_status configuration_note(struct audit *au, struct db *db, const struct settings *s);

/* Whether a record of TABLE_CONFIGURATION can be. */
bool configuration_good(struct db_bytes key, struct db_bytes value);

#endif
