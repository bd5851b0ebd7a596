#include "url.h"

#include <ctype.h>
#include <string.h>

#include "base/ip.h"
#include "base/mem.h"

#define LDAP_PORT  389
#define LDAPS_PORT 636

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

bool
url_parse(const char *text, struct server_url *u)
{
	struct ip_addr ip;
	char *end;

	memset(u, 0, sizeof(*u));
	if (strncasecmp(text, "ldaps://", 8) == 0)
		u->ldaps = true;
	else if (strncasecmp(text, "ldap://", 7) != 0)
		return false;
	text += u->ldaps ? 8 : 7;
	u->port = u->ldaps ? LDAPS_PORT : LDAP_PORT;
	if (!str_copy(u->host, sizeof(u->host), text))
		return false;
	end = u->host + strlen(u->host);
	if (end > u->host && end[-1] == '/')
		*--end = '\0';
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

bool
url_same(const struct server_url *a, const struct server_url *b)
{
	return a->ldaps == b->ldaps && a->port == b->port && strcasecmp(a->host, b->host) == 0;
}
