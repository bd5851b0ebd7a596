#include "base/server_url.h"

#include <ctype.h>
#include <string.h>

#include "base/ip.h"
#include "base/mem.h"

#define LDAP_PORT  389
#define LDAPS_PORT 636
#define HTTP_PORT  80
#define HTTPS_PORT 443

static bool
is_name(const char *host)
{
	size_t len = strlen(host);

	if (len == 0 || host[0] == '.' || host[0] == '-' || host[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)host[i];

		if (!(isascii(c) && isalnum(c)) && c != '-' && c != '.' && c != '_')
			return false;
		if (c == '.' && host[i + 1] == '.')
			return false;
	}
	return true;
}

static bool
read_port(const char *text, uint16_t *port)
{
	uint32_t v = 0;

	if (*text == '\0' || strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint32_t)(*text - '0');
	}
	*port = (uint16_t)v;
	return v > 0 && v <= UINT16_MAX;
}

/* What is behind the scheme, up to a path: "host", "host:port", "[address]:port". u has the port where none
 * is written. */
static bool
read_authority(const char *text, size_t len, struct server_url *u)
{
	struct ip_addr ip;
	char *end;

	if (len >= sizeof(u->host))
		return false;
	memcpy(u->host, text, len);
	u->host[len] = '\0';
	if (u->host[0] == '[') {
		char *close = strchr(u->host, ']');

		if (close == NULL ||
		    (close[1] != '\0' && (close[1] != ':' || !read_port(close + 2, &u->port))))
			return false;
		*close = '\0';
		memmove(u->host, u->host + 1, strlen(u->host));
		return ip_parse(u->host, &ip) && !ip_is_v4(&ip);
	}
	end = strchr(u->host, ':');
	if (end != NULL) {
		if (!read_port(end + 1, &u->port))
			return false;
		*end = '\0';
	}
	return is_name(u->host);
}

/* What follows the scheme; NULL where it is another one. Schemes know no case (RFC 3986 section 3.1). */
static const char *
behind(const char *text, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(text, scheme, len) == 0 ? text + len : NULL;
}

bool
server_url_ldap(const char *text, struct server_url *u)
{
	const char *rest = behind(text, "ldaps://");
	size_t len;

	memset(u, 0, sizeof(*u));
	u->ldaps = rest != NULL;
	if (rest == NULL)
		rest = behind(text, "ldap://");
	if (rest == NULL)
		return false;
	u->port = u->ldaps ? LDAPS_PORT : LDAP_PORT;
	len = strlen(rest);
	if (len > 0 && rest[len - 1] == '/')
		len--;
	return read_authority(rest, len, u);
}

bool
server_url_issuer(const char *text, struct server_url *u)
{
	const char *rest = behind(text, "https://");

	memset(u, 0, sizeof(*u));
	u->port = rest != NULL ? HTTPS_PORT : HTTP_PORT;
	if (rest == NULL)
		rest = behind(text, "http://");
	return rest != NULL && read_authority(rest, strcspn(rest, "/"), u);
}

bool
server_url_host(const char *text, struct server_url *u)
{
	memset(u, 0, sizeof(*u));
	u->port = HTTPS_PORT;
	return read_authority(text, strlen(text), u);
}

bool
server_url_same(const struct server_url *a, const struct server_url *b)
{
	return a->ldaps == b->ldaps && a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

bool
server_url_is(const struct server_url *u, const char *host, uint16_t port)
{
	struct ip_addr a, b;

	if (u->port != port)
		return false;
	if (ip_parse(u->host, &a) && ip_parse(host, &b))
		return ip_equal(&a, &b);
	return strcasecmp(u->host, host) == 0;
}
