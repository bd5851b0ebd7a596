/*
 * Authority: grants, and who comes in. httpd, authd and store. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_LOGIN_H
#define WEIR_IPC_WIRE_LOGIN_H

#include <assert.h>
#include <stdint.h>

#include "base/ip.h"

/* --- authority --- */

#define GRANT_MAX      4096 /* bytes of a signed grant: policy/grant.h */
#define GRANT_ID_BYTES 16
#define SIGN_KEY_BYTES 32 /* Ed25519 public key */

struct wire_grant_keys {
	uint32_t n; /* 1 or 2: current, previous */
	uint32_t reserved;
	uint8_t key[2][SIGN_KEY_BYTES];
};

struct wire_snapshot {
	uint64_t number;
	uint64_t len; /* of the document in the sealed memfd: policy/snapshot.h */
};

/* The whole set, in parts: the first has begin = 1, the last end = 1. Ids follow. */
struct wire_grant_ids {
	uint32_t begin, end;
	uint32_t n, reserved;
};
struct wire_grant_live {
	uint8_t id[GRANT_ID_BYTES];
	int64_t expires_ns; /* UTC */
};
#define WIRE_GRANT_IDS_PER 1024
#define WIRE_GRANT_IDS_MAX                                                                                   \
	(sizeof(struct wire_grant_ids) + WIRE_GRANT_IDS_PER * sizeof(struct wire_grant_live))

struct wire_grant_change {
	uint64_t ticket; /* of authd's, comes back in GRANT_TAKEN */
	struct wire_grant_live grant;
};
static_assert(sizeof(struct wire_grant_change) == 32, "no padding");

/* --- logins --- */

#define ACCOUNT_NAME_MAX   128
#define PASSWORD_MAX       256
#define COOKIE_BYTES       32 /* a session's secret, random; authd keeps only its hash */
#define SETUP_SECRET_BYTES 32
#define TICKET_BYTES       32
#define AGENT_MAX          128
#define TENANT_TEXT_MAX    64
#define API_TOKEN_MAX      96

/* Who asks, as far as httpd can tell: for throttling and the record of logins. */
struct wire_client {
	struct ip_addr ip;
	char agent[AGENT_MAX]; /* what it calls itself (User-Agent), terminated, cut where it is longer; "":
				  unknown */
};
static_assert(sizeof(struct wire_client) == 144, "no padding");

struct wire_login {
	uint64_t request; /* httpd's, comes back */
	struct wire_client client;
	char name[ACCOUNT_NAME_MAX]; /* terminated */
	char password[PASSWORD_MAX]; /* terminated; wiped by both sides after use */
};

struct wire_setup {
	uint64_t request;
	struct wire_client client;
	uint8_t secret[SETUP_SECRET_BYTES];
	char name[ACCOUNT_NAME_MAX];
	char password[PASSWORD_MAX];
};

/* SESSION and LOGOUT. */
struct wire_session {
	uint64_t request;
	struct wire_client client;
	uint8_t cookie[COOKIE_BYTES];
	char tenant[TENANT_TEXT_MAX]; /* name of the tenant to work in, terminated; "": the first that the
					 user has */
};

/* The second step of a login that was answered with AUTH_SECOND_FACTOR. */
struct wire_second_factor {
	uint64_t request;
	struct wire_client client;
	uint8_t ticket[TICKET_BYTES]; /* what that answer had as its cookie */
	char code[32];                /* of the authenticator, or a recovery code; terminated */
};
static_assert(sizeof(struct wire_second_factor) == 216, "no padding");

/* An API token as its bearer showed it. */
struct wire_token {
	uint64_t request;
	struct wire_client client;
	char tenant[TENANT_TEXT_MAX]; /* as in wire_session; a token has one tenant, so that any other is
					 AUTH_DENIED */
	char token[API_TOKEN_MAX];    /* terminated */
};
static_assert(sizeof(struct wire_token) == 312, "no padding");

/* Name and password of Basic authentication (RFC 7617), which its client sends with every request. */
struct wire_basic {
	uint64_t request;
	struct wire_client client;
	char tenant[TENANT_TEXT_MAX]; /* as in wire_session */
	char name[ACCOUNT_NAME_MAX];  /* terminated */
	char password[PASSWORD_MAX];  /* terminated; wiped by both sides after use */
};
static_assert(sizeof(struct wire_basic) == 600, "no padding");

enum auth_status {
	AUTH_OK = 1,
	AUTH_DENIED,        /* wrong name or password, no such session, no such tenant: one answer for all */
	AUTH_THROTTLED,     /* too many failures: retry_after_s says when */
	AUTH_BUSY,          /* the queue of password checks is full */
	AUTH_WEAK_PASSWORD, /* setup: detail says why */
	AUTH_BAD_NAME,      /* setup: detail says why */
	AUTH_SETUP_OVER,    /* an administrator exists already, or the link was used */
	AUTH_UNAVAILABLE,   /* authd cannot write: disk full */
	AUTH_SECOND_FACTOR, /* LOGIN, OIDC_CALLBACK: so far it was right; cookie is a ticket for
			       SECOND_FACTOR, good for 5 minutes. BASIC: the account takes a second factor,
			       and so comes in by a token only */
	AUTH_NO_TENANT, /* BASIC: it is right, but not for this tenant. Others are asked about a second time
			 */
	AUTH_AWAY /* LOGIN, BASIC: as AUTH_DENIED, or the directory, which would know, cannot be asked now:
		     one answer for all names */
};

struct wire_auth_answer {
	uint64_t request;
	uint32_t status; /* enum auth_status */
	uint32_t retry_after_s;
	uint8_t cookie[COOKIE_BYTES]; /* LOGIN, SETUP, SECOND_FACTOR, OIDC_CALLBACK: the new session */
	int64_t grant_expires_ns;     /* UTC */
	int64_t session_expires_ns;   /* absolute end */
	char name[ACCOUNT_NAME_MAX];
	char tenant[64];
	char role[32]; /* policy/role.h names */
	char detail[128];
	uint64_t rights;     /* the same as long as grants of the session allow the same */
	uint32_t setup_open; /* 1: no administrator exists yet */
	uint32_t grant_len;
	uint8_t grant[GRANT_MAX]; /* opaque to httpd */
};

struct wire_cli_request {
	uint64_t request;
};

struct wire_cli_answer {
	uint64_t request;
	uint32_t status; /* enum auth_status */
	uint32_t grant_len;
	uint8_t secret[SETUP_SECRET_BYTES];
	uint8_t grant[GRANT_MAX];
};

#endif
