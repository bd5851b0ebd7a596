/* The table of the guide's API: an auditor reads what is served, how it is asked, and what changes something.
 */
#include <string.h>

#include "base/mem.h"
#include "guide.h"

#define READ  (METHOD_GET | METHOD_POST)
#define WRITE METHOD_POST

/* clang-format off */
static const struct guide_route routes[] = {
	/* path                         methods, served by,           changes, with its interface */
	{ "get/ntopng/interfaces",      READ,  guide_interfaces,      false, NULL },
	{ "get/interface/data",         READ,  guide_interface_data,  false, guide_interface_data_of },
	{ "get/interface/l7/stats",     READ,  guide_find_point,      false, guide_interface_l7 },
	{ "get/interface/top/hosts",    READ,  guide_find_point,      false, guide_top_hosts },
	{ "get/interface/timeseries",   READ,  guide_series,          false, guide_series_of },
	{ "get/timeseries/ts",          READ,  guide_series,          false, guide_series_of },
	{ "get/host/active",            READ,  guide_find_point,      false, guide_hosts },
	{ "get/host/data",              READ,  guide_find_point,      false, guide_host_data },
	{ "get/host/l7/stats",          READ,  guide_find_point,      false, guide_host_l7 },
	{ "get/host/top_talkers",       READ,  guide_find_point,      false, guide_top_talkers },
	{ "get/host/alert/list",        READ,  guide_find_point,      false, guide_alerts },
	{ "get/flow/active",            READ,  guide_find_point,      false, guide_flows },
	{ "get/flow/alert/list",        READ,  guide_find_point,      false, guide_alerts },
	{ "get/alert/engaged",          READ,  guide_find_point,      false, guide_alerts },
	{ "get/ntopng/users",           READ,  guide_users,           false, NULL },
	{ "create/ntopng/api_token",    WRITE, guide_api_token,       true,  NULL },
};
/* clang-format on */

const struct guide_route *
guide_route_find(const char *path)
{
	static const char prefix[] = GUIDE_PREFIX "v2/";
	size_t len;

	if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	path += sizeof(prefix) - 1;
	len = strlen(path);
	if (len > 4 && strcmp(path + len - 4, ".lua") == 0)
		len -= 4;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (strlen(routes[i].path) == len && memcmp(routes[i].path, path, len) == 0)
			return &routes[i];
	return NULL;
}
