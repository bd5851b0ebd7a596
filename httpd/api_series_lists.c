/* Networks, autonomous systems, countries and categories: what there are series of, as lists. */
#include "api.h"
#include "api_answer.h"
#include "present/present.h"

static void
ask_sums(struct request *r, enum series_subject subject, inquiry_fn *fn, const struct table *t)
{
	struct inquiry *q = inquiry_of(r, fn);

	ask_list(q, ASK_SERIES_LIST, r)->q.subject = (uint16_t)subject;
	run_list(r, q, t);
}

#define LIST_OF(list, subject, present_row)                                                                  \
	static void shape_##list(struct json_writer *w, const struct request *r, const struct inquiry *q)    \
	{                                                                                                    \
		(void)r;                                                                                     \
		part_array(w, #list, &q->part[0], present_row);                                              \
		put_cursor(w, &q->part[0]);                                                                  \
	}                                                                                                    \
                                                                                                             \
	static void on_##list(void *ctx, struct inquiry *q, enum inquiry_end end)                            \
	{                                                                                                    \
		answer_with(ctx, q, end, shape_##list);                                                      \
	}                                                                                                    \
                                                                                                             \
	void api_##list(struct request *r)                                                                   \
	{                                                                                                    \
		ask_sums(r, subject, on_##list, &table_##list);                                              \
	}

LIST_OF(networks, SERIES_NETWORK, present_series_sum)
LIST_OF(as, SERIES_AS, present_as)
LIST_OF(countries, SERIES_COUNTRY, present_series_sum)
LIST_OF(categories, SERIES_CATEGORY, present_series_sum)
