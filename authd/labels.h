/*
 * Labels: what the people of a tenant call its hosts, interfaces and networks. They are the tenant's own (the
 * platform has some too, under TENANT_PLATFORM), and whatever is measured is the same without them. As they
 * stand in the database: within the caller's transaction, to which failures stick.
 */
#ifndef WEIR_AUTHD_LABELS_H
#define WEIR_AUTHD_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "db.h"
#include "record.h"

#define LABELS_MAX     4096   /* of one tenant */
#define LABELS_ALL_MAX 262144 /* of all together: everybody has a share (tenant_has_room) */
#define LABEL_KEY_MAX  64

enum label_kind { LABEL_HOST = 1, LABEL_INTERFACE, LABEL_NETWORK, LABEL_KIND_COUNT };

struct label {
	uint32_t kind;           /* enum label_kind */
	uint32_t space;          /* of a host, else 0 */
	uint16_t vlan;           /* of a host, else 0 */
	char key[LABEL_KEY_MAX]; /* an address or a network as ip.h writes it; an interface's name */
	char text[TITLE_MAX];
};

/* "host"; NULL of what is none. */
const char *label_kind_name(uint32_t kind);
/* 0 where the name is none. */
uint32_t label_kind_parse(const char *name);
/* By what they are of: kind, address space, VLAN, key. */
int label_order(const struct label *a, const struct label *b);

/* Calls each for every label of the tenant in the order of label_order; each may not write. */
typedef void label_fn(void *ctx, const struct label *l);
void labels_each(struct txn *x, uint32_t tenant, label_fn *each, void *ctx);
size_t labels_count(struct txn *x, uint32_t tenant);
/* False where there is none; then only text is emptied. Looks for what the rest of *l says. */
bool label_look(struct txn *x, uint32_t tenant, struct label *l);
/* Sets it, or replaces it. DB_FULL where the tenant, or all together, have as many as may be. */
void label_put(struct txn *x, uint32_t tenant, const struct label *l);
void label_remove(struct txn *x, uint32_t tenant, const struct label *l);
/* Makes the tenant's labels these n (at most LABELS_MAX), which are in the order of label_order, each once.
 */
struct labels_changed {
	size_t set, removed;
};
struct labels_changed labels_replace(struct txn *x, uint32_t tenant, const struct label *to, size_t n);

/* What a label is of, as a key: without its text, which decode leaves empty. */
#define LABEL_KEY_BYTES (4 + 1 + 4 + 2 + LABEL_KEY_MAX)
size_t label_key_encode(uint32_t tenant, const struct label *l, uint8_t out[static LABEL_KEY_BYTES]);
bool label_key_decode(struct db_bytes key, uint32_t *tenant, struct label *l);

/* Whether a record may stand so in the database. */
bool label_good(struct db_bytes key, struct db_bytes value);

#endif
