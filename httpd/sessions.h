/*
 * The sessions and tokens that are being served now: for each credential the grant that authd gave, kept for
 * at most the grant's life. Credentials are kept as keyed hashes. Several requests that miss at once are one
 * question to authd.
 */
#ifndef WEIR_HTTPD_SESSIONS_H
#define WEIR_HTTPD_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credential.h"
#include "httpd.h"
#include "ipc/wire.h"

#define SESSIONS_MAX 4096

/* Who it is: plain data, to be copied by whoever keeps it. */
struct me {
	char name[ACCOUNT_NAME_MAX];
	char tenant[64];
	char role[32];
	uint64_t rights;            /* the same as long as it may see and do the same */
	int64_t session_expires_ns; /* UTC; of a token its own end, 0: never */
};

struct session {
	struct me me;
	int64_t grant_expires_ns; /* UTC */
	size_t grant_len;
	const uint8_t *grant;   /* opaque */
	unsigned retry_after_s; /* SESSION_THROTTLED alone */
};

enum session_end {
	SESSION_OK,
	SESSION_DENIED,     /* no such session or token */
	SESSION_NO_TENANT,  /* it is good, but not for the tenant that it names */
	SESSION_THROTTLED,  /* a password: too many failures, s->retry_after_s says when to come back */
	SESSION_BUSY,       /* a password: too many are being judged */
	SESSION_AWAY,       /* a password: wrong, or the directory that would know cannot be asked */
	SESSION_TOKEN_ONLY, /* a password that is right, of an account that takes a second factor */
	SESSION_NO_AUTHD
};

/* s is NULL but for SESSION_OK and SESSION_THROTTLED, and valid during the call only. */
typedef void session_fn(void *ctx, enum session_end end, const struct session *s);

struct sessions *sessions_new(struct httpd *h);
void sessions_free(struct sessions **s);

/* Finds the session of a credential, in the cache (whose grant is then good for at least one second, and at
 * most max_age_s old) or through authd; calls fn once, perhaps at once. */
void session_get(struct sessions *s, const struct credential *who, const struct wire_client *client,
		 unsigned max_age_s, session_fn *fn, void *ctx);
#define SESSION_ANY_AGE UINT32_MAX

/* Puts what authd answered to a login. */
void session_put(struct sessions *s, const struct wire_auth_answer *a);
/* Forgets a credential's grant. */
void session_drop(struct sessions *s, const struct credential *who, const struct wire_client *client);

#endif
