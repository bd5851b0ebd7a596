/* A world that is told of traffic and asked for its series. */
#ifndef WEIR_TESTS_SERIES_ASKED_H
#define WEIR_TESTS_SERIES_ASKED_H

#include "store_world.h"

/* Records of engine 0. */
void series_put_second(struct world *w, uint32_t point, int64_t second, uint64_t bytes, uint64_t packets);
void series_put_flow(struct world *w, const struct rec_flow *f, bool ends);
void series_put_place(struct world *w, const char *ip, uint32_t as, const char *country);

/* A question for the minutes of a series since an hour before w->utc. */
struct wire_question series_question(const struct world *w, uint32_t subject, const char *key);
/* What all its points sum up to; resolution_s is how many there are. */
struct row_series series_sum_of(struct world *w, uint32_t tenant, const struct wire_question *q);
struct row_series series_sum_key(struct world *w, uint32_t tenant, uint32_t subject, const char *key);
/* Every series that the list names, as questions: the caller's to free. */
struct wire_question *series_list(struct world *w, uint32_t tenant, uint32_t subject, size_t *n);
/* Bytes of all of them. */
uint64_t series_sum_list(struct world *w, uint32_t tenant, uint32_t subject);

#endif
