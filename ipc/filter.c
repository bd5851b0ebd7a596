#include "ipc/filter.h"

#include <string.h>

#include "base/cursor.h"

const struct filter_field_row filter_fields[FILTER_FIELD_COUNT] = {
#define FILTER_FIELD(name, word, type, ends, help)                                                           \
	[FILTER_##name] = { word, FILTER_TYPE_##type, FILTER_##ends, help },
#include "ipc/filter.def"
#undef FILTER_FIELD
};

static bool
is_text(uint8_t type)
{
	return type == FILTER_TYPE_NAME || type == FILTER_TYPE_DOMAIN;
}

/* Types whose values are ordered: the others are equal or not. */
static bool
is_ordered(uint8_t type)
{
	return type == FILTER_TYPE_NUMBER || type == FILTER_TYPE_SIZE || type == FILTER_TYPE_MILLISECONDS;
}

/* A prefix whose bits past it are zero. */
static bool
prefix_sane(const struct filter_test *t)
{
	for (unsigned bit = t->bits; bit < 128; bit++)
		if (t->ip.b[bit / 8] & 0x80u >> bit % 8)
			return false;
	return t->bits <= 128;
}

static bool
leads_on(uint16_t to, uint32_t at, uint32_t ntests)
{
	return to == FILTER_ACCEPT || to == FILTER_REJECT || (to > at && to < ntests);
}

static bool
test_sane(const struct filter_program *p, uint32_t at)
{
	static const struct ip_addr none;
	const struct filter_test *t = &p->test[at];
	const struct filter_field_row *row;

	if (t->field >= FILTER_FIELD_COUNT || t->end >= FILTER_END_COUNT ||
	    t->compare >= FILTER_COMPARE_COUNT || t->reserved != 0)
		return false;
	row = &filter_fields[t->field];
	if ((row->ends == FILTER_ONE && t->end != FILTER_EITHER) ||
	    (!is_ordered(row->type) && t->compare != FILTER_EQUAL))
		return false;
	if (row->type == FILTER_TYPE_ADDRESS ? !prefix_sane(t) : t->bits != 0 || !ip_equal(&t->ip, &none))
		return false;
	if (is_text(row->type)) {
		if (t->text_len == 0 || t->number != 0 || t->text_at > p->head.text_len ||
		    t->text_len > p->head.text_len - t->text_at)
			return false;
	} else if (t->text_at != 0 || t->text_len != 0) {
		return false;
	}
	return leads_on(t->pass, at, p->head.ntests) && leads_on(t->fail, at, p->head.ntests);
}

bool
filter_verify(const struct filter_program *p)
{
	if (p->head.ntests == 0 || p->head.ntests > FILTER_TESTS_MAX || p->head.text_len > FILTER_TEXT_MAX)
		return false;
	for (uint32_t i = 0; i < p->head.ntests; i++)
		if (!test_sane(p, i))
			return false;
	return true;
}

size_t
filter_encode(const struct filter_program *p, void *out, size_t size)
{
	struct wcur c = wcur_of(out, size);

	wcur_put(&c, &p->head, sizeof(p->head));
	wcur_put(&c, p->test, p->head.ntests * sizeof(p->test[0]));
	wcur_put(&c, p->text, p->head.text_len);
	return c.bad ? 0 : wcur_len(&c);
}

bool
filter_decode(const void *bytes, size_t len, struct filter_program *p)
{
	struct rcur c = rcur_of(bytes, len);

	if (!rcur_copy(&c, &p->head, sizeof(p->head)) || p->head.ntests > FILTER_TESTS_MAX ||
	    p->head.text_len > FILTER_TEXT_MAX)
		return false;
	return rcur_copy(&c, p->test, p->head.ntests * sizeof(p->test[0])) &&
	       rcur_copy(&c, p->text, p->head.text_len) && rcur_left(&c) == 0 && filter_verify(p);
}
