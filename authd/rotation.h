/*
 * The signing key changes while authd runs: on request and by age. What it signed before stays good until it
 * has run out, so nobody is logged out: sessions and tokens are not signed, and grants are out for a minute
 * at most.
 */
#ifndef WEIR_AUTHD_ROTATION_H
#define WEIR_AUTHD_ROTATION_H

#include <stdint.h>

#include "db.h"

struct authd;

/* Tells store of the key that was adopted (signing_adopt). */
void rotation_publish(struct authd *a);
/* Replaces a key that is too old, with an audit entry, and has store forget one that nothing needs any more.
 * Once a second. now_ns: clock_utc_ns */
enum db_status rotation_tick(struct authd *a, int64_t now_ns);

#endif
