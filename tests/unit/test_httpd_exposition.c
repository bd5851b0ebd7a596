/* Prometheus' text format: what stands in a label never becomes more than a label. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "exposition.h"

static void
says(struct evbuffer *out, const char *wanted)
{
	size_t len = evbuffer_get_length(out);

	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(evbuffer_pullup(out, -1), wanted, len);
	evbuffer_free(out);
}

static void
a_metric_and_its_samples(void **state)
{
	const struct label labels[] = { { "interface", "eth0", 4 }, { "id", "1", 1 } };
	struct evbuffer *out = evbuffer_new();

	(void)state;
	exposition_metric(out, "weir_x_total", METRIC_COUNTER, "What it is.");
	exposition_sample(out, "weir_x_total", labels, 2, UINT64_MAX);
	exposition_metric(out, "weir_y", METRIC_GAUGE, "Another.");
	exposition_sample(out, "weir_y", NULL, 0, 0);
	says(out, "# HELP weir_x_total What it is.\n# TYPE weir_x_total counter\n"
		  "weir_x_total{interface=\"eth0\",id=\"1\"} 18446744073709551615\n"
		  "# HELP weir_y Another.\n# TYPE weir_y gauge\nweir_y 0\n");
}

static void
labels_hold_anything(void **state)
{
	const struct label hostile = { "interface", "a\"} 1\n\\x", 8 };
	const struct label bytes = { "interface", "\xff\xfe!", 3 };
	const struct label text = { "interface", "caf\xc3\xa9", 5 };
	const struct label none = { "interface", NULL, 0 };
	struct evbuffer *out = evbuffer_new();

	(void)state;
	exposition_sample(out, "m", &hostile, 1, 1);
	exposition_sample(out, "m", &bytes, 1, 2);
	exposition_sample(out, "m", &text, 1, 3);
	exposition_sample(out, "m", &none, 1, 4);
	says(out,
	     "m{interface=\"a\\\"} 1\\n\\\\x\"} 1\nm{interface=\"\?\?!\"} 2\nm{interface=\"caf\xc3\xa9\"} "
	     "3\nm{interface=\"\"} 4\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_metric_and_its_samples),
		cmocka_unit_test(labels_hold_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
