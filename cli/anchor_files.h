/* The anchors of an audit log, from files that were kept of them. */
#ifndef WEIR_CLI_ANCHOR_FILES_H
#define WEIR_CLI_ANCHOR_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/anchor.h"

#define ANCHOR_FILE_MAX (UINT64_C(256) << 20) /* bytes of a file that is read at all */

struct kept_anchor {
	struct audit_anchor anchor;
	const char *file;
	uint64_t line; /* from 1 on */
};

struct anchor_files {
	struct kept_anchor *kept; /* by sequence, once they are sorted */
	size_t n, room;
	uint64_t broken; /* lines that speak of an anchor and hold none */
	const char *broken_file;
	uint64_t broken_line; /* the first of them */
};

/* Reads a file (a file of anchors, or any log that has their lines) whole into memory: the caller frees it.
 * NULL with a sentence in err. */
char *anchor_file_read(const char *path, size_t *len, char err[static 400]);
/* Takes the lines of a text. file is kept. */
void anchor_files_take(struct anchor_files *a, const char *file, const char *text, size_t len);
void anchor_files_sort(struct anchor_files *a);
void anchor_files_free(struct anchor_files *a);

#endif
