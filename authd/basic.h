/*
 * Name and password shown with every request (Basic authentication). They are judged as a login is:
 * throttled, at argon2id's cost, written down. What was right is then remembered for a short time under a
 * keyed hash, so that the next request costs none of that; whatever changes about the account empties it. No
 * session begins. Accounts with a second factor, and those whose role asks for one, do not come in this way:
 * they take a token.
 */
#ifndef WEIR_AUTHD_BASIC_H
#define WEIR_AUTHD_BASIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct authd;
struct basic;
struct channel;
struct wire_basic;

/* httpd comes back when a grant runs out, after almost a minute: a client that asks all the time is judged
 * once in the whole of it. */
#define BASIC_IDLE_NS    (120 * NS_PER_S)
#define BASIC_LIFE_NS    (300 * NS_PER_S)
#define BASIC_MAX        1024    /* remembered at a time; the one not used for longest goes */
#define BASIC_CREDENTIAL "basic" /* as the audit log says it */

/* In locked memory, never given back. */
struct basic *basic_new(void);
/* At the end: what is remembered and the key of its hashes. */
void basic_wipe(struct basic *b);

/* Handles BASIC; the password is wiped. False where the message cannot be. */
bool basic_serve(struct authd *a, struct channel *ch, struct wire_basic *w);

/* Forgets what is remembered of an account, and takes back its grants. */
void basic_forget(struct authd *a, uint64_t account);
/* Forgets what is over. Once a second; now_ns: clock_boot_ns. */
void basic_sweep(struct authd *a, int64_t now_ns);

#endif
