/* Makes small capture files in memory, whole or spoilt, for the tests of weir-capture. */
#ifndef WEIR_TESTS_CAPTURE_FILES_H
#define WEIR_TESTS_CAPTURE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_file {
	uint8_t *bytes;
	size_t len, size;
	bool swapped;    /* written by a machine of the other byte order */
	bool ng;         /* pcapng */
	bool patched;    /* pcap: records with eight more bytes, which begin() does not write */
	bool wire_first; /* pcap: the lengths in the order of version 2.2 */
	uint64_t per_second;
};

/* pcap: 1000000 or 1000000000 a second. pcapng: one interface. */
void capture_file_begin(struct capture_file *f, bool ng, bool swapped, uint64_t per_second,
			uint32_t link_type);
/* pcapng: a further interface. */
void capture_file_interface(struct capture_file *f, uint32_t link_type);
/* pcapng: the same, with a snapshot length, if_tsresol and if_tsoffset. */
void capture_file_interface_with(struct capture_file *f, uint32_t link_type, uint32_t snaplen,
				 uint8_t resolution, int64_t offset_s);
/* pcapng: a further section, which has no interface yet. */
void capture_file_section(struct capture_file *f, bool swapped);
/* pcapng: any block; numbers in the body are the caller's to swap. */
void capture_file_block(struct capture_file *f, uint32_t type, const void *body, size_t len);
/* A frame of bytes 0, 1, 2, ... of interface (0 in pcap). */
void capture_file_frame(struct capture_file *f, uint32_t interface, int64_t ts_ns, uint32_t wire_len,
			uint32_t cap_len);
/* A frame of given bytes. */
void capture_file_frame_of(struct capture_file *f, int64_t ts_ns, const uint8_t *bytes, uint32_t len);
/* The first len bytes as a file of its own to read, which is the caller's. */
int capture_file_open(const struct capture_file *f, size_t len);
/* The same as a pipe that gives `piece` bytes at a time (at most 255 pieces). */
int capture_file_pipe(const struct capture_file *f, size_t piece);
void capture_file_free(struct capture_file *f);

#endif
