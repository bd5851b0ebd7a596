/* What an OpenID Connect provider says about itself (OpenID Connect Discovery 1.0 section 3). */
#ifndef WEIR_DIRECTORY_DISCOVERY_H
#define WEIR_DIRECTORY_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#define DISCOVERY_MAX     (256u << 10) /* bytes of the document */
#define DISCOVERY_URL_MAX 1024u        /* of an endpoint, with its end */

struct json_doc;

/* Texts are the document's. */
struct discovery {
	struct json_doc *doc;
	const char *authorization_endpoint, *token_endpoint, *jwks_uri;
	const char *userinfo_endpoint, *end_session_endpoint; /* NULL: none */
	bool basic, post; /* how clients may show their secret (token_endpoint_auth_methods_supported) */
	bool backchannel_logout; /* OpenID Connect Back-Channel Logout 1.0 section 2.1 */
	bool pkce;               /* S256 is named (RFC 8414 section 2) */
	bool iss_parameter;      /* RFC 9207 section 3 */
};

/* Where the document of an issuer is: into url. False where the issuer is too long. */
bool discovery_url(const char *issuer, char *url, size_t size);
/* issuer: exactly what the document must call itself. http: whether URLs may be http://. False with a
 * sentence that names the member. */
bool discovery_read(const char *text, size_t len, const char *issuer, bool http, struct discovery *d,
		    char *err, size_t errsize);
void discovery_free(struct discovery *d);

#endif
