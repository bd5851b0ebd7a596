/* A DNS message of a stranger: names are bounded, printable and terminated, answers are no more than there is
 * room for, whoever is said to have sent it. */
#include <assert.h>
#include <string.h>

#include "dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned n;
	uint64_t sum;
};

static void
found(void *ctx, const struct ip_addr *ip, const char *name, size_t len)
{
	struct seen *s = ctx;

	assert(len > 0 && len <= DNS_NAME_MAX && strlen(name) == len);
	for (size_t i = 0; i < len; i++) {
		assert(name[i] > ' ' && name[i] < 0x7f && !(name[i] >= 'A' && name[i] <= 'Z'));
		s->sum = s->sum * 31 + (unsigned char)name[i];
	}
	s->sum = s->sum * 31 + ip->b[15];
	assert(++s->n <= DNS_ANSWERS_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int multicast = 0; multicast < 2; multicast++) {
		struct seen once = { 0 }, again = { 0 };

		/* Nothing but the bytes given decides. */
		dns_read(data, size, multicast, found, &once);
		dns_read(data, size, multicast, found, &again);
		assert(once.n == again.n && once.sum == again.sum);
	}
	return 0;
}
