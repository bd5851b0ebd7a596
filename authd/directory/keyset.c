#include "keyset.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"

#define OPERATIONS_MAX 16u

bool
keyset_read(const char *text, size_t len, struct keyset *k, char *err, size_t errsize)
{
	memset(k, 0, sizeof(*k));
	k->doc = json_parse(text, len, KEYSET_MAX, err, errsize);
	if (k->doc == NULL)
		return false;
	k->keys = json_node_member(json_root(k->doc), "keys");
	k->n = json_node_count(k->keys);
	if (json_node_kind(k->keys) != JSON_KIND_ARRAY)
		(void)snprintf(err, errsize, "keys: must be a list");
	else if (k->n > KEYSET_KEYS_MAX)
		(void)snprintf(err, errsize, "keys: are %zu, and more than %u", k->n, KEYSET_KEYS_MAX);
	else
		return true;
	keyset_free(k);
	return false;
}

void
keyset_free(struct keyset *k)
{
	json_doc_free(&k->doc);
}

/* Where the member is there it must be this. */
static bool
agrees(const struct json_node *key, const char *member, const char *with)
{
	const struct json_node *n = json_node_member(key, member);
	const char *is = json_node_text(n);

	return n == NULL || (is != NULL && strcmp(is, with) == 0);
}

static bool
has(const struct json_node *key, const char *member, const char *value)
{
	return json_node_member(key, member) != NULL && agrees(key, member, value);
}

static bool
may_verify(const struct json_node *key)
{
	const struct json_node *n = json_node_member(key, "key_ops");
	size_t count = json_node_count(n);

	if (n == NULL)
		return true;
	for (size_t i = 0; i < count && i < OPERATIONS_MAX; i++) {
		const char *is = json_node_text(json_node_at(n, i));

		if (is != NULL && strcmp(is, "verify") == 0)
			return true;
	}
	return false;
}

/* By the length of its modulus in base64url: four characters for three bytes. */
static bool
rsa_size_fits(const struct json_node *key)
{
	const char *n = json_node_text(json_node_member(key, "n"));
	size_t bits = n == NULL ? 0 : strlen(n) * 6;

	return bits >= KEY_RSA_BITS_MIN && bits <= KEY_RSA_BITS_MAX + 64;
}

bool
keyset_suits(const struct keyset *k, size_t i, const struct oidc_algorithm *a, const char *kid)
{
	const struct json_node *key = json_node_at(k->keys, i);

	if (json_node_kind(key) != JSON_KIND_OBJECT || !has(key, "kty", a->type) ||
	    !agrees(key, "use", "sig") || !agrees(key, "alg", a->name) || !may_verify(key) ||
	    (kid != NULL && !has(key, "kid", kid)))
		return false;
	return a->curve == NULL ? rsa_size_fits(key) : has(key, "crv", a->curve);
}

char *
keyset_key(const struct keyset *k, size_t i)
{
	return json_node_dump(json_node_at(k->keys, i));
}
