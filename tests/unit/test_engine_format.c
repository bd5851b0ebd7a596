/* What is formatted without libc is what libc makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "format.h"

__attribute__((format(printf, 2, 3))) static void
compare(bool quick, const char *format, ...)
{
	for (size_t size = 0; size < 20; size++) {
		char out[20], want[20];
		va_list values;
		int len = -1, right;

		memset(out, 'x', sizeof(out));
		memset(want, 'x', sizeof(want));
		va_start(values, format);
		assert_int_equal(format_quickly(out, size, format, values, &len), quick);
		va_end(values);
		va_start(values, format);
		right = vsnprintf(want, size, format, values);
		va_end(values);
		if (!quick)
			memset(want, 'x', sizeof(want));
		assert_int_equal(len, quick ? right : -1);
		assert_memory_equal(out, want, sizeof(out));
	}
}

static void
test_formats(void **state)
{
	static const unsigned numbers[] = { 0,         1, 9, 10, 99, 100, 4865, 65535, 65536, UINT32_MAX - 1,
					    UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		compare(true, "%s%u", "", numbers[i]);
		compare(true, "%s%u", "-", numbers[i]);
		compare(false, "%s%u", "--", numbers[i]);
		compare(false, "%u", numbers[i]);
		compare(numbers[i] < 256, "%02X", numbers[i]);
		compare(numbers[i] < 256, "%02x", numbers[i]);
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		compare(true, "%02X", byte);
		compare(true, "%02x", byte);
	}
}

/* Through libc's own name, where it is bound to this one. */
static void
test_snprintf(void **state)
{
	const char *volatile text = "abc";
	char out[8];

	(void)state;
	assert_int_equal(snprintf(out, sizeof(out), "%s%u", "-", 49195u), 6);
	assert_string_equal(out, "-49195");
	assert_int_equal(snprintf(out, sizeof(out), "%s/%d", text, 123456), 10);
	assert_string_equal(out, "abc/123");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_snprintf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
