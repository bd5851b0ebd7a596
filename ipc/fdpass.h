/* The one helper that sends and receives descriptors, and counts them. */
#ifndef WEIR_IPC_FDPASS_H
#define WEIR_IPC_FDPASS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Sends iov as one packet with fd (or none where fd is -1). Never blocks. -1 with errno, EAGAIN where the
 * peer's queue is full. */
ssize_t fdpass_send(int sock, const struct iovec *iov, int iovcnt, int fd);

/*
 * Receives one packet into buf. *fd gets the descriptor that came along or -1; surplus ones are closed.
 * Returns the length, 0 at end of file, or -1 with errno: EBADMSG where the packet was longer than len or
 * carried more than one descriptor (all are then closed), EAGAIN where there is nothing.
 */
ssize_t fdpass_recv(int sock, void *buf, size_t len, int *fd);

#endif
