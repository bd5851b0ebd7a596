/*
 * The filter language: nfdump's, which the field knows, with the words that Weir adds (ipc/filter.def). Text
 * in, program out. Pure: no I/O, no state.
 *
 *   src ip 10.0.0.1 and dst port 443 and bytes > 1m
 *   app TLS and not (sni example.com or dst country NL)
 *   port in [ 80 443 ] and flags S and not flags AFRPU
 *
 * A flow of Weir has both directions: src is the client, which opened it, dst the server. Numbers that may be
 * large end in k, m, g or t, of 1000.
 */
#ifndef WEIR_FILTER_FILTER_H
#define WEIR_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/filter.h"

#define FILTER_SOURCE_MAX 16384 /* bytes of a filter's text */
#define FILTER_NODES_MAX  2048
#define FILTER_ERROR_MAX  200

/* What is wrong, and where: len bytes of the text from byte `at` on (len 0: at its end). */
struct filter_error {
	size_t at, len;
	char text[FILTER_ERROR_MAX];
};

/* Compiles len bytes of text (nothing but blanks: every flow). False with *e; *p is then undefined. */
bool filter_compile(const char *text, size_t len, struct filter_program *p, struct filter_error *e);

/* A word that a filter may hold, for those who help to write one: the i-th of the language, false past the
 * end. */
struct filter_word {
	const char *word, *help;
	bool has_ends; /* src, dst may stand before it */
};
bool filter_word_at(size_t i, struct filter_word *w);

#endif
