/* The user's own applications (engine.protocols_file): checked here, line by line, and handed to engines as
 * the rules that nDPI reads. */
#ifndef WEIR_CLI_PROTOCOLS_H
#define WEIR_CLI_PROTOCOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

#define PROTOCOLS_FILE_MAX  1048576u /* bytes of a file that is read at all */
#define PROTOCOLS_NAMES_MAX 128u     /* applications that it may name */
#define PROTOCOLS_RULE_MAX  480u     /* bytes of a rule: nDPI reads lines of less than 512 */

/*
 * One line, terminated, without its newline, as a rule of nDPI's (rule, terminated). NULL where that is done:
 * rule is then empty for a comment or an empty line. Else what is wrong, and what to do.
 *
 *   tcp:8081,udp:1000-1010@name     ports
 *   host:"example.org"@name         host names, with all below them
 *   ip:192.0.2.0/24:443@name        addresses, with or without a port
 *   name 192.0.2.7:8080             the same as ip:192.0.2.7:8080@name
 */
const char *protocols_line(const char *line, char rule[static PROTOCOLS_RULE_MAX]);

/* Reads and checks the file; every mistake is reported with its line. -1 where there was one, else a sealed
 * memfd with the rules, for BOOT_FD_PROTOCOLS. */
int protocols_open(const char *path, config_report report, void *ctx);

#endif
