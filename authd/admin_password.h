/* Passwords that come with operations: judged, checked or hashed by the hashers before the operation runs. */
#ifndef WEIR_AUTHD_ADMIN_PASSWORD_H
#define WEIR_AUTHD_ADMIN_PASSWORD_H

#include <stdbool.h>

#include "ipc/wire.h"
#include "record.h"

struct admin_call;

struct admin_secrets {
	char check[PASSWORD_MAX];        /* "": none; must be the password of ... */
	char against[PASSWORD_HASH_MAX]; /* ... this hash */
	char make[PASSWORD_MAX];         /* "": none; is to be hashed */
	bool generated;                  /* it was drawn here, and is told once */
	char hash[PASSWORD_HASH_MAX];    /* of it */
	bool wrong;                      /* check was not the password */
};

/* The member "password" (or another) as a new one for a user of that name: judged, and kept for hashing.
 * False where there is none. */
bool admin_password_new(struct admin_call *c, const char *key, const char *name, bool required);
/* Draws one instead. */
void admin_password_draw(struct admin_call *c);
/* Computes what there is to compute and then calls go_on, at once or later. Ends the call where the queue is
 * full. */
void admin_password_compute(struct admin_call *c, void (*go_on)(struct admin_call *c));

struct admin_secrets *admin_secrets_new(void);
void admin_secrets_free(struct admin_secrets **s);

#endif
