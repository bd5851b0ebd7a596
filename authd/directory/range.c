#include "range.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPTION "range="

/* A number below UINT32_MAX at *text, which is moved behind it. */
static bool
take_number(const char **text, uint32_t *out)
{
	char *end;
	unsigned long v;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	v = strtoul(*text, &end, 10);
	*text = end;
	*out = (uint32_t)v;
	return errno == 0 && v < UINT32_MAX;
}

/* "0-1499" or "1500-*", up to the next option or the end. */
static bool
read_numbers(const char *text, struct range *r)
{
	uint32_t last;

	if (!take_number(&text, &r->first) || *text++ != '-')
		return false;
	r->next = 0;
	if (*text == '*') {
		text++;
	} else {
		if (!take_number(&text, &last) || last < r->first)
			return false;
		r->next = last + 1;
	}
	return *text == '\0' || *text == ';';
}

bool
range_read(const char *description, const char *attribute, struct range *r)
{
	size_t len = strlen(attribute);
	const char *option;

	if (strncasecmp(description, attribute, len) != 0)
		return false;
	for (option = description + len; *option == ';'; option += strcspn(option, ";")) {
		option++;
		if (strncasecmp(option, OPTION, strlen(OPTION)) == 0)
			return read_numbers(option + strlen(OPTION), r);
	}
	return false;
}

bool
range_write(const char *attribute, uint32_t first, char *out, size_t size)
{
	int n = snprintf(out, size, "%s;" OPTION "%u-*", attribute, first);

	return n > 0 && (size_t)n < size;
}
