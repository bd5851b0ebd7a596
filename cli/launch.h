/* The launcher: starts the processes of the house on this machine, keeps them running, and stops them. For
 * run and analyze. */
#ifndef WEIR_CLI_LAUNCH_H
#define WEIR_CLI_LAUNCH_H

#include <stdbool.h>

#include "base/settings.h"
#include "ipc/boot.h"

struct launch_point {
	enum point_kind kind;
	const char *source; /* interface, or path of a file */
	char name[64];      /* as the outside sees it: unique */
	int fd;             /* of a file: open for reading; the launcher closes it */
};

struct launch {
	struct settings settings;
	bool analyze; /* files only, no httpd, nothing is restarted; ends when the asker does */
	bool units;   /* the processes are started by units of systemd, not by the launcher (units.h) */
	/* analyze: runs in a process of its own beside the others and gives the exit status. */
	int (*asker)(const struct launch *l);
	bool json;
	bool totals; /* analyze: nothing but the totals, so that the store answers no more than that */
	unsigned npoints;
	struct launch_point point[BOOT_POINTS_MAX];
};

/* Adds a point; the file is opened. False after a line that says what is wrong with it. */
bool launch_add_interface(struct launch *l, const char *name);
bool launch_add_file(struct launch *l, const char *path);

/* Runs until it is told to stop (SIGINT, SIGTERM) or, with analyze, until all is answered. Returns weir's
 * exit status, after a line that says what is wrong where it is not 0. */
int launch_run(struct launch *l);

#endif
