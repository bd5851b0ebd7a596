#include "page_address.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/ip.h"
#include "base/mem.h"
#include "interface.h"
#include "ipc/wire.h"

#define SECRET_TEXT_MAX                                                                                      \
	sodium_base64_ENCODED_LEN(SETUP_SECRET_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

const char *
page_address(const struct settings *s, char out[static PAGE_ADDRESS_MAX])
{
	struct ip_addr a;
	char route[32], text[IP_TEXT_MAX];
	static const struct ip_addr any6, any4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0 } };
	bool known = ip_parse(s->http_address, &a) && !ip_equal(&a, &any6) && !ip_equal(&a, &any4);

	if (!known)
		known = interface_addresses(interface_of_default_route(route, sizeof(route)) ? route : NULL,
					    &a, 1) == 1;
	if (known)
		(void)snprintf(out, PAGE_ADDRESS_MAX, ip_is_v4(&a) ? "https://%s:%d" : "https://[%s]:%d",
			       ip_format(&a, text), (int)s->https_port);
	else
		(void)snprintf(out, PAGE_ADDRESS_MAX, "https://localhost:%d", (int)s->https_port);
	return out;
}

void
page_address_print_link(const struct settings *s, const uint8_t *secret)
{
	char address[PAGE_ADDRESS_MAX], text[SECRET_TEXT_MAX];

	sodium_bin2base64(text, sizeof(text), secret, SETUP_SECRET_BYTES,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	printf("  %s/setup#%s\n", page_address(s, address), text);
	(void)fflush(stdout);
	sodium_memzero(text, sizeof(text));
}
