/* Where the other programs of this Weir are. */
#ifndef WEIR_CLI_PROGRAMS_H
#define WEIR_CLI_PROGRAMS_H

#include <stdbool.h>

#define PROGRAMS_MAX 200

/* The folder that weir-store and the like are in: beside the weir program, or where packages put them. No
 * environment is asked. False after a line. */
bool programs_find(char folder[static PROGRAMS_MAX]);

#endif
