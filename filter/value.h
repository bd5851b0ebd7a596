/* Values of a filter: a word of the text as what its field is compared with. Inner to filter/. */
#ifndef WEIR_FILTER_VALUE_H
#define WEIR_FILTER_VALUE_H

#include "filter/tree.h"

/* Judges the word at `where` for the field of t and puts it there; false with the error set. Strings go to
 * the program's. */
bool value_take(struct parse *p, const struct subject *s, const struct span *where, struct filter_test *t);

#endif
