/*
 * snprintf for what nDPI writes with it, hundreds of times for each greeting of TLS: a number behind a dash,
 * or a byte in hexadecimal. The linker binds the calls of every library of the process to this one, so it
 * does whatever snprintf does; what is none of these goes to libc. They were an eighth of the engine's
 * instructions.
 */
#include "format.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As snprintf with the whole text there: what fits, and how long it is. */
static int
give(char *out, size_t size, const char *text, size_t len)
{
	size_t fits = len < size ? len : size - 1;

	if (size > 0) {
		memcpy(out, text, fits);
		out[fits] = '\0';
	}
	return (int)len;
}

/* "%s%u" where the text is empty or one character. */
static int
text_and_number(char *out, size_t size, const char *text, unsigned n)
{
	char all[16], *end = all + sizeof(all), *p = end;

	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	if (text[0] != '\0')
		*--p = text[0];
	return give(out, size, p, (size_t)(end - p));
}

static int
hexadecimal(char *out, size_t size, const char *digits, unsigned byte)
{
	const char all[2] = { digits[byte >> 4], digits[byte & 15] };

	return give(out, size, all, sizeof(all));
}

bool
format_quickly(char *out, size_t size, const char *format, va_list values, int *len)
{
	const char *text;
	unsigned n;

	if (strcmp(format, "%s%u") == 0) {
		text = va_arg(values, const char *);
		if (text == NULL || (text[0] != '\0' && text[1] != '\0'))
			return false;
		*len = text_and_number(out, size, text, va_arg(values, unsigned));
		return true;
	}
	if (strcmp(format, "%02X") == 0 || strcmp(format, "%02x") == 0) {
		n = va_arg(values, unsigned);
		if (n > UINT8_MAX)
			return false;
		*len = hexadecimal(out, size, format[3] == 'X' ? "0123456789ABCDEF" : "0123456789abcdef", n);
		return true;
	}
	return false;
}

#if defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): libc's name for a call of snprintf
 * with a buffer whose size the compiler saw */
int __snprintf_chk(char *out, size_t size, int flag, size_t room, const char *format, ...)
    __attribute__((format(printf, 5, 6), used));

int
__snprintf_chk(char *out, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list values;
	bool quick;
	int len = 0;

	(void)flag;
	if (size > room)
		abort();
	va_start(values, format);
	quick = format_quickly(out, size, format, values, &len);
	va_end(values);
	if (quick)
		return len;
	va_start(values, format);
	len = vsnprintf(out, size, format, values);
	va_end(values);
	return len;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#endif
