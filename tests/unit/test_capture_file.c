/* The reader of capture files: pcap and pcapng in all their forms, cut at every byte, damaged, no capture at
 * all; and what it reads into blocks is what it reads frame by frame. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "capture_files.h"
#include "file.h"
#include "format.h"

#define US INT64_C(1000000)
#define NS INT64_C(1000000000)
#define T0 (INT64_C(1700000000) * NS)

static struct file *
open_file(const struct capture_file *f, size_t len)
{
	char why[256] = "";
	struct file *s = file_open(capture_file_open(f, len), why, sizeof(why));

	if (s == NULL)
		assert_int_not_equal(why[0], '\0');
	return s;
}

static void
expect(struct file *s, int64_t ts_ns, uint16_t link_type, uint32_t wire_len, uint32_t cap_len)
{
	struct frame r;

	assert_int_equal(file_next(s, &r), FILE_FRAME);
	assert_int_equal(r.ts_ns, ts_ns);
	assert_int_equal(r.link_type, link_type);
	assert_int_equal(r.wire_len, wire_len);
	assert_int_equal(r.cap_len, cap_len);
	for (uint32_t i = 0; i < cap_len; i++)
		assert_int_equal(r.bytes[i], i & 0xff);
}

static void
expect_end(struct file **s, struct capture_file *f)
{
	struct frame r;

	assert_int_equal(file_next(*s, &r), FILE_END);
	assert_int_equal(file_next(*s, &r), FILE_END);
	file_free(s);
	capture_file_free(f);
}

/* Damage at byte `place`, in which `what` is wrong. */
static void
expect_damage(struct file **s, struct capture_file *f, size_t place, const char *what)
{
	char at[64];
	struct frame r;

	snprintf(at, sizeof(at), "at byte %zu: ", place);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(file_next(*s, &r), FILE_DAMAGED);
		assert_memory_equal(file_why(*s), at, strlen(at));
		assert_non_null(strstr(file_why(*s), what));
	}
	file_free(s);
	capture_file_free(f);
}

/* --- whole files --- */

static void
check_whole(bool ng, bool swapped, int64_t per_second)
{
	struct capture_file f;
	struct file *s;

	capture_file_begin(&f, ng, swapped, (uint64_t)per_second, 113);
	for (uint32_t i = 0; i < 1000; i++)
		capture_file_frame(&f, 0, T0 + i * 1001, 2000 + i, 60 + i);
	s = open_file(&f, f.len);
	assert_non_null(s);
	for (uint32_t i = 0; i < 1000; i++) {
		int64_t t = T0 + i * 1001;

		expect(s, t - t % (NS / per_second), 113, 2000 + i, 60 + i);
	}
	expect_end(&s, &f);
}

static void
test_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		check_whole((i & 1) != 0, (i & 2) != 0, (i & 4) != 0 ? US : NS);
}

static void
test_old_and_patched(void **state)
{
	struct capture_file f;
	struct file *s;
	uint32_t magic = 0xa1b2cd34;

	(void)state;
	capture_file_begin(&f, false, false, (uint64_t)US, 1);
	memcpy(f.bytes, &magic, sizeof(magic));
	f.patched = true;
	for (int i = 0; i < 3; i++)
		capture_file_frame(&f, 0, T0, 90, 60);
	s = open_file(&f, f.len);
	for (int i = 0; i < 3; i++)
		expect(s, T0, 1, 90, 60);
	expect_end(&s, &f);

	for (uint8_t minor = 2; minor <= 3; minor++) {
		capture_file_begin(&f, false, false, (uint64_t)US, 1);
		f.bytes[6] = minor;
		f.wire_first = true;
		capture_file_frame(&f, 0, T0, 90, 60);
		f.wire_first = minor == 2; /* 2.3 had both */
		capture_file_frame(&f, 0, T0, 90, 60);
		s = open_file(&f, f.len);
		expect(s, T0, 1, 90, 60);
		expect(s, T0, 1, 90, 60);
		expect_end(&s, &f);
	}
}

