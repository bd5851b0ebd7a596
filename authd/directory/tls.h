/* TLS of a client over a connection that is open: certificates and names are checked, always. Wraps OpenSSL.
 */
#ifndef WEIR_DIRECTORY_TLS_H
#define WEIR_DIRECTORY_TLS_H

#include <stddef.h>
#include <sys/types.h>

struct tls;

/* Initialises the library. Before the sandbox. Dies where it cannot. */
void tls_warm(void);

/*
 * Shakes hands over fd, which stays the caller's. host: a name or an address that the certificate must be of.
 * authorities: PEM of who may vouch for it. NULL with a sentence in why.
 */
struct tls *tls_begin(int fd, const char *host, const char *authorities, size_t len, char *why, size_t size);
/* Says goodbye. */
void tls_end(struct tls **t);

/* As read(2) and write(2); errno EAGAIN where it waits for the other side. */
ssize_t tls_read(struct tls *t, void *buf, size_t len);
ssize_t tls_write(struct tls *t, const void *buf, size_t len);
/* Whether bytes are there that no poll tells of. */
int tls_pending(const struct tls *t);

/* Of tls_begin's waits: milliseconds; the caller has a deadline of its own besides. */
#define TLS_WAIT_MS 60000

#endif
