/* The certificate that Weir makes itself when none is configured. */
#ifndef WEIR_CLI_CERTIFICATE_H
#define WEIR_CLI_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"

/*
 * Makes certificate.pem and key.pem (0600) in the directory where they are missing, or where the certificate
 * ends within 30 days: P-256, 397 days, for the host's name, localhost, 127.0.0.1, ::1 and the n addresses.
 * *made says whether. False with a sentence in err.
 */
bool certificate_ensure(int directory, const struct ip_addr *addresses, size_t n, bool *made, char *err,
			size_t errsize);

/* Whether the open PEM files hold a certificate with its chain, and its private key. False with a sentence in
 * err that names the file at fault by the given name. Does not move the descriptors' offsets (they are handed
 * on). */
bool certificate_check(int certificate, const char *certificate_name, int key, const char *key_name,
		       char *err, size_t errsize);

#define CERTIFICATE_FILE     "certificate.pem"
#define CERTIFICATE_KEY_FILE "key.pem"

#endif
