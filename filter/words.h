/* The words of the language beside its grammar: fields with their other names, and words that stand for a
 * whole test. */
#ifndef WEIR_FILTER_WORDS_H
#define WEIR_FILTER_WORDS_H

#include "filter/tree.h"

/* What a word of len bytes means, in any case of letters. */
enum word_kind {
	WORD_PLAIN, /* a value, or nothing of ours */
	WORD_FIELD,
	WORD_BARE /* a whole test */
};
struct word {
	enum word_kind kind;
	enum filter_field field;
	uint64_t number; /* WORD_BARE */
	bool is_network;
};
struct word word_of(const char *text, size_t len);

#endif
