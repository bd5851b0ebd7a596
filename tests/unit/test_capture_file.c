/* Capture files as a source: pcap and pcapng, micro- and nanoseconds, both byte orders, cut at every byte, no
 * capture at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture_files.h"
#include "source.h"

#define US INT64_C(1000000)
#define NS INT64_C(1000000000)
#define T0 (INT64_C(1700000000) * NS)

static struct source *
open_source(const struct capture_file *f, size_t len)
{
	char why[256] = "";
	struct source *s = source_open_file(capture_file_open(f, len), why, sizeof(why));

	if (s == NULL)
		assert_int_not_equal(why[0], '\0');
	return s;
}

static void
check_whole(bool ng, bool swapped, int64_t per_second)
{
	struct capture_file f;
	struct source *s;
	struct frame r;

	capture_file_begin(&f, ng, swapped, (uint64_t)per_second, 1);
	for (uint32_t i = 0; i < 100; i++)
		capture_file_frame(&f, 0, T0 + i * 1001, 1000 + i, 60 + i);
	s = open_source(&f, f.len);
	assert_non_null(s);
	assert_int_equal(source_link_type(s), 1);
	for (uint32_t i = 0; i < 100; i++) {
		int64_t t = T0 + i * 1001;

		assert_int_equal(source_next(s, &r), SOURCE_FRAME);
		assert_int_equal(r.ts_ns, t - t % (NS / per_second));
		assert_int_equal(r.wire_len, 1000 + i);
		assert_int_equal(r.cap_len, 60 + i);
		assert_int_equal(r.bytes[59], 59);
	}
	assert_int_equal(source_next(s, &r), SOURCE_END);
	assert_int_equal(source_next(s, &r), SOURCE_END);
	source_free(&s);
	capture_file_free(&f);
}

static void
test_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		check_whole((i & 1) != 0, (i & 2) != 0, (i & 4) != 0 ? US : NS);
}

/* Wherever a file is cut: what is whole before the cut is read, then it is damaged; or it is no capture at
 * all. */
static void
check_cut(bool ng)
{
	struct capture_file f;
	size_t ends[4];

	capture_file_begin(&f, ng, false, (uint64_t)NS, 1);
	ends[0] = f.len;
	for (int i = 1; i < 4; i++) {
		capture_file_frame(&f, 0, T0, 64, 64);
		ends[i] = f.len;
	}
	for (size_t cut = 0; cut <= f.len; cut++) {
		struct source *s = open_source(&f, cut);
		struct frame r;
		unsigned want = 0, got = 0;
		enum source_step step;

		if (cut < ends[0]) {
			assert_null(s);
			continue;
		}
		assert_non_null(s);
		while (want < 3 && cut >= ends[want + 1])
			want++;
		while ((step = source_next(s, &r)) == SOURCE_FRAME)
			got++;
		assert_int_equal(got, want);
		assert_int_equal(step, cut == ends[want] ? SOURCE_END : SOURCE_DAMAGED);
		if (step == SOURCE_DAMAGED)
			assert_int_not_equal(source_why(s)[0], '\0');
		source_free(&s);
	}
	capture_file_free(&f);
}

static void
test_cut(void **state)
{
	(void)state;
	check_cut(false);
	check_cut(true);
}

static void
test_mixed_link_types_are_damage(void **state)
{
	struct capture_file f;
	struct source *s;
	struct frame r;

	(void)state;
	capture_file_begin(&f, true, false, (uint64_t)NS, 1);
	capture_file_frame(&f, 0, T0, 64, 64);
	capture_file_interface(&f, 101);
	capture_file_frame(&f, 1, T0, 64, 64);
	s = open_source(&f, f.len);
	assert_non_null(s);
	assert_int_equal(source_next(s, &r), SOURCE_FRAME);
	assert_int_equal(source_next(s, &r), SOURCE_DAMAGED);
	assert_non_null(strstr(source_why(s), "interface"));
	source_free(&s);
	capture_file_free(&f);
}

static void
test_lengths_and_times_that_cannot_be(void **state)
{
	struct capture_file f;
	struct source *s;
	struct frame r;

	(void)state;
	capture_file_begin(&f, false, false, (uint64_t)US, 1);
	capture_file_frame(&f, 0, T0, 10, 64);       /* less on the wire than in the file */
	capture_file_frame(&f, 0, T0, 70000, 70000); /* longer than an entry of a ring */
	capture_file_frame(&f, 0, T0, UINT32_MAX, 64);
	s = open_source(&f, f.len);
	assert_int_equal(source_next(s, &r), SOURCE_FRAME);
	assert_int_equal(r.wire_len, 64);
	assert_int_equal(source_next(s, &r), SOURCE_FRAME);
	assert_int_equal(r.cap_len, 70000);
	assert_int_equal(source_next(s, &r), SOURCE_FRAME);
	assert_int_equal(r.wire_len, UINT32_MAX);
	source_free(&s);
	capture_file_free(&f);

	capture_file_begin(&f, true, false, (uint64_t)US, 1);
	capture_file_frame(&f, 0, T0, 64, 64);
	memset(f.bytes + f.len - 64 - 24 + 4, 0xff, 8); /* its time: the end of all ages */
	s = open_source(&f, f.len);
	assert_int_equal(source_next(s, &r), SOURCE_FRAME);
	assert_true(r.ts_ns >= 0);
	source_free(&s);
	capture_file_free(&f);

	capture_file_begin(&f, false, false, (uint64_t)US, 1);
	capture_file_frame(&f, 0, T0, 64, 64);
	memset(f.bytes + 24 + 8, 0xff, 4); /* a captured length of 4 GiB */
	s = open_source(&f, f.len);
	assert_int_equal(source_next(s, &r), SOURCE_DAMAGED);
	source_free(&s);
	capture_file_free(&f);
}

static void
test_no_capture(void **state)
{
	struct capture_file f = { 0 };
	uint8_t text[] = "root:x:0:0:root:/root:/bin/bash\n";

	(void)state;
	assert_null(open_source(&f, 0));
	f.bytes = text;
	assert_null(open_source(&f, sizeof(text)));
}

static void
test_link_types(void **state)
{
	static const uint32_t types[] = { 1, 101, 113, 276, 127, 228, 0, 108, 9 };
	struct capture_file f;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (int ng = 0; ng < 2; ng++) {
			struct source *s;

			capture_file_begin(&f, ng == 1, false, (uint64_t)NS, types[i]);
			s = open_source(&f, f.len);
			assert_non_null(s);
			assert_int_equal(source_link_type(s), types[i]);
			source_free(&s);
			capture_file_free(&f);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_mixed_link_types_are_damage),
		cmocka_unit_test(test_lengths_and_times_that_cannot_be),
		cmocka_unit_test(test_no_capture),
		cmocka_unit_test(test_link_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
