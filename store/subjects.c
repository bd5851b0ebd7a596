/* A bounded hash table of subjects, which are numbered as they come and stay. */
#include "subjects.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ipc/wire.h"

#define TENANT_BUCKETS 4096u

struct subjects {
	struct subject *row;
	uint32_t *bucket;       /* index + 1 of the first row */
	uint32_t *applications; /* of tenants with the same remainder: index + 1 of the newest */
	uint32_t n, max, mask;
	uint64_t seed[2];
};

struct subjects *
subjects_new(size_t max)
{
	struct subjects *s = mem_calloc(1, sizeof(*s));

	s->max = (uint32_t)max;
	for (s->mask = 1; s->mask < max; s->mask *= 2)
		;
	s->bucket = mem_calloc(s->mask, sizeof(*s->bucket));
	s->mask--;
	s->row = mem_calloc(max, sizeof(*s->row));
	s->applications = mem_calloc(TENANT_BUCKETS, sizeof(*s->applications));
	randombytes_buf(s->seed, sizeof(s->seed));
	return s;
}

void
subjects_free(struct subjects **s)
{
	if (*s == NULL)
		return;
	free((*s)->row);
	free((*s)->bucket);
	free((*s)->applications);
	free(*s);
	*s = NULL;
}

static uint32_t *
bucket_of(struct subjects *s, const struct series_key *k)
{
	uint64_t h = hash_mix(((uint64_t)k->tenant << 32 | k->number) ^ s->seed[0], k->subject ^ s->seed[1]);

	return &s->bucket[(h ^ h >> 32) & s->mask];
}

static uint32_t
lookup(struct subjects *s, const struct series_key *k)
{
	for (uint32_t i = *bucket_of(s, k); i != 0; i = s->row[i - 1].next) {
		const struct series_key *r = &s->row[i - 1].key;

		if (r->tenant == k->tenant && r->subject == k->subject && r->number == k->number)
			return i - 1;
	}
	return SUBJECT_NONE;
}

uint32_t
subjects_get(struct subjects *s, const struct series_key *key)
{
	uint32_t i = lookup(s, key);

	if (i != SUBJECT_NONE || s->n == s->max)
		return i;

	uint32_t *bucket = bucket_of(s, key);

	i = s->n++;
	s->row[i] = (struct subject){ .key = *key, .next = *bucket };
	*bucket = i + 1;
	if (key->subject == SERIES_APPLICATION) {
		s->row[i].next_application = s->applications[key->tenant % TENANT_BUCKETS];
		s->applications[key->tenant % TENANT_BUCKETS] = i + 1;
	}
	return i;
}

uint32_t
subjects_next_application(const struct subjects *s, uint32_t tenant, uint32_t at)
{
	uint32_t i =
	    at == SUBJECT_NONE ? s->applications[tenant % TENANT_BUCKETS] : s->row[at].next_application;

	while (i != 0 && s->row[i - 1].key.tenant != tenant)
		i = s->row[i - 1].next_application;
	return i == 0 ? SUBJECT_NONE : i - 1;
}

struct subject *
subjects_find(struct subjects *s, uint32_t tenant, enum series_subject subject, uint32_t number)
{
	struct series_key k = { tenant, subject, number };
	uint32_t i = lookup(s, &k);

	return i == SUBJECT_NONE ? NULL : &s->row[i];
}

struct subject *
subjects_at(struct subjects *s, uint32_t i)
{
	return &s->row[i];
}

uint32_t
subjects_count(const struct subjects *s)
{
	return s->n;
}
