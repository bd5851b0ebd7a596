/*
 * What a series is of, in full: a host is (tenant, address space, VLAN, address), a country two letters. What
 * does not fit the number of a series_key gets one of its tenant's own (series_book.h).
 */
#ifndef WEIR_STORE_SERIES_ID_H
#define WEIR_STORE_SERIES_ID_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/* The number of what has no series of its own, of every subject of every tenant. */
#define SERIES_OTHER      UINT32_MAX
#define SERIES_OTHER_TEXT "(other)"

struct series_id {
	uint32_t tenant, subject; /* enum series_subject */
	uint32_t space;           /* of a host */
	uint32_t number;   /* point, application, category, AS, country, place; VLAN of a host, bits of a
			      network, ifIndex at an exporter; or SERIES_OTHER */
	struct ip_addr ip; /* host, first of a network, exporter */
};
static_assert(sizeof(struct series_id) == 32, "no padding: hashed, and kept in the database");

struct names;

#define SERIES_TEXT_MAX 64

/* Whether its series_key gets a number of its tenant's own. */
bool series_id_is_numbered(const struct series_id *id);
struct series_id series_id_other(const struct series_id *id);
uint32_t series_country(const char country[2]); /* zeroes: not known */
/* Its key as people write it. */
const char *series_id_text(const struct names *names, const struct series_id *id,
			   char out[static SERIES_TEXT_MAX]);
/* What a text (terminated) says of id, whose tenant and subject are set; tenants and points have none. False:
 * nothing that there could be. Of a host only the address: VLAN and space are not in its text. */
bool series_id_parse(const struct names *names, const char *text, struct series_id *id);

#endif
