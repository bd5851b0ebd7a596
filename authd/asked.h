/*
 * Questions that weir-directory has: who waits for which, until when, and what its answer says. What comes
 * back is a stranger's, and believed only as far as the settings map it to groups of Weir's.
 */
#ifndef WEIR_AUTHD_ASKED_H
#define WEIR_AUTHD_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct asked;
struct json_doc;

struct person_told {
	enum directory_verdict verdict;
	const char *why, *title; /* "": none; never for the stranger */
	const char *id; /* what the directory calls him for good, whatever becomes of his name; "": nothing */
	const char *name; /* as the directory spells it; "": not known */
	bool cut;         /* there are more groups than were told */
	size_t ngroups;
	const char *const *group; /* distinguished names, or a provider's words */
	/* Those of ldap.groups that are among them, as they stand there: weir-directory compares names. */
	size_t nnamed;
	const char *const *named;
	const struct json_doc *doc; /* all of it, with "dn" and "steps"; NULL where nothing was told */
};

/* t lives until it returns. Called once for each question, from the loop. */
typedef void people_told(void *ctx, const struct person_told *t);

/* For most questions at a time. */
struct asked *asked_new(size_t most);
void asked_free(struct asked **a);

/* One that is about to be asked: its number, or 0 where there is no room. within_ns: weir-directory's own
 * time for it; long after that it has lost the question. */
uint64_t asked_add(struct asked *a, int64_t within_ns, people_told *told, void *ctx);
/* It could not be asked: told is not called. */
void asked_drop(struct asked *a, uint64_t request);

/* How an answer of one kind reads. */
struct asked_form {
	const char *id;    /* the member with what somebody is called for good */
	size_t text_max;   /* bytes */
	size_t groups_max; /* more are left out */
};
/* An answer: len bytes in sealed memory, which stays the caller's. False where the peer lied. Nobody may wait
 * for it any more. */
bool asked_answer(struct asked *a, uint64_t request, enum directory_verdict v, int fd, size_t len,
		  const struct asked_form *form);
/* Once a second: a question that weir-directory has lost is answered: unavailable. */
void asked_turn(struct asked *a);
/* weir-directory is gone: nobody is waited for any more. */
void asked_gone(struct asked *a);

#endif
