/* A file of `weir apply` of any bytes: every mistake is one printable line, and what is accepted is a JSON
 * object that authd's parser takes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "apply.h"
#include "base/json_read.h"
#include "ipc/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static void
count(void *ctx, const char *line)
{
	assert(++*(unsigned *)ctx <= CONFIG_MISTAKES_MAX + 1);
	for (; *line != '\0'; line++)
		assert(*line >= 0x20 && *line < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned mistakes = 0;
	struct document *d = document_read("fuzz", (const char *)data, n, count, &mistakes);
	struct json_doc *json;
	const char *text;
	size_t len = 0;
	char err[160];

	assert((d == NULL) == (mistakes > 0));
	if (d == NULL)
		return 0;
	text = document_json(d, &len);
	assert(text != NULL && len <= ADMIN_BODY_MAX);
	json = json_parse(text, len, ADMIN_BODY_MAX, err, sizeof(err));
	assert(json != NULL);
	(void)document_line(d, "users[0].access[0].networks[0]");
	json_doc_free(&json);
	document_free(&d);
	return 0;
}
