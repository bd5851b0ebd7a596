/* get/flow/active: live flows by page, sorted and filtered as ntopng does; store filters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "filter/filter.h"
#include "filter_param.h"
#include "guide_list.h"
#include "guide_shape.h"

/* What store is asked, and the program of a filter behind it. */
struct flow_filter {
	bool has_ip;
	struct ip_addr ip;
	char application[64];
	size_t len;
	uint8_t program[];
};

/* --- orders
 * ----------------------------------------------------------------------------------------------------- */

static const struct rec_flow *
flow_of(const void *row)
{
	return &((const struct row *)row)->flow.flow;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(flow_of(a)->id.b, flow_of(b)->id.b, sizeof(flow_of(a)->id.b));
}

static int
by_number(int64_t x, int64_t y, const void *a, const void *b)
{
	return x != y ? (x > y) - (x < y) : by_id(a, b);
}

static int
by_duration(const void *a, const void *b)
{
	return by_number(flow_of(a)->last_ns - flow_of(a)->first_ns,
			 flow_of(b)->last_ns - flow_of(b)->first_ns, a, b);
}

static int
by_vlan(const void *a, const void *b)
{
	return by_number(flow_of(a)->vlan[0], flow_of(b)->vlan[0], a, b);
}

static int
by_protocol(const void *a, const void *b)
{
	char x[8], y[8];
	int order = strcmp(protocol_name(flow_of(a)->protocol, x), protocol_name(flow_of(b)->protocol, y));

	return order != 0 ? order : by_id(a, b);
}

static int
by_end(const void *a, const void *b, enum side side)
{
	int order = memcmp(flow_of(a)->ip[side].b, flow_of(b)->ip[side].b, sizeof(flow_of(a)->ip[side].b));

	return order != 0 ? order : by_number(flow_of(a)->port[side], flow_of(b)->port[side], a, b);
}

static int
by_client(const void *a, const void *b)
{
	return by_end(a, b, CLIENT);
}

static int
by_server(const void *a, const void *b)
{
	return by_end(a, b, SERVER);
}

static int
by_application(const void *a, const void *b)
{
	const struct row_text *x = &((const struct row *)a)->text[FLOW_TEXT_APPLICATION];
	const struct row_text *y = &((const struct row *)b)->text[FLOW_TEXT_APPLICATION];
	size_t n = x->len < y->len ? x->len : y->len;
	int order = n == 0 ? 0 : memcmp(x->s, y->s, n);

	return order != 0 ? order : by_number((int64_t)x->len, (int64_t)y->len, a, b);
}

static const struct guide_column columns[] = {
	{ "bytes", SORT_BYTES, NULL },
	{ "traffic", SORT_BYTES, NULL },
	{ "thpt", SORT_RATE, NULL },
	{ "packets", SORT_PACKETS, NULL },
	{ "first_seen", SORT_FIRST, NULL },
	{ "last_seen", SORT_LAST, NULL },
	{ "score", SORT_SCORE, NULL },
	{ "duration", SORT_BYTES, by_duration },
	{ "client", SORT_BYTES, by_client },
	{ "server", SORT_BYTES, by_server },
	{ "vlan", SORT_BYTES, by_vlan },
	{ "proto_l4", SORT_BYTES, by_protocol },
	{ "l4proto", SORT_BYTES, by_protocol },
	{ "ndpi", SORT_BYTES, by_application },
	{ "application", SORT_BYTES, by_application },
	{ NULL, SORT_DEFAULT, NULL },
};

/* --- filters
 * ---------------------------------------------------------------------------------------------------- */

static bool
is_word(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	return n > 0 && n < 16 && text[n] == '\0';
}

static bool
put_test(char *out, size_t size, const char *word, const char *value)
{
	size_t n = strlen(out);
	int more = snprintf(out + n, size - n, "%s%s %s", n > 0 ? " and " : "", word, value);

	return more > 0 && (size_t)more < size - n;
}

