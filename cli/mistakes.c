#include "mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

void
mistake(struct mistakes *m, unsigned line, const char *fmt, ...)
{
	char text[1024], safe[2048], out[4096];
	va_list ap;

	if (m->n++ >= CONFIG_MISTAKES_MAX) {
		if (m->n == CONFIG_MISTAKES_MAX + 1)
			m->report(m->ctx, "more mistakes follow, which are not named");
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(out, sizeof(out), "%s:%u: %s", m->name, line,
		       text_escape(safe, sizeof(safe), text, strlen(text)));
	m->report(m->ctx, out);
}
