/* The processes of the house, as they are named at the boundary. */
#ifndef WEIR_IPC_PROC_H
#define WEIR_IPC_PROC_H

#include <stdint.h>

enum proc {
	PROC_NONE,
	PROC_WEIR, /* the launcher and the command line: root, or a member of the administrators' group */
	PROC_CAPTURE,
	PROC_ENGINE,
	PROC_STORE,
	PROC_AUTHD,
	PROC_HTTPD,
	PROC_DIAL,
	PROC_DIRECTORY,
	PROC_KEY,
	PROC_COUNT
};

/* "capture", "engine", ... ; "?" for a number that is none. */
const char *proc_name(enum proc p);

#endif
