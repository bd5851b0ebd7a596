/* What providers have published: the discovery document and the keys, as bytes. What they mean is found out
 * in the process of a question each time. Only processes that read nothing but such documents fill it. */
#ifndef WEIR_DIRECTORY_OIDC_CACHE_H
#define WEIR_DIRECTORY_OIDC_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "oidc_talk.h"

#define OIDC_CACHE_KEY_BYTES 32
#define OIDC_CACHE_MAX       32  /* providers; the one that was used longest ago makes room */
#define OIDC_CACHE_S         600 /* that are remembered: so long a key counts that was withdrawn */
#define OIDC_CACHE_AGAIN_S   10  /* a stranger's token can have keys fetched that often */

struct oidc_published {
	struct http_server server[TALK_SERVERS];
	const char *document, *keys, *lines;
	size_t document_len, keys_len, lines_len;
};

struct oidc_cache;

struct oidc_cache *oidc_cache_new(void);
void oidc_cache_free(struct oidc_cache **c);

/* The key of a provider: the issuer, and the settings by which it is believed (authorities, insecure_http).
 * Not the others: strangers have a say in redirect_uri where httpd.url is not set, and could have what is
 * published fetched, and others' forgotten, as often as they like. */
void oidc_cache_key(const char *issuer, const char *settings, size_t len,
		    uint8_t key[static OIDC_CACHE_KEY_BYTES]);
/* What is known at that time (clock_boot_ns), until it is put anew; NULL: nothing. */
const struct oidc_published *oidc_cache_find(struct oidc_cache *c,
					     const uint8_t key[static OIDC_CACHE_KEY_BYTES], int64_t now_ns);
/* Copies it; gives the copy. */
const struct oidc_published *oidc_cache_put(struct oidc_cache *c,
					    const uint8_t key[static OIDC_CACHE_KEY_BYTES],
					    const struct oidc_published *p, int64_t now_ns);
/* Whether keys may be fetched before their time, because a token names one that is not there: then it is
 * noted.
 */
bool oidc_cache_again(struct oidc_cache *c, const uint8_t key[static OIDC_CACHE_KEY_BYTES], int64_t now_ns);

#endif
