/* Brings a database of an older format up to this one. */
#ifndef WEIR_AUTHD_UPGRADE_H
#define WEIR_AUTHD_UPGRADE_H

#include "db.h"

#define FORMAT_VERSION 2

/* Within one transaction; of the format that is current, nothing. What it does not know it leaves as it is:
 * check_all refuses it. */
void upgrade(struct txn *x);

#endif
