/* What a request must be like before anything is done with it. Pure: text in, verdict out. */
#ifndef WEIR_HTTPD_GUARD_H
#define WEIR_HTTPD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

#define TOKEN_TEXT_MAX 44 /* 32 bytes in base64url without padding, and the end */
#define COOKIE_NAME    "__Host-weir"

/* Host header: a name, an IPv4 address or a bracketed IPv6 address, with or without a port (RFC 9110
 * section 7.2). */
bool host_is_valid(const char *host);

/* A header's name is a token (RFC 9110 section 5.6.2). */
bool header_name_is_valid(const char *name);
/* Content-Length: digits alone, at most 9 of them. */
bool length_parse(const char *text, size_t *len);

/* The session's cookie in a Cookie header (which may be NULL): false where there is none, or two, or not one
 * of ours. */
bool cookie_parse(const char *header, uint8_t cookie[static COOKIE_BYTES]);
/* The same of another cookie of 32 bytes. */
bool cookie_find(const char *header, const char *name, uint8_t value[static 32]);
/* 32 bytes as base64url without padding, and back. */
const char *token_format(const uint8_t token[static 32], char out[static TOKEN_TEXT_MAX]);
bool token_parse(const char *text, uint8_t token[static 32]);

/* text[len] as bytes, at most size of them; *n says how many. False where it is not base64url without
 * padding, in its one spelling. */
bool base64url_parse(const char *text, size_t len, uint8_t *out, size_t size, size_t *n);

/* The token that a session's requests carry in X-Weir-CSRF: made of its cookie, so that it outlives a
 * restart. */
void csrf_token(const uint8_t cookie[static COOKIE_BYTES], char out[static TOKEN_TEXT_MAX]);
/* In constant time. text may be NULL. */
bool csrf_matches(const uint8_t cookie[static COOKIE_BYTES], const char *text);

/* Origin and Sec-Fetch-Site (both may be NULL) do not say that the request comes from elsewhere. */
bool origin_is_ours(const char *origin, const char *site, const char *host);

/* Sec-Fetch-Dest (may be NULL) does not say that the browser wants it for a part of a page: a picture, a
 * frame. */
bool arrival_is_a_page(const char *dest);

/* Accept-Encoding allows gzip. */
bool accepts_gzip(const char *accept);
/* If-None-Match names etag (with its quotes), or any. */
bool etag_matches(const char *header, const char *etag);

/* Decodes %xx (and + where plus is set) of text[len] into out[size]; false for bad escapes, control bytes and
 * what is too long. */
bool percent_decode(const char *text, size_t len, bool plus, char *out, size_t size);

#endif
