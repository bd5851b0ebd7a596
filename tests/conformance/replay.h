/* One frame of a capture file after the other, for a program that cannot include capture's headers: both
 * rooms have a struct frame. */
#ifndef WEIR_TESTS_REPLAY_H
#define WEIR_TESTS_REPLAY_H

#include <stdint.h>

struct replay_frame {
	int64_t ts_ns;
	uint32_t wire_len, cap_len;
	uint16_t link_type;
	const uint8_t *bytes;
};

struct file;

/* NULL with a sentence on standard error where path is no capture file. */
struct file *replay_open(const char *path);
/* 1: a frame, valid until the next call; 0: the end; -1: damage, said on standard error. */
int replay_next(struct file *s, const char *path, struct replay_frame *f);
void replay_close(struct file **s);

#endif
