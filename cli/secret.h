/* Passwords of the command line: never an argument, never shown as they are typed. */
#ifndef WEIR_CLI_SECRET_H
#define WEIR_CLI_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* The first line of a file, or (path "-") of standard input, without its end. False after a line that says
 * what is wrong. out is wiped by the caller. */
bool secret_from_file(const char *path, char *out, size_t size);
/* Asks twice on the terminal, without echo. False after a line that says what is wrong: no terminal, two
 * different ones. */
bool secret_from_terminal(const char *prompt, char *out, size_t size);

#endif
