/* Two stores, of which all traffic comes to one and what somebody may see to the other, and a captured httpd
 * that asks both with whatever grants it ever saw. */
#ifndef WEIR_TESTS_STORE_WALLS_H
#define WEIR_TESTS_STORE_WALLS_H

#include "ipc/filter.h"
#include "store_world.h"

#define WALLS_FLOWS 70u
#define WALLS_TEXT  2048 /* bytes of the longest filter that is drawn */

extern struct walls {
	struct world *all, *some; /* everything came; only what is seen came */
} walls;

/* For cmocka: both are there, empty, with the same times and veil of ids; and gone. */
int walls_setup(void **state);
int walls_teardown(void **state);

struct walls_traffic {
	struct rec_flow flow[WALLS_FLOWS];
};
/* Ends of flows: [WALLS_ADDRESSES]. */
#define WALLS_ADDRESSES 12u
extern const char *const walls_addresses[WALLS_ADDRESSES];
void walls_random_traffic(const struct world *w, struct walls_traffic *t);
void walls_put(struct world *w, const struct rec_flow *f, bool ends);
/* What came is in the next answer, however long the list. */
void walls_pump(struct world *w);

/* What a narrowing points at. */
struct walls_lists {
	char interfaces[2][64];
	struct exporter_ref exporters[2];
	struct ip_prefix networks[2];
};
struct narrowing walls_random_narrowing(uint32_t number, struct walls_lists *l);

/* Who asks: a tenant's grant, narrowed by some. */
struct walls_who {
	uint32_t tenant;
	size_t n;
	struct narrowing narrowing[2];
	struct walls_lists lists[2];
	bool masked;
};
/* The plain filter, as store_world.h and the narrowings say it. */
bool walls_of_tenant(uint32_t tenant, const struct rec_flow *f);
bool walls_sees(const struct walls_who *who, const struct rec_flow *f);

/* narrowed: by who's narrowings; else for the whole of the tenant. */
struct grant walls_grant_of(struct world *w, const struct walls_who *who, bool narrowed);

/* A filter, and its wire form. */
struct walls_sieve {
	char text[WALLS_TEXT];
	uint8_t bytes[FILTER_BYTES_MAX];
	size_t len; /* 0: none */
};
/* Every field, with what some of the flows have. */
extern const char *const walls_filters[];
extern const uint32_t walls_nfilters;
void walls_compile(struct walls_sieve *s);

enum answer_status walls_ask_through(struct world *w, const struct walls_who *who, bool narrowed,
				     const struct wire_question *q, const struct walls_sieve *sieve);
enum answer_status walls_ask_as(struct world *w, const struct walls_who *who, bool narrowed,
				const struct wire_question *q);
/* Every kind of question, in some variants: the i-th; false past the last. */
bool walls_question_at(const struct world *w, unsigned i, struct wire_question *q);

#endif
