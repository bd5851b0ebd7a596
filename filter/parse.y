/* The grammar of filters (filter.h). */
%code requires {
#include "filter/tree.h"
#include "filter/words.h"

/* Of a rule: from its first word to its last. */
#define YYLLOC_DEFAULT(now, rhs, n)                                                                          \
	do {                                                                                                 \
		if (n) {                                                                                     \
			(now).at = YYRHSLOC(rhs, 1).at;                                                      \
			(now).len = YYRHSLOC(rhs, n).at + YYRHSLOC(rhs, n).len - (now).at;                   \
		} else {                                                                                     \
			(now).at = YYRHSLOC(rhs, 0).at + YYRHSLOC(rhs, 0).len;                               \
			(now).len = 0;                                                                       \
		}                                                                                            \
	} while (0)
/* Bison's stack is bounded: deeper nesting is an error. */
#define YYMAXDEPTH 3000
}

%define api.pure full
%define api.prefix {filter_yy}
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%param {void *scanner}
%parse-param {struct parse *p}

%initial-action { @$ = (struct span){ 0, 0 }; }

%union {
	struct word word;
	struct subject subject;
	struct relation relation;
	enum filter_end end;
	node node;
}

%token <word> FIELD "a field"
%token <word> BARE "a test"
%token VALUE "a value" TEXT "a text in quotes"
%token AND "and" OR "or" NOT "not" IN "in" OUT "out" SRC "src" DST "dst"
%token EQUAL "=" UNEQUAL "!=" LESS "<" MORE ">" LESS_EQUAL "<=" MORE_EQUAL ">="
%token STRAY "a stray character"
%token END 0 "the end"

%type <node> expression test list
%type <end> end
%type <subject> subject
%type <relation> relation

%left OR
%left AND
%precedence NOT

%code {
#include <stdio.h>

int filter_yylex(FILTER_YYSTYPE *value, struct span *where, void *scanner);
static void filter_yyerror(const struct span *where, void *scanner, struct parse *p, const char *why);

static enum filter_field
through(struct parse *p, const struct word *w, bool out, const struct span *where)
{
	if (w->field != FILTER_INTERFACE)
		tree_error(p, where, "in and out stand before `if` only");
	return out ? FILTER_OUT_INTERFACE : FILTER_IN_INTERFACE;
}
}

%%

filter:
	%empty				{ p->root = 0; }
	| expression			{ p->root = $1; }
	;

expression:
	test
	| expression OR expression	{ $$ = tree_or(p, $1, $3); }
	| expression AND expression	{ $$ = tree_and(p, $1, $3); }
	| NOT expression		{ $$ = tree_not(p, $2); }
	| '(' expression ')'		{ $$ = $2; }
	;

test:
	BARE				{ $$ = tree_bare(p, $1.field, $1.number, &@1); }
	| subject relation VALUE	{ $$ = tree_test(p, &$1, &$2, &@3); }
	| subject relation TEXT		{ $$ = tree_test(p, &$1, &$2, &@3); }
	| subject relation BARE		{ $$ = tree_test(p, &$1, &$2, &@3); }
	| subject relation FIELD	{ $$ = tree_test(p, &$1, &$2, &@3); }
	| subject IN '[' list ']'	{ $$ = $4; }
	| subject NOT IN '[' list ']'	{ $$ = tree_not(p, $5); }
	;

/* The subject of a list stands right before its `in [`, whatever the list holds. */
list:
	VALUE				{ const struct relation r = { FILTER_EQUAL, false, false };
					  $$ = tree_test(p, &p->listed, &r, &@1); }
	| TEXT				{ const struct relation r = { FILTER_EQUAL, false, false };
					  $$ = tree_test(p, &p->listed, &r, &@1); }
	| list separator VALUE		{ const struct relation r = { FILTER_EQUAL, false, false };
					  $$ = tree_or(p, $1, tree_test(p, &p->listed, &r, &@3)); }
	| list separator TEXT		{ const struct relation r = { FILTER_EQUAL, false, false };
					  $$ = tree_or(p, $1, tree_test(p, &p->listed, &r, &@3)); }
	;

separator:
	%empty
	| ','
	;

subject:
	FIELD				{ $$ = (struct subject){ $1.field, FILTER_EITHER, @1, $1.is_network };
					  p->listed = $$; }
	| end FIELD			{ $$ = (struct subject){ $2.field, $1, @1, $2.is_network };
					  p->listed = $$; }
	| IN FIELD			{ $$ = (struct subject){ through(p, &$2, false, &@1), FILTER_EITHER, @2, false };
					  p->listed = $$; }
	| OUT FIELD			{ $$ = (struct subject){ through(p, &$2, true, &@1), FILTER_EITHER, @2, false };
					  p->listed = $$; }
	;

end:
	SRC				{ $$ = FILTER_CLIENT; }
	| DST				{ $$ = FILTER_SERVER; }
	;

relation:
	%empty				{ $$ = (struct relation){ FILTER_EQUAL, false, false }; }
	| EQUAL				{ $$ = (struct relation){ FILTER_EQUAL, false, false }; }
	| UNEQUAL			{ $$ = (struct relation){ FILTER_EQUAL, false, true }; }
	| LESS				{ $$ = (struct relation){ FILTER_LESS, false, false }; }
	| MORE				{ $$ = (struct relation){ FILTER_MORE, false, false }; }
	| LESS_EQUAL			{ $$ = (struct relation){ FILTER_LESS, true, false }; }
	| MORE_EQUAL			{ $$ = (struct relation){ FILTER_MORE, true, false }; }
	;

%%

static void
filter_yyerror(const struct span *where, void *scanner, struct parse *p, const char *why)
{
	(void)scanner;
	tree_error(p, where, "%s", why);
}

/* What could have stood there, where that is few things. */
static int
yyreport_syntax_error(const yypcontext_t *context, void *scanner, struct parse *p)
{
	yysymbol_kind_t expected[6];
	int n = yypcontext_expected_tokens(context, expected, 6);
	char list[120] = "";
	size_t len = 0;

	(void)scanner;
	for (int i = 0; i < n; i++) {
		int wrote = snprintf(list + len, sizeof(list) - len, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ",
				     yysymbol_name(expected[i]));

		if (wrote < 0 || (size_t)wrote >= sizeof(list) - len)
			break;
		len += (size_t)wrote;
	}
	if (yypcontext_token(context) == YYSYMBOL_VALUE && n == 0)
		tree_error(p, yypcontext_location(context), "no word of a filter");
	else if (yypcontext_token(context) == YYSYMBOL_YYEOF)
		tree_error(p, yypcontext_location(context), "the filter ends too soon%s%s", len > 0 ? ": it needs " : "", list);
	else
		tree_error(p, yypcontext_location(context), "not understood here%s%s", len > 0 ? ": it needs " : "", list);
	return 0;
}
