/* A DHCP message of a stranger: a name is bounded, printable and terminated. */
#include <assert.h>
#include <string.h>

#include "dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dhcp_message m;

	if (!dhcp_read(data, size, &m))
		return 0;
	assert(size >= 240);
	assert(m.kind <= DHCP_GIVES && m.name_len <= DHCP_NAME_MAX && strlen(m.name) == m.name_len);
	for (size_t i = 0; i < m.name_len; i++)
		assert(m.name[i] > ' ' && m.name[i] < 0x7f && !(m.name[i] >= 'A' && m.name[i] <= 'Z'));
	assert(m.kind != DHCP_GIVES || ip_is_v4(&m.ip));
	return 0;
}
