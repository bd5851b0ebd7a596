/*
 * Whether a name and a password belong together. Judging takes a hasher's time, and the account may change
 * meanwhile: so it is looked at before and after.
 */
#ifndef WEIR_AUTHD_JUDGING_H
#define WEIR_AUTHD_JUDGING_H

#include <stdbool.h>
#include <stdint.h>

#include "attempt.h"
#include "hash_queue.h"

struct account;

/* What judged is compared with: a fingerprint of the stored hash. */
void judging_fingerprint(const struct account *who, uint8_t out[static JUDGED_LEN]);

/* Has the password judged for the attempt's name, which exists or not, at one cost; done gets ctx. False
 * where nobody can judge it now, and the attempt has ended. */
bool judging_begin(struct attempt *t, const char *password, hash_done *done, void *ctx);
/* What done asks first: whether the password was right and its account still is as it was. t->account and
 * t->judged say whose it is. Otherwise the attempt has ended. */
bool judging_passed(struct attempt *t, const struct hash_answer *judged, bool *has_factor);

#endif
