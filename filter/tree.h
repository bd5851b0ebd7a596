/* A filter while it is compiled: the parser builds a bounded tree, which becomes tests that lead forwards.
 * Inner to filter/. */
#ifndef WEIR_FILTER_TREE_H
#define WEIR_FILTER_TREE_H

#include "filter/filter.h"

/* A word of the text. */
struct span {
	size_t at, len;
};

/* A node's number, from 1 on; 0: there is none, and the error is set. */
typedef unsigned node;

/* A test of a field at an end; equal also means or-equal of less and more where `also` says so. */
struct relation {
	enum filter_compare compare;
	bool or_equal, negated;
};
struct subject {
	enum filter_field field;
	enum filter_end end;
	struct span where;
	bool is_network; /* written as net: no lone address */
};

struct parse {
	const char *text;
	size_t len;
	struct filter_program *program;
	struct filter_error *error;
	bool failed; /* the first error stands */
	unsigned nnodes;
	node root;
	struct subject listed; /* of the list that is being read */
	struct tree_node {
		uint8_t kind;   /* enum tree_kind */
		uint16_t first; /* the first test below it */
		node left, right;
	} nodes[FILTER_NODES_MAX + 1];
};

/* Sets the error unless there is one. */
void tree_error(struct parse *p, const struct span *where, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

node tree_and(struct parse *p, node a, node b);
node tree_or(struct parse *p, node a, node b);
node tree_not(struct parse *p, node a);

node tree_test(struct parse *p, const struct subject *s, const struct relation *r, const struct span *value);
/* A test that takes no value: any, tcp, ipv6. word is where it stands. */
node tree_bare(struct parse *p, enum filter_field field, uint64_t number, const struct span *where);

/* Makes the program of the tree. */
void tree_emit(struct parse *p);

#endif
