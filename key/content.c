#include "content.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

#define SPACES       64u
#define RANDOMS      64u /* the client's and the server's */
#define NAMED_CURVE  3u  /* RFC 8422 section 5.4: ECCurveType */
#define UNCOMPRESSED 4u

static bool
is_tls13(const uint8_t *p, size_t len)
{
	static const char context[] = "TLS 1.3, server CertificateVerify"; /* and a zero */
	struct rcur c = rcur_of(p, len);
	const uint8_t *spaces = rcur_take(&c, SPACES);
	const uint8_t *said = rcur_take(&c, sizeof(context));
	size_t hash;

	if (c.bad)
		return false;
	for (size_t i = 0; i < SPACES; i++)
		if (spaces[i] != ' ')
			return false;
	hash = rcur_left(&c);
	return memcmp(said, context, sizeof(context)) == 0 && (hash == 32 || hash == 48);
}

static bool
is_tls12(const uint8_t *p, size_t len)
{
	static const struct {
		uint16_t group;
		uint8_t point;
		bool on_curve; /* its form is in its first byte */
	} groups[] = { { 23, 65, true }, { 24, 97, true }, { 29, 32, false } }; /* P-256, P-384, X25519 */
	struct rcur c = rcur_of(p, len);
	const uint8_t *point;
	uint16_t group;
	uint8_t type, n;

	(void)rcur_take(&c, RANDOMS);
	type = rcur_u8(&c);
	group = rcur_be16(&c);
	n = rcur_u8(&c);
	point = rcur_take(&c, n);
	if (c.bad || rcur_left(&c) != 0 || type != NAMED_CURVE)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (groups[i].group == group)
			return n == groups[i].point && (!groups[i].on_curve || point[0] == UNCOMPRESSED);
	return false;
}

enum content
content_of(const uint8_t *p, size_t len)
{
	return is_tls13(p, len) ? CONTENT_TLS13 : is_tls12(p, len) ? CONTENT_TLS12 : CONTENT_NONE;
}
