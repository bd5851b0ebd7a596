#include "credential.h"

#include <sodium.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "guard.h"

#define TOKEN_PREFIX  "weir_"
#define TOKEN_LETTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* What follows the name of a scheme (RFC 9110 section 11.4), in any case, and one space or more; NULL:
 * another scheme. */
static const char *
behind_scheme(const char *authorization, const char *scheme)
{
	size_t n = strlen(scheme);

	if (strncasecmp(authorization, scheme, n) != 0 || authorization[n] != ' ')
		return NULL;
	return authorization + n + strspn(authorization + n, " ");
}

static bool
read_token(struct credential *c, const char *at)
{
	size_t prefix = sizeof(TOKEN_PREFIX) - 1, n = strlen(at);

	if (n <= prefix || strncmp(at, TOKEN_PREFIX, prefix) != 0 ||
	    prefix + strspn(at + prefix, TOKEN_LETTERS) != n || !str_copy(c->token, sizeof(c->token), at))
		return false;
	c->kind = CREDENTIAL_TOKEN;
	return true;
}

/* "Bearer TOKEN" (RFC 6750 section 2.1). */
static bool
read_bearer(struct credential *c, const char *authorization)
{
	const char *at = behind_scheme(authorization, "Bearer");

	return at != NULL && read_token(c, at);
}

/* NAME:PASSWORD; the password may hold colons. */
static bool
split_basic(struct credential *c, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);

	if (n == 0 || n >= sizeof(c->name) || len - n - 1 >= sizeof(c->password) || !utf8_valid(text, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	memcpy(c->name, text, n);
	memcpy(c->password, colon + 1, len - n - 1);
	c->kind = CREDENTIAL_BASIC;
	return true;
}

static bool
read_basic(struct credential *c, const char *at)
{
	char text[ACCOUNT_NAME_MAX + PASSWORD_MAX];
	size_t len = 0;
	bool good = sodium_base642bin((unsigned char *)text, sizeof(text), at, strlen(at), NULL, &len, NULL,
				      sodium_base64_VARIANT_ORIGINAL) == 0 &&
		    split_basic(c, text, len);

	sodium_memzero(text, sizeof(text));
	return good;
}

static bool
read_any(struct credential *c, const char *authorization)
{
	const char *token = behind_scheme(authorization, "Token");
	const char *basic = behind_scheme(authorization, "Basic");

	if (token != NULL)
		return read_token(c, token);
	return basic != NULL ? read_basic(c, basic) : read_bearer(c, authorization);
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

static enum credential_verdict
read_headers(struct credential *c, const char *cookie, const char *authorization, const char *tenant,
	     bool (*read)(struct credential *c, const char *authorization))
{
	memset(c, 0, sizeof(*c));
	if (cookie_parse(cookie, c->cookie))
		c->kind = CREDENTIAL_COOKIE;
	if (authorization != NULL && c->kind == CREDENTIAL_COOKIE)
		return CREDENTIAL_BOTH;
	if (authorization != NULL && !read(c, authorization))
		return CREDENTIAL_NO_TOKEN;
	if (tenant != NULL && !credential_set_tenant(c, tenant))
		return CREDENTIAL_NO_TENANT;
	return CREDENTIAL_GOOD;
}

enum credential_verdict
credential_read(struct credential *c, const char *cookie, const char *authorization, const char *tenant)
{
	return read_headers(c, cookie, authorization, tenant, read_bearer);
}

enum credential_verdict
credential_read_guide(struct credential *c, const char *cookie, const char *authorization, const char *tenant)
{
	return read_headers(c, cookie, authorization, tenant, read_any);
}

/* What a grant is kept under, before it is hashed: every part has one length, and so has every kind, so no
 * two credentials are the same bytes. Each request comes here, most with a cookie, which is in the hash's
 * first block. */
struct identity {
	uint8_t kind;
	char tenant[TENANT_TEXT_MAX];
	union {
		uint8_t cookie[COOKIE_BYTES];
		struct {
			struct ip_addr ip;
			char token[API_TOKEN_MAX];
		} token;
		struct {
			struct ip_addr ip;
			char name[ACCOUNT_NAME_MAX];
			char password[PASSWORD_MAX];
		} basic;
	} by;
};

void
credential_key(const struct credential *c, const struct ip_addr *ip, const uint8_t *secret, size_t secret_len,
	       uint8_t key[static CREDENTIAL_KEY_BYTES])
{
	struct identity all;
	static const size_t lens[] = { [CREDENTIAL_NONE] = 0,
				       [CREDENTIAL_COOKIE] = sizeof(all.by.cookie),
				       [CREDENTIAL_TOKEN] = sizeof(all.by.token),
				       [CREDENTIAL_BASIC] = sizeof(all.by.basic) };
	const size_t len = offsetof(struct identity, by) + lens[c->kind];

	memset(&all, 0, len);
	all.kind = (uint8_t)c->kind;
	(void)str_copy(all.tenant, sizeof(all.tenant), c->tenant);
	if (c->kind == CREDENTIAL_COOKIE)
		memcpy(all.by.cookie, c->cookie, sizeof(all.by.cookie));
	if (c->kind == CREDENTIAL_TOKEN) {
		all.by.token.ip = *ip;
		(void)str_copy(all.by.token.token, sizeof(all.by.token.token), c->token);
	}
	if (c->kind == CREDENTIAL_BASIC) {
		all.by.basic.ip = *ip;
		(void)str_copy(all.by.basic.name, sizeof(all.by.basic.name), c->name);
		(void)str_copy(all.by.basic.password, sizeof(all.by.basic.password), c->password);
	}
	(void)crypto_generichash(key, CREDENTIAL_KEY_BYTES, (const unsigned char *)&all, len, secret,
				 secret_len);
	sodium_memzero(&all, len);
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
