/* Sums counters by name, and writes totals with them. */
#include "present/present.h"

#include <string.h>

static bool
is_named(const char *name, const struct row_text *t)
{
	return strlen(name) == t->len && memcmp(name, t->s, t->len) == 0;
}

void
counter_sum_add(struct counter_sum *s, const struct row *r)
{
	static const struct row_text other = { "other", 5 };
	const struct row_text *name = &r->text[COUNTER_TEXT_NAME];
	uint32_t i = 0;

	if (r->counter.count == 0)
		return;
	if (name->len == 0 || name->len >= sizeof(s->at[0].name) || memchr(name->s, 0, name->len) != NULL)
		name = &other;
	while (i < s->n && !is_named(s->at[i].name, name))
		i++;
	if (i == COUNTER_SUM_MAX - 1 && i == s->n)
		name = &other; /* the last place takes all that have no other */
	else if (i == COUNTER_SUM_MAX)
		i = COUNTER_SUM_MAX - 1;
	if (i == s->n) {
		memset(&s->at[i], 0, sizeof(s->at[i]));
		memcpy(s->at[i].name, name->s, name->len);
		s->n++;
	}
	s->at[i].count += r->counter.count;
}

static void
present_sum(struct json_writer *w, const char *key, const struct counter_sum *s)
{
	json_object(w, key);
	for (uint32_t i = 0; i < s->n; i++)
		json_uint(w, s->at[i].name, s->at[i].count);
	json_object_end(w);
}

void
present_totals(struct json_writer *w, const char *key, const struct row_totals *t,
	       const struct counter_sum *drops, const struct counter_sum *undecoded)
{
	json_object(w, key);
	json_uint(w, "packets", t->packets);
	json_uint(w, "bytes", t->bytes);
	present_sum(w, "dropped", drops);
	present_sum(w, "undecoded", undecoded);
	json_uint(w, "flows", t->flows);
	json_uint(w, "hosts", t->hosts);
	json_uint(w, "bytes_per_second", t->bytes_per_s);
	json_uint(w, "packets_per_second", t->packets_per_s);
	json_object_end(w);
}
