#include "backoff.h"

int64_t
backoff_next(struct backoff *b, int64_t lived_ms)
{
	int64_t wait;

	if (lived_ms >= BACKOFF_STABLE_MS || b->next_ms == 0)
		b->next_ms = BACKOFF_FIRST_MS;
	wait = b->next_ms;
	b->next_ms = wait * 2 < BACKOFF_MOST_MS ? wait * 2 : BACKOFF_MOST_MS;
	return wait;
}
