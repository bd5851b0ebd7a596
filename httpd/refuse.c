#include "refuse.h"

#include "request.h"

static const struct {
	int status;
	const char *detail;
} refusals[] = {
	[INQUIRY_OK] = { 500, NULL },
	[INQUIRY_NO_SESSION] = { 401, "The session has ended: log in." },
	[INQUIRY_NO_TENANT] = { 404, NULL },
	[INQUIRY_THROTTLED] = { 429, "Too many attempts: try again later." },
	[INQUIRY_LOGIN_BUSY] = { 503, "Too many logins at once: try again." },
	[INQUIRY_LOGIN_AWAY] = { 503, "Name or password is wrong, or the login service that knows them "
				      "cannot be reached right now." },
	[INQUIRY_TOKEN_ONLY] = { 401, "This account takes a second factor: use a token." },
	[INQUIRY_DENIED] = { 403, "Neither this role nor these scopes allow it." },
	[INQUIRY_NO_AUTHD] = { 503, "The process that knows the accounts is being restarted." },
	[INQUIRY_NO_STORE] = { 503, "The process that keeps the data is being restarted." },
	[INQUIRY_LATE] = { 504, "The process that keeps the data did not answer in time." },
	[INQUIRY_NOT_FOUND] = { 404, NULL },
	[INQUIRY_BAD] = { 400, "cursor: is not one of this list, or filter: asks for what is masked" },
	[INQUIRY_NARROWED] = { 409, "This is kept of the tenant as a whole (or not at this resolution of a "
				    "part), and you see a part of it." },
	[INQUIRY_NO_HISTORY] = { 503, "The database cannot be read now: what is live still is." },
	[INQUIRY_BUSY] = { 503, "Too many questions wait for an answer: ask again in a second." },
	[INQUIRY_TOO_SLOW] = { 504, "This takes longer than one question may: ask for a shorter time." },
	[INQUIRY_TOO_COSTLY] = { 400, "This looks through more flows than one question may: ask for a "
				      "shorter time." },
	[INQUIRY_GONE] = { 503, "The connection was closed before the answer was there." },
	[INQUIRY_RATED] = { 429,
			    "Too many requests within a minute: RateLimit-Policy says how many may be." },
	[INQUIRY_TOO_LONG] = { 503, "The answer is longer than this server can hold now: ask for less." },
};

void
refuse_inquiry(struct request *r, enum inquiry_end end)
{
	if (refusals[end].detail == NULL)
		reply_problem(r, refusals[end].status, NULL);
	else
		reply_problem(r, refusals[end].status, "%s", refusals[end].detail);
}

const char *
inquiry_why(enum inquiry_end end)
{
	return refusals[end].detail;
}
