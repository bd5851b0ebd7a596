#include "token_text.h"

#include <sodium.h>
#include <string.h>

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
#define BASE (sizeof(digits) - 1)

static uint32_t
crc32_of(const char *s, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint8_t)s[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static void
put_check(char *text)
{
	size_t before = TOKEN_TEXT_LEN - TOKEN_CHECK;
	uint32_t crc = crc32_of(text, before);

	for (size_t i = TOKEN_TEXT_LEN; i-- > before; crc /= BASE)
		text[i] = digits[crc % BASE];
}

void
token_text_draw(char out[static TOKEN_TEXT_LEN + 1])
{
	memset(out, 0, TOKEN_TEXT_LEN + 1);
	memcpy(out, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1);
	for (size_t i = 0; i < TOKEN_RANDOM; i++)
		out[sizeof(TOKEN_PREFIX) - 1 + i] = digits[randombytes_uniform(BASE)];
	put_check(out);
}

bool
token_text_good(const char *text)
{
	char again[TOKEN_TEXT_LEN + 1];
	bool good;

	if (strnlen(text, TOKEN_TEXT_LEN + 1) != TOKEN_TEXT_LEN ||
	    strspn(text + sizeof(TOKEN_PREFIX) - 1, digits) != TOKEN_RANDOM + TOKEN_CHECK ||
	    memcmp(text, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1) != 0)
		return false;
	memcpy(again, text, sizeof(again));
	put_check(again);
	good = sodium_memcmp(again, text, sizeof(again)) == 0;
	sodium_memzero(again, sizeof(again));
	return good;
}

void
token_text_hash(const char *text, uint8_t hash[static TOKEN_HASH_LEN])
{
	(void)crypto_generichash(hash, TOKEN_HASH_LEN, (const uint8_t *)text, strlen(text), NULL, 0);
}
