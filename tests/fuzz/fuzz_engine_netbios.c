/* A NetBIOS message of a stranger: names are bounded, printable and terminated. */
#include <assert.h>
#include <string.h>

#include "netbios.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
found(void *ctx, const struct ip_addr *ip, const char *name, size_t len)
{
	(void)ctx;
	(void)ip;
	assert(len > 0 && len <= NETBIOS_NAME_MAX && strlen(name) == len);
	for (size_t i = 0; i < len; i++)
		assert(name[i] > ' ' && name[i] < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_addr source = { { 0 } };

	netbios_read(data, size, &source, found, NULL);
	return 0;
}
