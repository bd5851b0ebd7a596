#include "credential.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "guard.h"

#define TOKEN_PREFIX  "weir_"
#define TOKEN_LETTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* "Bearer TOKEN" (RFC 6750 section 2.1); the scheme's name in any case, one space or more. */
static bool
read_bearer(struct credential *c, const char *authorization)
{
	static const char scheme[] = "Bearer";
	const char *at = authorization + sizeof(scheme) - 1;
	size_t prefix = sizeof(TOKEN_PREFIX) - 1, n;

	if (strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0 || *at != ' ')
		return false;
	at += strspn(at, " ");
	n = strlen(at);
	if (n <= prefix || strncmp(at, TOKEN_PREFIX, prefix) != 0 ||
	    prefix + strspn(at + prefix, TOKEN_LETTERS) != n || !str_copy(c->token, sizeof(c->token), at))
		return false;
	c->kind = CREDENTIAL_TOKEN;
	return true;
}

bool
credential_set_tenant(struct credential *c, const char *tenant)
{
	for (const char *at = tenant; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return false;
	return tenant[0] != '\0' && utf8_valid(tenant, strlen(tenant)) &&
	       str_copy(c->tenant, sizeof(c->tenant), tenant);
}

enum credential_verdict
credential_read(struct credential *c, const char *cookie, const char *authorization, const char *tenant)
{
	memset(c, 0, sizeof(*c));
	if (cookie_parse(cookie, c->cookie))
		c->kind = CREDENTIAL_COOKIE;
	if (authorization != NULL && c->kind == CREDENTIAL_COOKIE)
		return CREDENTIAL_BOTH;
	if (authorization != NULL && !read_bearer(c, authorization))
		return CREDENTIAL_NO_TOKEN;
	if (tenant != NULL && !credential_set_tenant(c, tenant))
		return CREDENTIAL_NO_TENANT;
	return CREDENTIAL_GOOD;
}

void
credential_key(const struct credential *c, const struct ip_addr *ip, const uint8_t *secret, size_t secret_len,
	       uint8_t key[static CREDENTIAL_KEY_BYTES])
{
	/* Every part has one length: no two credentials are the same bytes. */
	struct {
		uint8_t kind;
		uint8_t cookie[COOKIE_BYTES];
		char token[API_TOKEN_MAX];
		char tenant[TENANT_TEXT_MAX];
		struct ip_addr ip;
	} all;

	memset(&all, 0, sizeof(all));
	all.kind = (uint8_t)c->kind;
	if (c->kind == CREDENTIAL_COOKIE)
		memcpy(all.cookie, c->cookie, sizeof(all.cookie));
	if (c->kind == CREDENTIAL_TOKEN) {
		(void)str_copy(all.token, sizeof(all.token), c->token);
		all.ip = *ip;
	}
	(void)str_copy(all.tenant, sizeof(all.tenant), c->tenant);
	(void)crypto_generichash(key, CREDENTIAL_KEY_BYTES, (const unsigned char *)&all, sizeof(all), secret,
				 secret_len);
	sodium_memzero(&all, sizeof(all));
}

bool
credential_same(const struct credential *a, const struct ip_addr *a_ip, const struct credential *b,
		const struct ip_addr *b_ip)
{
	static const uint8_t no_secret[crypto_generichash_KEYBYTES_MIN];
	uint8_t key[2][CREDENTIAL_KEY_BYTES];

	credential_key(a, a_ip, no_secret, sizeof(no_secret), key[0]);
	credential_key(b, b_ip, no_secret, sizeof(no_secret), key[1]);
	return sodium_memcmp(key[0], key[1], sizeof(key[0])) == 0;
}

void
credential_wipe(struct credential *c)
{
	sodium_memzero(c, sizeof(*c));
}
