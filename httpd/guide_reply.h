/* Answers of the guide's API: ntopng's envelope, {"rc","rc_str","rc_str_hr","rsp"}. */
#ifndef WEIR_HTTPD_GUIDE_REPLY_H
#define WEIR_HTTPD_GUIDE_REPLY_H

#include "base/json_write.h"

struct request;

/* ntopng's words and numbers. */
enum guide_rc {
	GUIDE_OK = 0,
	GUIDE_NOT_FOUND = -1,
	GUIDE_INVALID_INTERFACE = -2,
	GUIDE_NOT_GRANTED = -3,
	GUIDE_INVALID_HOST = -4,
	GUIDE_INVALID_ARGUMENTS = -5,
	GUIDE_INTERNAL_ERROR = -6,
	GUIDE_BAD_FORMAT = -7,
	GUIDE_BAD_CONTENT = -8
};

/* A writer in which the envelope is open: the caller writes "rsp" (and what ntopng has beside it). */
struct json_writer *guide_begin(void);
/* Closes the envelope and answers 200; takes *w. */
void guide_end(struct request *r, struct json_writer **w);
/* A refusal, whose "rsp" is empty. detail goes behind ntopng's words; "": nothing. A 401 says how to come in.
 */
void guide_refuse(struct request *r, enum guide_rc rc, int status, const char *detail);
/* The same of a problem as /api/v1 has them: status says which code it is. field and detail may be NULL. */
void guide_problem(struct request *r, int status, const char *field, const char *detail);

#endif
