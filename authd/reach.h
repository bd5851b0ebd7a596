/* Whether the directory can be reached: what its answers showed last, and when it is to be tried next. Pure.
 */
#ifndef WEIR_AUTHD_REACH_H
#define WEIR_AUTHD_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "ipc/wire.h"

#define REACH_TRY_NS (30 * NS_PER_S) /* between trials while it is away */
#define REACH_WHY    256

enum reach_state {
	REACH_UNKNOWN, /* nothing was asked yet */
	REACH_GOOD,
	REACH_DOUBTED, /* a question about somebody was not answered: it may be due to his entry alone */
	REACH_AWAY     /* a trial (DIRECTORY_TEST) was not answered either */
};

struct reachability {
	enum reach_state state;
	bool trying;         /* a trial of ours is under way */
	int64_t next_ns;     /* earliest next trial, boot clock */
	int64_t interval_ns; /* between trials while it is away */
	char why[REACH_WHY]; /* it is away or doubted: server and reason; "": it is not */
};

/* Takes what an answer shows. True where it went away with it, or came back. */
bool reach_told(struct reachability *r, enum directory_what what, enum directory_verdict verdict,
		const char *why, int64_t now_ns);
/* Whether it is to be tried now. */
bool reach_is_due(const struct reachability *r, int64_t now_ns);

#endif
