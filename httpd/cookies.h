/* The cookies that a browser gets: each for this host alone, by https alone, and for no script. */
#ifndef WEIR_HTTPD_COOKIES_H
#define WEIR_HTTPD_COOKIES_H

#include <stdint.h>

#include "guard.h"

struct request;

#define LOGIN_COOKIE  "__Host-weir-login"  /* binds a login at a provider to the browser that began it */
#define TICKET_COOKIE "__Host-weir-ticket" /* stands for the first step of such a login until the second */

/* The session. */
void cookie_set_session(struct request *r, const uint8_t cookie[static COOKIE_BYTES]);
void cookie_drop_session(struct request *r);
/* A login that was begun: it comes along when another site sends the browser back (SameSite=Lax). */
void cookie_set_login(struct request *r, const uint8_t cookie[static COOKIE_BYTES]);
void cookie_drop_login(struct request *r);
void cookie_set_ticket(struct request *r, const uint8_t ticket[static TICKET_BYTES]);
void cookie_drop_ticket(struct request *r);

#endif
