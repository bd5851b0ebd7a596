#include "totp.h"

#include <liboath/oath.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

void
totp_init(void)
{
	if (oath_init() != OATH_OK)
		fatalx("liboath cannot be used");
}

bool
totp_code(const uint8_t secret[static TOTP_SECRET_LEN], uint64_t step, char out[static TOTP_DIGITS + 1])
{
	return oath_hotp_generate((const char *)secret, TOTP_SECRET_LEN, step, TOTP_DIGITS, false,
				  OATH_HOTP_DYNAMIC_TRUNCATION, out) == OATH_OK;
}

/* Every step of the window is computed and compared, whichever matches. */
uint64_t
totp_step_of(const uint8_t secret[static TOTP_SECRET_LEN], const char *code, uint64_t last_step, int64_t now)
{
	uint64_t middle = (uint64_t)(now / NS_PER_S) / TOTP_STEP_S, found = 0;

	if (now <= 0 || middle <= TOTP_DRIFT || strnlen(code, TOTP_DIGITS + 1) != TOTP_DIGITS)
		return 0;
	for (uint64_t step = middle - TOTP_DRIFT; step <= middle + TOTP_DRIFT; step++) {
		char right[TOTP_DIGITS + 1];

		if (totp_code(secret, step, right) && sodium_memcmp(right, code, TOTP_DIGITS) == 0 &&
		    step > last_step)
			found = step;
		sodium_memzero(right, sizeof(right));
	}
	return found;
}

bool
totp_text(const uint8_t secret[static TOTP_SECRET_LEN], char out[static TOTP_TEXT_MAX])
{
	char *text = NULL;
	size_t len = 0;
	bool good = oath_base32_encode((const char *)secret, TOTP_SECRET_LEN, &text, &len) == OATH_OK &&
		    str_copy(out, TOTP_TEXT_MAX, text);

	out[good ? strcspn(out, "=") : 0] = '\0';
	if (text != NULL)
		sodium_memzero(text, len);
	free(text);
	return good;
}
