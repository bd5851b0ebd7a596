#include <stdlib.h>

#include "base/mem.h"
#include "filter/tree.h"
#include "parse.h"

/* What flex generates has no header that our warnings would take. */
typedef struct yy_buffer_state *buffer_state;
int filter_yylex_init(void **scanner);
buffer_state filter_yy_scan_bytes(const char *bytes, int len, void *scanner);
void filter_yy_delete_buffer(buffer_state b, void *scanner);
int filter_yylex_destroy(void *scanner);

static bool
parse_text(struct parse *p)
{
	const struct span whole = { 0, p->len };
	void *scanner = NULL;
	buffer_state b;

	if (filter_yylex_init(&scanner) != 0)
		return false;
	b = filter_yy_scan_bytes(p->text, (int)p->len, scanner);
	if (filter_yyparse(scanner, p) != 0)
		tree_error(p, &whole, "not understood");
	filter_yy_delete_buffer(b, scanner);
	(void)filter_yylex_destroy(scanner);
	return !p->failed;
}

bool
filter_compile(const char *text, size_t len, struct filter_program *program, struct filter_error *e)
{
	struct parse *p = mem_calloc(1, sizeof(*p));
	const struct span end = { FILTER_SOURCE_MAX, 0 };
	bool good;

	*program = (struct filter_program){ .head = { 0, 0 } };
	p->text = text;
	p->len = len;
	p->program = program;
	p->error = e;
	if (len > FILTER_SOURCE_MAX)
		tree_error(p, &end, "a filter has at most %u characters", FILTER_SOURCE_MAX);
	good = !p->failed && parse_text(p);
	if (good)
		tree_emit(p);
	free(p);
	return good;
}
