#include "filter/tree.h"

#include <stdarg.h>
#include <stdio.h>

#include "filter/value.h"

enum tree_kind { TREE_TEST, TREE_AND, TREE_OR, TREE_NOT };

void
tree_error(struct parse *p, const struct span *where, const char *why, ...)
{
	va_list list;

	if (p->failed)
		return;
	p->failed = true;
	p->error->at = where->at;
	p->error->len = where->len;
	va_start(list, why);
	(void)vsnprintf(p->error->text, sizeof(p->error->text), why, list);
	va_end(list);
}

/* --- building: the parser meets tests in the order of the text, and so their numbers ascend from left to
 * right --- */

static node
add(struct parse *p, enum tree_kind kind, node left, node right)
{
	const struct span end = { p->len, 0 };

	if (p->failed || (kind != TREE_TEST && left == 0))
		return 0;
	if (p->nnodes == FILTER_NODES_MAX) {
		tree_error(p, &end, "the filter is too long");
		return 0;
	}
	p->nodes[++p->nnodes] = (struct tree_node){ .kind = (uint8_t)kind, .left = left, .right = right };
	p->nodes[p->nnodes].first =
	    kind == TREE_TEST ? (uint16_t)p->program->head.ntests : p->nodes[left].first;
	return p->nnodes;
}

node
tree_and(struct parse *p, node a, node b)
{
	return add(p, TREE_AND, a, b);
}

node
tree_or(struct parse *p, node a, node b)
{
	return add(p, TREE_OR, a, b);
}

node
tree_not(struct parse *p, node a)
{
	return add(p, TREE_NOT, a, 0);
}

static node
add_test(struct parse *p, const struct filter_test *t, const struct span *where)
{
	struct filter_head *head = &p->program->head;
	node n;

	if (head->ntests == FILTER_TESTS_MAX) {
		tree_error(p, where, "more than %u tests", FILTER_TESTS_MAX);
		return 0;
	}
	n = add(p, TREE_TEST, 0, 0);
	if (n != 0)
		p->program->test[head->ntests++] = *t;
	return n;
}

/* less-or-equal to a whole number is less than the next one: true of either end as of one. */
static bool
widen(const struct relation *r, struct filter_test *t)
{
	if (!r->or_equal)
		return true;
	if (r->compare == FILTER_LESS && t->number < UINT64_MAX) {
		t->number++;
		return true;
	}
	if (r->compare == FILTER_MORE && t->number > 0) {
		t->number--;
		return true;
	}
	*t = (struct filter_test){ .field = FILTER_ANY }; /* nothing is below 0 or above the largest */
	return true;
}

node
tree_test(struct parse *p, const struct subject *s, const struct relation *r, const struct span *value)
{
	const struct filter_field_row *row = &filter_fields[s->field];
	struct filter_test t = { .field = (uint8_t)s->field,
				 .end = (uint8_t)s->end,
				 .compare = (uint8_t)r->compare };
	bool ordered = row->type == FILTER_TYPE_NUMBER || row->type == FILTER_TYPE_SIZE ||
		       row->type == FILTER_TYPE_MILLISECONDS;
	node n;

	if (p->failed)
		return 0;
	if (s->end != FILTER_EITHER && row->ends == FILTER_ONE) {
		tree_error(p, &s->where, "%s is the flow's, not an end's: leave src or dst out", row->word);
		return 0;
	}
	if (r->compare != FILTER_EQUAL && !ordered) {
		tree_error(p, value, "%s is equal or not: it is neither less nor more", row->word);
		return 0;
	}
	if (!value_take(p, s, value, &t) || !widen(r, &t))
		return 0;
	n = add_test(p, &t, value);
	return r->negated ? tree_not(p, n) : n;
}

node
tree_bare(struct parse *p, enum filter_field field, uint64_t number, const struct span *where)
{
	const struct filter_test t = { .field = (uint8_t)field, .number = number };

	return add_test(p, &t, where);
}

/* --- emitting --- */

/* What is left to do below a node: where it leads when it holds, and when it does not. */
struct task {
	node n;
	uint16_t pass, fail;
};

/* Targets are always tests to the right, which have higher numbers. */
void
tree_emit(struct parse *p)
{
	static const struct filter_test everything = { .field = FILTER_ANY,
						       .pass = FILTER_ACCEPT,
						       .fail = FILTER_REJECT };
	struct task stack[FILTER_NODES_MAX + 1];
	size_t depth = 0;

	if (p->root == 0) {
		p->program->test[0] = everything;
		p->program->head.ntests = 1;
		return;
	}
	stack[depth++] = (struct task){ p->root, FILTER_ACCEPT, FILTER_REJECT };
	while (depth > 0) {
		const struct task t = stack[--depth];
		const struct tree_node *n = &p->nodes[t.n];

		switch ((enum tree_kind)n->kind) {
		case TREE_TEST:
			p->program->test[n->first].pass = t.pass;
			p->program->test[n->first].fail = t.fail;
			break;
		case TREE_NOT:
			stack[depth++] = (struct task){ n->left, t.fail, t.pass };
			break;
		case TREE_AND:
			stack[depth++] = (struct task){ n->left, p->nodes[n->right].first, t.fail };
			stack[depth++] = (struct task){ n->right, t.pass, t.fail };
			break;
		case TREE_OR:
			stack[depth++] = (struct task){ n->left, t.pass, p->nodes[n->right].first };
			stack[depth++] = (struct task){ n->right, t.pass, t.fail };
			break;
		}
	}
}