static void
test_link_types(void **state)
{
	static const uint16_t types[] = { 1, 101, 113, 276, 127, 228, 0, 108, 9 };
	struct capture_file f;
	struct file *s;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (int ng = 0; ng < 2; ng++) {
			capture_file_begin(&f, ng == 1, false, (uint64_t)NS, types[i]);
			capture_file_frame(&f, 0, T0, 60, 60);
			s = open_file(&f, f.len);
			expect(s, T0, types[i], 60, 60);
			expect_end(&s, &f);
		}
	}
	/* With a length of checksums above it; and one that is no link type. */
	capture_file_begin(&f, false, false, (uint64_t)NS, 0x44000001);
	capture_file_frame(&f, 0, T0, 60, 60);
	s = open_file(&f, f.len);
	expect(s, T0, 1, 60, 60);
	expect_end(&s, &f);
	capture_file_begin(&f, false, false, (uint64_t)NS, 0x20001);
	capture_file_frame(&f, 0, T0, 60, 60);
	s = open_file(&f, f.len);
	expect(s, T0, UINT16_MAX, 60, 60);
	expect_end(&s, &f);
}

static void
test_interfaces_and_sections(void **state)
{
	struct capture_file f;
	struct file *s;

	(void)state;
	capture_file_begin(&f, true, false, (uint64_t)NS, 1);
	capture_file_frame(&f, 0, T0, 64, 64);
	capture_file_interface_with(&f, 101, 96, 9, 0);
	capture_file_frame(&f, 1, T0 + 1, 64, 60);
	capture_file_frame(&f, 0, T0 + 2, 64, 64);
	capture_file_section(&f, true); /* its interfaces are its own, as is its byte order */
	capture_file_interface_with(&f, 113, 0, 9, 0);
	capture_file_frame(&f, 0, T0 + 3, 70, 70);
	capture_file_section(&f, false);
	capture_file_interface_with(&f, 276, 65535, 9, 0);
	capture_file_frame(&f, 0, T0 + 4, 70, 70);
	s = open_file(&f, f.len);
	expect(s, T0, 1, 64, 64);
	expect(s, T0 + 1, 101, 64, 60);
	expect(s, T0 + 2, 1, 64, 64);
	expect(s, T0 + 3, 113, 70, 70);
	expect(s, T0 + 4, 276, 70, 70);
	expect_end(&s, &f);
}

