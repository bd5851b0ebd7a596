/* Hostile capture files: every frame that comes out lies within memory and has a time and lengths that can
 * be; and read into blocks they say the same as frame by frame. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "file.h"
#include "steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES_MAX 10000

/* All that a reading said. */
struct said {
	unsigned frames;
	uint64_t sum;
	enum file_step end;
	char why[256];
};

static struct file *
open_bytes(const uint8_t *data, size_t size, char *why, size_t whysize)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	assert(fd != -1 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	return file_open(fd, why, whysize);
}

static void
add(struct said *s, int64_t ts_ns, uint32_t wire_len, uint32_t cap_len, uint16_t link_type,
    const uint8_t *bytes)
{
	uint64_t words[3] = { (uint64_t)ts_ns, (uint64_t)wire_len << 32 | cap_len, link_type };

	s->frames++;
	s->sum = hash_mix(s->sum ^ hash_bytes(words, sizeof(words), 1), hash_bytes(bytes, cap_len, 2));
}

static void
read_frames(struct file *f, struct said *s)
{
	struct steer *steer = steer_new(4, false, 1);
	struct frame r;

	while (s->frames < FRAMES_MAX && (s->end = file_next(f, &r)) == FILE_FRAME) {
		assert(r.ts_ns >= 0 && r.wire_len >= r.cap_len);
		add(s, r.ts_ns, r.wire_len, r.cap_len < LANE_KEEP_MAX ? r.cap_len : LANE_KEEP_MAX,
		    r.link_type, r.bytes);
		assert(steer_frame(steer, &r, 0) < 4);
	}
	steer_free(&steer);
}

static void
read_blocks(struct file *f, struct said *s)
{
	static uint8_t entry[RING_ENTRY_MAX];
	static struct lane_block b;
	struct frame r;

	do {
		b.bytes = entry + sizeof(struct wire_block);
		b.room = sizeof(entry) - sizeof(struct wire_block);
		b.len = 0;
		b.n = 0;
		if (file_block(f, &b) == 0) {
			s->end = file_next(f, &r);
			if (s->end == FILE_FRAME)
				add(s, r.ts_ns, r.wire_len,
				    r.cap_len < LANE_KEEP_MAX ? r.cap_len : LANE_KEEP_MAX, r.link_type,
				    r.bytes);
			continue;
		}
		assert(b.len + b.n * sizeof(b.table[0]) <= b.room);
		for (unsigned i = 0; i < b.n && s->frames < FRAMES_MAX; i++) {
			const struct wire_block_frame *w = &b.table[i];

			assert(w->at >= sizeof(struct wire_block) &&
			       w->at + w->frame.cap_len <= sizeof(struct wire_block) + b.len);
			add(s, w->frame.ts_ns, w->frame.wire_len, w->frame.cap_len, w->frame.link_type,
			    entry + w->at);
		}
		s->end = FILE_FRAME;
	} while (s->frames < FRAMES_MAX && s->end == FILE_FRAME);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const read_as[2])(struct file *, struct said *) = { read_frames, read_blocks };
	struct said said[2] = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		struct said *s = &said[i];
		struct file *f = open_bytes(data, size, s->why, sizeof(s->why));

		if (f == NULL) {
			assert(s->why[0] != '\0');
			continue;
		}
		read_as[i](f, s);
		if (s->end == FILE_DAMAGED)
			memcpy(s->why, file_why(f), strlen(file_why(f)) + 1);
		file_free(&f);
	}
	assert(said[0].frames == said[1].frames && said[0].sum == said[1].sum);
	assert(said[0].frames == FRAMES_MAX ||
	       (said[0].end == said[1].end && strcmp(said[0].why, said[1].why) == 0));
	return 0;
}
