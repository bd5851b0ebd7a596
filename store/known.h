/*
 * What is known of addresses beside their traffic. Names and systems are the knowledge of the tenant in whose
 * packets they were seen: by (tenant, address space, VLAN, ip), as hosts are. Where an address belongs in the
 * world is everybody's.
 */
#ifndef WEIR_STORE_KNOWN_H
#define WEIR_STORE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosts.h"
#include "ipc/wire.h"

struct known_name {
	uint8_t source; /* enum host_name_source */
	uint8_t len;
	char *text; /* not terminated */
};

struct known {
	struct host_key key;
	uint8_t nnames, os_len;
	struct known_name name[HOST_NAMES]; /* the surest first, of one source the newest */
	char *os;                           /* not terminated; NULL: unknown */
};

struct place {
	struct ip_addr ip;
	uint32_t as_number;
	char country[2];
	uint8_t as_name_len, city_len;
	char *text; /* name of the AS, then city; NULL where both are unknown */
};

struct lru;

struct lru *known_new(size_t max);
/* True where an older host's names had to make room. */
bool known_learn(struct lru *l, const struct host_key *key, const struct rec_learned *r, const char *text);
/* NULL: nothing. */
const struct known *known_find(struct lru *l, const struct host_key *key);

/* The loop's thread learns and finds; others look a place up, which holds the loop up by one look at most. */
struct places;
struct places *places_new(size_t max);
void places_free(struct places **p);
bool places_learn(struct places *p, const struct rec_host *h, const char *text);
const struct place *places_find(struct places *p, const struct ip_addr *ip);
/* By any thread. Both are zero where nothing is known. */
struct place_short {
	uint32_t as_number;
	char country[2];
};
struct place_short places_look(struct places *p, const struct ip_addr *ip);

#endif
