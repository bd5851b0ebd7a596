/* Bytes that grow as they are written. */
#ifndef WEIR_HTTPD_TEXT_H
#define WEIR_HTTPD_TEXT_H

#include <stddef.h>

struct text {
	char *bytes; /* not terminated; NULL as long as nothing was written */
	size_t len, size;
};

/* Starts with zero. Memory is kept for the next use where len is set to 0. */
void text_add(struct text *t, const char *bytes, size_t len);
void text_free(struct text *t);

#endif
