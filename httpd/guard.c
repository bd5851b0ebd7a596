#include "guard.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

/* Locale-free: bytes of strangers are not letters of anyone's alphabet. */
#define DIGITS "0123456789"
#define HEX    DIGITS "abcdefABCDEF"
#define ALNUM  DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool
port_is_valid(const char *port)
{
	size_t n = strspn(port, DIGITS);

	return n >= 1 && n <= 5 && port[n] == '\0';
}

bool
host_is_valid(const char *host)
{
	size_t n;

	if (host[0] == '[') {
		n = 1 + strspn(host + 1, HEX ":.");
		if (n < 3 || n > 46 || host[n] != ']')
			return false;
		n++;
	} else {
		n = strspn(host, ALNUM ".-_");
		if (n < 1 || n > 253 || host[0] == '.' || host[0] == '-')
			return false;
	}
	return host[n] == '\0' || (host[n] == ':' && port_is_valid(host + n + 1));
}

bool
header_name_is_valid(const char *name)
{
	size_t n = strspn(name, ALNUM "!#$%&'*+-.^_`|~");

	return n > 0 && name[n] == '\0';
}

bool
length_parse(const char *text, size_t *len)
{
	size_t n = strspn(text, DIGITS), value = 0;

	if (n < 1 || n > 9 || text[n] != '\0')
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (size_t)(text[i] - '0');
	*len = value;
	return true;
}

/* --- cookie and CSRF
 * ----------------------------------------------------------------------------------------------- */

const char *
token_format(const uint8_t token[static 32], char out[static TOKEN_TEXT_MAX])
{
	return sodium_bin2base64(out, TOKEN_TEXT_MAX, token, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool
base64url_parse(const char *text, size_t len, uint8_t *out, size_t size, size_t *n)
{
	/* libsodium's decoder takes some bytes above 127 for letters: the alphabet is looked at here. */
	return strspn(text, ALNUM "-_") >= len &&
	       sodium_base642bin(out, size, text, len, NULL, n, NULL,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

static bool
token_parse_n(const char *text, size_t len, uint8_t token[static 32])
{
	size_t n = 0;

	return len == TOKEN_TEXT_MAX - 1 && base64url_parse(text, len, token, 32, &n) && n == 32;
}

bool
token_parse(const char *text, uint8_t token[static 32])
{
	return token_parse_n(text, strlen(text), token);
}

bool
cookie_find(const char *header, const char *name, uint8_t value[static 32])
{
	const size_t n = strlen(name);
	unsigned found = 0;

	for (const char *at = header; at != NULL && *at != '\0';) {
		size_t len;

		at += strspn(at, " \t;");
		len = strcspn(at, ";");
		if (len > n && at[n] == '=' && memcmp(at, name, n) == 0) {
			if (found++ > 0 || !token_parse_n(at + n + 1, len - n - 1, value))
				return false;
		}
		at += len;
	}
	return found == 1;
}

bool
cookie_parse(const char *header, uint8_t cookie[static COOKIE_BYTES])
{
	return cookie_find(header, COOKIE_NAME, cookie);
}

void
csrf_token(const uint8_t cookie[static COOKIE_BYTES], char out[static TOKEN_TEXT_MAX])
{
	static const unsigned char context[] = "weir-httpd CSRF token, version 1";
	uint8_t token[32];

	(void)crypto_generichash(token, sizeof(token), cookie, COOKIE_BYTES, context, sizeof(context) - 1);
	(void)token_format(token, out);
}

bool
csrf_matches(const uint8_t cookie[static COOKIE_BYTES], const char *text)
{
	char expected[TOKEN_TEXT_MAX];

	csrf_token(cookie, expected);
	return text != NULL && strlen(text) == sizeof(expected) - 1 &&
	       sodium_memcmp(text, expected, sizeof(expected) - 1) == 0;
}

bool
origin_is_ours(const char *origin, const char *site, const char *host)
{
	static const char scheme[] = "https://";

	if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	if (origin == NULL)
		return true;
	return strncmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
	       strcasecmp(origin + sizeof(scheme) - 1, host) == 0;
}

bool
arrival_is_a_page(const char *dest)
{
	return dest == NULL || strcmp(dest, "document") == 0;
}

/* --- representation
 * ------------------------------------------------------------------------------------------------- */

/* One element of a comma-separated list; *at moves behind it. */
static const char *
element(const char **at, size_t *len)
{
	const char *start;

	*at += strspn(*at, ", \t");
	start = *at;
	*len = strcspn(start, ",");
	*at += *len;
	while (*len > 0 && (start[*len - 1] == ' ' || start[*len - 1] == '\t'))
		(*len)--;
	return *len > 0 ? start : NULL;
}

bool
accepts_gzip(const char *accept)
{
	const char *e;
	size_t len;

	if (accept == NULL)
		return false;
	while ((e = element(&accept, &len)) != NULL) {
		size_t name = strcspn(e, "; \t,");

		if (name != 4 || strncasecmp(e, "gzip", 4) != 0)
			continue;
		/* "gzip;q=0" refuses it; any other weight allows it. */
		return len == 4 || name + strspn(e + name, "; \tqQ=0.") < len;
	}
	return false;
}

bool
etag_matches(const char *header, const char *etag)
{
	const char *e;
	size_t len, want = strlen(etag);

	if (header == NULL)
		return false;
	while ((e = element(&header, &len)) != NULL) {
		if (len == 1 && e[0] == '*')
			return true;
		if (len > 2 && e[0] == 'W' && e[1] == '/') {
			e += 2;
			len -= 2;
		}
		if (len == want && memcmp(e, etag, want) == 0)
			return true;
	}
	return false;
}

static int
hex_digit(char c)
{
	const char *all = "0123456789abcdefABCDEF", *at = c == '\0' ? NULL : strchr(all, c);

	if (at == NULL)
		return -1;
	return (int)(at - all) < 16 ? (int)(at - all) : (int)(at - all) - 6;
}

bool
percent_decode(const char *text, size_t len, bool plus, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int hi = len - i > 2 ? hex_digit(text[i + 1]) : -1,
			    lo = len - i > 2 ? hex_digit(text[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = hi << 4 | lo;
			i += 2;
		} else if (c == '+' && plus)
			c = ' ';
		if (c < 0x20 || c == 0x7f || n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return size > 0;
}
