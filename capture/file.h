/*
 * A capture file that is read from beginning to end: frame by frame, or as much of it at once as fits into a
 * block of a packet ring, where the kernel puts the bytes directly. Reading happens within the sandbox.
 */
#ifndef WEIR_CAPTURE_FILE_H
#define WEIR_CAPTURE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "lane.h"

struct file;

/* NULL with a sentence in why where fd (a file or a pipe, read from where it stands) holds no capture. Takes
 * fd over in any case. */
struct file *file_open(int fd, char *why, size_t whysize);
void file_free(struct file **f);

enum file_step { FILE_FRAME, FILE_END, FILE_DAMAGED };
/* The next frame. Its bytes stay where they are until the call after the next one. */
enum file_step file_next(struct file *f, struct frame *r);
/* After FILE_DAMAGED: what is wrong, and at which byte. */
const char *file_why(const struct file *f);

/*
 * Reads into b, which begins empty, and notes the frames there. Returns how many: 0 where the next one is too
 * long, or there is none; file_next then tells.
 */
unsigned file_block(struct file *f, struct lane_block *b);

#endif
