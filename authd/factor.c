#include "factor.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "totp.h"

#define ISSUER "Weir"

/* --- the kinds --- */

static bool
totp_begin(const char *name, struct factor_record *f, struct factor_offer *offer)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char label[3 * ACCOUNT_NAME_MAX + 1];
	size_t at = 0;

	randombytes_buf(f->secret, sizeof(f->secret));
	for (const char *p = name; *p != '\0' && at + 4 <= sizeof(label); p++) {
		if (strchr(plain, *p) != NULL)
			label[at++] = *p;
		else
			at += (size_t)snprintf(label + at, 4, "%%%02X", (unsigned char)*p);
	}
	label[at] = '\0';
	return totp_text(f->secret, offer->secret) &&
	       snprintf(offer->uri, sizeof(offer->uri),
			"otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER
			"&algorithm=SHA1&digits=%d&period=%d",
			label, offer->secret, TOTP_DIGITS, TOTP_STEP_S) < (int)sizeof(offer->uri);
}

static bool
totp_check(struct factor_record *f, const char *answer, int64_t now)
{
	uint64_t step = totp_step_of(f->secret, answer, f->last_step, now);

	if (step == 0)
		return false;
	f->last_step = step;
	return true;
}

static const struct {
	bool (*begin)(const char *name, struct factor_record *f, struct factor_offer *offer);
	bool (*check)(struct factor_record *f, const char *answer, int64_t now_ns);
} kinds[FACTOR_KIND_COUNT] = {
	[FACTOR_TOTP] = { totp_begin, totp_check },
};

/* --- recovery codes --- */

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
#define RECOVERY_LETTERS 16 /* 80 bits */

/* Letters and digits of what was typed; false where these are not a code's. */
static bool
normal_form(const char *typed, char out[static RECOVERY_LETTERS + 1])
{
	size_t n = 0;

	for (const char *p = typed; *p != '\0'; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;

		if (c == '-' || c == ' ')
			continue;
		if (n == RECOVERY_LETTERS || strchr(letters, c) == NULL)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n == RECOVERY_LETTERS;
}

static void
recovery_hash(const char normal[static RECOVERY_LETTERS + 1], uint8_t hash[static RECOVERY_HASH_LEN])
{
	(void)crypto_generichash(hash, RECOVERY_HASH_LEN, (const uint8_t *)normal, RECOVERY_LETTERS, NULL, 0);
}

static bool
take_recovery(struct factor_record *f, const char *answer)
{
	char normal[RECOVERY_LETTERS + 1];
	uint8_t hash[RECOVERY_HASH_LEN];
	uint32_t found = f->nrecovery;

	if (!f->confirmed || !normal_form(answer, normal))
		return false;
	recovery_hash(normal, hash);
	sodium_memzero(normal, sizeof(normal));
	for (uint32_t i = 0; i < f->nrecovery; i++)
		if (sodium_memcmp(f->recovery[i], hash, sizeof(hash)) == 0)
			found = i;
	if (found == f->nrecovery)
		return false;
	f->nrecovery--;
	memcpy(f->recovery[found], f->recovery[f->nrecovery], sizeof(hash));
	memset(f->recovery[f->nrecovery], 0, sizeof(hash));
	return true;
}

void
factor_draw_recovery(struct factor_record *f, char out[RECOVERY_CODES][RECOVERY_TEXT_MAX])
{
	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		char normal[RECOVERY_LETTERS + 1] = "";

		for (size_t k = 0; k < RECOVERY_LETTERS; k++)
			normal[k] = letters[randombytes_uniform(sizeof(letters) - 1)];
		recovery_hash(normal, f->recovery[i]);
		(void)snprintf(out[i], RECOVERY_TEXT_MAX, "%.4s-%.4s-%.4s-%.4s", normal, normal + 4,
			       normal + 8, normal + 12);
		sodium_memzero(normal, sizeof(normal));
	}
	f->nrecovery = RECOVERY_CODES;
}

/* --- all of them --- */

bool
factor_begin(enum factor_kind kind, const char *name, int64_t now, struct factor_record *f,
	     struct factor_offer *offer)
{
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	f->created_ns = now;
	return kinds[kind].begin(name, f, offer);
}

bool
factor_check(struct factor_record *f, const char *answer, int64_t now)
{
	if (f->kind == 0 || f->kind >= FACTOR_KIND_COUNT)
		return false;
	return kinds[f->kind].check(f, answer, now) || take_recovery(f, answer);
}
