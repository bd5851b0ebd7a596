/* Password hashes computed by two worker processes behind a bounded queue. */
#ifndef WEIR_AUTHD_HASH_QUEUE_H
#define WEIR_AUTHD_HASH_QUEUE_H

#include <stdbool.h>

#include "hasher.h"

#define HASH_WORKERS   2
#define HASH_QUEUE_MAX 64 /* requests that wait for a worker */

struct event_base;
struct hash_queue;

/* Called once for each request that was taken; a lives until it returns. */
typedef void hash_done(void *ctx, const struct hash_answer *a);

/* Forks the workers: first of all in init, while there is nothing that they could inherit. */
struct hash_queue *hash_queue_fork(const struct hash_cost *cost);
/* died is called when a worker has: every request was answered with HASH_FAILED before, and none is taken
 * afterwards. */
void hash_queue_attach(struct hash_queue *q, struct event_base *base, void (*died)(void *ctx), void *ctx);

/* False where the queue is full. hash "": of an unknown user. Both texts are copied; the copy is locked
 * memory and wiped after use. */
bool hash_queue_verify(struct hash_queue *q, const char *password, const char *hash, hash_done *done,
		       void *ctx);
bool hash_queue_make(struct hash_queue *q, const char *password, hash_done *done, void *ctx);
/* How many found it full. */
uint64_t hash_queue_refused(const struct hash_queue *q);

#endif
