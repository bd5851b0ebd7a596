/* Where in a JSON text a byte stands, also where the text is not valid. Pure. */
#ifndef WEIR_BASE_JSON_PATH_H
#define WEIR_BASE_JSON_PATH_H

#include <stddef.h>

#define JSON_PATH_DEPTH 8 /* deeper ones are cut */

/* The path of the value in which text[offset] stands: "access[2].networks[0]"; "" for the whole. Bytes of
 * names that cannot be printed become '?'. Always terminated; a path that is longer than out is cut. */
void json_path_at(const char *text, size_t len, size_t offset, char *out, size_t size);

#endif
