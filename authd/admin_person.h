/* A user as the operations see him: what he has, and whether he is the caller's business. */
#ifndef WEIR_AUTHD_ADMIN_PERSON_H
#define WEIR_AUTHD_ADMIN_PERSON_H

#include "admin.h"
#include "rights.h"

#define PERSON_RIGHTS_MAX 512 /* who has more is nobody's business but the platform's */

struct person {
	struct account who;
	struct accesses own, all; /* all: his groups' included */
	struct right has[PERSON_RIGHTS_MAX];
	size_t nhas;
	char subject[GRANT_SUBJECT_MAX]; /* "user:alice", as in grants and audit entries */
};

void person_subject(const char *name, char out[static GRANT_SUBJECT_MAX]);
/* Reads him; he must be there. */
void person_read(struct admin_call *c, uint64_t number, struct person *p);
/* By name. False, and p is nobody: there is none, or he is not the caller's business by see. */
bool person_look(struct admin_call *c, const char *name, enum action see, struct person *p);
/* The same. Ends the call with ADMIN_NOT_FOUND where it is false. */
bool person_find(struct admin_call *c, const char *name, enum action see, struct person *p);
/* What policy_decide is asked about him. gets: what he is to have from now on; ngets 0: no rights are given.
 */
struct resource person_resource(const struct person *p, const struct right *gets, size_t ngets);
/* Whose matter an audit entry about him is. own: the accesses that he gets; NULL: they stay. */
uint32_t person_matter(const struct person *p, const struct accesses *own);

#endif
