/* What autonomous systems are called, as far as the hosts that were told of said so: a bounded table by
 * number. It is everybody's knowledge, as the places of addresses are (known.h). The loop's thread only. */
#ifndef WEIR_STORE_AS_NAMES_H
#define WEIR_STORE_AS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define AS_NAMES_MAX 32768

struct as_names;

struct as_names *as_names_new(size_t max);
void as_names_free(struct as_names **a);
/* Where the table is full, the name that was told longest ago makes room. */
void as_names_learn(struct as_names *a, uint32_t number, const char *name, uint8_t len);
/* Not terminated; NULL, and *len 0, where it is not known. Until the next is learned. */
const char *as_names_text(struct as_names *a, uint32_t number, uint8_t *len);

#endif
