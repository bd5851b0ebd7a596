/*
 * Who signs handshakes: weir-key, asked where the handshake stands, which waits for the answer. That takes
 * what the signature takes and two changes of process, so nobody else waits much longer than when the key was
 * here; OpenSSL's own way of coming back later (its async jobs) is unknown to bufferevent_openssl, and leaves
 * a stack behind for each client that goes meanwhile. While key is away, or has let one handshake wait in
 * vain, none is begun: who connects waits for the port.
 */
#ifndef WEIR_HTTPD_SIGNER_H
#define WEIR_HTTPD_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct httpd;

/* A remote_sign_fn, of a struct httpd. */
bool signer_sign(void *httpd, const uint8_t certificate[CERTIFICATE_ID_BYTES], uint32_t scheme,
		 const void *content, size_t content_len, uint8_t *signature, size_t *len);
/* Whether key would be asked now. */
bool signer_there(const struct httpd *h);

/* From serve.c: an answer came that nobody waits for any more (false: it was never asked for); key is there,
 * or gone. */
bool signer_late(struct httpd *h, const struct wire_signed *answer);
void signer_changed(struct httpd *h);

#endif
