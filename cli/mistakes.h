/* What is wrong with a file that an operator wrote: one line a mistake, with file and line. */
#ifndef WEIR_CLI_MISTAKES_H
#define WEIR_CLI_MISTAKES_H

#include "config.h"

struct mistakes {
	const char *name; /* of the file */
	config_report report;
	void *ctx;
	unsigned n; /* so far */
};

/* Reports "NAME:LINE: ..." with what strangers wrote made harmless; past CONFIG_MISTAKES_MAX they are only
 * counted. */
void mistake(struct mistakes *m, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
