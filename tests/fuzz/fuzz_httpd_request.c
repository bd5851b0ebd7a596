/* Lines of a request's head as browsers (and others) send them: address, Cookie, Host, Accept-Encoding,
 * If-None-Match, Authorization (and Weir-Tenant), and the parameters of the guide's API. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "credential.h"
#include "guard.h"
#include "guide.h"
#include "page.h"
#include "params.h"
#include "routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
look_at_address(char *target)
{
	size_t n = strcspn(target, "?");
	const char *query = target[n] == '?' ? target + n + 1 : NULL;
	char segment[SEGMENT_MAX], why[160];
	unsigned methods;
	const struct route *r;
	struct params p = { 0 };

	target[n] = '\0';
	r = route_find(target, METHOD_GET, segment, &methods);
	assert(strlen(segment) < SEGMENT_MAX);
	(void)page_find(target);
	if (params_parse(query, r != NULL ? r->params : UINT64_MAX, UINT32_MAX, &p, why, sizeof(why))) {
		assert(p.limit <= (p.as == AS_JSON ? 1000u : 1000000000u) && p.cursor_len <= CURSOR_MAX &&
		       p.vlan <= 4095);
		assert(p.from_ns >= 0 && p.to_ns >= 0);
		assert(strlen(p.key) < sizeof(p.key) && strlen(p.interface) < sizeof(p.interface));
		assert(r == NULL || (p.given & ~r->params) == 0);
	} else
		assert(memchr(why, 0, sizeof(why)) != NULL);
}

static void
look_at_guide(const char *line)
{
	struct guide_params p = { 0 };
	char err[GUIDE_ERROR_MAX];
	struct ip_addr ip;
	uint16_t vlan = 0;

	(void)guide_route_find(line);
	if (!guide_params_query(&p, line, err) || !guide_params_json(&p, line, strlen(line), err))
		assert(memchr(err, 0, sizeof(err)) != NULL);
	for (unsigned i = 0; i < GUIDE_PARAM_COUNT; i++)
		assert(p.value[i] == NULL || (p.value[i][0] != '\0' && strlen(p.value[i]) < GUIDE_VALUE_MAX));
	if (guide_host(&p, &ip, &vlan))
		assert(vlan <= 4095);
	guide_params_free(&p);
}

static void
look_at_cookie(const char *line)
{
	uint8_t cookie[COOKIE_BYTES];
	char text[TOKEN_TEXT_MAX];

	/* What is taken for a cookie stands there in its one spelling. */
	if (cookie_parse(line, cookie))
		assert(strstr(line, token_format(cookie, text)) != NULL);
}

static void
look_at_host(const char *line)
{
	if (host_is_valid(line)) {
		assert(line[0] != '\0' && strlen(line) <= 260);
		assert(strpbrk(line, " \r\n\t/@\\?#,\"<>") == NULL);
	}
	(void)header_name_is_valid(line);
	(void)origin_is_ours(line, NULL, "weir.example:3001");
	(void)csrf_matches((const uint8_t[COOKIE_BYTES]){ 0 }, line);
}

static void
look_at_representation(const char *line)
{
	char out[64];
	size_t n = 0;

	(void)accepts_gzip(line);
	(void)etag_matches(line, "\"0123456789abcdef\"");
	if (length_parse(line, &n))
		assert(n < 1000000000);
	if (percent_decode(line, strlen(line), true, out, sizeof(out)))
		assert(strlen(out) < sizeof(out) && strlen(out) <= strlen(line));
}

static void
look_at_identity(const char *line)
{
	struct credential c;

	if (credential_read(&c, NULL, line, NULL) == CREDENTIAL_GOOD) {
		assert(c.kind == CREDENTIAL_TOKEN && strncmp(c.token, "weir_", 5) == 0);
		assert(strlen(c.token) < sizeof(c.token) && strstr(line, c.token) != NULL);
	}
	if (credential_read(&c, line, NULL, line) == CREDENTIAL_GOOD)
		assert(strcmp(c.tenant, line) == 0);
	if (credential_read_guide(&c, NULL, line, NULL) == CREDENTIAL_GOOD && c.kind == CREDENTIAL_BASIC)
		assert(c.name[0] != '\0' && strlen(c.name) < sizeof(c.name) &&
		       strlen(c.password) < sizeof(c.password));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = mem_calloc(len + 1, 1), *at = text;

	memcpy(text, data, len);
	for (unsigned i = 0; i < 6; i++) {
		size_t n = strcspn(at, "\n");
		bool more = at[n] == '\n';

		at[n] = '\0';
		switch (i) {
		case 0:
			look_at_address(at);
			break;
		case 1:
			look_at_cookie(at);
			break;
		case 2:
			look_at_host(at);
			break;
		case 3:
			look_at_representation(at);
			break;
		case 4:
			look_at_identity(at);
			break;
		case 5:
			look_at_guide(at);
			break;
		}
		if (!more)
			break;
		at += n + 1;
	}
	free(text);
	return 0;
}
