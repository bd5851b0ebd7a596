/*
 * OpenID Connect: what httpd tells authd of a browser that comes and goes, and what authd asks providers by
 * way of weir-directory. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_OIDC_H
#define WEIR_IPC_WIRE_OIDC_H

#include <assert.h>
#include <stdint.h>

#include "ipc/wire_login.h"

/* --- logins at a provider: httpd and authd --- */

#define PROVIDER_NAME_MAX 32    /* with its end */
#define ORIGIN_MAX        272   /* "https://weir.example.com:3001", with its end */
#define OIDC_STATE_TEXT   48    /* more than 32 bytes in base64url, with its end */
#define OIDC_CODE_MAX     4096  /* an authorization code, with its end */
#define REDIRECT_URL_MAX  6144  /* with its end */
#define OIDC_TOKEN_MAX    16384 /* a logout token */

enum oidc_go {
	OIDC_GO_LOGIN = 1, /* to the provider's authorization endpoint */
	OIDC_GO_LOGOUT,    /* to its end_session_endpoint; where there is none, home */
	OIDC_GO_COUNT
};

/* Where a browser that wants to log in or out at a provider is to be sent. */
struct wire_oidc_go {
	uint64_t request;
	struct wire_client client;
	uint32_t what; /* enum oidc_go */
	uint32_t reserved;
	char provider[PROVIDER_NAME_MAX];
	char origin[ORIGIN_MAX]; /* of this server, as its browser named it; terminated */
};
static_assert(sizeof(struct wire_oidc_go) == 464, "no padding");

/* The answer to OIDC_GO. */
struct wire_oidc_gone {
	uint64_t request;
	uint32_t status; /* enum auth_status: OK, DENIED (no such provider), BUSY, UNAVAILABLE */
	uint32_t reserved;
	uint8_t cookie[COOKIE_BYTES]; /* of a login: what binds it to its browser */
	char url[REDIRECT_URL_MAX];   /* visible ASCII; terminated */
};
static_assert(sizeof(struct wire_oidc_gone) == 48 + REDIRECT_URL_MAX, "no padding");

/* A browser that comes back from a provider, with what that gave it (OpenID Connect Core 1.0 section
 * 3.1.2.5). The answer is AUTH_ANSWER, as to LOGIN. All texts are terminated. */
struct wire_oidc_callback {
	uint64_t request;
	struct wire_client client;
	uint8_t cookie[COOKIE_BYTES]; /* zero: it has none */
	char provider[PROVIDER_NAME_MAX];
	char state[OIDC_STATE_TEXT];
	char error[128];  /* "": none */
	char issuer[256]; /* RFC 9207; "": it does not say */
	char code[OIDC_CODE_MAX];
};
static_assert(sizeof(struct wire_oidc_callback) == 648 + OIDC_CODE_MAX, "no padding");

/* A provider says that somebody has logged out there (Back-Channel Logout 1.0): the logout token follows. The
 * answer is AUTH_ANSWER, with a status alone. */
struct wire_oidc_logout {
	uint64_t request;
	struct wire_client client;
	uint32_t token_len; /* 1..OIDC_TOKEN_MAX */
	uint32_t reserved;
	char provider[PROVIDER_NAME_MAX];
};
static_assert(sizeof(struct wire_oidc_logout) == 192, "no padding");
#define WIRE_OIDC_LOGOUT_MAX (sizeof(struct wire_oidc_logout) + OIDC_TOKEN_MAX)

/* --- providers: authd and weir-directory --- */

#define OIDC_ASKS       32           /* most that are under way at a time */
#define OIDC_URL_MAX    512          /* of an issuer, with its end */
#define OIDC_SECRET_MAX 512          /* of a client, with its end */
#define OIDC_PROOF_MAX  (16u << 10)  /* a code or a logout token, with its end */
#define OIDC_RANDOM_MAX 132          /* a PKCE verifier (RFC 7636 section 4.1) or a nonce, with its end */
#define OIDC_ASK_MAX    (256u << 10) /* bytes of what is asked in sealed memory */
#define OIDC_TOLD_MAX   (1u << 20)   /* bytes of what is told */
#define OIDC_GROUPS_MAX 5000         /* of one person; more are cut */

enum oidc_what {
	OIDC_METADATA = 1, /* where does the provider want browsers to go */
	OIDC_CODE,         /* exchange a code, and say who it is (OpenID Connect Core 1.0 section 3.1.3) */
	OIDC_LOGOUT, /* is this a logout token of his, and whose (Back-Channel Logout 1.0 section 2.6) */
	OIDC_TEST,   /* as OIDC_METADATA, and his keys; nothing that is remembered counts */
	OIDC_WHAT_COUNT
};

