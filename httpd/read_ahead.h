/*
 * Reading from a socket as much as there is, where OpenSSL asks the kernel twice for each record of TLS: for
 * its head and for the rest. Whoever reads with it asks read_ahead_left whether to go on: the kernel tells
 * nobody of what it has handed over.
 */
#ifndef WEIR_HTTPD_READ_AHEAD_H
#define WEIR_HTTPD_READ_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

struct bio_st; /* OpenSSL's BIO */

#define READ_AHEAD_MAX 16896 /* bytes: a record of TLS and a little of the next */

/* What reads the socket fd, which stays the caller's, for an SSL to own; while may(ctx) is false, no more is
 * read than was asked for. NULL: no memory. */
struct bio_st *read_ahead_new(int fd, bool (*may)(void *ctx), void *ctx);
/* While it is shut, there is nothing to read: what came waits. */
void read_ahead_shut(struct bio_st *b, bool shut);
/* Bytes of the socket that were read and not asked for yet; READ_AHEAD_MAX at most. */
size_t read_ahead_left(struct bio_st *b);

#endif
