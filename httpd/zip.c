#include "zip.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "text.h"

/* The fastest: an answer is made smaller once and read once. JSON gets a tenth as long all the same. */
#define LEVEL       1
#define GZIP_WINDOW (15 + 16) /* the largest, with gzip's head and end */
#define MEMORY      8

struct zip {
	z_stream stream;
};

struct zip *
zip_new(void)
{
	struct zip *z = mem_calloc(1, sizeof(*z));

	if (deflateInit2(&z->stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		fatalx("no memory for zlib");
	return z;
}

void
zip_free(struct zip **z)
{
	if (*z == NULL)
		return;
	(void)deflateEnd(&(*z)->stream);
	free(*z);
	*z = NULL;
}

void *
zip_bytes(struct zip *z, const void *bytes, size_t len, size_t *zipped)
{
	unsigned char *out;
	int rc;

	if (len > UINT_MAX || deflateReset(&z->stream) != Z_OK)
		return NULL;
	out = mem_calloc(1, len);
	z->stream.next_in = bytes;
	z->stream.avail_in = (unsigned)len;
	z->stream.next_out = out;
	z->stream.avail_out = (unsigned)len;
	rc = deflate(&z->stream, Z_FINISH);
	*zipped = len - z->stream.avail_out;
	if (rc == Z_STREAM_END)
		return out;
	free(out);
	return NULL;
}

struct zip_stream {
	z_stream stream;
};

struct zip_stream *
zip_stream_new(void)
{
	struct zip_stream *z = mem_calloc(1, sizeof(*z));

	if (deflateInit2(&z->stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		fatalx("no memory for zlib");
	return z;
}

void
zip_stream_free(struct zip_stream **z)
{
	if (*z == NULL)
		return;
	(void)deflateEnd(&(*z)->stream);
	free(*z);
	*z = NULL;
}

void
zip_stream_add(struct zip_stream *z, const void *bytes, size_t len, bool last, struct text *out)
{
	unsigned char made[16384];

	if (len > UINT_MAX)
		fatalx("a piece is too long for zlib");
	z->stream.next_in = bytes;
	z->stream.avail_in = (unsigned)len;
	do {
		z->stream.next_out = made;
		z->stream.avail_out = sizeof(made);
		(void)deflate(&z->stream, last ? Z_FINISH : Z_SYNC_FLUSH);
		text_add(out, (const char *)made, sizeof(made) - z->stream.avail_out);
	} while (z->stream.avail_out == 0);
}
