/*
 * People whom a directory knows: authd asks weir-directory, which asks the servers. What comes back is a
 * stranger's, and believed only as far as the settings map it to groups of Weir's.
 */
#ifndef WEIR_AUTHD_PEOPLE_H
#define WEIR_AUTHD_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct authd;
struct json_doc;
struct people;

/* Before the sandbox: reads the password that Weir binds with from the launcher's descriptor into locked
 * memory. */
struct people *people_new(struct authd *a);
void people_free(struct people **p);
/* Whether there is a directory to ask. */
bool people_are_there(const struct people *p);

struct person_told {
	enum directory_verdict verdict;
	const char *why, *title; /* "": none; never for the stranger */
	const char *id; /* what the directory calls him for good, whatever becomes of his name; "": nothing */
	const char *name; /* as the directory spells it; "": not known */
	bool cut;         /* there are more groups than were told */
	size_t ngroups;
	const char *const *group;   /* distinguished names */
	const struct json_doc *doc; /* all of it, with "dn" and "steps"; NULL where nothing was told */
};

/* t lives until it returns. Called once for each question, from the loop. */
typedef void people_told(void *ctx, const struct person_told *t);

/* name: as somebody typed it. password: of DIRECTORY_LOGIN, else "". False, and told is not called, where the
 * directory is not there or too many are being asked. */
bool people_ask(struct people *p, enum directory_what what, const char *name, const char *password,
		people_told *told, void *ctx);

/* DIRECTORY_TOLD; fd stays the caller's. False where the peer lied. */
bool people_answer(struct people *p, const struct wire_directory_told *w, int fd);
/* Once a second: a question that weir-directory has had for much longer than it may is answered: unavailable.
 */
void people_turn(struct people *p);
/* weir-directory is gone: nobody is waited for any more. */
void people_gone(struct people *p);

#endif
