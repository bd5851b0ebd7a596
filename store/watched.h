/*
 * What tenants watch, as the policy snapshot says it: hosts and networks whose series have a point each
 * second. What they count is added as it comes, and is left out of what hosts tell once a minute.
 */
#ifndef WEIR_STORE_WATCHED_H
#define WEIR_STORE_WATCHED_H

#include "store.h"

/* Of a host: that somebody watches it, or its network. The platform's are these, shifted. */
enum watched_mark { WATCHED_ITSELF = 1, WATCHED_AROUND = 2 };
#define WATCHED_PLATFORM 2   /* by so many bits */
#define WATCHED_MARKS    15u /* all of them */

struct watched *watched_new(void);
void watched_free(struct watched **w);

/* There is a policy, or another one: what it lists is watched from here on. Hosts that are there already
 * follow at once where they are few, else with their next minute. */
void watched_policy(struct store *s);
/* The marks that a host is to have. */
unsigned watched_marks(const struct store *s, const struct host *h);
/* What a host that has marks counted in a second, as one share of its tenant's. */
void watched_count(struct store *s, const struct host *h, int share, const struct host_told *d,
		   int64_t second);
/* Takes from *d, which came in a minute, what the series has in seconds already. False: it has nothing. */
bool watched_take(struct store *s, const struct series_id *id, struct host_told *d, struct host_told *taken);
/* Every host has told what it counted: what is not watched any more can be forgotten. */
void watched_walked(struct store *s);
/* Whether the series has seconds. */
bool watched_has(const struct store *s, const struct series_id *id);

#endif
