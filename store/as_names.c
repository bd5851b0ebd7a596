#include "as_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lru.h"

struct as_name {
	uint32_t number;
	uint8_t len;
	char *text; /* not terminated */
};

struct as_names {
	struct lru *rows;
};

static void
drop_name(void *row)
{
	free(((struct as_name *)row)->text);
}

struct as_names *
as_names_new(size_t max)
{
	struct as_names *a = mem_calloc(1, sizeof(*a));

	a->rows = lru_new((uint32_t)max, sizeof(struct as_name), sizeof(uint32_t), drop_name);
	return a;
}

void
as_names_free(struct as_names **ap)
{
	if (*ap == NULL)
		return;
	lru_free(&(*ap)->rows);
	free(*ap);
	*ap = NULL;
}

void
as_names_learn(struct as_names *a, uint32_t number, const char *name, uint8_t len)
{
	bool evicted;
	struct as_name *n = lru_get(a->rows, &number, &evicted);

	if (n->len == len && n->text != NULL && memcmp(n->text, name, len) == 0)
		return;
	free(n->text);
	n->text = mem_calloc(1, (size_t)len + 1);
	memcpy(n->text, name, len);
	n->len = len;
}

const char *
as_names_text(struct as_names *a, uint32_t number, uint8_t *len)
{
	const struct as_name *n = lru_find(a->rows, &number);

	*len = n == NULL ? 0 : n->len;
	return n == NULL ? NULL : n->text;
}
