/* A DNS message of a stranger: names are bounded, printable and terminated, answers are no more than there is
 * room for. */
#include <assert.h>
#include <string.h>

#include "dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_answers a;

	if (!dns_parse(data, size, &a))
		return 0;
	assert(a.name_len > 0 && a.name_len <= DNS_NAME_MAX && strlen(a.name) == a.name_len);
	assert(a.n > 0 && a.n <= DNS_ANSWERS_MAX);
	for (size_t i = 0; i < a.name_len; i++)
		assert(a.name[i] > ' ' && a.name[i] < 0x7f && !(a.name[i] >= 'A' && a.name[i] <= 'Z'));
	/* Nothing but the bytes given decides. */
	struct dns_answers again;
	assert(dns_parse(data, size, &again) && strcmp(a.name, again.name) == 0 && a.n == again.n);
	return 0;
}
