/*
 * The way to store: the record ring, the names announced on it, and what could not be put into it. The ring
 * is the bounded memory of what store has not yet on disk; a store that comes back gets a new ring, which
 * begins with all names and what the old one still held.
 */
#ifndef WEIR_ENGINE_RECORDS_H
#define WEIR_ENGINE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/ring.h"
#include "ipc/wire.h"

#define RECORDS_NAMES_MAX (NAME_NUMBER_MAX + 512)
#define RECORD_LONGEST    (sizeof(struct rec_flow) + FLOW_TEXT_MAX)

struct records_name {
	struct rec_name name;
	char text[NAME_TEXT_MAX + 1];
};

struct records {
	struct ring_producer *ring;
	int offer_fd; /* of ring, until it was offered; -1 afterwards */
	size_t size;
	uint8_t epoch; /* 1..255: counts rings, so that flows and hosts know which one knows them */
	bool attached;
	struct records_name *name;
	uint32_t nnames, announced; /* the first `announced` names are in the ring */
	uint64_t changes;           /* counts what takes room: as long as it stands still, room only grows */
	uint64_t lost;              /* records that are gone: store will never see them */
	uint64_t deferred;          /* counters and hosts that wait for the next occasion */
};

void records_init(struct records *r, size_t bytes);
void records_free(struct records *r);

/* A store is there: gives the descriptor to offer (the caller owns it), after a change of ring where the old
 * one was offered before. */
int records_offer(struct records *r);

/* Announces a name before its number is used; announced again on every new ring. */
void records_name(struct records *r, enum name_kind kind, unsigned number, unsigned value, const char *text);

/* Puts one record of up to three parts. False where there is no room (nothing is then counted). */
bool records_put(struct records *r, enum record_kind kind, const void *rec, size_t len, const char *a,
		 size_t alen, const char *b, size_t blen);
/* As records_put, for what can be said again later: refused, and counted, when the ring is three quarters
 * full. */
bool records_put_soft(struct records *r, enum record_kind kind, const void *rec, size_t len, const char *a,
		      size_t alen);
/* Whether records_put_soft would refuse nothing now. */
bool records_soft_room(const struct records *r);
/* Whether bytes of records fit for certain, padding included. */
bool records_room(const struct records *r, size_t bytes);
/* Shows what was put; true where store is to be nudged. */
bool records_publish(struct records *r);

#endif
