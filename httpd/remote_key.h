/*
 * Private keys that are elsewhere, as OpenSSL takes them: a provider (provider(7)) whose keys have a public
 * half only, and whose signatures somebody else makes. OpenSSL, seen by remote_key.c and tls.c.
 *
 * A provider and no EC_KEY_METHOD or RSA_METHOD: those are deprecated, and RSA_METHOD asks for the bare
 * operation on padded bytes, which whoever makes the signatures could not judge.
 */
#ifndef WEIR_HTTPD_REMOTE_KEY_H
#define WEIR_HTTPD_REMOTE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct evp_pkey_st;
struct x509_st;

/* Signs content with a SignatureScheme (RFC 8446 section 4.2.3) and the key of a certificate; *len is the
 * room, then the signature's length. */
typedef bool remote_sign_fn(void *ctx, const uint8_t certificate[CERTIFICATE_ID_BYTES], uint32_t scheme,
			    const void *content, size_t content_len, uint8_t *signature, size_t *len);

/* Whom to ask, from now on. Called again, somebody else is asked. Dies where OpenSSL does not take the
 * provider. */
void remote_key_open(remote_sign_fn *sign, void *ctx);

/* The key of a certificate, the caller's to free (EVP_PKEY_free); NULL where its kind is none that TLS signs
 * with. */
struct evp_pkey_st *remote_key_new(struct x509_st *x);

#endif
