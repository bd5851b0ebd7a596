/* Readers of files and engines mend time stamps by the same rules. */
#include "decode/when.h"

#include "base/clock.h"

/* A live frame that is older, or newer by LIVE_EARLY, has a broken time stamp. */
#define LIVE_LATE   (60 * NS_PER_S)
#define LIVE_EARLY  (2 * NS_PER_S)
#define FILE_FUTURE (86400 * NS_PER_S)
#define JUMP        (86400 * NS_PER_S)

static bool
plausible(const struct clockwork *c, int64_t ts)
{
	if (c->live)
		return ts <= c->wall_ns + LIVE_EARLY && ts >= c->wall_ns - LIVE_LATE;
	return ts > 0 && ts < c->wall_ns + FILE_FUTURE;
}

int64_t
packet_time(const struct clockwork *c, int64_t ts, int64_t next)
{
	if (!plausible(c, ts)) {
		if (c->now_ns != 0 || c->live)
			ts = c->live && c->wall_ns > c->now_ns ? c->wall_ns : c->now_ns;
		else
			ts = plausible(c, next) ? next : 1;
	} else if (!c->live && ts - next > JUMP && plausible(c, next) &&
		   (c->now_ns == 0 || ts - c->now_ns > JUMP)) {
		ts = next;
	}
	return ts > c->now_ns ? ts : c->now_ns;
}
