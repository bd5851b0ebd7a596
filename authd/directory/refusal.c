#include "refusal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* RFC 4511 appendix A.1 */
enum {
	SUCCESS = 0,
	CONSTRAINT = 19,
	NO_SUCH_OBJECT = 32,
	INAPPROPRIATE = 48,
	INVALID_CREDENTIALS = 49,
	BUSY = 51,
	UNAVAILABLE = 52,
	UNWILLING = 53
};

/* Active Directory says which Windows error it was: "... AcceptSecurityContext error, data 52e, v1db1". */
static const struct {
	const char *code;
	enum directory_verdict verdict;
} windows[] = {
	{ "525", DIRECTORY_UNKNOWN },     /* ERROR_NO_SUCH_USER */
	{ "52e", DIRECTORY_WRONG },       /* ERROR_LOGON_FAILURE */
	{ "52f", DIRECTORY_DISABLED },    /* ERROR_ACCOUNT_RESTRICTION */
	{ "530", DIRECTORY_DISABLED },    /* ERROR_INVALID_LOGON_HOURS */
	{ "531", DIRECTORY_DISABLED },    /* ERROR_INVALID_WORKSTATION */
	{ "532", DIRECTORY_EXPIRED },     /* ERROR_PASSWORD_EXPIRED */
	{ "533", DIRECTORY_DISABLED },    /* ERROR_ACCOUNT_DISABLED */
	{ "701", DIRECTORY_EXPIRED },     /* ERROR_ACCOUNT_EXPIRED */
	{ "773", DIRECTORY_MUST_CHANGE }, /* ERROR_PASSWORD_MUST_CHANGE */
	{ "775", DIRECTORY_LOCKED },      /* ERROR_ACCOUNT_LOCKED_OUT */
};

static enum directory_verdict
windows_said(const char *words)
{
	static const char mark[] = " data ";
	const char *at = words == NULL ? NULL : strstr(words, mark);

	for (size_t i = 0; at != NULL && i < ARRAY_LEN(windows); i++) {
		const char *code = at + sizeof(mark) - 1;
		size_t len = strlen(windows[i].code);

		if (strncasecmp(code, windows[i].code, len) == 0 &&
		    strspn(code, "0123456789abcdefABCDEF") == len)
			return windows[i].verdict;
	}
	return DIRECTORY_WRONG;
}

/* 389 Directory Server and FreeIPA. */
static bool
is_inactivated(const char *words)
{
	return words != NULL && strstr(words, "nactivated") != NULL;
}

enum directory_verdict
refusal_of(int code, const char *words, enum policy_said policy)
{
	switch (policy) {
	case POLICY_LOCKED:
		return DIRECTORY_LOCKED;
	case POLICY_EXPIRED:
		return DIRECTORY_EXPIRED;
	case POLICY_CHANGE:
		return DIRECTORY_MUST_CHANGE;
	case POLICY_NOTHING:
		break;
	}
	switch (code) {
	case SUCCESS:
		return DIRECTORY_RIGHT;
	case INVALID_CREDENTIALS:
		return windows_said(words);
	case NO_SUCH_OBJECT: /* the entry went meanwhile, or has no password */
	case INAPPROPRIATE:
		return DIRECTORY_WRONG;
	case CONSTRAINT:
		return DIRECTORY_LOCKED;
	case BUSY:
	case UNAVAILABLE:
		return DIRECTORY_UNAVAILABLE;
	case UNWILLING:
		return is_inactivated(words) ? DIRECTORY_DISABLED : DIRECTORY_REFUSED;
	default:
		/* Nothing was said about the password: it is no guess that failed. */
		return code < 0 ? DIRECTORY_UNAVAILABLE : DIRECTORY_REFUSED;
	}
}

const char *
refusal_text(enum directory_verdict v)
{
	static const char *const texts[DIRECTORY_VERDICT_COUNT] = {
		[DIRECTORY_RIGHT] = "the directory takes the password",
		[DIRECTORY_WRONG] = "the directory does not take the password",
		[DIRECTORY_UNKNOWN] = "the directory has nobody, or several, by that name",
		[DIRECTORY_DISABLED] = "the account is disabled, or may not come in now",
		[DIRECTORY_LOCKED] = "the account is locked",
		[DIRECTORY_EXPIRED] = "the account or its password has expired",
		[DIRECTORY_MUST_CHANGE] = "the password must be changed first",
		[DIRECTORY_REFUSED] = "the directory refuses to judge: look at the provider's settings",
		[DIRECTORY_UNAVAILABLE] = "no server of the directory answers as it should",
	};

	return v > 0 && v < DIRECTORY_VERDICT_COUNT ? texts[v] : "?";
}
