/* The launcher as a table of contents. */
#include "launch.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd.h"
#include "ipc/channel.h"
#include "launcher.h"

/* A run and an analysis may meet on one machine: the analysis takes the upper half of the user ids. */
#define UIDS_OF_ANALYSIS 128u

static enum log_level
level(const char *name)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum log_level)i;
	return LOG_LEVEL_INFO;
}

static void
free_events(struct launcher *l)
{
	for (size_t i = 0; i < ARRAY_LEN(l->signals); i++)
		event_free(l->signals[i]);
	event_free(l->deadline);
	if (l->look != NULL)
		event_free(l->look);
	for (unsigned i = 0; i < l->nchildren; i++)
		event_free(l->child[i].timer);
}

int
launch_run(struct launch *launch)
{
	struct launcher *l = mem_calloc(1, sizeof(*l));
	int status = WEIR_FAILED;

	l->launch = launch;
	l->settings = &launch->settings;
	l->uid_base = (uint32_t)launch->settings.first_uid + (launch->analyze ? UIDS_OF_ANALYSIS : 0);
	log_init("weir", level(launch->settings.log_level));
	if (prepare(l)) {
		report_begin(l);
		supervise_begin(l);
		(void)event_base_dispatch(l->base);
		peers_free(&l->peers);
		free_events(l);
		status = l->status == WEIR_OK && l->truncated ? WEIR_TRUNCATED : l->status;
	}
	prepare_undo(l);
	free(l);
	return status;
}
