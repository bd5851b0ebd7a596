#include "ipc/alive.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define SECONDS 5 /* the units' WatchdogSec is several times as long */

struct alive {
	struct event *timer;
	bool said;
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval often = { SECONDS, 0 };
	static const char ready[] = "READY=1\nWATCHDOG=1", turns[] = "WATCHDOG=1";
	struct alive *a = arg;

	(void)fd;
	(void)what;
	/* One that is lost (its reader is busy) is made good by the next. */
	if (write(BOOT_FD_NOTIFY, a->said ? turns : ready, strlen(a->said ? turns : ready)) != -1)
		a->said = true;
	if (event_add(a->timer, &often) == -1)
		fatalx("no memory for a timer");
}

struct alive *
alive_new(struct event_base *base, const struct boot *b)
{
	static const struct timeval at_once = { 0, 0 };
	struct alive *a;

	if ((b->flags & BOOT_HAS_NOTIFY) == 0)
		return NULL;
	a = mem_calloc(1, sizeof(*a));
	a->timer = event_new(base, -1, 0, on_timer, a);
	if (a->timer == NULL || event_add(a->timer, &at_once) == -1)
		fatalx("no memory for a timer");
	return a;
}

void
alive_free(struct alive **a)
{
	if (*a == NULL)
		return;
	event_free((*a)->timer);
	free(*a);
	*a = NULL;
}
