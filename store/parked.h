/* Questions that wait for an order of a live list: asked again, as they came, once there are new ones. Their
 * grants are judged anew then. */
#ifndef WEIR_STORE_PARKED_H
#define WEIR_STORE_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asker;
struct store;
struct parked;

#define PARKED_MAX        256
#define PARKED_TENANT_MAX 64
#define PARKED_FOR_NS     (10 * INT64_C(1000000000))

struct parked *parked_new(void);
void parked_free(struct parked **p);
/* Keeps a copy of the body of a tenant's question until deadline_ns (clock_boot_ns). False: there is no room.
 */
bool parked_add(struct store *s, const struct asker *who, uint32_t tenant, const void *body, size_t len,
		int64_t deadline_ns);
/* Asks what waits, where there are news or its time is over. */
void parked_turn(struct store *s);
/* Who asked as ctx does not want the answer of this request any more. False: it does not wait here. */
bool parked_cancel(struct store *s, const void *ctx, uint64_t request);
/* Who asked as ctx is gone. */
void parked_forget(struct store *s, const void *ctx);

#endif
