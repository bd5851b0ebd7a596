/* What a server means by not taking a password: its result code, the words of Active Directory, and the
 * control of password policies. */
#ifndef WEIR_DIRECTORY_REFUSAL_H
#define WEIR_DIRECTORY_REFUSAL_H

#include "ipc/wire.h"

/* Of a password policy's answer (draft-behera-ldap-password-policy-10, section 6.2). */
enum policy_said { POLICY_NOTHING, POLICY_LOCKED, POLICY_EXPIRED, POLICY_CHANGE };

/* code: an LDAP result (RFC 4511 section 4.1.9); words: its diagnostic message, of a stranger's. */
enum directory_verdict refusal_of(int code, const char *words, enum policy_said policy);
/* A sentence for the administrator. */
const char *refusal_text(enum directory_verdict v);

#endif
