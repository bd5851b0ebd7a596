/*
 * One look at one server of a directory: is it he, who is he, in which groups. Blocks; in a process of its
 * own.
 *
 * Weir binds as itself (or, where the provider is direct, as the user), finds the user, has his password
 * judged by a bind as him, and asks for his groups as itself again.
 */
#ifndef WEIR_DIRECTORY_LOOK_H
#define WEIR_DIRECTORY_LOOK_H

#include "findings.h"
#include "link.h"
#include "provider.h"

struct look {
	const struct provider *provider;
	enum directory_what what;
	const char *name, *password, *secret;
	const char
	    *base; /* below which to look, where another server referred to this one; NULL: the provider's */
	const struct server_url *referral; /* servers that this one may refer to */
	uint32_t nreferrals;
};

/* Over fd, to the server of the URL. Ends the findings. authorities: of the machine's. */
void look_at(const struct look *k, int fd, const struct server_url *url, const char *authorities, size_t len,
	     struct findings *f);

#endif
