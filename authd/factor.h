/*
 * Second factors. Each kind is one row of a table (factor.c): how it is begun, what its owner is shown for
 * it, and whether an answer is right. There is one kind so far; passkeys are to be another. Recovery codes
 * stand in for any of them, each once.
 */
#ifndef WEIR_AUTHD_FACTOR_H
#define WEIR_AUTHD_FACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

#define RECOVERY_TEXT_MAX 20 /* "abcd-efgh-ijkl-mnop" */
#define FACTOR_URI_MAX    512

/* What the owner is shown once, to set up an authenticator. */
struct factor_offer {
	char secret[64];
	char uri[FACTOR_URI_MAX];
};

/* A new one, not confirmed and without recovery codes. False where it cannot be made. */
bool factor_begin(enum factor_kind kind, const char *name, int64_t now_ns, struct factor_record *f,
		  struct factor_offer *offer);
/* Whether answer is right now. Where it is, f has changed: the same answer is not right again. Recovery codes
 * count only of a factor that is confirmed. */
bool factor_check(struct factor_record *f, const char *answer, int64_t now_ns);
/* Draws new recovery codes; those before them are void. */
void factor_draw_recovery(struct factor_record *f, char out[RECOVERY_CODES][RECOVERY_TEXT_MAX]);

#endif
