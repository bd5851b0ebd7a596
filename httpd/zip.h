/* Answers made small for clients that take gzip (RFC 1952): zlib, seen by zip.c alone. */
#ifndef WEIR_HTTPD_ZIP_H
#define WEIR_HTTPD_ZIP_H

#include <stdbool.h>
#include <stddef.h>

struct zip;

/* Holds all the memory that it will ever take. Dies where there is none. */
struct zip *zip_new(void);
void zip_free(struct zip **z);

/* len bytes as gzip, the caller's to free, with their length; NULL where they would not get shorter. */
void *zip_bytes(struct zip *z, const void *bytes, size_t len, size_t *zipped);

/* A text that comes in pieces, as one gzip stream with memory of its own (about 270 kB). */
struct zip_stream;
struct zip_stream *zip_stream_new(void);
void zip_stream_free(struct zip_stream **z);
/* Adds to out what the bytes so far become, all of it: what is sent can be read up to here. last: nothing
 * comes after. */
struct text;
void zip_stream_add(struct zip_stream *z, const void *bytes, size_t len, bool last, struct text *out);

#endif