/* What one unit of time is, and where it begins. */
static void
test_times(void **state)
{
	static const struct {
		uint8_t resolution;
		int64_t offset_s;
		uint64_t units;
		int64_t want;
	} rows[] = {
		{ 6, 0, 1700000000000001, T0 + 1000 },
		{ 9, 0, 1700000000000000001, T0 + 1 },
		{ 0, 0, 1700000000, T0 },
		{ 3, 0, 1700000000001, T0 + 1000000 },
		{ 10, 0, 17000000000000000019U, T0 + 1 },
		{ 19, 0, 18446744073709551615U, 1844674407 },
		{ 0x80, 0, 1700000000, T0 },
		{ 0x80 | 20, 0, (UINT64_C(1700000000) << 20) + (1 << 19), T0 + NS / 2 },
		{ 0x80 | 32, 0, (UINT64_C(1700000000) << 32) + (UINT64_C(1) << 31), T0 + NS / 2 },
		{ 0x80 | 63, 0, (UINT64_C(1) << 63) | UINT64_C(1) << 62, NS + NS / 2 },
		{ 6, 1700000000, 5, T0 + 5000 },
		{ 6, -1, 1700000001000000, T0 },
		{ 9, -2, 1, 0 },         /* before 1970: unknown */
		{ 0, 0, UINT64_MAX, 0 }, /* the end of all ages */
		{ 0, INT64_MAX, 1, 0 },
		{ 0, INT64_MIN, 1, 0 },
		{ 0, 5000000000, 5000000000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t body[5 + 15] = { 1, (uint32_t)(rows[i].units >> 32), (uint32_t)rows[i].units, 60,
					  60 };
		struct capture_file f;
		struct file *s;

		for (uint8_t b = 0; b < 60; b++)
			((uint8_t *)&body[5])[b] = b;
		capture_file_begin(&f, true, false, (uint64_t)US, 1);
		capture_file_interface_with(&f, 1, 0, rows[i].resolution, rows[i].offset_s);
		capture_file_block(&f, 6, body, sizeof(body));
		s = open_file(&f, f.len);
		expect(s, rows[i].want, 1, 60, 60);
		expect_end(&s, &f);
	}
}

static void
test_other_blocks(void **state)
{
	static uint8_t long_body[3 << 20];
	uint32_t simple[1 + 32] = { 300 }, obsolete[5 + 5] = { 7 << 16 | 1, 0, 1700000000, 20, 40 };
	struct capture_file f;
	struct file *s;

	(void)state;
	for (uint8_t b = 0; b < 128; b++)
		((uint8_t *)&simple[1])[b] = b;
	for (uint8_t b = 0; b < 20; b++)
		((uint8_t *)&obsolete[5])[b] = b;
	capture_file_begin(&f, true, false, (uint64_t)US, 113);
	capture_file_section(&f, false);
	capture_file_interface_with(&f, 113, 126, 6, 0);
	capture_file_interface_with(&f, 1, 0, 0, 0);
	capture_file_block(&f, 4, "names", 5);
	capture_file_block(&f, 3, simple, 4 + 128); /* cut to the interface's snapshot length */
	capture_file_block(&f, 0x0bad, long_body, sizeof(long_body));
	capture_file_block(&f, 2, obsolete, sizeof(obsolete));
	capture_file_block(&f, 5, long_body, 4096);
	capture_file_block(&f, 0x80001234, long_body, 0);
	s = open_file(&f, f.len);
	expect(s, 0, 113, 300, 126);
	expect(s, T0, 1, 40, 20);
	expect_end(&s, &f);
}

static void
test_lengths(void **state)
{
	struct capture_file f;
	struct file *s;

	(void)state;
	for (int ng = 0; ng < 2; ng++) {
		capture_file_begin(&f, ng == 1, false, (uint64_t)US, 1);
		capture_file_frame(&f, 0, T0, 10, 64); /* less on the wire than in the file */
		capture_file_frame(&f, 0, T0, UINT32_MAX, 64);
		capture_file_frame(&f, 0, T0, 0, 0);
		capture_file_frame(&f, 0, T0, 70000, 70000); /* longer than an entry of a ring */
		capture_file_frame(&f, 0, T0, FORMAT_FRAME_MAX, FORMAT_FRAME_MAX);
		capture_file_frame(&f, 0, T0, 64, 64);
		s = open_file(&f, f.len);
		expect(s, T0, 1, 64, 64);
		expect(s, T0, 1, UINT32_MAX, 64);
		expect(s, T0, 1, 0, 0);
		expect(s, T0, 1, 70000, 70000);
		expect(s, T0, 1, FORMAT_FRAME_MAX, FORMAT_FRAME_MAX);
		expect(s, T0, 1, 64, 64);
		expect_end(&s, &f);
	}
}

/* The bytes of a frame stay until the call after the next one, however the file trickles in. */
static void
test_frames_stay(void **state)
{
	struct capture_file f;
	struct frame r[2];
	struct file *s;
	char why[256];

	(void)state;
	capture_file_begin(&f, false, false, (uint64_t)NS, 1);
	for (uint32_t i = 0; i < 120; i++)
		capture_file_frame(&f, 0, T0 + i, 100, 100);
	for (uint32_t i = 0; i < 120; i++)
		f.bytes[24 + i * 116 + 16] = (uint8_t)i;
	s = file_open(capture_file_pipe(&f, 60), why, sizeof(why));
	assert_non_null(s);
	assert_int_equal(file_next(s, &r[0]), FILE_FRAME);
	for (uint32_t i = 1; i < 120; i++) {
		assert_int_equal(file_next(s, &r[i % 2]), FILE_FRAME);
		assert_int_equal(r[i % 2].bytes[0], i);
		assert_int_equal(r[!(i % 2)].bytes[0], i - 1);
		assert_int_equal(r[!(i % 2)].bytes[99], 99);
	}
	expect_end(&s, &f);
}

/* --- cut and damaged files --- */

/* Wherever a file is cut: what is whole before the cut is read, then it is damaged; or it is no capture at
 * all. */
static void
check_cut(struct capture_file *f, const size_t *ends, const unsigned *frames, unsigned n)
{
	for (size_t cut = 0; cut <= f->len; cut++) {
		struct file *s = open_file(f, cut);
		unsigned at = 0, got = 0;
		enum file_step step;
		struct frame r;

		if (cut < ends[0]) {
			assert_null(s);
			continue;
		}
		assert_non_null(s);
		while (at + 1 < n && cut >= ends[at + 1])
			at++;
		while ((step = file_next(s, &r)) == FILE_FRAME)
			got++;
		assert_int_equal(got, frames[at]);
		assert_int_equal(step, cut == ends[at] ? FILE_END : FILE_DAMAGED);
		file_free(&s);
	}
	capture_file_free(f);
}

static void
test_cut(void **state)
{
	struct capture_file f;
	size_t ends[6];
	unsigned frames[6];

	(void)state;
	capture_file_begin(&f, false, false, (uint64_t)NS, 1);
	for (unsigned i = 0; i < 4; i++) {
		ends[i] = f.len;
		frames[i] = i;
		capture_file_frame(&f, 0, T0, 64, 64);
	}
	f.len = ends[3];
	check_cut(&f, ends, frames, 4);

	capture_file_begin(&f, true, false, (uint64_t)NS, 1);
	ends[0] = 28;
	ends[1] = f.len;
	capture_file_frame(&f, 0, T0, 64, 63);
	ends[2] = f.len;
	capture_file_block(&f, 77, "unknown", 7);
	ends[3] = f.len;
	capture_file_section(&f, true);
	ends[4] = f.len;
	capture_file_interface(&f, 1);
	ends[5] = f.len;
	check_cut(&f, ends, (const unsigned[]){ 0, 0, 1, 1, 1, 1 }, 6);
}

/* A block that is passed over without being looked at is missed all the same where it is not all there. */
static void
test_cut_in_a_long_block(void **state)
{
	static uint8_t long_body[1 << 20];
	struct capture_file f;
	struct file *s;
	size_t at;

	(void)state;
	capture_file_begin(&f, true, false, (uint64_t)NS, 1);
	capture_file_frame(&f, 0, T0, 64, 64);
	capture_file_block(&f, 77, long_body, sizeof(long_body));
	at = f.len - 4;
	for (size_t lacking = 1; lacking < 500000; lacking *= 3) {
		struct capture_file copy = f;

		s = open_file(&f, f.len - lacking);
		expect(s, T0, 1, 64, 64);
		copy.bytes = NULL;
		expect_damage(&s, &copy, lacking < 4 ? at : f.len - lacking, "the file ends");
	}
	f.bytes[at] ^= 1;
	s = open_file(&f, f.len);
	expect(s, T0, 1, 64, 64);
	expect_damage(&s, &f, at, "ends with");
}

/* A file whose second frame is spoilt: 32 bits at `at` of its record become `value`. */
static void
check_damage(bool ng, size_t at, uint32_t value, const char *what)
{
	struct capture_file f;
	struct file *s;
	size_t place;

	capture_file_begin(&f, ng, false, (uint64_t)NS, 1);
	capture_file_frame(&f, 0, T0, 64, 64);
	place = f.len;
	capture_file_frame(&f, 0, T0, 64, 64);
	memcpy(f.bytes + place + at, &value, sizeof(value));
	s = open_file(&f, f.len);
	expect(s, T0, 1, 64, 64);
	expect_damage(&s, &f, place, what);
}

static void
test_damaged_frames(void **state)
{
	(void)state;
	check_damage(false, 8, UINT32_MAX, "4294967295 captured bytes");
	check_damage(false, 8, FORMAT_FRAME_MAX + 1, "captured bytes");
	check_damage(false, 8, 65, "the file ends");
	check_damage(true, 4, UINT32_MAX - 3, "the file ends");
	check_damage(true, 4, 0, "with 0 bytes");
	check_damage(true, 4, 28, "with 28 bytes");
	check_damage(true, 4, 95, "with 95 bytes");
	check_damage(true, 4, 92, "begins with a length of 92");
	check_damage(true, 8, 1, "interface 1, where 1 are");
	check_damage(true, 20, 65, "more than its block has");
	check_damage(true, 20, UINT32_MAX, "captured bytes");
	check_damage(true, 28 + 64, 97, "ends with one of 97");
}

/* One spoilt block behind a good frame. */
static void
check_block(uint32_t type, const void *body, size_t len, const char *what)
{
	struct capture_file f;
	struct file *s;
	size_t place;

	capture_file_begin(&f, true, false, (uint64_t)NS, 1);
	capture_file_frame(&f, 0, T0, 64, 64);
	place = f.len;
	capture_file_block(&f, type, body, len);
	s = open_file(&f, f.len);
	expect(s, T0, 1, 64, 64);
	expect_damage(&s, &f, place, what);
}

static void
test_damaged_blocks(void **state)
{
	static const uint32_t no_order[4] = { 0x1a2b3c4e, 1, 0, 0 }, version[4] = { 0x1a2b3c4d, 2, 0, 0 };
	static const uint32_t long_option[3] = { 1, 0, 8 << 16 | 9 }, no_resolution[3] = { 1, 0, 9 };
	static const uint32_t short_offset[4] = { 1, 0, 4 << 16 | 14, 0 };
	static const uint32_t small_unit[4] = { 1, 0, 1 << 16 | 9, 20 },
			      small_power[4] = { 1, 0, 1 << 16 | 9, 0xc0 };
	static uint8_t big[FORMAT_VIEW_MAX];
	const uint32_t simple = 4711;

	(void)state;
	check_block(0x0a0d0d0a, no_order, sizeof(no_order), "without a byte order");
	check_block(0x0a0d0d0a, version, sizeof(version), "version 2.0");
	check_block(1, long_option, sizeof(long_option), "longer than its block");
	check_block(1, no_resolution, sizeof(no_resolution), "option 9 that is too short");
	check_block(1, short_offset, sizeof(short_offset), "option 14 that is too short");
	check_block(1, small_unit, sizeof(small_unit), "unit of time");
	check_block(1, small_power, sizeof(small_power), "unit of time");
	check_block(1, big, sizeof(big), "an interface described in");
	check_block(3, &simple, sizeof(simple), "more than its block has");
}

static void
test_interfaces_are_bounded(void **state)
{
	static const uint32_t interface[2] = { 1, 0 };
	struct capture_file f;
	struct file *s;
	size_t place;

	(void)state;
	capture_file_begin(&f, true, false, (uint64_t)NS, 1);
	for (unsigned i = 1; i < FORMAT_INTERFACES_MAX; i++)
		capture_file_block(&f, 1, interface, sizeof(interface));
	capture_file_frame(&f, FORMAT_INTERFACES_MAX - 1, 0, 64, 64);
	place = f.len;
	capture_file_block(&f, 1, interface, sizeof(interface));
	s = open_file(&f, f.len);
	expect(s, 0, 1, 64, 64);
	expect_damage(&s, &f, place, "more than 65536 interfaces");
}

/* --- no captures --- */

static void
test_no_capture(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} rows[] = {
		{ "", 0, "empty" },
		{ "\n", 1, "too short" },
		{ "root:x:0:0:root:/root:/bin/bash\n", 32, "neither" },
		{ "\x1f\x8b\x08\0\0\0", 6, "gzip" },
		{ "\x28\xb5\x2f\xfd\0\0", 6, "zstd" },
		{ "\xfd"
		  "7zXZ\0",
		  6, "xz" },
		{ "\xd4\xc3\xb2\xa1\2\0\4\0", 8, "within its header" },
		{ "\xd4\xc3\xb2\xa1\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0", 24, "version 3.4" },
		{ "\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", 12, "within its first block" },
		{ "\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1b", 12, "byte order" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct capture_file f = { .bytes = (uint8_t *)(uintptr_t)rows[i].bytes };
		char why[256] = "";

		assert_null(file_open(capture_file_open(&f, rows[i].len), why, sizeof(why)));
		assert_non_null(strstr(why, rows[i].why));
	}
}

/* A directory can be opened, but not read. */
static void
test_unreadable(void **state)
{
	char why[256] = "";

	(void)state;
	assert_null(file_open(open("/", O_RDONLY | O_CLOEXEC), why, sizeof(why)));
	assert_non_null(strstr(why, "directory"));
}

/* --- blocks --- */

struct kept {
	int64_t ts_ns;
	uint32_t wire_len, cap_len;
	uint16_t link_type;
	uint8_t first, last;
};

static struct kept
keep(const struct wire_frame *w, const uint8_t *bytes)
{
	return (struct kept){ w->ts_ns,
			      w->wire_len,
			      w->cap_len,
			      w->link_type,
			      w->cap_len > 0 ? bytes[0] : 0,
			      w->cap_len > 0 ? bytes[w->cap_len - 1] : 0 };
}

static void
expect_same(struct file *s, const struct kept *k)
{
	struct frame r;

	assert_int_equal(file_next(s, &r), FILE_FRAME);
	assert_int_equal(r.ts_ns, k->ts_ns);
	assert_int_equal(r.wire_len, k->wire_len);
	assert_int_equal(r.link_type, k->link_type);
	assert_int_equal(r.cap_len < LANE_KEEP_MAX ? r.cap_len : LANE_KEEP_MAX, k->cap_len);
	if (k->cap_len > 0) {
		assert_int_equal(r.bytes[0], k->first);
		assert_int_equal(r.bytes[k->cap_len - 1], k->last);
	}
}

/* Reads f in blocks wherever that can be, each frame beside the same of plain. Returns how many came in
 * blocks. */
static unsigned
compare(struct file *f, struct file *plain)
{
	static uint8_t entry[RING_ENTRY_MAX];
	static struct lane_block b;
	unsigned in_blocks = 0;
	struct frame r;

	for (;;) {
		b = (struct lane_block){ .bytes = entry + sizeof(struct wire_block),
					 .room = sizeof(entry) - sizeof(struct wire_block) };
		if (file_block(f, &b) == 0) {
			enum file_step step = file_next(f, &r);
			struct wire_frame w = {
				r.ts_ns, r.wire_len,
				(uint16_t)(r.cap_len < LANE_KEEP_MAX ? r.cap_len : LANE_KEEP_MAX), r.link_type
			};
			struct kept k;

			if (step != FILE_FRAME) {
				assert_int_equal(file_next(plain, &r), step);
				return in_blocks;
			}
			k = keep(&w, r.bytes);
			expect_same(plain, &k);
			continue;
		}
		in_blocks += b.n;
		assert_true(b.len + b.n * sizeof(b.table[0]) <= b.room);
		for (unsigned i = 0; i < b.n; i++) {
			struct kept k = keep(&b.table[i].frame, entry + b.table[i].at);

			expect_same(plain, &k);
		}
	}
}

static void
test_blocks(void **state)
{
	static uint8_t long_body[200000];
	struct capture_file f;

	(void)state;
	for (int ng = 0; ng < 2; ng++) {
		for (uint32_t longest = 1; longest < 100000; longest *= 6) {
			struct file *s, *plain;
			unsigned in_blocks;

			capture_file_begin(&f, ng == 1, false, (uint64_t)NS, 1);
			for (uint32_t i = 0; i < 6000; i++) {
				uint32_t len =
				    i % 100 == 99 ? longest : i * 7919 % (longest < 1500 ? longest : 1500);

				capture_file_frame(&f, 0, T0 + i, i * 31, len);
				if (ng == 1 && i % 1000 == 500)
					capture_file_block(&f, 77, long_body, i * 31);
			}
			s = open_file(&f, f.len);
			plain = open_file(&f, f.len);
			in_blocks = compare(s, plain);
			/* But for what opening the file had read, and what is read behind a frame that is too
			 * long. */
			assert_true(longest < 200 || longest > 10000 || in_blocks > 3000);
			file_free(&s);
			file_free(&plain);
			capture_file_free(&f);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_old_and_patched),
		cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_interfaces_and_sections),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_other_blocks),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_frames_stay),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_in_a_long_block),
		cmocka_unit_test(test_damaged_frames),
		cmocka_unit_test(test_damaged_blocks),
		cmocka_unit_test(test_interfaces_are_bounded),
		cmocka_unit_test(test_no_capture),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
