/* The asking half of `weir analyze`: waits until every file is read, asks store for everything, and prints
 * it. */
#ifndef WEIR_CLI_ANALYSIS_H
#define WEIR_CLI_ANALYSIS_H

struct launch;

/* For launch.asker: runs beside the launcher. Returns weir's exit status, after a line where something does
 * not add up. */
int analysis_ask(const struct launch *l);

#endif
