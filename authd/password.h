/* Which passwords are accepted: long enough and not one of those that everybody tries first. No character
 * classes. */
#ifndef WEIR_AUTHD_PASSWORD_H
#define WEIR_AUTHD_PASSWORD_H

#include <stddef.h>

/* NULL where password may be used by user name, else a sentence for the person who chose it. least counts
 * characters. */
const char *password_judge(const char *password, const char *name, size_t least);

/* Lower case, ascending; all of them at least 8 characters long, which is the least that settings allow. */
extern const char *const common_passwords[];
extern const size_t common_passwords_count;

#endif
