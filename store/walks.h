/* Questions that look through many live flows, some rows at a turn of the loop, each in its turn. */
#ifndef WEIR_STORE_WALKS_H
#define WEIR_STORE_WALKS_H

#include <stdbool.h>

struct store;
struct walks;

#define WALKS_MAX        64u
#define WALKS_TENANT_MAX 16u

struct walks *walks_new(void);
/* None is under way. */
void walks_free(struct walks **w);
/* A step of the one whose turn it is. True where more waits. */
bool walks_turn(struct store *s);

#endif
