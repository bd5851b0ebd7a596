/* zstd behind two calls: see squeeze.h. */
#include "squeeze.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/log.h"
#include "base/mem.h"

#define LEVEL 1 /* most of what there is to gain is in the form of the columns */

struct squeeze {
	ZSTD_CCtx *make;
	ZSTD_DCtx *undo;
};

struct squeeze *
squeeze_new(void)
{
	struct squeeze *s = mem_calloc(1, sizeof(*s));

	s->make = ZSTD_createCCtx();
	s->undo = ZSTD_createDCtx();
	if (s->make == NULL || s->undo == NULL)
		fatalx("zstd: out of memory");
	return s;
}

void
squeeze_free(struct squeeze **s)
{
	if (*s == NULL)
		return;
	ZSTD_freeCCtx((*s)->make);
	ZSTD_freeDCtx((*s)->undo);
	free(*s);
	*s = NULL;
}

size_t
squeeze(struct squeeze *s, const void *bytes, size_t n, uint8_t *out, size_t room)
{
	size_t len = ZSTD_compressCCtx(s->make, out, room, bytes, n, LEVEL);

	return ZSTD_isError(len) ? 0 : len;
}

bool
squeeze_undo_some(struct squeeze *s, const void *bytes, size_t len, void *out, size_t room, size_t *n)
{
	size_t got = ZSTD_decompressDCtx(s->undo, out, room, bytes, len);

	*n = ZSTD_isError(got) ? 0 : got;
	return !ZSTD_isError(got);
}

bool
squeeze_undo(struct squeeze *s, const void *bytes, size_t len, void *out, size_t n)
{
	size_t got;

	return squeeze_undo_some(s, bytes, len, out, n, &got) && got == n;
}
