#include "guide_slices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t
sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void
guide_slices_add(struct guide_slices *s, const char *label, uint64_t value)
{
	size_t i = 0;

	s->total = sum(s->total, value);
	while (i < s->n && strcmp(s->at[i].label, label) != 0)
		i++;
	if (i == GUIDE_SLICES_MAX)
		return;
	if (i == s->n) {
		(void)str_copy(s->at[i].label, sizeof(s->at[i].label), label);
		s->n++;
	}
	s->at[i].value = sum(s->at[i].value, value);
}

void
guide_slices_add_application(struct guide_slices *s, const struct row_text *name, uint64_t value)
{
	const char *dot = name->len > 0 ? memchr(name->s, '.', name->len) : NULL;
	size_t skip = dot == NULL || dot + 1 == name->s + name->len ? 0 : (size_t)(dot + 1 - name->s);
	char label[GUIDE_LABEL_BYTES];

	(void)snprintf(label, sizeof(label), "%.*s", (int)(name->len - skip),
		       name->len > 0 ? name->s + skip : "");
	guide_slices_add(s, label[0] != '\0' ? label : "Unknown", value);
}

void
guide_slices_add_breed(struct guide_slices *s, uint8_t breed, uint64_t value)
{
	/* As ntopng calls them. */
	static const char *const names[BREED_COUNT] = {
		[BREED_SAFE] = "Safe",
		[BREED_ACCEPTABLE] = "Acceptable",
		[BREED_FUN] = "Fun",
		[BREED_UNSAFE] = "Unsafe",
		[BREED_POTENTIALLY_DANGEROUS] = "Potentially Dangerous",
		[BREED_DANGEROUS] = "Dangerous",
		[BREED_TRACKER_ADS] = "Tracker/Ads",
	};

	guide_slices_add(s, breed < BREED_COUNT && names[breed] != NULL ? names[breed] : "Unrated", value);
}

static int
largest_first(const void *a, const void *b)
{
	const struct guide_slice *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return strcmp(x->label, y->label);
}

static void
put_one(struct json_writer *w, const char *label, uint64_t value, void (*put)(struct json_writer *w))
{
	json_object(w, NULL);
	json_string(w, "label", label);
	json_uint(w, "value", value);
	if (put != NULL)
		put(w);
	json_object_end(w);
}

void
guide_slices_put(struct json_writer *w, struct guide_slices *s, size_t most, unsigned percent,
		 void (*put)(struct json_writer *w))
{
	uint64_t shown = 0;

	qsort(s->at, s->n, sizeof(s->at[0]), largest_first);
	json_array(w, "rsp");
	/* One is there however small it is: a whole of crumbs has a largest too. */
	for (size_t i = 0; i < s->n && i < most; i++) {
		if (s->at[i].value == 0 || (i > 0 && s->at[i].value < s->total / 100 * percent))
			break;
		put_one(w, s->at[i].label, s->at[i].value, put);
		shown = sum(shown, s->at[i].value);
	}
	if (shown < s->total)
		put_one(w, "Other", s->total - shown, NULL);
	json_array_end(w);
}
