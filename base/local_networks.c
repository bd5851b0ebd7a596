#include "base/local_networks.h"

#include "base/log.h"
#include "base/mem.h"

uint32_t
local_networks_read(const struct settings *set, struct ip_prefix out[static LOCAL_NETWORKS_MAX])
{
	static const char *const usual[] = { "10.0.0.0/8",    "172.16.0.0/12",  "192.168.0.0/16",
					     "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
					     "fc00::/7",      "fe80::/10",      "::1/128" };
	uint32_t given = set->local_networks.n == 0 ? ARRAY_LEN(usual) : set->local_networks.n, n = 0;

	for (uint32_t i = 0; i < given && n < LOCAL_NETWORKS_MAX; i++) {
		const char *text = set->local_networks.n == 0 ? usual[i] : set->local_networks.item[i];

		if (prefix_parse(text, &out[n]))
			n++;
		else
			log_warn("local_networks: %s is no network: left out", text);
	}
	return n;
}
