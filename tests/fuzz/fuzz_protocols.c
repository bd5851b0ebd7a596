/* A line of the user's protocols file: what passes is a rule of one line that passes again as it is. */
#include <assert.h>
#include <string.h>

#include "protocols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[1024], rule[PROTOCOLS_RULE_MAX], again[PROTOCOLS_RULE_MAX];

	if (size >= sizeof(line))
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	if (protocols_line(line, rule) != NULL) {
		assert(rule[0] == '\0');
		return 0;
	}
	if (rule[0] == '\0')
		return 0;
	assert(strchr(rule, '@') != NULL && strpbrk(rule, "\r\n#") == NULL);
	assert(protocols_line(rule, again) == NULL && strcmp(rule, again) == 0);
	return 0;
}
