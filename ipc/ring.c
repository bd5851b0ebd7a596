#include "ipc/ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

#define RING_MAGIC UINT64_C(0x31474e5252494557) /* "WEIRRNG1" */
#define PAGE       4096u
#define SEALS      (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
#define AREA_MAX   (UINT64_C(1) << 31)

/* Each index has a cache line of its own; head and tail live on different pages of different owners. */
struct producer_page {
	_Alignas(64) uint64_t magic;
	uint64_t area;
	_Alignas(64) _Atomic uint64_t head;
	_Alignas(64) _Atomic uint32_t want; /* odd: the producer waits for room */
};
struct consumer_page {
	_Alignas(64) uint64_t magic;
	_Alignas(64) _Atomic uint64_t tail;
	_Alignas(64) _Atomic uint32_t sleep; /* odd: the consumer sleeps */
};
static_assert(sizeof(struct producer_page) <= PAGE && sizeof(struct consumer_page) <= PAGE, "one page each");

struct entry {
	uint32_t len;
	uint16_t kind; /* 0: padding up to the end of the area */
	uint16_t reserved;
};
static_assert(sizeof(struct entry) == 8, "no padding: it crosses a process boundary");

struct ring_producer {
	struct producer_page *page; /* ours, writable */
	uint8_t *area;
	uint64_t mask, size;
	uint64_t head; /* behind the last committed entry */
	uint64_t published;
	uint64_t reserved; /* where the entry under way begins */
	uint64_t tail;     /* last believed index of the consumer */
	uint32_t nudged;   /* sleep number for which a nudge was asked */
	uint32_t want;
	bool lied;
	bool rewind;                      /* the next entry goes to the start of the area */
	const struct consumer_page *peer; /* read-only, NULL before it is attached */
	bool borrowed;                    /* peer is the other side's own map: ring_pair_in_process */
};

struct ring_consumer {
	struct consumer_page *page; /* ours, writable */
	const struct producer_page *peer;
	const uint8_t *area;
	uint64_t mask, size;
	uint64_t head;     /* last believed index of the producer */
	uint64_t position; /* behind the last entry taken */
	uint64_t released;
	uint32_t nudged;
	uint32_t sleep;
	bool borrowed; /* peer is the other side's own map: ring_pair_in_process */
};

static size_t
padded(size_t len)
{
	return (sizeof(struct entry) + len + 7) & ~(size_t)7;
}

/* Maps a new memfd writable, then seals it: the mapping stays writable, no other can become so. */
static void *
own_memory(const char *name, size_t len, int *fd)
{
	AUTO(fd_drop) int f = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p;

	if (f == -1 || ftruncate(f, (off_t)len) == -1)
		return NULL;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (fcntl(f, F_ADD_SEALS, SEALS) == -1) {
		munmap(p, len);
		return NULL;
	}
	*fd = fd_keep(&f);
	return p;
}

/* Maps a peer's memfd read-only. A file that could shrink would be a SIGBUS, so seals and size come first. */
static const void *
peer_memory(int fd, size_t least, size_t most, size_t *len)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *p;

	errno = EBADMSG;
	if (seals == -1 || (seals & SEALS) != SEALS || fstat(fd, &st) == -1)
		return NULL;
	if (st.st_size < (off_t)least || st.st_size > (off_t)most) {
		errno = EBADMSG;
		return NULL;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	*len = (size_t)st.st_size;
	return p;
}

struct ring_producer *
ring_producer_new(size_t bytes, int *fd)
{
	uint64_t size = PAGE;
	struct ring_producer *r;
	void *p;

	while (size < bytes || size < 16 * (uint64_t)RING_ENTRY_MAX)
		size *= 2;
	if (size > AREA_MAX) {
		errno = EINVAL;
		return NULL;
	}
	p = own_memory("weir-ring", PAGE + size, fd);
	if (p == NULL)
		return NULL;
	r = mem_calloc(1, sizeof(*r));
	r->page = p;
	r->area = (uint8_t *)p + PAGE;
	r->size = size;
	r->mask = size - 1;
	r->page->magic = RING_MAGIC;
	r->page->area = size;
	return r;
}

bool
ring_producer_attach(struct ring_producer *r, int fd)
{
	size_t len;
	const struct consumer_page *p = r->peer == NULL ? peer_memory(fd, PAGE, PAGE, &len) : NULL;

	close(fd);
	if (p == NULL)
		return false;
	r->peer = p;
	return true;
}

void
ring_producer_free(struct ring_producer **r)
{
	if (*r == NULL)
		return;
	munmap((*r)->page, PAGE + (*r)->size);
	if ((*r)->peer != NULL && !(*r)->borrowed)
		munmap((void *)(uintptr_t)(*r)->peer, PAGE);
	free(*r);
	*r = NULL;
}

/* Loads the consumer's index once and judges the copy: it may only grow, and never past what was published.
 */
