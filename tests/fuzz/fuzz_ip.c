/* Text of addresses and prefixes: what parses can be written and read back to the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[80], out[PREFIX_TEXT_MAX];
	struct ip_addr a, b;
	struct ip_prefix p, q;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (ip_parse(text, &a)) {
		char ip[IP_TEXT_MAX];

		assert(ip_parse(ip_format(&a, ip), &b) && ip_equal(&a, &b));
	}
	if (prefix_parse(text, &p)) {
		assert(prefix_contains(&p, &p.addr));
		assert(prefix_parse(prefix_format(&p, out), &q));
		assert(q.bits == p.bits && ip_equal(&p.addr, &q.addr));
	}
	return 0;
}
