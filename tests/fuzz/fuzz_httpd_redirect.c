/* The head of a request on the HTTP port: whatever comes in, one well-formed answer goes out. */
#include <assert.h>
#include <string.h>

#include "redirect.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char out[REDIRECT_ANSWER_MAX];
	size_t n = redirect_answer((const char *)data, len, 3001, out), lines = 0;

	assert(n > 16 && n < sizeof(out) && memcmp(out + n - 4, "\r\n\r\n", 4) == 0);
	assert(memcmp(out, "HTTP/1.1 308 ", 13) == 0 || memcmp(out, "HTTP/1.1 400 ", 13) == 0);
	/* No byte of the request makes a line of the answer. */
	for (size_t i = 0; i < n; i++)
		lines += out[i] == '\n' || out[i] == '\r';
	assert(lines == (out[9] == '3' ? 10 : 8));
	return 0;
}
