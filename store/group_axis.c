#include "group_axis.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "filter_parts.h"
#include "group_table.h"
#include "mask.h"

#define SLOTS (4 * COLUMN_MAX) /* for the numbers of both ends */

enum { COLUMN_VLAN = 9, COLUMN_PROTOCOL = 13, COLUMN_STATE = 15, COLUMN_BREED = 19, COLUMN_CATEGORY = 42 };
enum { COLUMN_DSCP = 50, COLUMN_RISKS = 52, COLUMN_IN_INTERFACE, COLUMN_OUT_INTERFACE, COLUMN_AS = 56 };

/* What kind of thing a dimension's codes are made of. */
enum source { OF_ADDRESS, OF_MAC, OF_ROUTER, OF_COUNTRY, OF_AS, OF_NAME, OF_RISK, OF_TENANT, OF_NUMBER };

static enum source
source_of(enum dimension d)
{
	switch (d) {
	case DIMENSION_IP:
	case DIMENSION_CLIENT_IP:
	case DIMENSION_SERVER_IP:
		return OF_ADDRESS;
	case DIMENSION_MAC:
	case DIMENSION_CLIENT_MAC:
	case DIMENSION_SERVER_MAC:
		return OF_MAC;
	case DIMENSION_COUNTRY:
	case DIMENSION_CLIENT_COUNTRY:
	case DIMENSION_SERVER_COUNTRY:
		return OF_COUNTRY;
	case DIMENSION_AS:
	case DIMENSION_CLIENT_AS:
	case DIMENSION_SERVER_AS:
		return OF_AS;
	case DIMENSION_EXPORTER:
	case DIMENSION_NEXT_HOP:
		return OF_ROUTER;
	case DIMENSION_SERVER_NAME:
		return OF_NAME;
	case DIMENSION_RISK:
		return OF_RISK;
	case DIMENSION_TENANT:
		return OF_TENANT;
	default:
		return OF_NUMBER;
	}
}

/* The column of a number that a flow has, or that its client has and the next its server. */
static unsigned
column_of(enum dimension d)
{
	switch (d) {
	case DIMENSION_PORT:
	case DIMENSION_CLIENT_PORT:
	case DIMENSION_SERVER_PORT:
		return COLUMN_PORT_CLIENT;
	case DIMENSION_DSCP:
		return COLUMN_DSCP;
	case DIMENSION_PROTOCOL:
		return COLUMN_PROTOCOL;
	case DIMENSION_APPLICATION:
		return COLUMN_APPLICATION;
	case DIMENSION_CATEGORY:
		return COLUMN_CATEGORY;
	case DIMENSION_INTERFACE:
		return COLUMN_POINT;
	case DIMENSION_VLAN:
		return COLUMN_VLAN;
	case DIMENSION_IN_INTERFACE:
		return COLUMN_IN_INTERFACE;
	case DIMENSION_OUT_INTERFACE:
		return COLUMN_OUT_INTERFACE;
	case DIMENSION_STATE:
		return COLUMN_STATE;
	case DIMENSION_END_REASON:
		return COLUMN_END_REASON;
	default:
		return COLUMN_BREED;
	}
}

/* Which ends' values the codes are of: [0] and [1]. */
static void
sides_of(enum dimension d, int side[static 2])
{
	uint8_t ends = dimension_rows[d].ends;

	side[0] = ends == DIMENSION_OF_SERVER ? SERVER : CLIENT;
	side[1] = ends == DIMENSION_OF_CLIENT ? CLIENT : ends == DIMENSION_ONE ? side[0] : SERVER;
}

static bool
is_whole_address(const struct group_axis *a)
{
	return a->bits_v4 == 32 && a->bits_v6 == 128 && !a->view->masked;
}

