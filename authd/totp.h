/* Time-based one-time passwords (RFC 6238): SHA-1, 6 digits, 30 s, as every authenticator has them. Wraps
 * liboath. */
#ifndef WEIR_AUTHD_TOTP_H
#define WEIR_AUTHD_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

#define TOTP_DIGITS   6
#define TOTP_STEP_S   30
#define TOTP_DRIFT    1 /* steps that a clock may be off, either way */
#define TOTP_TEXT_MAX 40

/* Before the sandbox. */
void totp_init(void);

/* The step whose code this is, of those near now and after the last one that was taken; 0 where it is none.
 */
uint64_t totp_step_of(const uint8_t secret[static TOTP_SECRET_LEN], const char *code, uint64_t last_step,
		      int64_t now_ns);
/* The code of a step; terminated. False where it cannot be computed. */
bool totp_code(const uint8_t secret[static TOTP_SECRET_LEN], uint64_t step, char out[static TOTP_DIGITS + 1]);
/* The secret as people type it: base 32, without padding. */
bool totp_text(const uint8_t secret[static TOTP_SECRET_LEN], char out[static TOTP_TEXT_MAX]);

#endif
