/*
 * How many connections, streams and tables all workers of httpd have together, in all and of each address (a
 * table: of each session or token, and tenant), and how many requests who made within a minute. Each counts
 * its own in memory that all of them see; nothing else is there. Addresses are counted in a sketch (the least
 * of several counters chosen by hash), so one may seem to have more than it has, where thousands of others
 * are connected, and never less.
 */
#ifndef WEIR_HTTPD_TALLY_H
#define WEIR_HTTPD_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct tally;

/* Maps the memory behind fd (BOOT_TALLY_BYTES; -1: memory of our own) as worker number of workers, whose
 * counts begin at 0: whoever had the number before has no connection any more. fd is closed. Dies where it is
 * not what it should be. */
struct tally *tally_new(int fd, unsigned number, unsigned workers);
void tally_free(struct tally **t);

/* One more, or one less, of ours. Of the same address as it was counted by. */
void tally_connect(struct tally *t, const struct ip_addr *ip);
void tally_disconnect(struct tally *t, const struct ip_addr *ip);
/* A stream of events, of a tenant by its rate_hash. */
void tally_stream(struct tally *t, uint64_t tenant, int by);

/* Of all workers. What they say is bounded, but believed: one that lies can keep others from serving, as it
 * could by accepting everything. */
size_t tally_connections(const struct tally *t);
size_t tally_of_address(const struct tally *t, const struct ip_addr *ip);
size_t tally_streams(const struct tally *t);
size_t tally_streams_of(const struct tally *t, uint64_t tenant); /* never less than it has */

/* One more, or one less, of ours: a table that is sent to its end (export.h), of whoever holds it and of a
 * tenant, both by their rate_hash. */
void tally_table(struct tally *t, uint64_t holder, uint64_t tenant, int by);
/* Of all workers; and of one holder or tenant: never less than it has. */
size_t tally_tables(const struct tally *t);
size_t tally_tables_of(const struct tally *t, uint64_t whose);

/* --- requests by the minute (rate.h): in a sketch of their own
 * ----------------------------------------------------------------------------------------------------------
 */

/* What hashes of whoever asks are made with. */
uint64_t tally_seed(const struct tally *t);
/* One more in a minute (a number that only grows) of ours. */
void tally_request(struct tally *t, uint64_t hash, uint32_t minute);
/* How many all workers had in a minute and the one before: at least. */
void tally_requests(const struct tally *t, uint64_t hash, uint32_t minute, uint32_t *now, uint32_t *before);
/* One was refused; and how many were since Weir started. */
void tally_refuse(struct tally *t);
uint64_t tally_refused(const struct tally *t);

/* A handshake got no signature, and its client was sent away; and how many did since Weir started. */
void tally_unsigned(struct tally *t);
uint64_t tally_unsigneds(const struct tally *t);

#endif
