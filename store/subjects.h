/*
 * What is summed: a tenant, an observation point as a tenant sees it, an application of a tenant; for the
 * platform (TENANT_PLATFORM) all frames of a point and of all points, and the applications of all. Each
 * subject has totals, a rate, and a series.
 */
#ifndef WEIR_STORE_SUBJECTS_H
#define WEIR_STORE_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "sum.h"

#define SUBJECT_NONE UINT32_MAX

struct subject {
	struct series_key key;
	uint32_t next, next_application;
	uint32_t flows_active, hosts_active;
	uint64_t flows; /* seen */
	uint64_t bytes, packets;
	struct rate rate; /* [0] bytes, [1] packets */
	int64_t first_ns, last_ns;
	uint16_t category;
	uint32_t delta, delta_generation; /* of the open batch: batch_add_second */
	uint32_t minute;                  /* the book was asked whether it may have a series; 0: not yet */
	bool refused;                     /* it may not: its series is (other) */
};

struct subjects;

struct subjects *subjects_new(size_t max);
void subjects_free(struct subjects **s);
/* The number of the subject, made where there is none; SUBJECT_NONE where there is no room. */
uint32_t subjects_get(struct subjects *s, const struct series_key *key);
/* NULL where there is none. */
struct subject *subjects_find(struct subjects *s, uint32_t tenant, enum series_subject subject,
			      uint32_t number);
struct subject *subjects_at(struct subjects *s, uint32_t i);
uint32_t subjects_count(const struct subjects *s);
/* One application of a tenant after the other, in no order: begins with at SUBJECT_NONE; SUBJECT_NONE: no
 * more. */
uint32_t subjects_next_application(const struct subjects *s, uint32_t tenant, uint32_t at);

#endif
