/*
 * What packets told of addresses: names and systems, each with the ends of the packet that told it, because
 * it is their tenants' knowledge alone. Fixed memory; the oldest make room. Told to store in the order in
 * which it was learned.
 */
#ifndef WEIR_ENGINE_LEARNED_H
#define WEIR_ENGINE_LEARNED_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "index.h"
#include "text.h"

struct learned_key {
	struct ip_addr ip;     /* what it was told of */
	struct ip_addr end[2]; /* who told whom */
	uint16_t vlan;         /* outermost */
	uint8_t kind;          /* as in struct rec_learned */
	uint8_t point;         /* index in the boot document: it stands for its address space too */
	uint32_t text;         /* text.h; set by learned_add */
};
static_assert(sizeof(struct learned_key) == 56, "hashed as bytes: no padding");

struct learned {
	struct learned_key key;
	uint32_t hash;
	uint32_t used;
	int64_t told_ns;
};

struct learned_table {
	struct learned *row; /* number n is in row n % max */
	struct index index;
	struct texts *texts; /* not owned */
	uint64_t seed;
	uint64_t next; /* number of the next one */
	uint64_t told; /* those before are with store */
	uint64_t lost; /* made room before they were told */
	uint32_t max;
};

void learned_init(struct learned_table *t, uint32_t max, struct texts *texts, uint64_t seed);
void learned_free(struct learned_table *t);

/* key->text is overwritten. What is known already is news again only after LEARNED_AGAIN_NS. */
void learned_add(struct learned_table *t, struct learned_key *key, const char *text, size_t len,
		 int64_t now_ns);
/* The first that store was not told of, or NULL; learned_was_told goes past it. */
const struct learned *learned_untold(struct learned_table *t);
void learned_was_told(struct learned_table *t);
/* Store forgot everything. */
void learned_tell_again(struct learned_table *t);

#define LEARNED_AGAIN_NS (INT64_C(300) * 1000000000)

#endif
