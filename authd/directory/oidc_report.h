/* What is found out at an OpenID Connect provider, step by step, and how it is told to authd: the object of
 * JSON that ipc/wire.h describes. */
#ifndef WEIR_DIRECTORY_OIDC_REPORT_H
#define WEIR_DIRECTORY_OIDC_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

#define REPORT_STEPS    64u /* sentences; more are left out */
#define REPORT_STEP_MAX 512u
#define REPORT_TEXT_MAX 512u /* bytes of a claim that are told, with the end; a longer one is not */

struct discovery;

struct oidc_report {
	enum oidc_verdict verdict; /* 0: it has not ended */
	char why[400];
	char *step[REPORT_STEPS];
	size_t nsteps;
	/* Of the token and userinfo; NULL: not known. */
	char *sub, *sid, *jti, *name, *title, *email, *id_token;
	bool email_verified;
	int64_t issued_s, expires_s, auth_time_s; /* 0: not known */
	char **group;                             /* OIDC_GROUPS_MAX places */
	size_t ngroups;
	bool cut;
	const struct discovery *discovery; /* NULL: not told */
};

struct oidc_report *oidc_report_new(void);
void oidc_report_free(struct oidc_report **r);

/* What was done, and what came of it: for the administrator, never with a secret. Bytes that cannot be
 * printed become '?'. */
void oidc_report_step(struct oidc_report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The end, with the sentence of the verdict and, where there are any, words about it. The first one holds. */
void oidc_report_end(struct oidc_report *r, enum oidc_verdict v, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* It has not ended after all: there is another way to find out. */
void oidc_report_again(struct oidc_report *r);
/* Once each, case and all. False where they are OIDC_GROUPS_MAX. */
bool oidc_report_group(struct oidc_report *r, const char *name);

/* Steps as lines of one text, to be freed, and back again: what a former process has found out. */
char *oidc_report_lines(const struct oidc_report *r);
void oidc_report_take_lines(struct oidc_report *r, const char *lines, size_t len);

/* The text, to be wiped and freed; NULL where it is longer than may be told. */
char *oidc_report_text(const struct oidc_report *r, size_t *len);

/* A sentence for the administrator. */
const char *oidc_verdict_text(enum oidc_verdict v);

#endif
