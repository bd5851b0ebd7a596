/* The formats of snprintf that inspection uses most, without libc's interpreter of formats. */
#ifndef WEIR_ENGINE_FORMAT_H
#define WEIR_ENGINE_FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* As vsnprintf, with *len what it would return. False: not one of those; nothing was written, and values is
 * used up. */
bool format_quickly(char *out, size_t size, const char *format, va_list values, int *len);

#endif
