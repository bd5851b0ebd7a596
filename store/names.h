/* The dictionary: applications, categories, risks and the like are kept by name, numbered by store, never by
 * a library's numbers. Numbers are given once and never reused; history writes them in the transaction that
 * uses them. */
#ifndef WEIR_STORE_NAMES_H
#define WEIR_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct names;

struct names *names_new(void);
void names_free(struct names **n);

/* The number (1 and up) of a name, given anew where it is not known; 0 where the dictionary of its kind is
 * full. */
uint16_t names_intern(struct names *n, enum name_kind kind, const char *text, size_t len);
/* 0 where it is not known. */
uint16_t names_find(const struct names *n, enum name_kind kind, const char *text, size_t len);
/* "" for 0 and unknown numbers. */
const char *names_text(const struct names *n, enum name_kind kind, uint16_t number);
uint16_t names_count(const struct names *n, enum name_kind kind);
/* For the load from disk: the numbers of a kind come in order, 1, 2, ...; false where one does not. */
bool names_restore(struct names *n, enum name_kind kind, uint16_t number, const char *text, size_t len);

#define NAMES_RISKS_MAX     64 /* risk number r is bit r - 1 of a mask */
#define NAMES_UNDECODED_MAX 64
#define NAMES_PLACES_MAX    256

#endif
