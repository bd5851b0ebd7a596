/*
 * How many requests somebody made within the last minute, at all workers together, and whether one more is
 * within the quota. The minute slides: of the one before, as much counts as still lies within 60 s. Counts
 * are in the sketch of tally.h, so there is no entry that could be pushed out of a table: nobody gets a new
 * quota by being many. A request that is refused does not count.
 */
#ifndef WEIR_HTTPD_RATE_H
#define WEIR_HTTPD_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally;

#define RATE_WINDOW_S 60

struct rate {
	const char *name; /* "address", "token" ... : what the quota is of */
	uint64_t hash;    /* whose: rate_hash */
	uint32_t quota;   /* requests a minute; 0: as many as they like */
	/* rate_look */
	uint32_t left, reset_s; /* of the quota, and in how many seconds the minute is over */
	uint32_t retry_after_s; /* where there is nothing left: when there will be; else 0 */
};

/* Of what identifies somebody: len bytes, of a kind of their own each name. */
uint64_t rate_hash(const struct tally *t, const char *name, const void *whose, size_t len);
/* Looks at r at boot_ns (clock_boot_ns): false where one more would be too much. */
bool rate_look(const struct tally *t, struct rate *r, int64_t boot_ns);
/* Counts one, also in what is left. */
void rate_count(struct tally *t, struct rate *r, int64_t boot_ns);

#define RATE_HEADER_MAX 256
/* RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10) of n rates: all policies, and what
 * is left of the one of which least is. Empty texts where none has a quota. */
void rate_headers(const struct rate *rates, size_t n, char policy[static RATE_HEADER_MAX],
		  char limit[static RATE_HEADER_MAX]);

#endif
