/* The operations of authd without its processes: a database, and callers who ask at a desk. Nothing is hashed
 * and nobody is answered; what an operation leaves in its call is looked at. */
#ifndef WEIR_TESTS_AUTHD_DESK_H
#define WEIR_TESTS_AUTHD_DESK_H

#include "admin.h"
#include "authd.h"

struct desk {
	struct authd a;
	struct boot boot;
};

struct verdict {
	enum admin_status status; /* ADMIN_OK where nothing is wrong */
	struct fault fault;
	char body[65536]; /* the answer, where it is good and short enough */
};

/* A database with tenants default and acme, and the users root (platform administrator), tess (tenant
 * administrator of acme) and vic (viewer of acme). */
void desk_open(struct desk *d);
void desk_close(struct desk *d);

/* Runs the operation as a user ("": the command line) within a transaction that is kept, or undone. */
void desk_ask(struct desk *d, const char *user, const char *json, size_t len, bool keep, struct verdict *v);

#endif
