/* An answer of any bytes: taken apart without reading past it, and every row can be written. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "present/present.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static void
write_row(struct json_writer *w, const struct row *r)
{
	struct counter_sum none = { 0 };

	switch (r->kind) {
	case ROW_POINT:
		present_interface(w, NULL, r);
		break;
	case ROW_HOST:
		present_host(w, NULL, r);
		break;
	case ROW_DEVICE:
		present_device(w, NULL, r);
		break;
	case ROW_FLOW:
	case ROW_FLOW_EVENT:
		present_flow(w, NULL, r);
		break;
	case ROW_APPLICATION:
		present_application(w, NULL, r);
		break;
	case ROW_GROUP:
		present_group(w, NULL, r);
		break;
	case ROW_SERIES:
		present_series_point(w, r);
		break;
	case ROW_SERIES_OF:
		present_series_of(w, NULL, r);
		present_series_sum(w, NULL, r);
		present_as(w, NULL, r);
		break;
	case ROW_TOTALS:
		present_totals(w, NULL, &r->totals, &none, &none);
		break;
	case ROW_COUNTER:
		counter_sum_add(&none, r);
		present_counter(w, NULL, r);
		break;
	case ROW_COMPONENT:
		present_component(w, NULL, &r->component);
		break;
	default:
		abort(); /* a row of no kind */
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	struct answer a;
	struct row r;
	struct json_writer *w = json_new(64u << 20);

	if (answer_open(&a, d, n)) {
		json_array(w, NULL);
		while (answer_next(&a, &r) == 1) {
			for (size_t i = 0; i < ROW_TEXTS_MAX; i++)
				assert(r.text[i].len == 0 ||
				       ((const uint8_t *)r.text[i].s >= d &&
					(const uint8_t *)r.text[i].s + r.text[i].len <= d + n));
			write_row(w, &r);
		}
		json_array_end(w);
		assert(json_text(w, NULL) != NULL);
	}
	json_free(&w);
	return 0;
}
