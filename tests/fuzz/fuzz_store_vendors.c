/* A list of vendors of any bytes: names are bounded, and what was added can be found. */
#include <assert.h>

#include "vendors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vendors *v = vendors_new();
	const uint8_t mac[6] = { 0x00, 0x22, 0x72, 0x55, 0xda, 0x01 };
	size_t len, n = vendors_read(v, data, size);

	if (vendors_find(v, mac, &len) != NULL)
		assert(n > 0 && len > 0 && len <= VENDOR_NAME_MAX);
	vendors_free(&v);
	return 0;
}
