/* Names in the order of how sure they are. */
#include "known.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "lru.h"

/* A name that somebody gave the host itself says more than one that was seen in traffic to it. */
static const uint8_t rank[HOST_NAME_SOURCES] = {
	[HOST_NAME_NONE] = 0,    [HOST_NAME_TLS] = 1,  [HOST_NAME_RESOLVED] = 2, [HOST_NAME_DNS] = 3,
	[HOST_NAME_NETBIOS] = 4, [HOST_NAME_MDNS] = 5, [HOST_NAME_DHCP] = 6,
};

static char *
copy(const char *text, size_t len)
{
	char *p = mem_calloc(len, 1);

	memcpy(p, text, len);
	return p;
}

static void
drop_known(void *row)
{
	struct known *k = row;

	for (unsigned i = 0; i < k->nnames; i++)
		free(k->name[i].text);
	free(k->os);
}

struct lru *
known_new(size_t max)
{
	return lru_new((uint32_t)max, sizeof(struct known), sizeof(struct host_key), drop_known);
}

/* Where a name of this text stands, or nnames. */
static unsigned
find_name(const struct known *k, const char *text, uint8_t len)
{
	unsigned i = 0;

	while (i < k->nnames && (k->name[i].len != len || memcmp(k->name[i].text, text, len) != 0))
		i++;
	return i;
}

static void
take_out(struct known *k, unsigned i)
{
	free(k->name[i].text);
	k->nnames--;
	memmove(&k->name[i], &k->name[i + 1], (k->nnames - i) * sizeof(k->name[0]));
}

static void
learn_name(struct known *k, uint8_t source, const char *text, uint8_t len)
{
	unsigned i = find_name(k, text, len), at = 0;

	if (i < k->nnames) {
		if (rank[k->name[i].source] > rank[source])
			source = k->name[i].source; /* it was surer before */
		take_out(k, i);
	}
	while (at < k->nnames && rank[k->name[at].source] > rank[source])
		at++;
	if (at == HOST_NAMES)
		return;
	if (k->nnames == HOST_NAMES)
		take_out(k, HOST_NAMES - 1);
	memmove(&k->name[at + 1], &k->name[at], (k->nnames - at) * sizeof(k->name[0]));
	k->name[at] = (struct known_name){ source, len, copy(text, len) };
	k->nnames++;
}

bool
known_learn(struct lru *l, const struct host_key *key, const struct rec_learned *r, const char *text)
{
	bool evicted;
	struct known *k = lru_get(l, key, &evicted);

	if (r->kind == LEARNED_OS) {
		free(k->os);
		k->os = copy(text, r->len);
		k->os_len = r->len;
	} else {
		learn_name(k, r->kind, text, r->len);
	}
	return evicted;
}

const struct known *
known_find(struct lru *l, const struct host_key *key)
{
	return lru_find(l, key);
}

static void
drop_place(void *row)
{
	free(((struct place *)row)->text);
}

struct places {
	struct lru *rows;
	pthread_rwlock_t lock; /* between the loop's thread when it learns and others when they look */
};

/* Whoever writes goes first: the loop does not wait for one reader after the other. */
static bool
lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t a;
	bool good = pthread_rwlockattr_init(&a) == 0 &&
		    pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0 &&
		    pthread_rwlock_init(lock, &a) == 0;

	pthread_rwlockattr_destroy(&a);
	return good;
}

struct places *
places_new(size_t max)
{
	struct places *p = mem_calloc(1, sizeof(*p));

	p->rows = lru_new((uint32_t)max, sizeof(struct place), sizeof(struct ip_addr), drop_place);
	if (!lock_init(&p->lock))
		fatal("cannot make a lock");
	return p;
}

void
places_free(struct places **pp)
{
	struct places *p = *pp;

	if (p == NULL)
		return;
	lru_free(&p->rows);
	pthread_rwlock_destroy(&p->lock);
	free(p);
	*pp = NULL;
}

static bool
learn_place(struct places *l, const struct rec_host *h, const char *text)
{
	size_t len = (size_t)h->as_name_len + h->city_len;
	bool evicted;
	struct place *p = lru_get(l->rows, &h->ip, &evicted);

	free(p->text);
	p->text = len == 0 ? NULL : copy(text, len);
	p->as_number = h->as_number;
	memcpy(p->country, h->country, sizeof(p->country));
	p->as_name_len = h->as_name_len;
	p->city_len = h->city_len;
	return evicted;
}

bool
places_learn(struct places *p, const struct rec_host *h, const char *text)
{
	pthread_rwlock_wrlock(&p->lock);

	bool evicted = learn_place(p, h, text);

	pthread_rwlock_unlock(&p->lock);
	return evicted;
}

const struct place *
places_find(struct places *p, const struct ip_addr *ip)
{
	return lru_find(p->rows, ip);
}

struct place_short
places_look(struct places *p, const struct ip_addr *ip)
{
	struct place_short out = { 0 };

	pthread_rwlock_rdlock(&p->lock);

	const struct place *found = lru_find(p->rows, ip);

	if (found != NULL) {
		out.as_number = found->as_number;
		memcpy(out.country, found->country, sizeof(out.country));
	}
	pthread_rwlock_unlock(&p->lock);
	return out;
}
