/* What the rows of base/settings.def cannot say about a value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/ip.h"
#include "base/mem.h"
#include "base/server_url.h"
#include "config.h"
#include "secret_file.h"

#define SPEED_MAX UINT64_C(1000000000000000)

static const char *
is_absolute(const char *v)
{
	return v[0] == '/' ? NULL : "is no absolute path: begin it with /";
}

static const char *
is_absolute_or_empty(const char *v)
{
	return v[0] == '\0' ? NULL : is_absolute(v);
}

static const char *
is_secret_file(const char *v)
{
	return secret_file_is_named(v) ? NULL : "is neither an absolute path nor credential:NAME";
}

/* The longest socket name below it is "/directory-0/dial-0.sock". */
static const char *
is_run_directory(const char *v)
{
	if (strlen(v) + sizeof("/directory-0/dial-0.sock") > sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "is too long for the name of a socket";
	return is_absolute(v);
}

static const char *
is_interface(const char *v)
{
	if (strlen(v) > 15 || strpbrk(v, "/ \t:") != NULL || strcmp(v, ".") == 0 || strcmp(v, "..") == 0)
		return "is no name of an interface";
	return NULL;
}

static const char *
is_network(const char *v)
{
	struct ip_prefix p;

	return prefix_parse(v, &p) ? NULL : "is no network: write it as 10.0.0.0/8 or 2001:db8::/32";
}

size_t
config_address_space(const char *v, uint32_t *space)
{
	const char *equals = strrchr(v, '=');
	char *end;
	unsigned long n;

	if (equals == NULL || equals == v || equals[1] < '0' || equals[1] > '9')
		return 0;
	n = strtoul(equals + 1, &end, 10);
	if (*end != '\0' || n > 65535)
		return 0;
	*space = (uint32_t)n;
	return (size_t)(equals - v);
}

static const char *
is_address_space(const char *v)
{
	uint32_t space;

	return config_address_space(v, &space) > 0
		   ? NULL
		   : "is no interface and number: write it as eth1=7, up to 65535";
}

size_t
config_interface_speed(const char *v, uint64_t *speed)
{
	static const char units[] = "kMGT";
	const char *equals = strrchr(v, '='), *unit;
	uint64_t n = 0;
	size_t digits;

	if (equals == NULL || equals == v)
		return 0;
	digits = strspn(equals + 1, "0123456789");
	if (digits < 1 || digits > 15)
		return 0;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (uint64_t)(equals[1 + i] - '0');
	unit = equals + 1 + digits;
	if (*unit != '\0') {
		const char *at = strchr(units, *unit);

		if (at == NULL || unit[1] != '\0' || digits > 6)
			return 0;
		for (const char *u = units; u <= at; u++)
			n *= 1000;
	}
	*speed = n;
	return n == 0 || n > SPEED_MAX ? 0 : (size_t)(equals - v);
}

static const char *
is_interface_speed(const char *v)
{
	uint64_t speed;

	return config_interface_speed(v, &speed) > 0
		   ? NULL
		   : "is no interface and bits a second: write it as eth1=10G, up to 1000T";
}

static const char *
is_address(const char *v)
{
	struct ip_addr a;

	return ip_parse(v, &a) ? NULL
			       : "is no address: write it as 192.0.2.1 or 2001:db8::1, or 0.0.0.0 for all";
}

static const char *
is_level(const char *v)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(v, levels[i]) == 0)
			return NULL;
	return "is none of error, warn, info, debug";
}

static const char *
is_view(const char *v)
{
	return strcmp(v, "inner") == 0 || strcmp(v, "outer") == 0 ? NULL : "is neither inner nor outer";
}

static const char *
is_ldap_url(const char *v)
{
	struct server_url u;

	if (strncasecmp(v, "ldaps://", 8) != 0 && strncasecmp(v, "ldap://", 7) != 0)
		return "must begin with ldaps:// or ldap://";
	return server_url_ldap(v, &u) ? NULL : "must be a server alone, as ldaps://dc1.example.com";
}

