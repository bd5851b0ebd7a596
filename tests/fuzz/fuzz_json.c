/* A document of a stranger: parsed or refused with a sentence; what the writer makes of it parses again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[128] = "", where[64];
	struct json_doc *d =
	    json_parse_where((const char *)data, size, 65536, where, sizeof(where), err, sizeof(err));
	struct json_writer *w = json_new(1 << 20);
	size_t len;
	const char *text;

	assert(d != NULL || err[0] != '\0');
	assert(strlen(where) < sizeof(where));
	json_object(w, NULL);
	json_string_n(w, "raw", (const char *)data, size);
	json_object_end(w);
	text = json_text(w, &len);
	/* the reader refuses NUL bytes, which the writer must be able to show */
	if (text != NULL && memchr(data, 0, size) == NULL) {
		struct json_doc *again = json_parse(text, len, 1 << 21, err, sizeof(err));

		assert(again != NULL);
		json_doc_free(&again);
	}
	for (size_t i = 0; d != NULL && json_member(d, i) != NULL; i++) {
		int64_t v;
		const char *s = json_get_string(d, json_member(d, i));

		assert(s == NULL || !json_get_int(d, json_member(d, i), &v));
		if (i > 64)
			break;
	}
	json_doc_free(&d);
	json_free(&w);
	return 0;
}
