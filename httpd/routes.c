#include "routes.h"

#include <string.h>

#include "api.h"
#include "base/mem.h"
#include "guard.h"
#include "params.h"

#define PAGED (PARAM(LIMIT) | PARAM(CURSOR))

/* clang-format off */
static const struct route routes[] = {
	/* path            method       served by         needs                                    parameters */
	{ "/health",       METHOD_GET,  api_health,       0,                                       0, 0 },
	{ "/openapi.json", METHOD_GET,  api_openapi,      0,                                       0, 0 },
	{ "/setup",        METHOD_GET,  api_setup_state,  0,                                       0, 0 },
	{ "/setup",        METHOD_POST, api_setup,        ROUTE_LOGIN | ROUTE_BODY,                0, 0 },
	{ "/login",        METHOD_POST, api_login,        ROUTE_LOGIN | ROUTE_BODY,                0, 0 },
	{ "/logout",       METHOD_POST, api_logout,       ROUTE_SESSION | ROUTE_CSRF,              0, 0 },
	{ "/me",           METHOD_GET,  api_me,           ROUTE_SESSION,                           0, 0 },
	{ "/interfaces",   METHOD_GET,  api_interfaces,   ROUTE_SESSION,                           0, 0 },
	{ "/hosts",        METHOD_GET,  api_hosts,        ROUTE_SESSION,
	  PAGED | PARAM(SORT) | PARAM(ORDER) | PARAM(INTERFACE),
	  SORTABLE(BYTES) | SORTABLE(RATE) | SORTABLE(FLOWS) | SORTABLE(LAST) | SORTABLE(SCORE) },
	{ "/hosts/{}",     METHOD_GET,  api_host,         ROUTE_SESSION,                           PARAM(VLAN) | PARAM(SPACE), 0 },
	{ "/devices",      METHOD_GET,  api_devices,      ROUTE_SESSION,
	  PAGED | PARAM(SORT) | PARAM(ORDER) | PARAM(INTERFACE), SORTABLE(BYTES) | SORTABLE(FIRST) | SORTABLE(LAST) },
	{ "/flows",        METHOD_GET,  api_flows,        ROUTE_SESSION,
	  PAGED | PARAM(SORT) | PARAM(ORDER) | PARAM(INTERFACE) | PARAM(HOST) | PARAM(APPLICATION) | PARAM(FROM) | PARAM(TO),
	  SORTABLE(RATE) | SORTABLE(BYTES) | SORTABLE(FIRST) | SORTABLE(LAST) | SORTABLE(SCORE) },
	{ "/flows/{}",     METHOD_GET,  api_flow,         ROUTE_SESSION,                           0, 0 },
	{ "/applications", METHOD_GET,  api_applications, ROUTE_SESSION,                           PARAM(LIMIT), 0 },
	{ "/timeseries",   METHOD_GET,  api_timeseries,   ROUTE_SESSION,
	  PARAM(SUBJECT) | PARAM(KEY) | PARAM(FROM) | PARAM(TO) | PARAM(RESOLUTION), 0 },
	{ "/totals",       METHOD_GET,  api_totals,       ROUTE_SESSION,                           0, 0 },
	{ "/live",         METHOD_GET,  api_live,         ROUTE_SESSION | ROUTE_STREAM,            0, 0 },
};
/* clang-format on */

/* Whether path is the route's; its last segment, decoded, where the route has one. */
static bool
matches(const struct route *r, const char *path, char segment[static SEGMENT_MAX])
{
	size_t n = strlen(r->path);

	segment[0] = '\0';
	if (r->path[n - 1] != '}')
		return strcmp(path, r->path) == 0;
	n -= 2;
	return strncmp(path, r->path, n) == 0 && path[n] != '\0' && strchr(path + n, '/') == NULL &&
	       percent_decode(path + n, strlen(path + n), false, segment, SEGMENT_MAX);
}

const struct route *
route_find(const char *path, unsigned method, char segment[static SEGMENT_MAX], unsigned *methods)
{
	static const size_t prefix = sizeof(API_PREFIX) - 1;

	*methods = 0;
	if (strncmp(path, API_PREFIX, prefix) != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!matches(&routes[i], path + prefix, segment))
			continue;
		if (routes[i].method == method)
			return &routes[i];
		*methods |= routes[i].method;
	}
	return NULL;
}
