#include "routes.h"

#include <string.h>

#include "api.h"
#include "base/mem.h"
#include "guard.h"
#include "params.h"

/* What can be sent as CSV or NDJSON; a link has no headers, so it names the tenant too. */
#define TABLE   (PARAM(FORMAT) | PARAM(TENANT))
#define PAGED   (PARAM(LIMIT) | PARAM(CURSOR) | TABLE)
#define NAMED   (PARAM(LIMIT) | PARAM(PLACE) | TABLE)
#define AUDITED (NAMED | PARAM(FROM) | PARAM(TO) | PARAM(ACTOR) | PARAM(KIND))

#define NOTHING       0, 0, NULL, NULL
#define OPERATION(op) 0, 0, op, NULL
#define OF(op, named) 0, 0, op, named
#define LISTED        (PAGED | PARAM(SORT) | PARAM(ORDER) | PARAM(INTERFACE))
#define SUMMED        (PAGED | PARAM(SORT) | PARAM(ORDER))
#define GROUPED                                                                                              \
	(PARAM(BY) | PARAM(MEASURE) | PARAM(MEASURES) | PARAM(BUCKET) | PARAM(PREFIX) | PARAM(PREFIX6) |     \
	 PARAM(FROM) | PARAM(TO) | PARAM(LIMIT) | PARAM(ORDER) | PARAM(INTERFACE) | PARAM(FILTER) | TABLE)
#define READ       ROUTE_SESSION
#define WRITE      (ROUTE_SESSION | ROUTE_CSRF)
#define WRITE_BODY (WRITE | ROUTE_BODY)

