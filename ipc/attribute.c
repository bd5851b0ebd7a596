/* Number, length, value; again and again. */
#include "ipc/attribute.h"

#include "base/mem.h"

const struct attribute_row attribute_rows[] = {
#define ATTRIBUTE(name, number, group, key, kind) { (number), ATTRIBUTE_##kind, (group), (key) },
#include "ipc/attribute.def"
#undef ATTRIBUTE
};
const size_t attribute_count = ARRAY_LEN(attribute_rows);

static void
put(struct wcur *list, enum attribute a, const void *value, size_t len)
{
	if (list->bad || (size_t)(list->end - list->p) < len + 2)
		return;
	wcur_u8(list, (uint8_t)a);
	wcur_u8(list, (uint8_t)len);
	wcur_put(list, value, len);
}

void
attribute_put_text(struct wcur *list, enum attribute a, const char *text, size_t len)
{
	if (text != NULL && len > 0)
		put(list, a, text, len > UINT8_MAX ? UINT8_MAX : len);
}

void
attribute_put_number(struct wcur *list, enum attribute a, uint64_t value)
{
	uint8_t bytes[8];
	size_t first = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> (56 - 8 * i));
	while (first < sizeof(bytes) - 1 && bytes[first] == 0)
		first++;
	put(list, a, bytes + first, sizeof(bytes) - first);
}

static const struct attribute_row *
row_of(uint8_t number)
{
	for (size_t i = 0; i < attribute_count; i++)
		if (attribute_rows[i].number == number)
			return &attribute_rows[i];
	return NULL;
}

int
attribute_next(struct rcur *list, uint8_t *before, struct attribute_value *out)
{
	if (!list->bad && rcur_left(list) == 0)
		return 0;

	uint8_t number = rcur_u8(list), len = rcur_u8(list);
	const uint8_t *value = rcur_take(list, len);

	*out = (struct attribute_value){ .row = row_of(number), .text = (const char *)value, .len = len };
	if (value == NULL || len == 0 || out->row == NULL || number <= *before)
		return -1;
	*before = number;
	if (out->row->kind == ATTRIBUTE_TEXT)
		return 1;
	for (size_t i = 0; i < len; i++)
		out->number = out->number << 8 | value[i];
	return len <= 8 ? 1 : -1;
}

bool
attributes_are_sane(const void *list, size_t len)
{
	struct rcur c = rcur_of(list, len);
	struct attribute_value v;
	uint8_t before = 0;
	int got;

	while ((got = attribute_next(&c, &before, &v)) == 1)
		;
	return got == 0;
}
