/* What a server of TLS signs in a handshake, told from everything else that a key could sign. */
#ifndef WEIR_KEY_CONTENT_H
#define WEIR_KEY_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum content { CONTENT_NONE, CONTENT_TLS12, CONTENT_TLS13 };

/*
 * What the bytes are: of TLS 1.3 the content of a server's CertificateVerify (RFC 8446 section 4.4.3: its
 * context string, and a hash of 32 or 48 bytes), of TLS 1.2 that of a ServerKeyExchange (RFC 8422
 * section 5.4: two randoms and a point of one of the groups that httpd offers). Anything else is
 * CONTENT_NONE.
 */
enum content content_of(const uint8_t *p, size_t len);

#endif
