#include "text.h"

const char *
text_escape(char *out, size_t size, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < len && at + 5 <= size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c < 0x7f) {
			out[at++] = (char)c;
			continue;
		}
		out[at++] = '\\';
		out[at++] = 'x';
		out[at++] = hex[c >> 4];
		out[at++] = hex[c & 15];
	}
	out[at] = '\0';
	return out;
}
