#include "child_log.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static void
put_line(struct child_log *l, int64_t now_s, child_log_put put, void *ctx)
{
	char safe[4 * CHILD_LINE_MAX + 1], out[4 * CHILD_LINE_MAX + 64];

	if (now_s != l->second) {
		if (l->left_out > 0) {
			(void)snprintf(out, sizeof(out), "%s: %u lines left out", l->name, l->left_out);
			put(ctx, out);
		}
		l->second = now_s;
		l->lines = l->left_out = 0;
	}
	if (l->lines >= CHILD_LINES_PER_SECOND) {
		l->left_out++;
		return;
	}
	l->lines++;
	text_escape(safe, sizeof(safe), l->line, l->len);
	if (strncmp(safe, l->name, strlen(l->name)) == 0)
		put(ctx, safe);
	else {
		(void)snprintf(out, sizeof(out), "%s: %s", l->name, safe);
		put(ctx, out);
	}
}

void
child_log_take(struct child_log *l, const char *bytes, size_t n, int64_t now_s, child_log_put put, void *ctx)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			if (!l->cut && l->len > 0)
				put_line(l, now_s, put, ctx);
			l->len = 0;
			l->cut = 0;
		} else if (l->len < sizeof(l->line)) {
			l->line[l->len++] = bytes[i];
		} else if (!l->cut) {
			put_line(l, now_s, put, ctx);
			l->cut = 1;
		}
	}
}

void
child_log_end(struct child_log *l, int64_t now_s, child_log_put put, void *ctx)
{
	if (!l->cut && l->len > 0)
		put_line(l, now_s, put, ctx);
	if (l->left_out > 0) {
		char out[96];

		(void)snprintf(out, sizeof(out), "%s: %u lines left out", l->name, l->left_out);
		put(ctx, out);
	}
	l->len = l->cut = l->left_out = 0;
}
