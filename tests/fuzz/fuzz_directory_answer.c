/* Texts of which a directory's answers consist: names of groups, and attributes that are told in parts. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dn.h"
#include "range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Letters say nothing. */
static void
is_compared(char *text)
{
	char *first = dn_first(text), *normal = dn_normal(text), *again;

	assert(normal == NULL || normal[0] == '\0' || first != NULL);
	free(first);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)(isascii((unsigned char)*c) ? toupper((unsigned char)*c) : *c);
	again = dn_normal(text);
	assert((normal == NULL) == (again == NULL) && (normal == NULL || strcmp(normal, again) == 0));
	free(normal);
	free(again);
	free(dn_value(text));
}

static void
is_told_in_parts(const char *text)
{
	char asks[64];
	struct range r;

	if (!range_read(text, "memberOf", &r))
		return;
	assert(r.next == 0 || r.next > r.first);
	assert(range_write("memberOf", r.next, asks, sizeof(asks)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = mem_calloc(size, 1);
	memcpy(text, data + 1, size - 1);
	if (data[0] % 2 == 0)
		is_compared(text);
	else
		is_told_in_parts(text);
	free(text);
	return 0;
}
