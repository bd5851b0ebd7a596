/* Whoever grants are given to: a session, a token, or who shows name and password with every request. It
 * stands at the beginning of each. */
#ifndef WEIR_AUTHD_HOLDER_H
#define WEIR_AUTHD_HOLDER_H

#include <stdint.h>

struct live_grant;

enum holder_kind { HOLDER_SESSION = 1, HOLDER_TOKEN, HOLDER_BASIC, HOLDER_LOCAL };

struct holder {
	struct live_grant *grants; /* grants.h: those that it has now */
	enum holder_kind kind;
	uint64_t account;
	int64_t expires_ns; /* UTC: no grant of it lasts longer */
};

#endif
