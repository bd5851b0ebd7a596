/*
 * Where addresses belong in the world: MaxMind DB files (MMDB) that the operator named, handed over as sealed
 * memory by the launcher, which does not read them. Country, city and autonomous system, in the field names
 * of several editions; what one file does not say the next one may.
 */
#ifndef WEIR_ENGINE_GEO_H
#define WEIR_ENGINE_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/boot.h"

#define GEO_TEXT_MAX 120

struct geo_place {
	uint32_t as_number; /* 0 unknown */
	char country[2];    /* two letters; zero: unknown */
	size_t as_name_len, city_len;
	char as_name[GEO_TEXT_MAX], city[GEO_TEXT_MAX]; /* printable UTF-8 */
};

struct geo;

struct geo *geo_new(void);
void geo_free(struct geo **g);
/* Takes the file that stands at index in the setting, and closes fd. What was there before stays where this
 * one is no sealed MMDB; name is for the line that says so. True where places may be others now. */
bool geo_take(struct geo *g, unsigned index, int fd, const char *name);
/* Counts what was taken, 1..255; 0: nothing yet, and every address is unknown. */
uint8_t geo_generation(const struct geo *g);
/* Private addresses are nowhere: the country database that script/server takes puts 192.168.0.0/16 into one.
 */
void geo_find(const struct geo *g, const struct ip_addr *ip, struct geo_place *out);

#endif
