/* The dictionary in memory: an array of texts and an open-addressed index for each kind. */
#include "names.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

static const uint16_t kind_max[NAME_KIND_COUNT] = {
	[NAME_APPLICATION] = 16384,      [NAME_CATEGORY] = 1024,
	[NAME_RISK] = NAMES_RISKS_MAX,   [NAME_UNDECODED] = NAMES_UNDECODED_MAX,
	[NAME_PLACE] = NAMES_PLACES_MAX,
};

struct kind {
	char (*text)[NAME_TEXT_MAX + 1]; /* [number] */
	uint16_t *index;                 /* of numbers; 0 free; at least twice as long as text */
	uint32_t mask;
	uint16_t count;
};

struct names {
	struct kind kind[NAME_KIND_COUNT];
	uint64_t seed;
};

struct names *
names_new(void)
{
	struct names *n = mem_calloc(1, sizeof(*n));

	randombytes_buf(&n->seed, sizeof(n->seed));
	for (enum name_kind k = NAME_APPLICATION; k < NAME_KIND_COUNT; k++) {
		uint32_t size = 16;

		while (size < 2u * kind_max[k])
			size *= 2;
		n->kind[k].text = mem_calloc(kind_max[k] + 1u, sizeof(*n->kind[k].text));
		n->kind[k].index = mem_calloc(size, sizeof(*n->kind[k].index));
		n->kind[k].mask = size - 1;
	}
	return n;
}

void
names_free(struct names **n)
{
	if (*n == NULL)
		return;
	for (int k = 0; k < NAME_KIND_COUNT; k++) {
		free((*n)->kind[k].text);
		free((*n)->kind[k].index);
	}
	free(*n);
	*n = NULL;
}

/* The place in the index where the name is, or where it would go. */
static uint32_t
slot_of(const struct names *n, const struct kind *k, const char *text, size_t len)
{
	uint32_t at = (uint32_t)hash_bytes(text, len, n->seed) & k->mask;

	while (k->index[at] != 0) {
		const char *have = k->text[k->index[at]];

		if (strlen(have) == len && memcmp(have, text, len) == 0)
			break;
		at = (at + 1) & k->mask;
	}
	return at;
}

static bool
text_ok(enum name_kind kind, const char *text, size_t len)
{
	return kind > 0 && kind < NAME_KIND_COUNT && len > 0 && len <= NAME_TEXT_MAX &&
	       memchr(text, '\0', len) == NULL;
}

uint16_t
names_find(const struct names *n, enum name_kind kind, const char *text, size_t len)
{
	if (!text_ok(kind, text, len))
		return 0;
	return n->kind[kind].index[slot_of(n, &n->kind[kind], text, len)];
}

uint16_t
names_intern(struct names *n, enum name_kind kind, const char *text, size_t len)
{
	if (!text_ok(kind, text, len))
		return 0;

	struct kind *k = &n->kind[kind];
	uint32_t at = slot_of(n, k, text, len);

	if (k->index[at] == 0 && k->count < kind_max[kind]) {
		k->index[at] = ++k->count;
		memcpy(k->text[k->count], text, len);
		k->text[k->count][len] = '\0';
	}
	return k->index[at];
}

bool
names_restore(struct names *n, enum name_kind kind, uint16_t number, const char *text, size_t len)
{
	return text_ok(kind, text, len) && n->kind[kind].count + 1 == number &&
	       names_intern(n, kind, text, len) == number;
}

const char *
names_text(const struct names *n, enum name_kind kind, uint16_t number)
{
	if (kind <= 0 || kind >= NAME_KIND_COUNT || number > n->kind[kind].count)
		return "";
	return n->kind[kind].text[number];
}

uint16_t
names_count(const struct names *n, enum name_kind kind)
{
	return n->kind[kind].count;
}
