/* What is found out about a person, step by step, and how it is told to authd: an object of JSON. */
#ifndef WEIR_DIRECTORY_FINDINGS_H
#define WEIR_DIRECTORY_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/wire.h"
#include "link.h"
#include "provider.h"

#define FINDINGS_STEPS  64    /* sentences; more are left out */
#define FINDINGS_GROUPS 10000 /* more are not told: cut */

struct findings {
	enum directory_verdict verdict;
	char why[320];
	char *dn, *title; /* NULL: not known */
	char *id;         /* what stays when the entry is renamed or moved; NULL: the server gives none */
	char *name;       /* as the attribute spells it that user_filter asks for; NULL: not known */
	char **group;
	size_t ngroups;
	bool cut;
	uint32_t more_groups; /* of the entry's own, from which on it has to be asked again; 0: none */
	/* Which of the groups that the settings name are among them (named.h): told whatever is cut. */
	char *named[PROVIDER_GROUPS_MAX];
	size_t nnamed;
	/* Another server is to be asked about whom this one does not have: 1 and up, of those that may be. */
	uint32_t referred;
	char base[LINK_BASE_MAX]; /* below this, there */
	char *step[FINDINGS_STEPS];
	size_t nsteps;
};

struct findings *findings_new(void);
void findings_free(struct findings **f);

/* What was done, and what came of it: for the administrator, never with a secret. */
void findings_step(struct findings *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The end, with the sentence of the verdict and, where there are any, words about it. */
void findings_end(struct findings *f, enum directory_verdict v, const char *words);
/* Those words, or the sentence where there were none. */
const char *findings_words(const struct findings *f);
/* False where it is there already, or they are FINDINGS_GROUPS. Names of groups are compared without regard
 * to case. */
bool findings_group(struct findings *f, const char *dn);

/* The text, to be freed, with as many groups as may be told. NULL where it is longer without any. */
char *findings_text(const struct findings *f, size_t *len);

#endif
