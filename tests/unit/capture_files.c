#include "capture_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NS UINT64_C(1000000000)

static void
put(struct capture_file *f, const void *bytes, size_t len)
{
	if (f->size - f->len < len) {
		f->size = (f->len + len) * 2;
		f->bytes = realloc(f->bytes, f->size);
		if (f->bytes == NULL)
			abort();
	}
	if (len > 0)
		memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void
put32(struct capture_file *f, uint32_t v)
{
	if (f->swapped)
		v = __builtin_bswap32(v);
	put(f, &v, sizeof(v));
}

static void
put16(struct capture_file *f, uint16_t v)
{
	if (f->swapped)
		v = __builtin_bswap16(v);
	put(f, &v, sizeof(v));
}

static void
pad(struct capture_file *f)
{
	static const uint8_t zero[4];

	put(f, zero, (4 - f->len % 4) % 4);
}

static void
put64(struct capture_file *f, uint64_t v)
{
	if (f->swapped)
		v = __builtin_bswap64(v);
	put(f, &v, sizeof(v));
}

void
capture_file_block(struct capture_file *f, uint32_t type, const void *body, size_t len)
{
	uint32_t total = (uint32_t)(12 + (len + 3) / 4 * 4);

	put32(f, type);
	put32(f, total);
	put(f, body, len);
	pad(f);
	put32(f, total);
}

void
capture_file_interface_with(struct capture_file *f, uint32_t link_type, uint32_t snaplen, uint8_t resolution,
			    int64_t offset_s)
{
	put32(f, 1); /* interface description block */
	put32(f, 44);
	put16(f, (uint16_t)link_type);
	put16(f, 0);
	put32(f, snaplen);
	put16(f, 9); /* if_tsresol */
	put16(f, 1);
	put(f, &resolution, 1);
	pad(f);
	put16(f, 14); /* if_tsoffset */
	put16(f, 8);
	put64(f, (uint64_t)offset_s);
	put32(f, 0); /* end of options */
	put32(f, 44);
}

void
capture_file_interface(struct capture_file *f, uint32_t link_type)
{
	capture_file_interface_with(f, link_type, 262144, f->per_second == NS ? 9 : 6, 0);
}

void
capture_file_section(struct capture_file *f, bool swapped)
{
	f->swapped = swapped;
	put32(f, 0x0a0d0d0a); /* section header block */
	put32(f, 28);
	put32(f, 0x1a2b3c4d);
	put16(f, 1);
	put16(f, 0);
	put32(f, UINT32_MAX); /* length unknown, 64 bits */
	put32(f, UINT32_MAX);
	put32(f, 28);
}

void
capture_file_begin(struct capture_file *f, bool ng, bool swapped, uint64_t per_second, uint32_t link_type)
{
	memset(f, 0, sizeof(*f));
	f->ng = ng;
	f->swapped = swapped;
	f->per_second = per_second;
	if (ng) {
		capture_file_section(f, swapped);
		capture_file_interface(f, link_type);
		return;
	}
	put32(f, per_second == NS ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(f, 2);
	put16(f, 4);
	put32(f, 0);
	put32(f, 0);
	put32(f, 262144);
	put32(f, link_type);
}

static void
frame(struct capture_file *f, uint32_t interface, int64_t ts_ns, uint32_t wire_len, const uint8_t *bytes,
      uint32_t cap_len)
{
	uint64_t units = (uint64_t)ts_ns / (NS / f->per_second);
	uint32_t total = 32 + (cap_len + 3) / 4 * 4;

	if (!f->ng) {
		put32(f, (uint32_t)(units / f->per_second));
		put32(f, (uint32_t)(units % f->per_second));
		put32(f, f->wire_first ? wire_len : cap_len);
		put32(f, f->wire_first ? cap_len : wire_len);
		if (f->patched)
			put64(f, 0);
		put(f, bytes, cap_len);
		return;
	}
	put32(f, 6); /* enhanced packet block */
	put32(f, total);
	put32(f, interface);
	put32(f, (uint32_t)(units >> 32));
	put32(f, (uint32_t)units);
	put32(f, cap_len);
	put32(f, wire_len);
	put(f, bytes, cap_len);
	pad(f);
	put32(f, total);
}

void
capture_file_frame(struct capture_file *f, uint32_t interface, int64_t ts_ns, uint32_t wire_len,
		   uint32_t cap_len)
{
	uint8_t *bytes = malloc(cap_len + 1);

	if (bytes == NULL)
		abort();
	for (uint32_t i = 0; i < cap_len; i++)
		bytes[i] = (uint8_t)i;
	frame(f, interface, ts_ns, wire_len, bytes, cap_len);
	free(bytes);
}

void
capture_file_frame_of(struct capture_file *f, int64_t ts_ns, const uint8_t *bytes, uint32_t len)
{
	frame(f, 0, ts_ns, len, bytes, len);
}

int
capture_file_open(const struct capture_file *f, size_t len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	if (fd == -1 || (len > 0 && write(fd, f->bytes, len) != (ssize_t)len) || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

int
capture_file_pipe(const struct capture_file *f, size_t piece)
{
	int fds[2];

	/* A packet for each write, and a page for each packet. */
	if (pipe2(fds, O_CLOEXEC | O_DIRECT) == -1 || fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) == -1)
		abort();
	for (size_t at = 0; at < f->len; at += piece) {
		size_t n = f->len - at < piece ? f->len - at : piece;

		if (write(fds[1], f->bytes + at, n) != (ssize_t)n)
			abort();
	}
	close(fds[1]);
	return fds[0];
}

void
capture_file_free(struct capture_file *f)
{
	free(f->bytes);
	memset(f, 0, sizeof(*f));
}