static bool
see_tail(struct ring_producer *r)
{
	uint64_t tail;

	if (r->peer == NULL)
		return true;
	tail =
	    atomic_load_explicit(&((struct consumer_page *)(uintptr_t)r->peer)->tail, memory_order_seq_cst);
	if (tail < r->tail || tail > r->published || (tail & 7) != 0) {
		r->lied = true;
		return false;
	}
	r->tail = tail;
	return true;
}

void *
ring_reserve(struct ring_producer *r, size_t len)
{
	size_t need = padded(len);
	uint64_t to_end = r->size - (r->head & r->mask);
	uint64_t pad = to_end < need || r->rewind ? to_end : 0;

	assert(len <= RING_ENTRY_MAX && r->area != NULL);
	if (r->head + pad + need - r->tail > r->size) {
		if (r->lied || !see_tail(r) || r->head + pad + need - r->tail > r->size)
			return NULL;
	}
	if (pad > 0) {
		struct entry e = { (uint32_t)(pad - sizeof(e)), 0, 0 };

		memcpy(r->area + (r->head & r->mask), &e, sizeof(e));
	}
	r->reserved = r->head + pad;
	return r->area + (r->reserved & r->mask) + sizeof(struct entry);
}

void
ring_commit(struct ring_producer *r, uint16_t kind, size_t len)
{
	struct entry e = { (uint32_t)len, kind, 0 };

	assert(kind > 0 && len <= RING_ENTRY_MAX);
	memcpy(r->area + (r->reserved & r->mask), &e, sizeof(e));
	r->head = r->reserved + padded(len);
	r->rewind = false;
}

bool
ring_publish(struct ring_producer *r)
{
	uint32_t sleep;

	if (r->published == r->head)
		return false;
	r->published = r->head;
	/* Sequentially consistent on both sides (ring_sleep): either we see that it sleeps, or it sees the
	 * new head. */
	atomic_store_explicit(&r->page->head, r->head, memory_order_seq_cst);
	if (r->peer == NULL)
		return false;
	sleep =
	    atomic_load_explicit(&((struct consumer_page *)(uintptr_t)r->peer)->sleep, memory_order_seq_cst);
	if ((sleep & 1) == 0 || sleep == r->nudged)
		return false;
	r->nudged = sleep;
	return true;
}

void
ring_rewind(struct ring_producer *r, size_t least)
{
	uint64_t at = r->head & r->mask;

	if (at > 0 && at >= least && r->peer != NULL && !r->lied && see_tail(r))
		r->rewind = r->tail == r->head;
}

bool
ring_wait_for_room(struct ring_producer *r)
{
	uint64_t before = r->tail;

	/* A new odd number each time: the consumer nudges once a number. Stored before the index is looked at
	 * (and ring_release does the reverse), so that either we see the room or it sees the wish. */
	r->want += (r->want & 1) == 0 ? 1 : 2;
	atomic_store_explicit(&r->page->want, r->want, memory_order_seq_cst);
	if (!see_tail(r) || r->peer == NULL || r->tail == before)
		return true; /* also after a lie: the caller looks at ring_producer_lied */
	r->want++;
	atomic_store_explicit(&r->page->want, r->want, memory_order_seq_cst);
	return false;
}

bool
ring_producer_lied(const struct ring_producer *r)
{
	return r->lied;
}

size_t
ring_producer_used(struct ring_producer *r)
{
	if (!r->lied)
		(void)see_tail(r);
	return (size_t)(r->head - r->tail + (r->rewind ? r->size - (r->head & r->mask) : 0));
}

size_t
ring_producer_size(const struct ring_producer *r)
{
	return (size_t)r->size;
}

size_t
ring_carry_over(struct ring_producer *r, struct ring_producer *old)
{
	size_t lost = 0;

	/* A consumer that lied in its last moment is believed up to what it said before. */
	if (!old->lied)
		(void)see_tail(old);
	for (uint64_t at = old->tail; at < old->head;) {
		uint64_t left = old->size - (at & old->mask);
		struct entry e;
		void *to;

		/* Our own memory, which nobody else can write; but where to begin is the consumer's word, and
		 * may lie between the boundaries of entries. */
		if (left > old->head - at)
			left = old->head - at;
		if (left < sizeof(e))
			return lost + 1;
		memcpy(&e, old->area + (at & old->mask), sizeof(e));
		if (e.len > left - sizeof(e) || padded(e.len) > left ||
		    (e.kind != 0 && e.len > RING_ENTRY_MAX))
			return lost + 1;
		if (e.kind != 0) {
			to = ring_reserve(r, e.len);
			if (to == NULL) {
				lost++;
			} else {
				memcpy(to, old->area + (at & old->mask) + sizeof(e), e.len);
				ring_commit(r, e.kind, e.len);
			}
		}
		at += padded(e.len);
	}
	return lost;
}

static struct ring_consumer *
consumer_of(struct consumer_page *page, const struct producer_page *peer, uint64_t size)
{
	struct ring_consumer *r = mem_calloc(1, sizeof(*r));

	r->page = page;
	r->page->magic = RING_MAGIC;
	r->peer = peer;
	r->area = (const uint8_t *)peer + PAGE;
	r->size = size;
	r->mask = size - 1;
	return r;
}

