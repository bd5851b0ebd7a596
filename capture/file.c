#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "format.h"

/* Read at once into our own memory: little enough to stay in a second cache. */
#define CHUNK (128u << 10)
/* What one step may have to see, and what was read behind it. */
#define BUFFER_SIZE (FORMAT_VIEW_MAX + CHUNK)
/* What records are taken for before one was seen. */
#define RECORD_GUESS 512

struct file {
	int fd;
	struct format format;
	uint8_t *buffer[2]; /* reading goes on in the other one, so that frames stay for a while */
	unsigned current;
	bool turned;        /* in this call of file_next */
	size_t at, have;    /* of the current buffer: what was read and is not dealt with */
	uint64_t place;     /* of `at` in the file */
	uint64_t skip;      /* bytes that say nothing and were not read yet */
	bool at_end;        /* of the file */
	int error;          /* errno of reading; then the file is at its end, too */
	size_t record_size; /* of late, in the middle */
	char why[256];
};

/* --- bytes --- */

/* Reads once. 0: there is nothing more. */
static size_t
read_some(struct file *f, uint8_t *to, size_t most)
{
	ssize_t n;

	if (f->at_end)
		return 0;
	do
		n = read(f->fd, to, most);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		f->error = errno;
	f->at_end = n <= 0;
	return n > 0 ? (size_t)n : 0;
}

/* What is left goes to the start of a buffer: of the other one, so that the frames of this one stay, but only
 * once in a call of file_next, for the same reason. */
static void
make_room(struct file *f)
{
	unsigned from = f->current;

	f->current = f->turned ? from : !from;
	f->turned = true;
	memmove(f->buffer[f->current], f->buffer[from] + f->at, f->have - f->at);
	f->have -= f->at;
	f->at = 0;
}

/* Reads behind what is there. False: there is nothing more. */
static bool
read_on(struct file *f)
{
	size_t room = BUFFER_SIZE - f->have;
	size_t n = read_some(f, f->buffer[f->current] + f->have, room < CHUNK ? room : CHUNK);

	f->have += n;
	return n > 0;
}

/* n bytes are dealt with, those that were not read yet too. */
static void
pass(struct file *f, uint64_t n)
{
	uint64_t here = f->have - f->at < n ? f->have - f->at : n;

	f->at += (size_t)here;
	f->place += here;
	f->skip = n - here;
}

/* Reads over what says nothing. False: the file ends before that does. */
static bool
skip(struct file *f)
{
	if (f->skip > 0)
		make_room(f);
	while (f->skip > 0) {
		f->at = f->have = 0;
		if (!read_on(f))
			return false;
		pass(f, f->skip);
	}
	return true;
}

/* --- frames --- */

static enum file_step
damaged(struct file *f, const char *what)
{
	(void)snprintf(f->why, sizeof(f->why), "at byte %" PRIu64 ": %s", f->place, what);
	return FILE_DAMAGED;
}

/* Nothing more can be read, and the next step takes more. */
static enum file_step
end(struct file *f)
{
	char what[128];

	if (f->error != 0) {
		(void)snprintf(what, sizeof(what), "it cannot be read on: %s", strerrordesc_np(f->error));
		return damaged(f, what);
	}
	if (f->at == f->have && f->skip == 0 && format_may_end(&f->format))
		return FILE_END;
	(void)snprintf(what, sizeof(what), "the file ends within what begins there, after %zu bytes of it",
		       f->have - f->at);
	return damaged(f, what);
}

enum file_step
file_next(struct file *f, struct frame *r)
{
	f->turned = false;
	if (!skip(f))
		return end(f);
	for (;;) {
		uint64_t used;

		switch (format_next(&f->format, f->buffer[f->current] + f->at, f->have - f->at, r, &used)) {
		case FORMAT_FRAME:
			pass(f, used);
			return FILE_FRAME;
		case FORMAT_OTHER:
			pass(f, used);
			if (!skip(f))
				return end(f);
			break;
		case FORMAT_SHORT:
			make_room(f);
			if (!read_on(f))
				return end(f);
			break;
		case FORMAT_DAMAGED:
		default:
			return damaged(f, f->format.why);
		}
	}
}

const char *
file_why(const struct file *f)
{
	return f->why;
}

struct file *
file_open(int fd, char *why, size_t whysize)
{
	struct file *f = mem_calloc(1, sizeof(*f));
	enum format_step step;
	uint64_t used;

	f->fd = fd;
	f->record_size = RECORD_GUESS;
	for (unsigned i = 0; i < 2; i++)
		f->buffer[i] = mem_calloc(1, BUFFER_SIZE);
	do
		step = format_open(&f->format, f->buffer[0], f->have, &used);
	while (step == FORMAT_SHORT && read_on(f));
	if (step == FORMAT_OTHER) {
		pass(f, used);
		return f;
	}
	str_copy(why, whysize, f->error != 0 ? strerrordesc_np(f->error) : f->format.why);
	file_free(&f);
	return NULL;
}

void
file_free(struct file **f)
{
	if (*f == NULL)
		return;
	fd_drop(&(*f)->fd);
	format_close(&(*f)->format);
	free((*f)->buffer[0]);
	free((*f)->buffer[1]);
	free(*f);
	*f = NULL;
}

/* --- blocks --- */

/* How much to read so that the table of the frames in it fits behind it. */
static size_t
read_size(const struct file *f, const struct lane_block *b)
{
	return b->room * f->record_size / (f->record_size + sizeof(b->table[0]));
}

/* Fills b->bytes with what is left of our own buffer and what comes behind it. */
static size_t
fill(struct file *f, const struct lane_block *b)
{
	size_t have = f->have - f->at, want = read_size(f, b);

	if (have > b->room)
		return 0;
	memcpy(b->bytes, f->buffer[f->current] + f->at, have);
	if (have < want)
		have += read_some(f, b->bytes + have, want - have);
	return have;
}

/* What was not dealt with goes to our own buffer. */
static void
keep_rest(struct file *f, const uint8_t *bytes, size_t at, size_t have)
{
	memcpy(f->buffer[f->current], bytes + at, have - at);
	f->at = 0;
	f->have = have - at;
	f->place += at;
}

/* The frames of b->bytes, of which `have` were read. Returns how many bytes are dealt with. */
static size_t
note_frames(struct file *f, struct lane_block *b, size_t have)
{
	size_t at = 0;

	for (;;) {
		uint64_t used;
		struct frame r;
		/* Nothing but what is dealt with here changes the format: of frames it depends on nothing. */
		enum format_step step = format_next(&f->format, b->bytes + at, have - at, &r, &used);

		if (step == FORMAT_SHORT || step == FORMAT_DAMAGED)
			return at;
		if (step == FORMAT_FRAME && !lane_block_note(b, &r, at + (size_t)used))
			return at;
		if (used > have - at) {
			f->skip = used - (have - at);
			return have;
		}
		at += (size_t)used;
	}
}

unsigned
file_block(struct file *f, struct lane_block *b)
{
	size_t have = f->skip == 0 ? fill(f, b) : 0, at;

	if (have == 0)
		return 0;
	at = note_frames(f, b, have);
	keep_rest(f, b->bytes, at, have);
	if (b->n > 0)
		f->record_size = (3 * f->record_size + at / b->n) / 4;
	return b->n;
}
