#include "tally.h"

#include <assert.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/boot.h"

#define WORKERS_MAX     8u
#define ROWS            4u
#define COLUMNS         4096u
#define COLUMN_BITS     12u
#define REQUEST_ROWS    2u /* wider: every request counts, and a minute has many */
#define REQUEST_COLUMNS 16384u
#define REQUEST_BITS    14u

/* What one worker writes; the others read it. */
struct counts {
	_Atomic uint32_t connections, streams, tables;
	uint8_t apart[52];
	_Atomic uint32_t cell[ROWS][COLUMNS];
	_Atomic uint32_t table[ROWS][COLUMNS];
	_Atomic uint64_t refused, unsigned_;
	_Atomic uint32_t minute[2]; /* that each half is of */
	_Atomic uint32_t request[2][REQUEST_ROWS][REQUEST_COLUMNS];
};

/* The memory: at its beginning the launcher has put random bytes. */
struct page {
	uint64_t seed;
	uint8_t apart[56];
	struct counts counts[WORKERS_MAX];
};
static_assert(sizeof(struct page) <= BOOT_TALLY_BYTES, "it has room");

struct tally {
	struct page *page;
	struct counts *own;
	unsigned workers;
};

struct tally *
tally_new(int fd, unsigned number, unsigned workers)
{
	struct tally *t = mem_calloc(1, sizeof(*t));
	int flags = fd == -1 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	struct stat st;
	void *page;

	if (workers < 1 || workers > WORKERS_MAX || number >= workers)
		fatalx("httpd.workers: worker %u of %u cannot be", number, workers);
	/* It is sealed against shrinking, by the launcher. */
	if (fd != -1 && (fstat(fd, &st) == -1 || st.st_size != BOOT_TALLY_BYTES))
		fatalx("descriptor %d is not the memory that workers share", fd);
	page = mmap(NULL, BOOT_TALLY_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (page == MAP_FAILED)
		fatal("cannot map the memory that workers share");
	if (fd != -1)
		close(fd);
	t->page = page;
	if (fd == -1)
		randombytes_buf(&t->page->seed, sizeof(t->page->seed));
	t->workers = workers;
	t->own = &t->page->counts[number];
	atomic_store_explicit(&t->own->connections, 0, memory_order_relaxed);
	atomic_store_explicit(&t->own->streams, 0, memory_order_relaxed);
	atomic_store_explicit(&t->own->tables, 0, memory_order_relaxed);
	for (unsigned r = 0; r < ROWS; r++)
		for (unsigned c = 0; c < COLUMNS; c++) {
			atomic_store_explicit(&t->own->cell[r][c], 0, memory_order_relaxed);
			atomic_store_explicit(&t->own->table[r][c], 0, memory_order_relaxed);
		}
	/* Requests count on: whoever ends a worker gets no new quota. */
	return t;
}

void
tally_free(struct tally **t)
{
	if (*t == NULL)
		return;
	(void)munmap((*t)->page, BOOT_TALLY_BYTES);
	free(*t);
	*t = NULL;
}

static void
count(struct tally *t, const struct ip_addr *ip, uint32_t by)
{
	uint64_t h = hash_bytes(ip, sizeof(*ip), t->page->seed);

	(void)atomic_fetch_add_explicit(&t->own->connections, by, memory_order_relaxed);
	for (unsigned r = 0; r < ROWS; r++, h >>= COLUMN_BITS)
		(void)atomic_fetch_add_explicit(&t->own->cell[r][h % COLUMNS], by, memory_order_relaxed);
}

void
tally_connect(struct tally *t, const struct ip_addr *ip)
{
	count(t, ip, 1);
}

void
tally_disconnect(struct tally *t, const struct ip_addr *ip)
{
	count(t, ip, UINT32_MAX);
}

/* Tables are in the same sketch, under their own hashes. */
static uint64_t
stream_hash(const struct tally *t, uint64_t tenant)
{
	return hash_bytes(&tenant, sizeof(tenant), t->page->seed);
}

void
tally_stream(struct tally *t, uint64_t tenant, int by)
{
	uint64_t h = stream_hash(t, tenant);

	(void)atomic_fetch_add_explicit(&t->own->streams, (uint32_t)by, memory_order_relaxed);
	for (unsigned r = 0; r < ROWS; r++, h >>= COLUMN_BITS)
		(void)atomic_fetch_add_explicit(&t->own->table[r][h % COLUMNS], (uint32_t)by,
						memory_order_relaxed);
}

size_t
tally_streams_of(const struct tally *t, uint64_t tenant)
{
	return tally_tables_of(t, stream_hash(t, tenant));
}

size_t
tally_connections(const struct tally *t)
{
	size_t n = 0;

	for (unsigned w = 0; w < t->workers; w++)
		n += atomic_load_explicit(&t->page->counts[w].connections, memory_order_relaxed);
	return n;
}

size_t
tally_streams(const struct tally *t)
{
	size_t n = 0;

	for (unsigned w = 0; w < t->workers; w++)
		n += atomic_load_explicit(&t->page->counts[w].streams, memory_order_relaxed);
	return n;
}

size_t
tally_of_address(const struct tally *t, const struct ip_addr *ip)
{
	uint64_t h = hash_bytes(ip, sizeof(*ip), t->page->seed);
	size_t least = SIZE_MAX;

	for (unsigned r = 0; r < ROWS; r++, h >>= COLUMN_BITS) {
		size_t n = 0;

		for (unsigned w = 0; w < t->workers; w++)
			n += atomic_load_explicit(&t->page->counts[w].cell[r][h % COLUMNS],
						  memory_order_relaxed);
		least = n < least ? n : least;
	}
	return least;
}

void
tally_table(struct tally *t, uint64_t holder, uint64_t tenant, int by)
{
	(void)atomic_fetch_add_explicit(&t->own->tables, (uint32_t)by, memory_order_relaxed);
	for (unsigned r = 0; r < ROWS; r++, holder >>= COLUMN_BITS, tenant >>= COLUMN_BITS) {
		(void)atomic_fetch_add_explicit(&t->own->table[r][holder % COLUMNS], (uint32_t)by,
						memory_order_relaxed);
		(void)atomic_fetch_add_explicit(&t->own->table[r][tenant % COLUMNS], (uint32_t)by,
						memory_order_relaxed);
	}
}

size_t
tally_tables(const struct tally *t)
{
	size_t n = 0;

	for (unsigned w = 0; w < t->workers; w++)
		n += atomic_load_explicit(&t->page->counts[w].tables, memory_order_relaxed);
	return n;
}

size_t
tally_tables_of(const struct tally *t, uint64_t whose)
{
	size_t least = SIZE_MAX;

	for (unsigned r = 0; r < ROWS; r++, whose >>= COLUMN_BITS) {
		size_t n = 0;

		for (unsigned w = 0; w < t->workers; w++)
			n += atomic_load_explicit(&t->page->counts[w].table[r][whose % COLUMNS],
						  memory_order_relaxed);
		least = n < least ? n : least;
	}
	return least;
}

uint64_t
tally_seed(const struct tally *t)
{
	return t->page->seed;
}

void
tally_request(struct tally *t, uint64_t hash, uint32_t minute)
{
	struct counts *own = t->own;
	const unsigned half = minute % 2;

	if (atomic_load_explicit(&own->minute[half], memory_order_relaxed) != minute) {
		for (unsigned r = 0; r < REQUEST_ROWS; r++)
			for (unsigned c = 0; c < REQUEST_COLUMNS; c++)
				atomic_store_explicit(&own->request[half][r][c], 0, memory_order_relaxed);
		atomic_store_explicit(&own->minute[half], minute, memory_order_release);
	}
	for (unsigned r = 0; r < REQUEST_ROWS; r++, hash >>= REQUEST_BITS)
		(void)atomic_fetch_add_explicit(&own->request[half][r][hash % REQUEST_COLUMNS], 1,
						memory_order_relaxed);
}

static uint32_t
requests_of(const struct tally *t, uint64_t hash, uint32_t minute)
{
	uint64_t least = UINT32_MAX;

	for (unsigned r = 0; r < REQUEST_ROWS; r++, hash >>= REQUEST_BITS) {
		uint64_t n = 0;

		for (unsigned w = 0; w < t->workers; w++) {
			struct counts *c = &t->page->counts[w];

			if (atomic_load_explicit(&c->minute[minute % 2], memory_order_acquire) == minute)
				n += atomic_load_explicit(&c->request[minute % 2][r][hash % REQUEST_COLUMNS],
							  memory_order_relaxed);
		}
		least = n < least ? n : least;
	}
	return (uint32_t)least;
}

void
tally_requests(const struct tally *t, uint64_t hash, uint32_t minute, uint32_t *now, uint32_t *before)
{
	*now = requests_of(t, hash, minute);
	*before = minute > 0 ? requests_of(t, hash, minute - 1) : 0;
}

void
tally_refuse(struct tally *t)
{
	(void)atomic_fetch_add_explicit(&t->own->refused, 1, memory_order_relaxed);
}

void
tally_unsigned(struct tally *t)
{
	(void)atomic_fetch_add_explicit(&t->own->unsigned_, 1, memory_order_relaxed);
}

uint64_t
tally_unsigneds(const struct tally *t)
{
	uint64_t n = 0;

	for (unsigned w = 0; w < t->workers; w++)
		n += atomic_load_explicit(&t->page->counts[w].unsigned_, memory_order_relaxed);
	return n;
}

uint64_t
tally_refused(const struct tally *t)
{
	uint64_t n = 0;

	for (unsigned w = 0; w < t->workers; w++)
		n += atomic_load_explicit(&t->page->counts[w].refused, memory_order_relaxed);
	return n;
}