void
group_axis_init(struct group_axis *a, enum dimension d, const struct view *v, uint8_t bits_v4,
		uint8_t bits_v6, uint64_t seed)
{
	enum source source = source_of(d);

	*a = (struct group_axis){ .dimension = d,
				  .view = v,
				  .bits_v4 = bits_v4 == 0 ? 32 : bits_v4,
				  .bits_v6 = bits_v6 == 0 ? 128 : bits_v6,
				  .words = 1,
				  .seed = seed };
	if (source == OF_ROUTER) { /* each for itself */
		a->bits_v4 = 32;
		a->bits_v6 = 128;
	}
	if (source == OF_ADDRESS || source == OF_ROUTER)
		a->words = source == OF_ADDRESS && v->masked ? 3 : 2;
	if (source == OF_NAME) {
		a->words = 2;
		a->has_name = true;
	}
	a->key = mem_calloc(AXIS_CODES_MAX, AXIS_WORDS_MAX * sizeof(*a->key));
	a->hash = mem_calloc(AXIS_CODES_MAX, sizeof(*a->hash));
	a->asked = mem_calloc(AXIS_CODES_MAX, sizeof(*a->asked));
	for (int i = 0; i < 2; i++)
		a->made[i] = mem_calloc(COLUMN_MAX, sizeof(*a->made[i]));
	a->value = mem_calloc(AXIS_CODES_MAX, sizeof(*a->value));
	a->slot = mem_calloc(SLOTS, sizeof(*a->slot));
	a->slot_block = mem_calloc(SLOTS, sizeof(*a->slot_block));
}

void
group_axis_free(struct group_axis *a)
{
	free(a->key);
	free(a->hash);
	free(a->asked);
	free(a->made[0]);
	free(a->made[1]);
	free(a->value);
	free(a->slot);
	free(a->slot_block);
	*a = (struct group_axis){ 0 };
}

/* --- codes
 * -----------------------------------------------------------------------------------------------------------------
 */

/* The code of a number: in the order in which they come. */
static uint64_t
number_code(struct group_axis *a, uint64_t v)
{
	uint32_t at = (uint32_t)hash_mix(v ^ a->seed, UINT64_C(0x9e3779b97f4a7c15)) % SLOTS;

	for (; a->slot_block[at] == a->block; at = (at + 1) % SLOTS)
		if (a->value[a->slot[at]] == v)
			return a->slot[at];
	a->slot_block[at] = a->block;
	a->slot[at] = a->n;
	a->value[a->n] = v;
	return a->n++;
}

static void
codes_of_numbers(struct group_axis *a, const uint64_t *v, int which, const uint32_t *row, uint32_t nrows)
{
	uint64_t before = 0, code = 0;

	for (uint32_t i = 0; i < nrows; i++) {
		if (i == 0 || v[row[i]] != before) {
			before = v[row[i]];
			code = number_code(a, before);
		}
		a->made[which][row[i]] = code;
	}
	a->code[which] = a->made[which];
}

static bool
number_block(struct group_axis *a, struct columns *c, const uint32_t *row, uint32_t nrows)
{
	bool ends = dimension_rows[a->dimension].ends != DIMENSION_ONE;
	int side[2];

	sides_of(a->dimension, side);
	for (int i = 0; i < 2; i++) {
		const uint64_t *v =
		    columns_numbers(c, column_of(a->dimension) + (ends && side[i] == SERVER ? 1 : 0));

		if (v == NULL)
			return false;
		if (i == 1 && side[1] == side[0])
			a->code[1] = a->code[0];
		else
			codes_of_numbers(a, v, i, row, nrows);
	}
	return true;
}

static bool
pair_block(struct group_axis *a, const struct column_pair *p)
{
	int side[2];

	sides_of(a->dimension, side);
	a->n = p->n;
	a->code[0] = p->code[side[0]];
	a->code[1] = p->code[side[1]];
	return true;
}

