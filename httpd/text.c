#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define FIRST 4096

void
text_add(struct text *t, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (len > SIZE_MAX / 4 - t->len)
		fatalx("a text grows without end");
	if (t->len + len > t->size) {
		size_t size = t->size == 0 ? FIRST : t->size;

		while (size < t->len + len)
			size *= 2;
		t->bytes = mem_reallocarray(t->bytes, size, 1);
		t->size = size;
	}
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

void
text_free(struct text *t)
{
	free(t->bytes);
	*t = (struct text){ 0 };
}
