#include "wipe.h"

#include <event2/buffer.h>
#include <sodium.h>

#include "base/mem.h"

void
wipe_buffer(struct evbuffer *b)
{
	struct evbuffer_iovec v[16];
	int n;

	while ((n = evbuffer_peek(b, -1, NULL, v, ARRAY_LEN(v))) > 0) {
		size_t bytes = 0;

		for (int i = 0; i < n && i < (int)ARRAY_LEN(v); i++) {
			sodium_memzero(v[i].iov_base, v[i].iov_len);
			bytes += v[i].iov_len;
		}
		if (evbuffer_drain(b, bytes) == -1)
			return;
	}
}
