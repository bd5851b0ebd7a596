#include "kept_rows.h"

#include <string.h>

void
kept_rows_begin(struct kept_rows *k, const struct view *v, const struct filter *f, uint32_t point)
{
	*k = (struct kept_rows){ v, f, point, f == NULL ? NULL : filter_run_new() };
}

void
kept_rows_end(struct kept_rows *k)
{
	filter_run_free(&k->run);
}

bool
kept_rows_may_match(const struct kept_rows *k, struct block_reader *r, const struct block *b)
{
	uint64_t least, most;

	if (k->point != ANY_POINT) {
		block_range(b, COLUMN_POINT, &least, &most);
		if (k->point < least || k->point > most)
			return false;
	}
	return k->filter == NULL || filter_block_may_pass(k->filter, r, b, k->view->masked);
}

static bool
match_point(const struct kept_rows *k, struct columns *c, uint8_t *wanted)
{
	const uint64_t *v = columns_numbers(c, COLUMN_POINT);

	for (uint32_t i = 0; v != NULL && i < columns_block(c)->rows; i++)
		wanted[i] &= v[i] == k->point;
	return v != NULL;
}

/* A row at a time: a narrowing looks at its place and its ends together. */
static bool
match_narrowed(const struct kept_rows *k, struct columns *c, uint8_t *wanted)
{
	enum { COLUMN_VLAN = 9, COLUMN_IN = 53, COLUMN_OUT = 54 };
	const uint64_t *point = columns_numbers(c, COLUMN_POINT), *vlan = columns_numbers(c, COLUMN_VLAN),
		       *in = columns_numbers(c, COLUMN_IN), *out = columns_numbers(c, COLUMN_OUT);
	struct column_pair ends, routers;
	struct rec_flow f = { 0 };

	if (point == NULL || vlan == NULL || in == NULL || out == NULL ||
	    !columns_pair(c, PAIR_ADDRESSES, &ends) || !columns_pair(c, PAIR_ROUTERS, &routers))
		return false;
	for (uint32_t i = 0; i < columns_block(c)->rows; i++) {
		if (wanted[i] == 0)
			continue;
		f.point = (uint32_t)point[i];
		f.vlan[0] = (uint16_t)vlan[i];
		f.in_interface = (uint32_t)in[i];
		f.out_interface = (uint32_t)out[i];
		f.exporter = *column_address(&routers, routers.code[0][i]);
		f.ip[CLIENT] = *column_address(&ends, ends.code[CLIENT][i]);
		f.ip[SERVER] = *column_address(&ends, ends.code[SERVER][i]);
		wanted[i] = view_admits(k->view, &f);
	}
	return true;
}

bool
kept_rows_match(struct kept_rows *k, struct columns *c, const uint32_t *tenant, uint8_t *wanted)
{
	if (k->point != ANY_POINT && !match_point(k, c, wanted))
		return false;
	if (k->filter != NULL && !filter_block(k->run, k->filter, k->view, c, tenant, wanted))
		return false;
	return k->view->nnarrowed == 0 || match_narrowed(k, c, wanted);
}