/* clang-format off */
static const struct route routes[] = {
	/* path                   method         served by         needs                        parameters, sorts, operation, its member */
	{ "/health",              METHOD_GET,    api_health,       0,                           NOTHING },
	{ "/openapi.json",        METHOD_GET,    api_openapi,      0,                           NOTHING },
	{ "/setup",               METHOD_GET,    api_setup_state,  0,                           NOTHING },
	{ "/setup",               METHOD_POST,   api_setup,        ROUTE_LOGIN | ROUTE_BODY,    NOTHING },
	{ "/login",               METHOD_POST,   api_login,        ROUTE_LOGIN | ROUTE_BODY,    NOTHING },
	{ "/login/second-factor", METHOD_POST,   api_second_factor, ROUTE_LOGIN | ROUTE_BODY,   NOTHING },
	{ "/session/providers",   METHOD_GET,    api_providers,    0, PARAM(USER), 0, NULL, NULL },
	{ "/session/oidc/{}/start", METHOD_GET,  api_oidc_start,   ROUTE_ONCE,                  NOTHING },
	{ "/session/oidc/{}/callback", METHOD_GET, api_oidc_callback, ROUTE_ONCE | ROUTE_ARRIVAL, NOTHING },
	{ "/session/oidc/{}/end", METHOD_GET,    api_oidc_end,     ROUTE_ONCE,                  NOTHING },
	{ "/session/oidc/{}/backchannel", METHOD_POST, api_oidc_backchannel, ROUTE_FORM,        NOTHING },
	{ "/logout",              METHOD_POST,   api_logout,       WRITE | ROUTE_PERSON,        NOTHING },

	{ "/interfaces",          METHOD_GET,    api_interfaces,   READ, TABLE, 0, NULL, NULL },
	{ "/hosts",               METHOD_GET,    api_hosts,        READ, LISTED,
	  SORTABLE(BYTES) | SORTABLE(RATE) | SORTABLE(FLOWS) | SORTABLE(LAST) | SORTABLE(SCORE), NULL, NULL },
	{ "/hosts/{}",            METHOD_GET,    api_host,         READ, PARAM(VLAN) | PARAM(SPACE), 0, NULL, NULL },
	{ "/devices",             METHOD_GET,    api_devices,      READ, LISTED, SORTABLE(BYTES) | SORTABLE(FIRST) | SORTABLE(LAST), NULL, NULL },
	{ "/flows",               METHOD_GET,    api_flows,        READ,
	  LISTED | PARAM(HOST) | PARAM(APPLICATION) | PARAM(FROM) | PARAM(TO) | PARAM(FILTER),
	  SORTABLE(RATE) | SORTABLE(BYTES) | SORTABLE(FIRST) | SORTABLE(LAST) | SORTABLE(SCORE), NULL, NULL },
	{ "/flows/top",           METHOD_GET,    api_top_flows,    READ, GROUPED, 0, NULL, NULL },
	{ "/flows/live",          METHOD_GET,    api_flows_live,   READ | ROUTE_STREAM,
	  PARAM(INTERFACE) | PARAM(HOST) | PARAM(APPLICATION) | PARAM(FILTER) | PARAM(TENANT), 0, NULL, NULL },
	{ "/flows/{}",            METHOD_GET,    api_flow,         READ,                        NOTHING },
	{ "/search",              METHOD_GET,    api_search,       READ, PARAM(SEARCH), 0, NULL, NULL },
	{ "/filter",              METHOD_GET,    api_filter,       READ | ROUTE_TAGGED, PARAM(FILTER), 0, NULL, NULL },
	{ "/applications",        METHOD_GET,    api_applications, READ, PARAM(LIMIT) | TABLE, 0, NULL, NULL },
	{ "/categories",          METHOD_GET,    api_categories,   READ, SUMMED, SORTABLE(BYTES) | SORTABLE(PACKETS), NULL, NULL },
	{ "/networks",            METHOD_GET,    api_networks,     READ, SUMMED, SORTABLE(BYTES) | SORTABLE(PACKETS), NULL, NULL },
	{ "/as",                  METHOD_GET,    api_as,           READ, SUMMED, SORTABLE(BYTES) | SORTABLE(PACKETS), NULL, NULL },
	{ "/countries",           METHOD_GET,    api_countries,    READ, SUMMED, SORTABLE(BYTES) | SORTABLE(PACKETS), NULL, NULL },
	{ "/timeseries",          METHOD_GET,    api_timeseries,   READ,
	  PARAM(SUBJECT) | PARAM(KEY) | PARAM(VLAN) | PARAM(SPACE) | PARAM(FROM) | PARAM(TO) | PARAM(RESOLUTION) | PARAM(PERCENTILE) | PARAM(LIMIT) | TABLE, 0, NULL, NULL },
	{ "/timeseries/subjects", METHOD_GET,    api_timeseries_subjects, READ, PARAM(SUBJECT) | PAGED, 0, NULL, NULL },
	{ "/alerts",              METHOD_GET,    api_alerts,       READ, PAGED | PARAM(FROM) | PARAM(TO), 0, NULL, NULL },
	{ "/alerts/live",         METHOD_GET,    api_alerts_live,  READ | ROUTE_STREAM, PARAM(TENANT), 0, NULL, NULL },
	{ "/totals",              METHOD_GET,    api_totals,       READ,                        NOTHING },
	{ "/live",                METHOD_GET,    api_live,         READ | ROUTE_STREAM, PARAM(TENANT), 0, NULL, NULL },

	{ "/me",                  METHOD_GET,    api_me,           READ,                        OPERATION("me.get") },
	{ "/me/password",         METHOD_POST,   api_admin,        WRITE_BODY | ROUTE_PERSON,   OPERATION("me.password") },
	{ "/me/second-factor",    METHOD_POST,   api_admin,        WRITE_BODY | ROUTE_PERSON,   OPERATION("second_factor.begin") },
	{ "/me/second-factor/confirm", METHOD_POST, api_admin,     WRITE_BODY | ROUTE_PERSON,   OPERATION("second_factor.confirm") },
	{ "/me/second-factor/recovery", METHOD_POST, api_admin,    WRITE_BODY | ROUTE_PERSON,   OPERATION("second_factor.recovery") },
	{ "/me/second-factor/remove", METHOD_POST, api_admin,      WRITE_BODY | ROUTE_PERSON,   OPERATION("second_factor.remove") },

	{ "/tenants",             METHOD_GET,    api_admin,        READ, NAMED, 0, "tenant.list", NULL },
	{ "/tenants",             METHOD_POST,   api_admin,        WRITE_BODY,                  OPERATION("tenant.add") },
	{ "/tenants/{}",          METHOD_GET,    api_admin,        READ,                        OF("tenant.get", "name") },
	{ "/tenants/{}",          METHOD_PATCH,  api_admin,        WRITE_BODY,                  OF("tenant.set", "name") },
	{ "/tenants/{}",          METHOD_DELETE, api_admin,        WRITE,                       OF("tenant.remove", "name") },
	{ "/users",               METHOD_GET,    api_admin,        READ, NAMED, 0, "user.list", NULL },
	{ "/users",               METHOD_POST,   api_admin,        WRITE_BODY,                  OPERATION("user.add") },
	{ "/users/{}",            METHOD_GET,    api_admin,        READ,                        OF("user.get", "name") },
	{ "/users/{}",            METHOD_PATCH,  api_admin,        WRITE_BODY,                  OF("user.set", "name") },
	{ "/users/{}",            METHOD_DELETE, api_admin,        WRITE,                       OF("user.remove", "name") },
	{ "/users/{}/password",   METHOD_POST,   api_admin,        WRITE_BODY,                  OF("user.password", "name") },
	{ "/users/{}/second-factor", METHOD_DELETE, api_admin,     WRITE,                       OF("second_factor.remove", "user") },
	{ "/groups",              METHOD_GET,    api_admin,        READ, NAMED, 0, "group.list", NULL },
	{ "/groups",              METHOD_POST,   api_admin,        WRITE_BODY,                  OPERATION("group.add") },
	{ "/groups/{}",           METHOD_GET,    api_admin,        READ,                        OF("group.get", "name") },
	{ "/groups/{}",           METHOD_PATCH,  api_admin,        WRITE_BODY,                  OF("group.set", "name") },
	{ "/groups/{}",           METHOD_DELETE, api_admin,        WRITE,                       OF("group.remove", "name") },
	{ "/sessions",            METHOD_GET,    api_admin,        READ, NAMED | PARAM(USER) | PARAM(ALL), 0, "session.list", NULL },
	{ "/sessions",            METHOD_DELETE, api_admin,        WRITE, PARAM(USER) | PARAM(OTHERS), 0, "session.end", NULL },
	{ "/sessions/{}",         METHOD_DELETE, api_admin,        WRITE,                       OF("session.end", "id") },
	{ "/tokens",              METHOD_GET,    api_admin,        READ, NAMED | PARAM(OWNER) | PARAM(ALL), 0, "token.list", NULL },
	{ "/tokens",              METHOD_POST,   api_admin,        WRITE_BODY,                  OPERATION("token.add") },
	{ "/tokens/{}",           METHOD_DELETE, api_admin,        WRITE,                       OF("token.remove", "id") },
	{ "/labels",              METHOD_GET,    api_admin,        READ | ROUTE_TAGGED, TABLE, 0, "label.list", NULL },
	{ "/labels",              METHOD_PUT,    api_admin,        WRITE_BODY,                  OPERATION("label.set") },
	{ "/watched",             METHOD_GET,    api_admin,        READ,                        OPERATION("watched.list") },
	{ "/watched",             METHOD_PUT,    api_admin,        WRITE_BODY,                  OPERATION("watched.set") },
	{ "/audit",               METHOD_GET,    api_admin,        READ, AUDITED, 0,            "audit.list", NULL },
	{ "/audit/anchor",        METHOD_POST,   api_admin,        WRITE,                       OPERATION("audit.anchor") },
	{ "/keys/{}/rotate",      METHOD_POST,   api_admin,        WRITE,                       OF("key.rotate", "which") },
	{ "/directory/explain",   METHOD_POST,   api_admin,        WRITE_BODY,                  OPERATION("directory.explain") },
	{ "/settings",            METHOD_GET,    api_admin,        READ | ROUTE_TAGGED, TABLE, 0, "setting.list", NULL },
	{ "/version",             METHOD_GET,    api_version,      READ,                        NOTHING },
	{ "/apply",               METHOD_POST,   api_admin,        WRITE_BODY,                  OPERATION("apply") },
};
/* clang-format on */

static const struct route metrics = { METRICS_PATH, METHOD_GET, api_metrics, READ | ROUTE_LOCAL, NOTHING };

/* Whether path is the route's; its segment, decoded, where the route has one. */
static bool
matches(const struct route *r, const char *path, char segment[static SEGMENT_MAX])
{
	const char *hole = strstr(r->path, "{}");
	size_t before, n;

	segment[0] = '\0';
	if (hole == NULL)
		return strcmp(path, r->path) == 0;
	before = (size_t)(hole - r->path);
	if (strncmp(path, r->path, before) != 0)
		return false;
	n = strcspn(path + before, "/");
	return n > 0 && strcmp(path + before + n, hole + 2) == 0 &&
	       percent_decode(path + before, n, false, segment, SEGMENT_MAX);
}

const struct route *
route_find(const char *path, unsigned method, char segment[static SEGMENT_MAX], unsigned *methods)
{
	static const size_t prefix = sizeof(API_PREFIX) - 1;

	*methods = 0;
	segment[0] = '\0';
	if (strcmp(path, metrics.path) == 0) {
		*methods = metrics.method;
		return metrics.method == method ? &metrics : NULL;
	}
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
