#include "exposition.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

static void
put(struct evbuffer *out, const void *bytes, size_t len)
{
	if (evbuffer_add(out, bytes, len) == -1)
		fatalx("no memory for an answer");
}

static void
put_text(struct evbuffer *out, const char *text)
{
	put(out, text, strlen(text));
}

void
exposition_metric(struct evbuffer *out, const char *name, enum metric_kind kind, const char *help)
{
	put_text(out, "# HELP ");
	put_text(out, name);
	put_text(out, " ");
	put_text(out, help);
	put_text(out, "\n# TYPE ");
	put_text(out, name);
	put_text(out, kind == METRIC_COUNTER ? " counter\n" : " gauge\n");
}

/* Backslash, quote and the line's end are escaped; of what is no UTF-8 each byte above ASCII is shown as a
 * question mark. */
static void
put_value(struct evbuffer *out, const struct label *l)
{
	bool good = utf8_valid(l->value, l->len);

	for (size_t i = 0; i < l->len; i++) {
		char c = l->value[i];

		if (c == '\\' || c == '"')
			put(out, "\\", 1);
		if (c == '\n')
			put_text(out, "\\n");
		else if (!good && (unsigned char)c >= 0x80)
			put(out, "?", 1);
		else
			put(out, &c, 1);
	}
}

void
exposition_sample(struct evbuffer *out, const char *name, const struct label *labels, size_t nlabels,
		  uint64_t value)
{
	put_text(out, name);
	for (size_t i = 0; i < nlabels; i++) {
		put_text(out, i == 0 ? "{" : ",");
		put_text(out, labels[i].name);
		put_text(out, "=\"");
		put_value(out, &labels[i]);
		put_text(out, "\"");
	}
	if (nlabels > 0)
		put_text(out, "}");
	if (evbuffer_add_printf(out, " %" PRIu64 "\n", value) == -1)
		fatalx("no memory for an answer");
}
