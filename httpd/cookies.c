#include "cookies.h"

#include <sodium.h>
#include <stdio.h>

#include "request.h"

static void
set(struct request *r, const char *name, const uint8_t *value, const char *more)
{
	char header[192], text[TOKEN_TEXT_MAX] = "";

	if (value != NULL)
		(void)token_format(value, text);
	(void)snprintf(header, sizeof(header), "%s=%s; Path=/; Secure; HttpOnly; %s%s", name, text, more,
		       value == NULL ? "; Max-Age=0" : "");
	reply_header(r, "Set-Cookie", header);
	sodium_memzero(header, sizeof(header));
	sodium_memzero(text, sizeof(text));
}

void
cookie_set_session(struct request *r, const uint8_t cookie[static COOKIE_BYTES])
{
	set(r, COOKIE_NAME, cookie, "SameSite=Strict");
}

void
cookie_drop_session(struct request *r)
{
	set(r, COOKIE_NAME, NULL, "SameSite=Strict");
}

void
cookie_set_login(struct request *r, const uint8_t cookie[static COOKIE_BYTES])
{
	set(r, LOGIN_COOKIE, cookie, "SameSite=Lax; Max-Age=600");
}

void
cookie_drop_login(struct request *r)
{
	set(r, LOGIN_COOKIE, NULL, "SameSite=Lax");
}

void
cookie_set_ticket(struct request *r, const uint8_t ticket[static TICKET_BYTES])
{
	set(r, TICKET_COOKIE, ticket, "SameSite=Strict; Max-Age=300");
}

void
cookie_drop_ticket(struct request *r)
{
	set(r, TICKET_COOKIE, NULL, "SameSite=Strict");
}
