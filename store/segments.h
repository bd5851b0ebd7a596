/*
 * The files that blocks of flows are in: databases of one table each, flows-NUMBER.mdb. Some are written, by
 * one thread; the others are opened when they are read and closed when others are read more. Any thread may
 * read.
 */
#ifndef WEIR_STORE_SEGMENTS_H
#define WEIR_STORE_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"

#define SEGMENT_IDENTITY 16

struct segments;

/* The mark of the segments that belong to the database with this secret. */
void segments_identity(const uint8_t *secret, size_t len, uint8_t identity[static SEGMENT_IDENTITY]);
/* Whether an open file bears it. */
bool segments_is_ours(struct db *db, const uint8_t identity[static SEGMENT_IDENTITY]);

#define SEGMENT_NAME_LEN sizeof("flows-00000000.mdb-lock")
/* The name of a segment's file, and the number in such a name (0: it is none). */
void segments_name(uint32_t number, char name[static SEGMENT_NAME_LEN]);
uint32_t segments_number(const char *name);

/* identity: of the database that they belong to; files of another one are left alone. */
struct segments *segments_new(const uint8_t identity[static SEGMENT_IDENTITY], bool durable);
/* No segment may be in use. */
void segments_free(struct segments **s);

/* Opens a segment to write, of at most size bytes; makes it where it is not there. NULL with *status and a
 * sentence. */
struct db *segments_write(struct segments *s, uint32_t number, uint64_t size, enum db_status *status,
			  char *err, size_t errsize);
/* It is not written any more. */
void segments_sealed(struct segments *s, uint32_t number);
/* Whether its file has another name somewhere: a backup's. Then it may not be written any more. */
bool segments_is_linked(uint32_t number);
/* The first number from here on for which there is no file yet. */
uint32_t segments_free_number(uint32_t from);

/* For a look into one, ended by segments_end. NULL: it cannot be opened, or is gone. */
struct db *segments_read(struct segments *s, uint32_t number, enum db_status *status);
void segments_end(struct segments *s, struct db *db);

/*
 * Between them a reader may find every segment of a catalogue that it has read since the first: what was
 * retired meanwhile is deleted when it has ended, and all who began before. The first returns what the second
 * is to be told.
 */
unsigned segments_reader_begins(struct segments *s);
void segments_reader_ends(struct segments *s, unsigned reader);
/* Deletes a segment that no catalogue names any more. */
void segments_retire(struct segments *s, uint32_t number);

/* Deletes files of ours that keep(number) does not know: left by a death between two steps. */
void segments_sweep(struct segments *s, bool (*keep)(void *ctx, uint32_t number), void *ctx);

#endif