/*
 * Terminated texts; both sides wipe it after use. In sealed memory, without secrets, an object of JSON
 * (authd/directory/oidc_settings.h says what holds where a member is not there):
 *
 * {"client_id": text,                          OIDC_CODE, OIDC_LOGOUT
 *  "redirect_uri": text,                       OIDC_CODE: the one that the browser was sent with
 *  "algorithms": ["RS256", "PS256", "ES256"],  that a token may be signed with: of these and the ...512
 *  "client_auth": "auto", "basic" or "post",   how the client shows its secret
 *  "clock_skew": seconds,                      by which clocks may differ
 *  "max_age": seconds,                         since he logged in there; 0: any
 *  "userinfo": "never", "missing" or "always", whether it is asked; missing: where the token has no groups
 *  "name_claim", "title_claim": text,
 *  "groups_claim": text,                       "": nothing is looked for
 *  "authorities": PEM,                         "": the machine's
 *  "insecure_http": bool}                      http:// is taken where the provider's URLs say so
 */
struct wire_oidc_ask {
	uint64_t request;
	uint32_t what; /* enum oidc_what */
	uint32_t timeout_ms;
	uint32_t len; /* of the sealed memory: 1..OIDC_ASK_MAX */
	uint32_t reserved;
	char issuer[OIDC_URL_MAX];      /* exactly as the provider calls himself */
	char secret[OIDC_SECRET_MAX];   /* of the client: OIDC_CODE; "": a public client */
	char verifier[OIDC_RANDOM_MAX]; /* OIDC_CODE, else "" */
	char nonce[OIDC_RANDOM_MAX];    /* OIDC_CODE, else "" */
	char proof[OIDC_PROOF_MAX];     /* OIDC_CODE: the code; OIDC_LOGOUT: the token; else "" */
};
static_assert(sizeof(struct wire_oidc_ask) == 17696, "no padding");

enum oidc_verdict {
	OIDC_RIGHT = 1,      /* it is he; of a logout token: it is one; of the others: all is well */
	OIDC_CODE_REFUSED,   /* the provider does not take the code: used, too old, another client's */
	OIDC_REFUSED,        /* the provider does not take the client, or the settings are wrong */
	OIDC_UNAVAILABLE,    /* the provider does not answer as he should, in time */
	OIDC_MALFORMED,      /* the token is none: its form, sizes, members that stand there twice */
	OIDC_ALGORITHM,      /* it is not signed, or with an algorithm that is not allowed */
	OIDC_KEY_UNKNOWN,    /* by a key that the provider does not publish */
	OIDC_SIGNATURE,      /* its signature is wrong */
	OIDC_WRONG_ISSUER,   /* it is another provider's, */
	OIDC_WRONG_AUDIENCE, /* for another client (aud, azp), */
	OIDC_EXPIRED,        /* too old, */
	OIDC_TOO_EARLY,      /* of the future (iat, nbf): the clocks differ, */
	OIDC_WRONG_NONCE,    /* or of another login */
	OIDC_STALE,          /* he logged in there longer ago than max_age */
	OIDC_WRONG_SUBJECT,  /* userinfo speaks of somebody else, or nobody is named */
	OIDC_WRONG_HASH,     /* the access token is not the one that the ID token came with (at_hash) */
	OIDC_NO_LOGOUT,      /* it is some token, but none that ends sessions */
	OIDC_VERDICT_COUNT
};

/*
 * In sealed memory an object of JSON, for the record and for administrators, never for the stranger. Members
 * that are not known are null.
 *
 * {"why": sentence, "steps": [sentence...],
 *  "sub": text, "sid": text, "jti": text,      of a token: whose, of which session there, which token
 *  "name": text, "title": text, "email": text, "email_verified": bool,
 *  "groups": [text...], "cut": bool,           whether there are more than are told
 *  "issued": s, "expires": s, "auth_time": s,  Unix times of the token
 *  "id_token": text,                           OIDC_CODE: the hint of a logout; wiped by who takes it
 *  "authorization_endpoint": URL,              this and the rest: OIDC_METADATA, OIDC_TEST
 *  "end_session_endpoint": URL,
 *  "backchannel_logout": bool, "pkce": bool,   what the provider says that he does
 *  "iss_parameter": bool}                      he sends iss with each code (RFC 9207): without, it is none
 */
struct wire_oidc_told {
	uint64_t request;
	uint32_t verdict; /* enum oidc_verdict */
	uint32_t len;     /* of the sealed memory: 1..OIDC_TOLD_MAX */
};
static_assert(sizeof(struct wire_oidc_told) == 16, "no padding");

#endif
