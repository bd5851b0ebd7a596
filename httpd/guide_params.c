#include "guide_params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "guard.h"

#define JSON_MAX 65536

static const char *const names[GUIDE_PARAM_COUNT] = {
	[GUIDE_IFID] = "ifid",
	[GUIDE_IFFILTER] = "iffilter",
	[GUIDE_TYPE] = "type",
	[GUIDE_HOST] = "host",
	[GUIDE_VLAN] = "vlan",
	[GUIDE_PAGE] = "currentPage",
	[GUIDE_PER_PAGE] = "perPage",
	[GUIDE_SORT] = "sortColumn",
	[GUIDE_ORDER] = "sortOrder",
	[GUIDE_MODE] = "mode",
	[GUIDE_VERSION] = "version",
	[GUIDE_ASN] = "asn",
	[GUIDE_COUNTRY] = "country",
	[GUIDE_OS] = "os",
	[GUIDE_MAC] = "mac",
	[GUIDE_CIDR] = "network_cidr",
	[GUIDE_NETWORK] = "network",
	[GUIDE_POOL] = "pool",
	[GUIDE_PROTOCOL] = "protocol",
	[GUIDE_APPLICATION] = "application",
	[GUIDE_L4] = "l4proto",
	[GUIDE_PORT] = "port",
	[GUIDE_VERBOSE] = "verbose",
	[GUIDE_LIMIT] = "limit",
	[GUIDE_HOST_FLOWS] = "host_stats_flows",
	[GUIDE_SCHEMA] = "ts_schema",
	[GUIDE_QUERY] = "ts_query",
	[GUIDE_BEGIN] = "epoch_begin",
	[GUIDE_END] = "epoch_end",
	[GUIDE_STATS_MODE] = "ndpistats_mode",
	[GUIDE_BREED] = "breed",
	[GUIDE_USERNAME] = "username",
};

const char *
guide_param_name(enum guide_param which)
{
	return names[which];
}

static enum guide_param
find(const char *name, size_t len)
{
	unsigned i = 0;

	while (i < GUIDE_PARAM_COUNT && !(strlen(names[i]) == len && memcmp(names[i], name, len) == 0))
		i++;
	return (enum guide_param)i;
}

static bool
refuse(char *err, const char *name, const char *why)
{
	(void)snprintf(err, GUIDE_ERROR_MAX, "%s: %s", name, why);
	return false;
}

/* The same twice is a client that says it in two places; two values would be two requests. */
static bool
set(struct guide_params *p, enum guide_param which, const char *value, char *err)
{
	if (strlen(value) >= GUIDE_VALUE_MAX || !utf8_valid(value, strlen(value)))
		return refuse(err, names[which], "is too long, or no text");
	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return refuse(err, names[which], "is no text");
	if (value[0] == '\0')
		return true;
	if (p->value[which] != NULL)
		return strcmp(p->value[which], value) == 0 || refuse(err, names[which], "is given twice");
	p->value[which] = mem_strdup(value);
	return true;
}

/* --- "a=1&b=2" --- */

static bool
set_pair(struct guide_params *p, const char *pair, size_t len, char *err)
{
	const char *equals = memchr(pair, '=', len);
	size_t n = equals == NULL ? len : (size_t)(equals - pair);
	enum guide_param which = find(pair, n);
	char value[GUIDE_VALUE_MAX] = "";

	if (which == GUIDE_PARAM_COUNT)
		return true;
	if (equals != NULL && !percent_decode(equals + 1, len - n - 1, true, value, sizeof(value)))
		return refuse(err, names[which], "is too long, or no text");
	return set(p, which, value, err);
}

bool
guide_params_query(struct guide_params *p, const char *text, char err[static GUIDE_ERROR_MAX])
{
	unsigned n = 0;

	for (const char *at = text; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, "&");

		if (++n > GUIDE_MEMBERS_MAX) {
			(void)snprintf(err, GUIDE_ERROR_MAX, "more than %d parameters", GUIDE_MEMBERS_MAX);
			return false;
		}
		if (len > 0 && !set_pair(p, at, len, err))
			return false;
		at += len + (at[len] == '&');
	}
	return true;
}

