/*
 * Processes that units of systemd start (weir run --units): each comes to the launcher's door as its own user
 * (weir-enter), waits until it may begin, and gets there what spawn.h would have given it. How it ended, its
 * unit says there too. systemd starts it again at once; how long it then waits is the launcher's business.
 */
#ifndef WEIR_CLI_UNITS_H
#define WEIR_CLI_UNITS_H

#include <stdbool.h>
#include <stddef.h>

struct child;
struct launcher;
struct units;

/* Listens in the run directory, where each process has the user that its unit starts it as; false with a
 * sentence in err. */
bool units_open(struct launcher *l, char *err, size_t errsize);
/* Takes connections from now on. */
void units_begin(struct launcher *l);
void units_close(struct launcher *l);

/* The process may begin: at once where it waits already, else as soon as it comes. */
void units_allow(struct child *c);
/* Whether a process waits at the door for its turn. */
bool units_waits(const struct child *c);

#endif
