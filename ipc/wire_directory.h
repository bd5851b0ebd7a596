/*
 * What authd asks directories by way of weir-directory. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_DIRECTORY_H
#define WEIR_IPC_WIRE_DIRECTORY_H

#include <assert.h>
#include <stdint.h>

#include "ipc/wire_login.h"

#define DIRECTORY_ASKS      32           /* most that are under way at a time */
#define DIRECTORY_SERVERS   4            /* of one provider, tried in this order */
#define DIRECTORY_REFERRALS 4            /* servers that may be referred to */
#define DIRECTORY_URL_MAX   272          /* "ldaps://host:636", with its end */
#define DIRECTORY_NAME_MAX  256          /* what somebody calls himself at a login, with its end */
#define DIRECTORY_ASK_MAX   (256u << 10) /* bytes of what is asked in sealed memory */
#define DIRECTORY_TOLD_MAX  (4u << 20)   /* bytes of what is told */

enum directory_what {
	DIRECTORY_LOGIN = 1, /* is this his password, and who is he */
	DIRECTORY_LOOK,      /* who is he, without a password */
	DIRECTORY_TEST,      /* do the servers answer, and take what Weir binds with */
	DIRECTORY_WHAT_COUNT
};

/* Terminated texts; both sides wipe it after use. In sealed memory: what the provider's settings are
 * (authd/directory/provider.h), without secrets. */
struct wire_directory_ask {
	uint64_t request;
	uint32_t what; /* enum directory_what */
	uint32_t timeout_ms;
	uint32_t len; /* of the sealed memory: 1..DIRECTORY_ASK_MAX */
	uint32_t nservers;
	uint32_t nreferrals, unused;
	char server[DIRECTORY_SERVERS][DIRECTORY_URL_MAX];
	char referral[DIRECTORY_REFERRALS][DIRECTORY_URL_MAX]; /* servers that those may refer to */
	char name[DIRECTORY_NAME_MAX];
	char password[PASSWORD_MAX]; /* of DIRECTORY_LOGIN, else "" */
	char secret[PASSWORD_MAX];   /* that Weir itself binds with; "": none */
};
static_assert(sizeof(struct wire_directory_ask) == 2976, "no padding");

enum directory_verdict {
	DIRECTORY_RIGHT = 1,   /* it is he; of a look: he is there; of a test: all is well */
	DIRECTORY_WRONG,       /* the password is not his */
	DIRECTORY_UNKNOWN,     /* nobody, or several, by that name */
	DIRECTORY_DISABLED,    /* he is there, but may not come in: disabled, */
	DIRECTORY_LOCKED,      /* locked after too many failures, */
	DIRECTORY_EXPIRED,     /* the account or the password has expired, */
	DIRECTORY_MUST_CHANGE, /* or the password must be changed first */
	DIRECTORY_REFUSED, /* the directory does not take what Weir binds with, or the settings are wrong */
	DIRECTORY_UNAVAILABLE, /* no server answers as it should, in time */
	DIRECTORY_VERDICT_COUNT
};

/* In sealed memory: {"why": sentence, "dn", "title" (or null), "groups": [dn...], "cut": whether there are
 * more groups, "steps": [sentence...]}; for the record and for administrators, never for the stranger. */
struct wire_directory_told {
	uint64_t request;
	uint32_t verdict; /* enum directory_verdict */
	uint32_t len;     /* of the sealed memory: 1..DIRECTORY_TOLD_MAX */
};
static_assert(sizeof(struct wire_directory_told) == 16, "no padding");

#endif
