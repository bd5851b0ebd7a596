/*
 * A ring from one producer process to one consumer process, of two memfds. The producer's memfd holds its
 * index and the area of entries, the consumer's one page holds its index. Each side makes and seals its own
 * (shrink, grow, future write, seal) and maps the other's read-only, so that neither can write what the other
 * relies on. No number of the other side is trusted twice: each side keeps its own index privately, loads the
 * other's once, and judges the copy. An entry is copied out once and the copy is judged. A lie gives -1,
 * after which the channel is to be ended and the ring freed.
 *
 * Positions are bytes since the ring was made (64 bits: they never wrap). An entry is never split: one that
 * does not fit before the end of the area is preceded by padding.
 */
#ifndef WEIR_IPC_RING_H
#define WEIR_IPC_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_producer;
struct ring_consumer;

#define RING_ENTRY_MAX                                                                                       \
	66000u /* longest payload; the area is at least 16 times this, rounded up to a power of two */

/* --- the producing side --- */

/* A ring whose area holds at least bytes (rounded up to a power of two). NULL with errno. *fd gets the
 * descriptor to send in RING_OFFER; the caller owns it. Entries can be put at once, before the consumer has
 * answered. */
struct ring_producer *ring_producer_new(size_t bytes, int *fd);
/* The consumer's page has come: checks its seals and size, and maps it read-only. Takes fd. False: it lied.
 */
bool ring_producer_attach(struct ring_producer *r, int fd);
void ring_producer_free(struct ring_producer **r);

/* Room for a payload of at most len bytes (<= RING_ENTRY_MAX), aligned to 8; NULL where the ring is full (or
 * the consumer lied: ring_producer_lied). Nothing is visible to the consumer before commit and publish. */
void *ring_reserve(struct ring_producer *r, size_t len);
/* Finishes the reserved entry with its real length and a kind of the user's (0 is padding, so kind > 0). */
void ring_commit(struct ring_producer *r, uint16_t kind, size_t len);
/* Shows everything committed to the consumer. True where the consumer sleeps and has not been nudged since:
 * nudge it. */
bool ring_publish(struct ring_producer *r);
/* Between batches: where the consumer has released everything, the next entry goes to the start of the area
 * again, so that the ring of a consumer that keeps up stays within a processor's cache, however large it is.
 * Until the consumer has passed the padding, there is only room up to where the producer was: nothing is done
 * where that is less than `least` bytes. */
void ring_rewind(struct ring_producer *r, size_t least);
/* The ring was full: asks the consumer for a nudge once there is room. True where there is still none: wait
 * for the nudge. False: try again at once. */
bool ring_wait_for_room(struct ring_producer *r);
bool ring_producer_lied(const struct ring_producer *r);
/* Bytes between what was committed and what the consumer has released (the padding of a rewind that is due
 * counts too); and the size of the area. */
size_t ring_producer_used(struct ring_producer *r);
size_t ring_producer_size(const struct ring_producer *r);
/* Copies every entry that old's consumer had not released into r, in order: for a consumer that died. Returns
 * the number of entries that did not fit. */
size_t ring_carry_over(struct ring_producer *r, struct ring_producer *old);

/* --- the consuming side --- */

/* Maps a producer's memfd after checking seals and size; takes fd. *page_fd gets the descriptor of our own
 * page, to be sent in RING_TAKEN; the caller owns it. NULL with errno (EBADMSG where the offer is a lie). */
struct ring_consumer *ring_consumer_new(int fd, int *page_fd);
void ring_consumer_free(struct ring_consumer **r);

/* Copies the next entry's payload into buf. 1: *kind and *len (<= size) are set; 0: empty; -1: the producer
 * lied (also: an entry longer than size). The entry's room is given back by ring_release, not before. */
int ring_take(struct ring_consumer *r, void *buf, size_t size, uint16_t *kind, uint32_t *len);
/* As ring_take, but the payload stays where it is, until it is released: in memory that the producer may
 * change at any time, so nothing of it may be read twice. */
int ring_look(struct ring_consumer *r, const uint8_t **payload, uint16_t *kind, uint32_t *len);
/* Position behind the last entry taken. */
uint64_t ring_position(const struct ring_consumer *r);
/* Gives back everything before position (<= ring_position). True where the producer waits for room and has
 * not been nudged since. */
bool ring_release(struct ring_consumer *r, uint64_t position);
/* Call before sleeping: true where the ring is still empty, so a nudge will come; false where there is
 * something to take. */
bool ring_sleep(struct ring_consumer *r);
/* Bytes that wait in the ring (as far as the producer's word goes, never more than its size). */
size_t ring_consumer_waiting(struct ring_consumer *r);

/* Both sides on one mapping, for threads of one process: ThreadSanitizer tells memory apart by address, and
 * would not see that two maps of one memfd are the same. The consumer is to be freed first. False with errno.
 */
bool ring_pair_in_process(size_t bytes, struct ring_producer **producer, struct ring_consumer **consumer);

#endif
