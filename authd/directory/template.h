/*
 * %username% and %userdn% in filters and distinguished names, with what a stranger typed escaped for the
 * place that it comes to.
 */
#ifndef WEIR_DIRECTORY_TEMPLATE_H
#define WEIR_DIRECTORY_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

enum template_kind {
	TEMPLATE_FILTER, /* RFC 4515 section 3: ( ) * \ and control bytes as \xx */
	TEMPLATE_DN,     /* an attribute's value in a distinguished name: RFC 4514 section 2.4 */
	TEMPLATE_PLAIN   /* a user principal name: %username% has no byte that is escaped anywhere */
};

/* userdn may be NULL: then %userdn% has no meaning. False where the text does not fit, a %word% is none of
 * the two, or a name cannot stand there. */
bool template_expand(const char *text, enum template_kind kind, const char *username, const char *userdn,
		     char *out, size_t size);

/* The attribute that the first (attribute=%username%) of a filter compares. False where there is none, or it
 * does not fit. */
bool template_attribute(const char *filter, char *out, size_t size);

#endif
