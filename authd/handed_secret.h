/* Secrets that the launcher hands over: each in the first line of a file that is open already. */
#ifndef WEIR_AUTHD_HANDED_SECRET_H
#define WEIR_AUTHD_HANDED_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the first line into out[size], which is zeroed, and closes fd. False where there is none, or it is
 * longer. */
bool handed_secret(int fd, char *out, size_t size);

#endif
