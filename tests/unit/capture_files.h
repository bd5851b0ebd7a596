/* Makes small capture files in memory, whole or spoilt, for the tests of weir-capture. */
#ifndef WEIR_TESTS_CAPTURE_FILES_H
#define WEIR_TESTS_CAPTURE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct capture_file {
	uint8_t *bytes;
	size_t len, size;
	bool swapped; /* written by a machine of the other byte order */
	bool ng;      /* pcapng */
	uint64_t per_second;
};

/* pcap: 1000000 or 1000000000 a second. pcapng: one interface. */
void capture_file_begin(struct capture_file *f, bool ng, bool swapped, uint64_t per_second,
			uint32_t link_type);
/* pcapng: a further interface. */
void capture_file_interface(struct capture_file *f, uint32_t link_type);
/* A frame of bytes 0, 1, 2, ... of interface (0 in pcap). */
void capture_file_frame(struct capture_file *f, uint32_t interface, int64_t ts_ns, uint32_t wire_len,
			uint32_t cap_len);
/* A frame of given bytes. */
void capture_file_frame_of(struct capture_file *f, int64_t ts_ns, const uint8_t *bytes, uint32_t len);
/* The first len bytes as a stream to read, which owns a copy. */
FILE *capture_file_open(const struct capture_file *f, size_t len);
void capture_file_free(struct capture_file *f);

#endif
