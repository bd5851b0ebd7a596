/* What a user may be called. */
#ifndef WEIR_AUTHD_USER_NAME_H
#define WEIR_AUTHD_USER_NAME_H

#define USER_NAME_MAX 64 /* bytes */

/* NULL where name may be used, else a sentence for the person who chose it. */
const char *user_name_judge(const char *name);

#endif
