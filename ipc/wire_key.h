/*
 * What httpd, key and the launcher say of TLS: signatures of handshakes, certificates, keys of session
 * tickets. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_KEY_H
#define WEIR_IPC_WIRE_KEY_H

#include <assert.h>
#include <stdint.h>

/* --- session tickets (RFC 5077, RFC 8446 section 4.6.1) --- */

#define TICKET_KEY_BYTES 80 /* the name of the key (16), for HMAC-SHA256 (32), for AES-256 (32) */

struct wire_ticket_keys {
	uint32_t n; /* 1 or 2: the key that tickets are made with, and the one before, whose tickets are still
		       taken */
	uint32_t reserved;
	uint8_t key[2][TICKET_KEY_BYTES];
};
static_assert(sizeof(struct wire_ticket_keys) == 168, "no padding");

/* --- signatures of handshakes --- */

#define CERTIFICATE_ID_BYTES 32   /* SHA-256 of the certificate (DER): its fingerprint */
#define SIGN_CONTENT_MAX     256  /* RFC 8446 section 4.4.3: 146; RFC 8422 section 5.4: 165 */
#define SIGNATURE_MAX        1024 /* RSA with 8192 bits */

/* What is to be signed comes whole, not as a digest, so that key can see what it is. */
struct wire_sign {
	uint64_t ticket; /* httpd's, comes back */
	uint8_t certificate[CERTIFICATE_ID_BYTES];
	uint32_t scheme; /* RFC 8446 section 4.2.3: SignatureScheme */
	uint32_t len;    /* of the content */
	uint8_t content[SIGN_CONTENT_MAX];
};
static_assert(sizeof(struct wire_sign) == 304, "no padding: it crosses a process boundary");

enum sign_status {
	SIGN_OK = 1,
	SIGN_UNKNOWN, /* no key of that certificate is here */
	SIGN_FAILED,  /* its key does not sign with that scheme */
	SIGN_STATUS_COUNT
};

struct wire_signed {
	uint64_t ticket;
	uint32_t status; /* enum sign_status */
	uint32_t len;    /* of the signature; 0 where there is none */
	uint8_t signature[SIGNATURE_MAX];
};
static_assert(sizeof(struct wire_signed) == 1040, "no padding: it crosses a process boundary");

struct wire_key_pair {
	uint64_t number; /* the launcher's, comes back */
};
static_assert(sizeof(struct wire_key_pair) == 8, "no padding: it crosses a process boundary");

#endif
