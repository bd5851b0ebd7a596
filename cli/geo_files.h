/* The MMDB files that the operator named: copied into sealed memory, never read for what they mean, and
 * copied again when they change. */
#ifndef WEIR_CLI_GEO_FILES_H
#define WEIR_CLI_GEO_FILES_H

#include <stdbool.h>

#include "file_version.h"
#include "ipc/boot.h"

struct geo_file {
	const char *path;
	struct file_version taken, seen; /* that is in memory; that stood there at the last look */
	bool told;                       /* that it cannot be read */
	int memory;                      /* -1: none yet */
};

struct geo_files {
	struct geo_file file[BOOT_GEO_FILES];
	unsigned n;
};

/* Copies what can be read; for what cannot be, a line in the log. */
void geo_files_open(struct geo_files *g, const struct settings *s);
void geo_files_close(struct geo_files *g);
/* Looks at a file again. True where its memory is a new one: the file had changed, and then stood still for
 * one look. */
bool geo_files_look(struct geo_files *g, unsigned i);

#endif
