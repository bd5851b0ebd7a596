/* Listening sockets, made before anything is given up and held for the processes' whole life. */
#ifndef WEIR_CLI_LISTEN_H
#define WEIR_CLI_LISTEN_H

#include <stddef.h>

/* A SOCK_SEQPACKET listener at path, mode 0666 (who may be a peer is decided by uid); a stale one is
 * replaced. -1 with a sentence in err. */
int listen_unix(const char *path, char *err, size_t errsize);
/* A TCP listener with SO_REUSEADDR and TCP_NODELAY; key names the setting in the sentence. */
int listen_tcp(const char *address, int port, const char *key, char *err, size_t errsize);

#endif
