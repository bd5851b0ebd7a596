/* Names and values of a query or a form (application/x-www-form-urlencoded). Pure. */
#ifndef WEIR_HTTPD_FORM_H
#define WEIR_HTTPD_FORM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The value of name in text[len] into out[size], decoded; "" where it is not there. False where it is there
 * twice, does not fit, or is badly written. What else is there does not matter: whoever sends it may add what
 * it likes.
 */
bool form_take(const char *text, size_t len, const char *name, char *out, size_t size);

#endif
