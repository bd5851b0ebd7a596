#include "named.h"

#include "base/server_url.h"

typedef bool read_fn(const char *text, struct server_url *u);

static bool
is(read_fn *read, const char *text, const char *host, uint16_t port)
{
	struct server_url u;

	return read(text, &u) && server_url_is(&u, host, port);
}

static bool
is_directorys(const struct settings *s, const char *host, uint16_t port)
{
	for (uint32_t i = 0; i < s->ldap_servers.n; i++)
		if (is(server_url_ldap, s->ldap_servers.item[i], host, port))
			return true;
	for (uint32_t i = 0; i < s->ldap_referrals.n; i++)
		if (is(server_url_ldap, s->ldap_referrals.item[i], host, port))
			return true;
	return false;
}

static bool
is_providers(const struct provider_settings *o, const char *host, uint16_t port)
{
	for (uint32_t i = 0; i < o->hosts.n; i++)
		if (is(server_url_host, o->hosts.item[i], host, port))
			return true;
	return is(server_url_issuer, o->issuer, host, port);
}

bool
named_has(const struct settings *s, const char *host, uint16_t port)
{
	for (unsigned i = 0; i < OIDC_PROVIDERS_MAX && s->oidc[i].name[0] != '\0'; i++)
		if (is_providers(&s->oidc[i], host, port))
			return true;
	return is_directorys(s, host, port);
}