/* --- JSON --- */

static bool
set_node(struct guide_params *p, enum guide_param which, const struct json_node *n, char *err)
{
	char number[32];
	const char *text = json_node_text(n);
	int64_t i;
	bool b;

	if (json_node_kind(n) == JSON_KIND_NULL)
		return true;
	if (json_node_bool(n, &b))
		text = b ? "true" : "false";
	if (json_node_int(n, &i)) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)i);
		text = number;
	}
	return text != NULL ? set(p, which, text, err)
			    : refuse(err, names[which], "is no text, number or truth");
}

static bool
set_members(struct guide_params *p, const struct json_node *root, char *err)
{
	const char *name;

	for (size_t i = 0; (name = json_node_name(root, i)) != NULL; i++) {
		enum guide_param which = find(name, strlen(name));

		if (i >= GUIDE_MEMBERS_MAX) {
			(void)snprintf(err, GUIDE_ERROR_MAX, "more than %d parameters", GUIDE_MEMBERS_MAX);
			return false;
		}
		if (which != GUIDE_PARAM_COUNT && !set_node(p, which, json_node_member(root, name), err))
			return false;
	}
	return true;
}

bool
guide_params_json(struct guide_params *p, const char *text, size_t len, char err[static GUIDE_ERROR_MAX])
{
	struct json_doc *d = json_parse(text, len, JSON_MAX, err, GUIDE_ERROR_MAX);
	bool good = d != NULL && set_members(p, json_root(d), err);

	json_doc_free(&d);
	return good;
}

void
guide_params_free(struct guide_params *p)
{
	for (unsigned i = 0; i < GUIDE_PARAM_COUNT; i++)
		mem_drop(&p->value[i]);
}

/* --- values --- */

bool
guide_number(const struct guide_params *p, enum guide_param which, int64_t lo, int64_t hi, int64_t *v,
	     char err[static GUIDE_ERROR_MAX])
{
	const char *text = p->value[which];
	size_t n = text == NULL ? 0 : strspn(text, "0123456789");
	int64_t x = 0;

	if (text == NULL)
		return true;
	for (size_t i = 0; i < n && n <= 12; i++)
		x = x * 10 + (text[i] - '0');
	if (n < 1 || n > 12 || text[n] != '\0' || x < lo || x > hi) {
		(void)snprintf(err, GUIDE_ERROR_MAX, "%s: is not a number from %lld to %lld", names[which],
			       (long long)lo, (long long)hi);
		return false;
	}
	*v = x;
	return true;
}

bool
guide_flag(const struct guide_params *p, enum guide_param which)
{
	const char *text = p->value[which];

	return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

bool
guide_host(const struct guide_params *p, struct ip_addr *ip, uint16_t *vlan)
{
	char text[IP_TEXT_MAX], err[GUIDE_ERROR_MAX];
	const char *host = p->value[GUIDE_HOST];
	size_t n = host == NULL ? 0 : strcspn(host, "@");
	struct guide_params behind = { 0 };
	int64_t number = 0;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, host, n);
	text[n] = '\0';
	if (host[n] == '@')
		behind.value[GUIDE_VLAN] = p->value[GUIDE_HOST] + n + 1;
	else
		behind.value[GUIDE_VLAN] = p->value[GUIDE_VLAN];
	if (!ip_parse(text, ip) || !guide_number(&behind, GUIDE_VLAN, 0, 4095, &number, err))
		return false;
	*vlan = (uint16_t)number;
	return true;
}

bool
guide_query_value(const char *query, const char *key, char out[static GUIDE_VALUE_MAX])
{
	size_t n = strlen(key);

	while (query != NULL && *query != '\0') {
		size_t len = strcspn(query, ",");

		if (len > n + 1 && len - n - 1 < GUIDE_VALUE_MAX && memcmp(query, key, n) == 0 &&
		    query[n] == ':') {
			memcpy(out, query + n + 1, len - n - 1);
			out[len - n - 1] = '\0';
			return true;
		}
		query += len + (query[len] == ',');
	}
	return false;
}
