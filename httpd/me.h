/* Who is logged in, as the API says it. */
#ifndef WEIR_HTTPD_ME_H
#define WEIR_HTTPD_ME_H

#include "base/json_write.h"
#include "request.h"
#include "sessions.h"

#define ME_MAX 8192 /* bytes that put_me writes at most */

/* The members of "me" into an open object. cookie NULL: a token's bearer, who needs no X-Weir-CSRF. */
void put_me(struct json_writer *w, const struct request *r, const struct me *me, const uint8_t *cookie);

#endif
