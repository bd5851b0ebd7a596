/* People whom a directory knows: authd asks weir-directory, which asks the servers. */
#ifndef WEIR_AUTHD_PEOPLE_H
#define WEIR_AUTHD_PEOPLE_H

#include <stdbool.h>

#include "asked.h"
#include "ipc/wire.h"

struct authd;
struct people;

/* Before the sandbox: reads the password that Weir binds with from the launcher's descriptor into locked
 * memory. */
struct people *people_new(struct authd *a);
void people_free(struct people **p);
/* Whether there is a directory to ask. */
bool people_are_there(const struct people *p);

/* Whether it is known that nobody in it can be asked about now. authd tries by itself until it answers. */
bool people_are_away(const struct people *p);
/* Where they are away: which server, and why. For the record, never for the stranger. */
const char *people_away_why(const struct people *p);

/* name: as somebody typed it. password: of DIRECTORY_LOGIN, else "". False, and told is not called, where the
 * directory is not there or too many are being asked. */
bool people_ask(struct people *p, enum directory_what what, const char *name, const char *password,
		people_told *told, void *ctx);

/* DIRECTORY_TOLD; fd stays the caller's. False where the peer lied. */
bool people_answer(struct people *p, const struct wire_directory_told *w, int fd);
/* Once a second. */
void people_turn(struct people *p);
/* weir-directory is gone: nobody is waited for any more. */
void people_gone(struct people *p);

#endif
