/* The text of an API token: weir_, 27 random characters of base 62, and 6 that check the others, so that a
 * scanner for secrets tells a real one without asking anybody. */
#ifndef WEIR_AUTHD_TOKEN_TEXT_H
#define WEIR_AUTHD_TOKEN_TEXT_H

#include <stdbool.h>

#include "record_policy.h"

#define TOKEN_PREFIX "weir_"
#define TOKEN_RANDOM 27 /* 160 bits */
#define TOKEN_CHECK                                                                                          \
	6 /* CRC-32 of all before them (ISO-HDLC), most significant digit first, digits A-Z last: 0-9a-zA-Z  \
	   */
#define TOKEN_TEXT_LEN (sizeof(TOKEN_PREFIX) - 1 + TOKEN_RANDOM + TOKEN_CHECK)

/* Draws one; terminated. */
void token_text_draw(char out[static TOKEN_TEXT_LEN + 1]);
/* Whether it has this form and its check is right. */
bool token_text_good(const char *text);
void token_text_hash(const char *text, uint8_t hash[static TOKEN_HASH_LEN]);

#endif
