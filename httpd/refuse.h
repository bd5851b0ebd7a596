/* What an inquiry that found no answer is told to the client: one place for all. */
#ifndef WEIR_HTTPD_REFUSE_H
#define WEIR_HTTPD_REFUSE_H

#include "inquiry.h"

struct request;

/* Answers r with a problem; end is not INQUIRY_OK. */
void refuse_inquiry(struct request *r, enum inquiry_end end);
/* The same in a few words, for streams. */
const char *inquiry_why(enum inquiry_end end);

#endif
