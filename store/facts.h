/* What engines learned about addresses (name, MAC), by observation point, VLAN and ip. It is shown only where
 * the asker's tenant has a flow with that address at that point. Bounded: the one that was learned longest
 * ago makes room. */
#ifndef WEIR_STORE_FACTS_H
#define WEIR_STORE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct fact {
	uint32_t point; /* index in the boot document */
	uint32_t vlan;
	struct ip_addr ip;
	uint32_t next, older, newer;
	bool has_mac;
	uint8_t mac[6];
	uint8_t source, name_len;
	char *name; /* not terminated; NULL where there is none */
};

struct facts;

struct facts *facts_new(size_t max);
void facts_free(struct facts **f);
/* Learns; name has h->name_len bytes. True where an older fact had to make room. */
bool facts_learn(struct facts *f, uint32_t point, const struct rec_host *h, const char *name);
const struct fact *facts_find(struct facts *f, uint32_t point, uint32_t vlan, const struct ip_addr *ip);

#endif
