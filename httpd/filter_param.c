#include "filter_param.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "filter/filter.h"
#include "inquiry.h"
#include "refuse.h"
#include "request.h"
#include "sessions.h"

struct waiting {
	struct request *request;
	filtered_fn *fn;
};

/* The wire form in memory of its own. */
static uint8_t *
encoded(const struct filter_program *p, size_t *len)
{
	size_t size = sizeof(p->head) + p->head.ntests * sizeof(p->test[0]) + p->head.text_len;
	uint8_t *bytes = mem_calloc(1, size);

	*len = filter_encode(p, bytes, size);
	return bytes;
}

uint8_t *
filter_program_of(const char *text, size_t *len, struct filter_error *e)
{
	struct filter_program *p = mem_calloc(1, sizeof(*p));
	uint8_t *bytes = NULL;

	if (filter_compile(text, strlen(text), p, e))
		bytes = encoded(p, len);
	free(p);
	return bytes;
}

static void
compile(struct request *r, filtered_fn *fn)
{
	struct filter_error e;
	size_t len = 0;
	uint8_t *bytes = filter_program_of(r->params.filter, &len, &e);

	if (bytes == NULL)
		reply_problem_at(r, "filter", e.at, e.len, e.text);
	else
		fn(r, bytes, len);
}

static void
on_session(void *ctx, enum session_end end, const struct session *s)
{
	struct waiting w;

	(void)s;
	memcpy(&w, ctx, sizeof(w));
	free(ctx);
	if (end == SESSION_OK)
		compile(w.request, w.fn);
	else
		refuse_inquiry(w.request, inquiry_end_of(end));
}

void
filter_param(struct request *r, filtered_fn *fn)
{
	struct waiting *w;

	if (!params_has(&r->params, PARAM_FILTER)) {
		fn(r, NULL, 0);
		return;
	}
	w = mem_calloc(1, sizeof(*w));
	*w = (struct waiting){ r, fn };
	session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_session, w);
}
