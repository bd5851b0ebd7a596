/* Answers made small for clients that take gzip (RFC 1952): zlib, seen by zip.c alone. */
#ifndef WEIR_HTTPD_ZIP_H
#define WEIR_HTTPD_ZIP_H

#include <stddef.h>

struct zip;

/* Holds all the memory that it will ever take. Dies where there is none. */
struct zip *zip_new(void);
void zip_free(struct zip **z);

/* len bytes as gzip, the caller's to free, with their length; NULL where they would not get shorter. */
void *zip_bytes(struct zip *z, const void *bytes, size_t len, size_t *zipped);

#endif
