#include "oidc_cache.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "oidc_settings.h"

struct entry {
	uint8_t key[OIDC_CACHE_KEY_BYTES];
	int64_t put_ns, used_ns, again_ns; /* 0: never */
	struct oidc_published p;
	char *bytes; /* of p */
};

struct oidc_cache {
	struct entry entry[OIDC_CACHE_MAX];
};

struct oidc_cache *
oidc_cache_new(void)
{
	return mem_calloc(1, sizeof(struct oidc_cache));
}

void
oidc_cache_free(struct oidc_cache **c)
{
	if (*c == NULL)
		return;
	for (size_t i = 0; i < OIDC_CACHE_MAX; i++)
		free((*c)->entry[i].bytes);
	free(*c);
	*c = NULL;
}

void
oidc_cache_key(const char *issuer, const char *settings, size_t len, uint8_t key[static OIDC_CACHE_KEY_BYTES])
{
	crypto_generichash_state h;
	struct oidc_settings s;
	char err[160];
	bool known = oidc_settings_read(settings, len, &s, err, sizeof(err));
	/* Settings that cannot be read are an answer, too, to be remembered for nobody else. */
	unsigned char how = !known ? 2 : s.insecure_http ? 1 : 0;

	crypto_generichash_init(&h, NULL, 0, OIDC_CACHE_KEY_BYTES);
	crypto_generichash_update(&h, (const unsigned char *)issuer, strlen(issuer) + 1);
	crypto_generichash_update(&h, &how, 1);
	if (known)
		crypto_generichash_update(&h, (const unsigned char *)s.authorities, strlen(s.authorities));
	else
		crypto_generichash_update(&h, (const unsigned char *)settings, len);
	crypto_generichash_final(&h, key, OIDC_CACHE_KEY_BYTES);
	if (known)
		oidc_settings_free(&s);
}

static struct entry *
find(struct oidc_cache *c, const uint8_t key[static OIDC_CACHE_KEY_BYTES])
{
	for (size_t i = 0; i < OIDC_CACHE_MAX; i++)
		if (c->entry[i].bytes != NULL && memcmp(c->entry[i].key, key, OIDC_CACHE_KEY_BYTES) == 0)
			return &c->entry[i];
	return NULL;
}

const struct oidc_published *
oidc_cache_find(struct oidc_cache *c, const uint8_t key[static OIDC_CACHE_KEY_BYTES], int64_t now_ns)
{
	struct entry *e = find(c, key);

	if (e == NULL || now_ns - e->put_ns > OIDC_CACHE_S * NS_PER_S)
		return NULL;
	e->used_ns = now_ns;
	return &e->p;
}

static const char *
keep(char **to, const char *text, size_t len)
{
	char *at = *to;

	memcpy(at, text, len);
	*to += len + 1;
	return at;
}

const struct oidc_published *
oidc_cache_put(struct oidc_cache *c, const uint8_t key[static OIDC_CACHE_KEY_BYTES],
	       const struct oidc_published *p, int64_t now_ns)
{
	char *bytes = mem_calloc(p->document_len + p->keys_len + p->lines_len + 3, 1), *to = bytes;
	struct entry *e = find(c, key), was = { .bytes = NULL };

	for (size_t i = 0; e == NULL && i < OIDC_CACHE_MAX; i++)
		if (c->entry[i].bytes == NULL)
			e = &c->entry[i];
	if (e == NULL) {
		e = &c->entry[0];
		for (size_t i = 1; i < OIDC_CACHE_MAX; i++)
			if (c->entry[i].used_ns < e->used_ns)
				e = &c->entry[i];
		e->again_ns = 0;
	}
	was = *e;
	*e = (struct entry){
		.put_ns = now_ns, .used_ns = now_ns, .again_ns = was.again_ns, .p = *p, .bytes = bytes
	};
	memcpy(e->key, key, OIDC_CACHE_KEY_BYTES);
	e->p.document = keep(&to, p->document, p->document_len);
	e->p.keys = keep(&to, p->keys, p->keys_len);
	e->p.lines = keep(&to, p->lines, p->lines_len);
	/* What is put may have been what was there. */
	free(was.bytes);
	return &e->p;
}

bool
oidc_cache_again(struct oidc_cache *c, const uint8_t key[static OIDC_CACHE_KEY_BYTES], int64_t now_ns)
{
	struct entry *e = find(c, key);

	if (e == NULL)
		return true;
	if (e->again_ns != 0 && now_ns - e->again_ns < OIDC_CACHE_AGAIN_S * NS_PER_S)
		return false;
	e->again_ns = now_ns;
	return true;
}