/* Only these two words have a meaning between percent signs. */
static bool
has_strange_word(const char *v)
{
	static const char *const words[] = { "%username%", "%userdn%" };

	while ((v = strchr(v, '%')) != NULL) {
		size_t i = 0;

		while (i < ARRAY_LEN(words) && strncmp(v, words[i], strlen(words[i])) != 0)
			i++;
		if (i == ARRAY_LEN(words))
			return true;
		v += strlen(words[i]);
	}
	return false;
}

/* Without the name it would find the same entry for everybody. */
static const char *
is_user_filter(const char *v)
{
	return v[0] == '(' && strstr(v, "%username%") != NULL && strstr(v, "%userdn%") == NULL &&
		       !has_strange_word(v)
		   ? NULL
		   : "must be a filter with %username% in it, as (uid=%username%)";
}

static const char *
is_group_filter(const char *v)
{
	return v[0] == '\0' || (v[0] == '(' && strchr(v, '%') != NULL && !has_strange_word(v))
		   ? NULL
		   : "must be a filter with %userdn% or %username% in it, as (member=%userdn%), or empty";
}

static const char *
is_direct(const char *v)
{
	return v[0] == '\0' || (strstr(v, "%username%") != NULL && strstr(v, "%userdn%") == NULL &&
				!has_strange_word(v))
		   ? NULL
		   : "must have %username% in it, or be empty";
}

static const char *
is_nesting(const char *v)
{
	return strcmp(v, "none") == 0 || strcmp(v, "walk") == 0 || strcmp(v, "chain") == 0
		   ? NULL
		   : "must be none, walk or chain";
}

static const char *
is_mapping(const char *v)
{
	const char *arrow = strstr(v, "=>");

	return arrow != NULL && strspn(v, " ") < (size_t)(arrow - v) &&
		       arrow[2 + strspn(arrow + 2, " ")] != '\0'
		   ? NULL
		   : "must be a group of the directory, =>, and one of Weir's";
}

static const char *
is_mapping_of_provider(const char *v)
{
	return is_mapping(v) == NULL ? NULL : "must be a group of the provider, =>, and one of Weir's";
}

static const char *
is_provider_name(const char *v)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (v[0] == '\0' || v[0] == '-' || strspn(v, letters) != strlen(v))
		return "is no name of a provider: small letters, digits and dashes";
	return strcmp(v, "ldap") == 0 ? "is the directory's of ldap.servers: choose another" : NULL;
}

/* OpenID Connect Discovery 1.0 section 3: no query, no fragment. */
static const char *
is_issuer(const char *v)
{
	struct server_url u;

	if (strncmp(v, "https://", 8) != 0 && strncmp(v, "http://", 7) != 0)
		return "must begin with https://";
	return strpbrk(v, "?# \"\\<>") == NULL && strchr(v, '@') == NULL && server_url_issuer(v, &u)
		   ? NULL
		   : "is no issuer: an address without user, query and fragment";
}

static const char *
is_host(const char *v)
{
	struct server_url u;

	return server_url_host(v, &u)
		   ? NULL
		   : "is no host: write it as oauth2.example.com or oauth2.example.com:8443";
}

static const char *
is_origin(const char *v)
{
	const char *host = strncmp(v, "https://", 8) == 0 ? v + 8 : "";

	return v[0] == '\0' || (host[0] != '\0' && strpbrk(host, "/?#@ \"\\<>") == NULL)
		   ? NULL
		   : "is no address of this server: write it as https://weir.example.com:3001, without a "
		     "path";
}

static const char *
is_domain(const char *v)
{
	return strpbrk(v, "@/: ") == NULL ? NULL : "is no domain: write it as example.com";
}

static const char *
is_claim(const char *v)
{
	return v[0] != '\0' ? NULL : "is no claim";
}

