/* What the process of a question says to weir-directory, after a provider has had it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "oidc_talk.h"

#define PIECE 4096u /* that any socket takes at once */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk_reader r = { .nhead = 0 };
	enum talk_read got = TALK_WAITS;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
		abort();
	while (size > 0 && got != TALK_OVER) {
		size_t n = size < PIECE ? size : PIECE;

		if (write(pair[1], data, n) != (ssize_t)n)
			abort();
		data += n;
		size -= n;
		while ((got = talk_read(pair[0], &r)) == TALK_WHOLE) {
			assert(r.head.kind > 0 && r.head.kind < TALK_KIND_COUNT &&
			       r.head.len <= TALK_BODY_MAX);
			assert(r.nbody == r.head.len && r.body[r.nbody] == '\0');
			talk_next(&r);
		}
	}
	talk_next(&r);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