/* A hidden end shows no MAC: that is one code more. */
static bool
mac_block(struct group_axis *a, struct columns *c, const uint32_t *row, uint32_t nrows)
{
	struct column_pair macs;
	int side[2];

	if (!columns_pair(c, PAIR_MACS, &macs) || !columns_pair(c, PAIR_ADDRESSES, &a->ends))
		return false;
	for (uint32_t i = 0; i < macs.n; i++)
		a->value[i] = filter_mac_number(macs.value + (size_t)i * 6);
	a->value[macs.n] = 0;
	(void)pair_block(a, &macs);
	a->n = macs.n + 1;
	a->exact = false;
	sides_of(a->dimension, side);
	for (int k = 0; a->view->masked && k < 2; k++) {
		for (uint32_t i = 0; i < nrows; i++) {
			const struct ip_addr *ip = column_address(&a->ends, a->ends.code[side[k]][row[i]]);

			a->made[k][row[i]] = mask_hides(a->view, ip) ? macs.n : macs.code[side[k]][row[i]];
		}
		a->code[k] = a->made[k];
	}
	return true;
}

static bool
name_block(struct group_axis *a, struct columns *c, const uint32_t *row, uint32_t nrows)
{
	if (!columns_names(c, &a->names))
		return false;
	a->text = a->names.text;
	a->n = a->names.n + 1; /* the last: none, because its end is hidden */
	a->code[0] = a->code[1] = a->names.code;
	a->exact = false;
	if (!a->view->masked)
		return true;
	if (!columns_pair(c, PAIR_ADDRESSES, &a->ends))
		return false;
	for (uint32_t i = 0; i < nrows; i++)
		a->made[0][row[i]] =
		    mask_hides(a->view, column_address(&a->ends, a->ends.code[SERVER][row[i]]))
			? a->names.n
			: a->names.code[row[i]];
	a->code[0] = a->code[1] = a->made[0];
	return true;
}

/* By the exporter's word, or by the operator's files. */
static bool
as_block(struct group_axis *a, struct columns *c, const uint32_t *row, uint32_t nrows)
{
	int side[2];

	if (!columns_pair(c, PAIR_ADDRESSES, &a->ends))
		return false;
	sides_of(a->dimension, side);
	for (int k = 0; k < 2; k++) {
		const uint64_t *v = columns_numbers(c, COLUMN_AS + (unsigned)side[k]);

		if (v == NULL)
			return false;
		for (uint32_t i = 0; i < nrows; i++) {
			uint64_t as = v[row[i]];

			if (as == 0)
				as = places_look(a->view->s->places,
						 column_address(&a->ends, a->ends.code[side[k]][row[i]]))
					 .as_number;
			a->made[k][row[i]] = number_code(a, as);
		}
		a->code[k] = a->made[k];
	}
	return true;
}

static bool
tenant_block(struct group_axis *a, const uint32_t *tenant, const uint32_t *row, uint32_t nrows)
{
	for (uint32_t i = 0; i < nrows; i++)
		a->made[0][row[i]] = number_code(a, tenant[row[i]]);
	a->code[0] = a->code[1] = a->made[0];
	return true;
}

bool
group_axis_block(struct group_axis *a, struct columns *c, const uint32_t *tenant, const uint32_t *row,
		 uint32_t nrows)
{
	enum source source = source_of(a->dimension);
	struct column_pair routers;

	a->block++;
	a->n = 0;
	a->exact = true;
	a->text = "";
	switch (source) {
	case OF_ADDRESS:
	case OF_COUNTRY:
		a->exact = source == OF_ADDRESS && is_whole_address(a);
		return columns_pair(c, PAIR_ADDRESSES, &a->ends) && pair_block(a, &a->ends);
	case OF_MAC:
		return mac_block(a, c, row, nrows);
	case OF_ROUTER:
		if (!columns_pair(c, PAIR_ROUTERS, &routers))
			return false;
		a->ends = routers;
		a->n = routers.n;
		a->code[0] = a->code[1] = routers.code[a->dimension == DIMENSION_NEXT_HOP];
		return true;
	case OF_AS:
		return as_block(a, c, row, nrows);
	case OF_NAME:
		return name_block(a, c, row, nrows);
	case OF_TENANT:
		return tenant_block(a, tenant, row, nrows);
	case OF_RISK: /* one row has several: the scan looks at the column itself */
		a->n = AXIS_RISKS;
		a->code[0] = a->code[1] = columns_numbers(c, COLUMN_RISKS);
		return a->code[0] != NULL;
	default:
		return number_block(a, c, row, nrows);
	}
}

