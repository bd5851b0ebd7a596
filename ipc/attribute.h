/* The list of attributes of a flow (attribute.def): written by engines, judged by store, shown by present. */
#ifndef WEIR_IPC_ATTRIBUTE_H
#define WEIR_IPC_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum attribute {
#define ATTRIBUTE(name, number, group, key, kind) ATTRIBUTE_##name = (number),
#include "ipc/attribute.def"
#undef ATTRIBUTE
};

enum attribute_kind { ATTRIBUTE_TEXT, ATTRIBUTE_NUMBER, ATTRIBUTE_TIME };

struct attribute_row {
	uint8_t number; /* enum attribute */
	uint8_t kind;   /* enum attribute_kind */
	const char *group, *key;
};

/* The rows of attribute.def in the order of their numbers. */
extern const struct attribute_row attribute_rows[];
extern const size_t attribute_count;

/* Both add to a list whose numbers are below; what does not fit is left out. Of a text the first 255 bytes;
 * nothing where it is NULL or empty. */
void attribute_put_text(struct wcur *list, enum attribute a, const char *text, size_t len);
void attribute_put_number(struct wcur *list, enum attribute a, uint64_t value);

struct attribute_value {
	const struct attribute_row *row;
	const char *text; /* len bytes of the list, not terminated */
	size_t len;
	uint64_t number; /* of a NUMBER or TIME */
};

/* Takes the next of a list: 1; 0 at its end; -1 where it is none: unknown number or length, or out of order.
 * *before starts at 0. */
int attribute_next(struct rcur *list, uint8_t *before, struct attribute_value *out);
/* Whether bytes are a list from begin to end. */
bool attributes_are_sane(const void *list, size_t len);

#endif
