/* A producer's memory made of the input: index and entries are whatever a traitor wrote. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AREA (2u << 20)

static uint8_t *mem;
static int mem_fd;

static void
once(void)
{
	int fd;
	struct ring_producer *model = ring_producer_new(AREA, &fd);

	mem_fd = memfd_create("fuzz", MFD_ALLOW_SEALING);
	if (model == NULL || mem_fd == -1 || ftruncate(mem_fd, 4096 + AREA) == -1)
		abort();
	mem = mmap(NULL, 4096 + AREA, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	if (mem == MAP_FAILED || pread(fd, mem, 4096, 0) != 4096 ||
	    fcntl(mem_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == -1)
		abort();
	close(fd);
	ring_producer_free(&model);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[4096];
	static size_t used; /* bytes of the area that the input before wrote */
	struct ring_consumer *c;
	uint64_t head = 0, before = 0;
	int page, rc, n = 0;

	if (mem == NULL)
		once();
	if (size < 8 || size > AREA)
		return 0;
	memcpy(&head, data, 8);
	memcpy(mem + 64, &head, 8);
	memset(mem + 4096, 0, used);
	memcpy(mem + 4096, data + 8, size - 8);
	used = size - 8;
	c = ring_consumer_new(dup(mem_fd), &page);
	assert(c != NULL);
	close(page);
	do {
		uint16_t kind = 0;
		uint32_t len = 0;

		rc = ring_take(c, buf, sizeof(buf), &kind, &len);
		if (rc == 1) {
			assert(len <= sizeof(buf) && kind > 0);
			assert(ring_position(c) > before && ring_position(c) <= head);
			before = ring_position(c);
		}
	} while (rc == 1 && n++ < 10000);
	if (rc != -1)
		(void)ring_release(c, ring_position(c));
	ring_consumer_free(&c);
	return 0;
}