/* Words that are separated by spaces; each must be one of these. */
static bool
is_of(const char *v, const char *const *known, size_t n)
{
	for (size_t len; *v != '\0'; v += len) {
		size_t i = 0;

		v += strspn(v, " ");
		len = strcspn(v, " ");
		while (i < n && len > 0 && (strlen(known[i]) != len || strncmp(known[i], v, len) != 0))
			i++;
		if (i == n)
			return false;
	}
	return true;
}

/* Nothing symmetric, and not none: whoever knows the public key could sign. Those that weir-directory knows
 * (oidc_algorithm.c), and no others: with one more it refuses the settings whole. */
static const char *
is_algorithms(const char *v)
{
	static const char *const known[] = { "RS256", "RS512", "PS256", "PS512", "ES256", "ES512" };

	return v[strspn(v, " ")] != '\0' && is_of(v, known, ARRAY_LEN(known))
		   ? NULL
		   : "must be of RS256, RS512, PS256, PS512, ES256, ES512";
}

/* RFC 6749 section 3.3. */
static const char *
is_scopes(const char *v)
{
	static const char openid[] = "openid";
	const size_t len = sizeof(openid) - 1;

	for (const char *p = v; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '"' || *p == '\\')
			return "has a character that no scope may have";
	for (const char *p = strstr(v, openid); p != NULL; p = strstr(p + 1, openid))
		if ((p == v || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return NULL;
	return "must have openid among it";
}

/* Each returns NULL or what is wrong with the text. Of a provider: without its place, "oidc.name". */
static const struct {
	const char *key;
	const char *(*judge)(const char *value);
} texts[] = {
	{ "data_directory", is_absolute },
	{ "run_directory", is_run_directory },
	{ "interfaces", is_interface },
	{ "address_spaces", is_address_space },
	{ "interface_speeds", is_interface_speed },
	{ "local_networks", is_network },
	{ "log_level", is_level },
	{ "engine.tunnels", is_view },
	{ "geoip_files", is_absolute },
	{ "vendor_directory", is_absolute },
	{ "httpd.address", is_address },
	{ "dial.nameservers", is_address },
	{ "dial.refuse", is_network },
	{ "dial.allow", is_network },
	{ "engine.protocols_file", is_absolute_or_empty },
	{ "authd.audit_anchor_file", is_absolute_or_empty },
	{ "ldap.authorities", is_absolute_or_empty },
	{ "authd.master_key", is_secret_file },
	{ "ldap.bind_password_file", is_secret_file },
	{ "ldap.servers", is_ldap_url },
	{ "ldap.referrals", is_ldap_url },
	{ "ldap.direct", is_direct },
	{ "ldap.user_filter", is_user_filter },
	{ "ldap.group_filter", is_group_filter },
	{ "ldap.nested", is_nesting },
	{ "ldap.groups", is_mapping },
	{ "oidc.name", is_provider_name },
	{ "oidc.domains", is_domain },
	{ "oidc.issuer", is_issuer },
	{ "oidc.hosts", is_host },
	{ "oidc.client_secret_file", is_secret_file },
	{ "oidc.scopes", is_scopes },
	{ "oidc.name_claim", is_claim },
	{ "oidc.groups_claim", is_claim },
	{ "oidc.groups", is_mapping_of_provider },
	{ "oidc.algorithms", is_algorithms },
	{ "httpd.url", is_origin },
	{ "httpd.certificate", is_absolute_or_empty },
	{ "httpd.certificate_key", is_secret_file },
};

/* Whether key is the row's: "oidc.2.name" is that of "oidc.name". */
static bool
is_key(const char *row, const char *key)
{
	static const char prefix[] = "oidc.";
	const size_t n = sizeof(prefix) - 1;

	if (strcmp(row, key) == 0)
		return true;
	return strncmp(row, prefix, n) == 0 && strncmp(key, prefix, n) == 0 && key[n] >= '1' &&
	       key[n] <= '9' && key[n + 1] == '.' && strcmp(row + n, key + n + 2) == 0;
}

static bool
is_power_of_two(int64_t v)
{
	return v > 0 && (v & (v - 1)) == 0;
}

bool
config_set(struct settings *s, const char *key, const char *value, char *err, size_t errsize)
{
	struct settings before = *s;
	char near[64];

	if (!settings_known(key, near, sizeof(near))) {
		(void)snprintf(err, errsize, "%s: no such key%s%s%s", key,
			       near[0] != '\0' ? "; did you mean " : "", near,
			       near[0] != '\0' ? "?" : " (docs/CONFIG.md lists them)");
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *wrong = is_key(texts[i].key, key) ? texts[i].judge(value) : NULL;

		if (wrong != NULL) {
			(void)snprintf(err, errsize, "%s: \"%s\" %s", key, value, wrong);
			return false;
		}
	}
	if (!settings_set(s, key, value, err, errsize))
		return false;
	if (is_power_of_two(s->packet_ring) && is_power_of_two(s->record_ring) &&
	    is_power_of_two(s->handover_ring))
		return true;
	(void)snprintf(err, errsize, "%s: %s is no power of two, as in 16 MiB or 32 MiB", key, value);
	*s = before;
	return false;
}

/* What a provider lacks; NULL: nothing. */
static const char *
lacks(const struct provider_settings *o)
{
	return o->issuer[0] == '\0'             ? "issuer: is missing"
	       : o->client_id[0] == '\0'        ? "client_id: is missing"
	       : o->groups.n == 0               ? "groups: none: nobody would come in"
	       : o->insecure                    ? NULL
	       : strncmp(o->issuer, "https", 5) ? "issuer: begins with http://, which takes insecure: yes"
						: NULL;
}

/* Whether both have a domain; then it is in *shared. */
static bool
share_domain(const struct provider_settings *a, const struct provider_settings *b, const char **shared)
{
	for (uint32_t i = 0; i < a->domains.n; i++)
		for (uint32_t k = 0; k < b->domains.n; k++)
			if (strcasecmp(a->domains.item[i], b->domains.item[k]) == 0) {
				*shared = a->domains.item[i];
				return true;
			}
	return false;
}

static bool
providers_agree(const struct settings *s, char *err, size_t errsize)
{
	const char *wrong, *domain;

	for (unsigned i = 0; i < OIDC_PROVIDERS_MAX; i++) {
		const struct provider_settings *o = &s->oidc[i];

		if (o->name[0] == '\0' &&
		    (o->issuer[0] != '\0' || o->client_id[0] != '\0' || o->groups.n > 0)) {
			(void)snprintf(err, errsize, "oidc.%u.name: is missing", i + 1);
			return false;
		}
		wrong = o->name[0] == '\0' ? NULL : lacks(o);
		if (wrong != NULL) {
			(void)snprintf(err, errsize, "oidc.%u.%s", i + 1, wrong);
			return false;
		}
		for (unsigned k = 0; k < i && o->name[0] != '\0'; k++) {
			if (strcmp(s->oidc[k].name, o->name) == 0) {
				(void)snprintf(err, errsize,
					       "oidc.%u.name: \"%s\" is the name of oidc.%u too", i + 1,
					       o->name, k + 1);
				return false;
			}
			if (share_domain(&s->oidc[k], o, &domain)) {
				(void)snprintf(err, errsize, "oidc.%u.domains: \"%s\" is oidc.%u's too",
					       i + 1, domain, k + 1);
				return false;
			}
		}
	}
	return true;
}

bool
config_agrees(const struct settings *s, char *err, size_t errsize)
{
	const char *wrong = NULL;

	if (s->certificate[0] == '\0' && s->certificate_key[0] != '\0')
		wrong = "httpd.certificate_key: is the key of no certificate: give httpd.certificate too";
	else if (s->http_port == s->https_port)
		wrong = "httpd.http_port: the same as httpd.https_port; choose another, or 0 for none";
	if (wrong == NULL)
		return providers_agree(s, err, errsize);
	(void)snprintf(err, errsize, "%s", wrong);
	return false;
}
