/* The parameter `filter` of a request, as store takes it. */
#ifndef WEIR_HTTPD_FILTER_PARAM_H
#define WEIR_HTTPD_FILTER_PARAM_H

#include <stddef.h>
#include <stdint.h>

struct request;

/* program: len bytes in memory that the callee frees; NULL, 0: no filter. */
typedef void filtered_fn(struct request *r, uint8_t *program, size_t len);

/* The wire form of a filter's text, len bytes in memory that the caller frees; NULL with *e where it is
 * wrong. */
struct filter_error;
uint8_t *filter_program_of(const char *text, size_t *len, struct filter_error *e);

/* Calls fn once, perhaps at once, with the program of r's filter; or answers r with what is wrong with it,
 * and where. A filter is looked at only once it is known who asks: strangers get no parser. Without a filter
 * nobody is asked. */
void filter_param(struct request *r, filtered_fn *fn);

#endif
