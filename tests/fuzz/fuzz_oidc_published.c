/* What a provider publishes, the settings by which it is asked, and the steps that a former process tells. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discovery.h"
#include "http.h"
#include "keyset.h"
#include "oidc_report.h"
#include "oidc_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_document(const char *text, size_t len, bool http)
{
	struct http_server s;
	struct discovery d;
	char err[400];

	if (!discovery_read(text, len, "https://a", http, &d, err, sizeof(err))) {
		assert(err[0] != '\0');
		return;
	}
	assert(strlen(d.token_endpoint) < DISCOVERY_URL_MAX &&
	       (http || strncmp(d.token_endpoint, "https://", 8) == 0));
	if (http_where(d.token_endpoint, http, &s, err, sizeof(err)))
		assert(s.host[0] != '\0' && s.port != 0 && strpbrk(s.host, "@/#?[] ") == NULL);
	discovery_free(&d);
}

static void
try_keys(const char *text, size_t len)
{
	struct keyset k;
	char err[160];

	if (!keyset_read(text, len, &k, err, sizeof(err)))
		return;
	assert(k.n <= KEYSET_KEYS_MAX);
	for (size_t i = 0; i < k.n; i++)
		if (keyset_suits(&k, i, oidc_algorithm_find("RS256"), NULL))
			assert(!keyset_suits(&k, i, oidc_algorithm_find("ES256"), NULL));
	keyset_free(&k);
}

static void
try_lines(const char *text, size_t len)
{
	struct oidc_report *r = oidc_report_new();
	char *lines, *told;
	size_t n;

	oidc_report_take_lines(r, text, len);
	assert(r->nsteps <= REPORT_STEPS);
	oidc_report_end(r, OIDC_REFUSED, "%.*s", len > 1000 ? 1000 : (int)len, text);
	lines = oidc_report_lines(r);
	told = oidc_report_text(r, &n);
	assert(told != NULL && n == strlen(told));
	free(lines);
	free(told);
	oidc_report_free(&r);
}

static void
try_settings(const char *text, size_t len)
{
	struct oidc_settings s;
	char err[160];

	if (!oidc_settings_read(text, len, &s, err, sizeof(err)))
		return;
	assert(s.algorithms != 0 && s.clock_skew_s >= 0 && s.clock_skew_s <= 600);
	oidc_settings_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = mem_calloc(size, 1);
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		try_document(text, size - 1, false);
		break;
	case 1:
		try_document(text, size - 1, true);
		break;
	case 2:
		try_keys(text, size - 1);
		break;
	case 3:
		try_lines(text, size - 1);
		break;
	default:
		try_settings(text, size - 1);
	}
	free(text);
	return 0;
}
