/* API tokens as they stand in the database. Everything happens within the caller's transaction, to which
 * failures stick. */
#ifndef WEIR_AUTHD_TOKENS_DB_H
#define WEIR_AUTHD_TOKENS_DB_H

#include "db.h"
#include "record_policy.h"

#define TOKENS_MAX        65536
#define TOKENS_OF_ONE_MAX 256 /* of one owner */
#define TOKENS_ENTRIES_MAX                                                                                   \
	4096 /* interfaces, exporters and networks of all tokens of one owner: they take of what all have */

/* False where there is none, which is no failure. */
bool token_look(struct txn *x, const uint8_t hash[static TOKEN_HASH_LEN], struct arena *arena,
		struct token *t);
/* By the first bytes of its hash, which are what people call it. */
#define TOKEN_ID_LEN 8
bool token_look_id(struct txn *x, const uint8_t id[static TOKEN_ID_LEN], struct arena *arena,
		   struct token *t);
/* DB_FULL where there are too many in all or of the owner. */
void token_add(struct txn *x, const struct token *t);
void token_remove(struct txn *x, const struct token *t);
void tokens_remove_of(struct txn *x, uint64_t owner);
/* The hashes of an owner's tokens into out[TOKENS_OF_ONE_MAX]. */
size_t tokens_of(struct txn *x, uint64_t owner, uint8_t (*out)[TOKEN_HASH_LEN]);

/* All zero where it was never shown. */
void token_use_read(struct txn *x, const uint8_t hash[static TOKEN_HASH_LEN], struct token_use *u);
void token_use_write(struct txn *x, const uint8_t hash[static TOKEN_HASH_LEN], const struct token_use *u);

#endif