struct ring_consumer *
ring_consumer_new(int fd, int *page_fd)
{
	size_t len = 0;
	const struct producer_page *peer = peer_memory(fd, PAGE + 16 * RING_ENTRY_MAX, PAGE + AREA_MAX, &len);
	uint64_t size;
	void *p;

	close(fd);
	if (peer == NULL)
		return NULL;
	/* The size comes from the file, which cannot change; what the page says must agree. */
	size = len - PAGE;
	if (peer->magic != RING_MAGIC || peer->area != size || (size & (size - 1)) != 0) {
		munmap((void *)(uintptr_t)peer, len);
		errno = EBADMSG;
		return NULL;
	}
	p = own_memory("weir-ring-page", PAGE, page_fd);
	if (p == NULL) {
		munmap((void *)(uintptr_t)peer, len);
		return NULL;
	}
	return consumer_of(p, peer, size);
}

bool
ring_pair_in_process(size_t bytes, struct ring_producer **producer, struct ring_consumer **consumer)
{
	int fd, page_fd;
	struct consumer_page *page;

	*producer = ring_producer_new(bytes, &fd);
	if (*producer == NULL)
		return false;
	close(fd);
	page = own_memory("weir-ring-page", PAGE, &page_fd);
	if (page == NULL) {
		ring_producer_free(producer);
		return false;
	}
	close(page_fd);
	*consumer = consumer_of(page, (*producer)->page, (*producer)->size);
	(*producer)->peer = page;
	(*producer)->borrowed = (*consumer)->borrowed = true;
	return true;
}

void
ring_consumer_free(struct ring_consumer **r)
{
	if (*r == NULL)
		return;
	munmap((*r)->page, PAGE);
	if (!(*r)->borrowed)
		munmap((void *)(uintptr_t)(*r)->peer, PAGE + (*r)->size);
	free(*r);
	*r = NULL;
}

/* As see_tail, for the producer's index. */
static bool
see_head(struct ring_consumer *r)
{
	uint64_t head =
	    atomic_load_explicit(&((struct producer_page *)(uintptr_t)r->peer)->head, memory_order_seq_cst);

	if (head < r->head || head - r->released > r->size || (head & 7) != 0)
		return false;
	r->head = head;
	return true;
}

int
ring_look(struct ring_consumer *r, const uint8_t **payload, uint16_t *kind, uint32_t *len)
{
	for (;;) {
		struct entry e;
		uint64_t at = r->position & r->mask, left;

		if (r->position == r->head) {
			if (!see_head(r))
				return -1;
			if (r->position == r->head)
				return 0;
		}
		left = r->head - r->position;
		if (left > r->size - at)
			left = r->size - at;
		/* The header is copied once and the copy is judged; the area may change under us at any time.
		 */
		memcpy(&e, r->area + at, sizeof(e));
		__asm__ volatile("" ::: "memory");
		if (e.len > left - sizeof(e) || padded(e.len) > left)
			return -1;
		if (e.kind == 0) {
			if (padded(e.len) != r->size - at)
				return -1;
			r->position += padded(e.len);
			continue;
		}
		*payload = r->area + at + sizeof(e);
		r->position += padded(e.len);
		*kind = e.kind;
		*len = e.len;
		return 1;
	}
}

int
ring_take(struct ring_consumer *r, void *buf, size_t size, uint16_t *kind, uint32_t *len)
{
	const uint8_t *payload;
	int got = ring_look(r, &payload, kind, len);

	if (got != 1)
		return got;
	if (*len > size)
		return -1;
	memcpy(buf, payload, *len);
	return 1;
}

uint64_t
ring_position(const struct ring_consumer *r)
{
	return r->position;
}

bool
ring_release(struct ring_consumer *r, uint64_t position)
{
	uint32_t want;

	assert(position >= r->released && position <= r->position);
	if (position == r->released)
		return false;
	r->released = position;
	atomic_store_explicit(&r->page->tail, position, memory_order_seq_cst);
	want =
	    atomic_load_explicit(&((struct producer_page *)(uintptr_t)r->peer)->want, memory_order_seq_cst);
	if ((want & 1) == 0 || want == r->nudged)
		return false;
	r->nudged = want;
	return true;
}

bool
ring_sleep(struct ring_consumer *r)
{
	/* A new odd number each time: a nudge that came was for an old one. */
	r->sleep += (r->sleep & 1) == 0 ? 1 : 2;
	atomic_store_explicit(&r->page->sleep, r->sleep, memory_order_seq_cst);
	if (see_head(r) && r->position == r->head)
		return true;
	r->sleep++;
	atomic_store_explicit(&r->page->sleep, r->sleep, memory_order_seq_cst);
	return false;
}

size_t
ring_consumer_waiting(struct ring_consumer *r)
{
	return see_head(r) ? (size_t)(r->head - r->position) : 0;
}
