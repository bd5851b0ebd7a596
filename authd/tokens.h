/* API tokens that were shown lately, in memory: from the text that a client sends to a grant, without the
 * disk. */
#ifndef WEIR_AUTHD_TOKENS_H
#define WEIR_AUTHD_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "holder.h"
#include "reply.h"

struct authd;
struct tokens;

struct tokens *tokens_new(struct authd *a);
void tokens_free(struct tokens **ts);

/* TOKEN; false where the peer lied. The request is wiped. */
bool tokens_serve(struct tokens *ts, struct channel *ch, struct wire_token *w);

/* The name by which people know the token that a holder is (events_handle). */
const char *tokens_handle(const struct holder *h, char *out);
/* What is known of a token, or of all tokens of an account, holds no more: their grants are taken back. */
void tokens_forget(struct tokens *ts, const uint8_t *hash);
void tokens_forget_of(struct tokens *ts, uint64_t account);

/* Writes down when tokens were last shown: each at most once a minute. Once a second. */
enum db_status tokens_sweep(struct tokens *ts, int64_t now_ns);
/* ... all that is not written yet. */
enum db_status tokens_flush(struct tokens *ts);

#endif