/* A host of a VLAN, "10.0.0.1@7": the VLAN is one more test. */
static bool
put_host_vlan(const struct guide_params *p, uint16_t vlan, char *out, size_t size)
{
	char number[8];

	if (p->value[GUIDE_HOST] == NULL || strchr(p->value[GUIDE_HOST], '@') == NULL || vlan == 0)
		return true;
	(void)snprintf(number, sizeof(number), "%u", vlan);
	return put_test(out, size, "vlan", number);
}

/* In the filter language; only words and numbers of the client's get there. */
static bool
write_filter(const struct guide_params *p, uint16_t vlan, char *out, size_t size, char *err)
{
	static const struct {
		enum guide_param which;
		const char *word;
		int64_t most;
	} numbers[] = { { GUIDE_VLAN, "vlan", 4095 },
			{ GUIDE_PORT, "port", 65535 },
			{ GUIDE_VERSION, "family", 6 } };
	const char *l4 = p->value[GUIDE_L4];
	int64_t v;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (p->value[numbers[i].which] != NULL &&
		    (!guide_number(p, numbers[i].which, 0, numbers[i].most, &v, err) ||
		     !put_test(out, size, numbers[i].word, p->value[numbers[i].which])))
			return false;
	if (l4 != NULL && (!is_word(l4) || !put_test(out, size, "proto", l4))) {
		(void)snprintf(err, GUIDE_ERROR_MAX, "l4proto: is not the name or number of a protocol");
		return false;
	}
	return put_host_vlan(p, vlan, out, size);
}

/* NULL with err. */
static struct flow_filter *
compile(const char *text, char *err)
{
	struct flow_filter *f;
	struct filter_error e;
	uint8_t *program = NULL;
	size_t len = 0;

	if (text[0] != '\0') {
		program = filter_program_of(text, &len, &e);
		if (program == NULL) {
			(void)snprintf(err, GUIDE_ERROR_MAX, "%s", e.text);
			return NULL;
		}
	}
	f = mem_calloc(1, sizeof(*f) + len);
	f->len = len;
	if (len > 0)
		memcpy(f->program, program, len);
	free(program);
	return f;
}

static void
ask(void *filter, struct part *p)
{
	const struct flow_filter *f = filter;

	p->q.has_ip = f->has_ip;
	p->q.ip = f->ip;
	p->q.key_len = (uint16_t)strlen(f->application);
	memcpy(p->q.key, f->application, p->q.key_len);
	if (f->len == 0)
		return;
	p->filter = mem_calloc(1, f->len);
	p->filter_len = f->len;
	memcpy(p->filter, f->program, f->len);
}

/* --- the list
 * --------------------------------------------------------------------------------------------------- */

static void
put(struct json_writer *w, const struct guide *g, const struct row *r)
{
	guide_put_flow(w, r, guide_flag(&g->p, GUIDE_VERBOSE));
}

static uint64_t
count(const struct row_point *p)
{
	return p->flows;
}

void
guide_flows(struct guide *g)
{
	static const struct guide_list_kind kind = { ASK_FLOWS, columns, NULL, ask, put, count };
	char text[256], err[GUIDE_ERROR_MAX];
	struct ip_addr ip = { { 0 } };
	struct flow_filter *f;
	uint16_t vlan = 0;

	if (g->p.value[GUIDE_HOST] != NULL && !guide_host(&g->p, &ip, &vlan)) {
		guide_fail(g, GUIDE_INVALID_HOST, "");
		return;
	}
	f = write_filter(&g->p, vlan, text, sizeof(text), err) ? compile(text, err) : NULL;
	if (f == NULL) {
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, err);
		return;
	}
	f->has_ip = g->p.value[GUIDE_HOST] != NULL;
	f->ip = ip;
	if (g->p.value[GUIDE_APPLICATION] != NULL &&
	    !str_copy(f->application, sizeof(f->application), g->p.value[GUIDE_APPLICATION])) {
		free(f);
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, "application: is too long");
		return;
	}
	guide_list_begin(g, &kind, f, f->len > 0 || f->has_ip || f->application[0] != '\0');
}