bool
group_axis_is_each_address(const struct group_axis *a)
{
	return a->dimension == DIMENSION_IP && is_whole_address(a);
}

uint32_t
group_axis_addresses(struct group_axis *a, struct columns *c)
{
	a->block++;
	a->exact = true;
	a->text = "";
	a->code[0] = a->code[1] = NULL;
	a->n = columns_addresses(c, &a->ends) ? a->ends.n : 0;
	return a->n;
}

/* --- keys
 * ------------------------------------------------------------------------------------------------------------------
 */

/* The first bits of an address; bits count from the first of 16 bytes. */
static void
cut(struct ip_addr *ip, unsigned bits)
{
	if (bits % 8 != 0)
		ip->b[bits / 8] &= (uint8_t)(0xff00u >> bits % 8);
	bits = (bits + 7) / 8;
	memset(ip->b + bits, 0, sizeof(ip->b) - bits);
}

static void
address_key(const struct group_axis *a, uint64_t code, uint64_t *key)
{
	struct ip_addr ip = *column_address(&a->ends, code);
	bool v4 = ip_is_v4(&ip), hidden = a->words > 2 && mask_address(a->view, &ip);
	unsigned bits = v4 ? a->bits_v4 : a->bits_v6, shown = v4 ? MASK_BITS_V4 : MASK_BITS_V6;

	cut(&ip, v4 ? 96 + bits : bits);
	memcpy(key, &ip, sizeof(ip));
	if (a->words > 2)
		key[2] = hidden && shown < bits ? shown : bits;
}

static uint64_t
country_key(const struct group_axis *a, uint64_t code)
{
	struct place_short place = places_look(a->view->s->places, column_address(&a->ends, code));

	return (uint64_t)(uint8_t)place.country[0] << 8 | (uint8_t)place.country[1];
}

static void
name_key(const struct group_axis *a, uint64_t code, uint64_t *key)
{
	uint32_t at = code < a->names.n ? a->names.at[code] : 0,
		 len = code < a->names.n ? a->names.at[code + 1] - at : 0;

	key[0] = hash_bytes(a->text + at, len, a->seed);
	key[1] = group_name(at, len);
}

static void
make_key(struct group_axis *a, uint64_t code, uint64_t *key)
{
	switch (source_of(a->dimension)) {
	case OF_ADDRESS:
	case OF_ROUTER:
		address_key(a, code, key);
		break;
	case OF_COUNTRY:
		key[0] = country_key(a, code);
		break;
	case OF_NAME:
		name_key(a, code, key);
		break;
	case OF_RISK:
		key[0] = code;
		break;
	default:
		key[0] = a->value[code];
	}
}

/* Of a name: its own hash, which is its first word. */
uint64_t
group_axis_hash(const struct group_axis *a, const uint64_t *key)
{
	uint64_t h = a->seed;

	for (uint32_t i = 0; i < (a->has_name ? 1 : a->words); i++)
		h = hash_mix(h ^ key[i], UINT64_C(0xd6e8feb86659fd93)) + i;
	return h;
}

const uint64_t *
group_axis_key(struct group_axis *a, uint64_t code, uint64_t *hash)
{
	uint64_t *key = a->key + code * AXIS_WORDS_MAX;

	if (a->asked[code] != a->block) {
		a->asked[code] = a->block;
		make_key(a, code, key);
		a->hash[code] = group_axis_hash(a, key);
	}
	*hash = a->hash[code];
	return key;
}

bool
group_axis_same(struct group_axis *a, uint64_t one, uint64_t other)
{
	uint64_t hash[2];
	const uint64_t *x, *y;

	if (one == other || a->exact)
		return one == other;
	x = group_axis_key(a, one, &hash[0]);
	y = group_axis_key(a, other, &hash[1]);
	return memcmp(x, y, a->words * sizeof(*x)) == 0;
}
