/* The commands of `weir` beside those of administration, as a table: for main, the help and the manual. */
#ifndef WEIR_CLI_COMMANDS_H
#define WEIR_CLI_COMMANDS_H

#include <stddef.h>

struct command {
	const char *name; /* one word or two */
	int (*run)(int argc, char **argv);
	const char *takes; /* as the help shows it */
	const char *help;
};

/* Command i, NULL past the last. */
const struct command *command_at(size_t i);
/* The command that argv[1] (and argv[2], where its name has two words) names, or NULL; *words says how many
 * of argv are its name. */
const struct command *command_find(int argc, char **argv, int *words);

#endif
