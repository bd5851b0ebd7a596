/*
 * Search: what of the caller's has this in its name or address. An address and a flow's id in full are looked
 * up; else it is looked for in the names of interfaces, applications and networks, and of as many hosts,
 * devices and autonomous systems as a page holds, those with most bytes.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "api_answer.h"
#include "base/auto.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "present/present.h"

#define RESULTS_MAX 20
#define LOOKED_MAX  1000 /* rows of each list */
#define TEXT_MAX    256

enum rank { RANK_EXACT, RANK_BEGINS, RANK_HOLDS, RANK_NONE };

struct result {
	enum rank rank;
	const char *kind;
	char key[64];
	bool has_place;
	uint32_t vlan, space;
	char text[TEXT_MAX]; /* what it is called, or of whom it is; "": nothing to say */
};

struct results {
	const char *wanted;
	size_t n;
	struct result at[RESULTS_MAX];
};

static void
to_lower(char *out, const char *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = in[i] >= 'A' && in[i] <= 'Z' ? (char)(in[i] - 'A' + 'a') : in[i];
}

#define TEXT_LOOKED_MAX 512 /* bytes of a text that are looked at: names are shorter */

/* How well the text matches, whatever its case (of ASCII letters). */
static enum rank
rank_of(const char *wanted, const char *text, size_t len)
{
	char low[TEXT_LOOKED_MAX], want[sizeof(((struct params *)NULL)->search)];
	const size_t n = strnlen(wanted, sizeof(want)), all = len;
	const char *at;

	if (len > sizeof(low))
		len = sizeof(low);
	if (n == 0 || n > len)
		return RANK_NONE;
	to_lower(want, wanted, n);
	to_lower(low, text, len);
	/* Linear, whatever the names: strangers choose them, and there are thousands. */
	at = memmem(low, len, want, n);
	if (at == NULL)
		return RANK_NONE;
	return at > low ? RANK_HOLDS : n == all ? RANK_EXACT : RANK_BEGINS;
}

static enum rank
better(enum rank a, enum rank b)
{
	return a < b ? a : b;
}

/* Among the results, behind those that match as well; the last one goes where there are too many. */
static void
offer(struct results *all, const struct result *r)
{
	size_t at = all->n;

	if (r->rank == RANK_NONE)
		return;
	while (at > 0 && all->at[at - 1].rank > r->rank)
		at--;
	if (at == RESULTS_MAX)
		return;
	if (all->n < RESULTS_MAX)
		all->n++;
	memmove(&all->at[at + 1], &all->at[at], (all->n - 1 - at) * sizeof(*r));
	all->at[at] = *r;
}

static void
set_text(struct result *to, const char *s, size_t len)
{
	(void)snprintf(to->text, sizeof(to->text), "%.*s", (int)(len < TEXT_MAX ? len : TEXT_MAX - 1),
		       s == NULL ? "" : s);
}

/* --- rows, one kind after another
 * ---------------------------------------------------------------------------------- */

/* The name that matches best, one a line; its text becomes the result's where it is one. */
static void
offer_host(struct results *all, const struct row *r)
{
	const struct row_text *names = &r->text[HOST_TEXT_NAMES];
	struct result to = {
		.kind = "host", .has_place = true, .vlan = r->host.vlan, .space = r->host.space
	};
	struct row_text first = row_text_line(names);

	(void)ip_format(&r->host.ip, to.key);
	to.rank = rank_of(all->wanted, to.key, strlen(to.key));
	set_text(&to, first.s, first.len);
	for (size_t at = 0; names->s != NULL && at < names->len;) {
		const char *end = memchr(names->s + at, '\n', names->len - at);
		size_t n = end == NULL ? names->len - at : (size_t)(end - (names->s + at));
		enum rank rank = rank_of(all->wanted, names->s + at, n);

		if (rank < to.rank) {
			to.rank = rank;
			set_text(&to, names->s + at, n);
		}
		at += n + 1;
	}
	for (size_t i = 0; i < all->n; i++) /* it was looked up, too */
		if (all->at[i].has_place && strcmp(all->at[i].key, to.key) == 0 &&
		    all->at[i].vlan == to.vlan && all->at[i].space == to.space)
			return;
	offer(all, &to);
}

static void
offer_device(struct results *all, const struct row *r)
{
	const struct row_text *vendor = &r->text[DEVICE_TEXT_VENDOR];
	struct result to = { .kind = "device" };

	(void)mac_format(r->device.mac, to.key);
	to.rank = better(rank_of(all->wanted, to.key, strlen(to.key)),
			 rank_of(all->wanted, vendor->s, vendor->len));
	set_text(&to, vendor->s, vendor->len);
	offer(all, &to);
}

static void
offer_application(struct results *all, const struct row *r)
{
	const struct row_text *name = &r->text[APPLICATION_TEXT_NAME],
			      *category = &r->text[APPLICATION_TEXT_CATEGORY];
	struct result to = { .kind = "application", .rank = rank_of(all->wanted, name->s, name->len) };

	(void)snprintf(to.key, sizeof(to.key), "%.*s", (int)name->len, name->s == NULL ? "" : name->s);
	set_text(&to, category->s, category->len);
	offer(all, &to);
}

static void
offer_interface(struct results *all, const struct row *r)
{
	struct result to = { .kind = "interface",
			     .rank = rank_of(all->wanted, r->point.name, strlen(r->point.name)) };

	(void)str_copy(to.key, sizeof(to.key), r->point.name);
	offer(all, &to);
}

/* "AS64500" is as good as "64500". */
static void
offer_sum(struct results *all, const struct row *r, const char *kind, bool is_as)
{
	const struct row_text *key = &r->text[SERIES_OF_TEXT_KEY], *name = &r->text[SERIES_OF_TEXT_NAME];
	struct result to = { .kind = kind };
	char text[64];

	(void)snprintf(to.key, sizeof(to.key), "%.*s", (int)key->len, key->s == NULL ? "" : key->s);
	(void)snprintf(text, sizeof(text), "%s%.60s", is_as ? "AS" : "", to.key);
	to.rank = better(
	    better(rank_of(all->wanted, to.key, strlen(to.key)), rank_of(all->wanted, text, strlen(text))),
	    rank_of(all->wanted, name->s, name->len));
	if (to.key[0] == '(') /* (other) is no one of them */
		to.rank = RANK_NONE;
	set_text(&to, name->s, name->len);
	offer(all, &to);
}

static void
offer_network(struct results *all, const struct row *r)
{
	offer_sum(all, r, "network", false);
}

static void
offer_as(struct results *all, const struct row *r)
{
	offer_sum(all, r, "as", true);
}

static void
offer_flow(struct results *all, const struct row *r)
{
	const struct rec_flow *f = &r->flow.flow;
	struct result to = { .kind = "flow", .rank = RANK_EXACT };
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX];

	(void)flow_id_format(&f->id, to.key);
	(void)snprintf(to.text, sizeof(to.text), "%s %u \xe2\x86\x92 %s %u", ip_format(&f->ip[0], client),
		       f->port[0], ip_format(&f->ip[1], server), f->port[1]);
	for (size_t i = 0; i < all->n; i++) /* a slice of the same */
		if (strcmp(all->at[i].kind, "flow") == 0)
			return;
	offer(all, &to);
}

/* --- the answer
 * ---------------------------------------------------------------------------------------------------- */

static const struct {
	enum question_kind kind;
	enum series_subject subject;
	void (*offer)(struct results *all, const struct row *r);
} lists[] = {
	{ ASK_POINTS, 0, offer_interface },
	{ ASK_HOSTS, 0, offer_host },
	{ ASK_DEVICES, 0, offer_device },
	{ ASK_APPLICATIONS, 0, offer_application },
	{ ASK_SERIES_LIST, SERIES_NETWORK, offer_network },
	{ ASK_SERIES_LIST, SERIES_AS, offer_as },
};
static_assert(ARRAY_LEN(lists) < INQUIRY_PARTS, "one more is looked up");

static void
offer_rows(struct results *all, const struct part *p,
	   void (*offer_row)(struct results *all, const struct row *r))
{
	struct rows rows = part_rows(p);
	struct row r;

	while (rows_next(&rows, &r))
		offer_row(all, &r);
}

static void
put_result(struct json_writer *w, const struct result *r)
{
	json_object(w, NULL);
	json_string(w, "kind", r->kind);
	json_string(w, "key", r->key);
	if (r->has_place) {
		json_uint(w, "vlan", r->vlan);
		json_uint(w, "address_space", r->space);
	} else {
		json_null(w, "vlan");
		json_null(w, "address_space");
	}
	json_string(w, "text", r->text[0] == '\0' ? NULL : r->text);
	json_object_end(w);
}

static void
shape_results(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	struct results *all = mem_calloc(1, sizeof(*all));

	all->wanted = r->params.search;
	if (q->n > ARRAY_LEN(lists))
		offer_rows(all, &q->part[ARRAY_LEN(lists)],
			   q->part[ARRAY_LEN(lists)].q.kind == ASK_HOST ? offer_host : offer_flow);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		offer_rows(all, &q->part[i], lists[i].offer);
	json_array(w, "results");
	for (size_t i = 0; i < all->n; i++)
		put_result(w, &all->at[i]);
	json_array_end(w);
	mem_drop(&all);
}

static void
on_search(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_results);
}

/* Interfaces are everybody's who may see traffic at all: who may not is told so there. */
void
api_search(struct request *r)
{
	struct inquiry *q;
	struct flow_id id;
	struct ip_addr ip;
	struct part *p;

	if (!params_has(&r->params, PARAM_SEARCH)) {
		reply_problem_field(r, 400, "q", "is missing");
		return;
	}
	q = inquiry_of(r, on_search);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		p = inquiry_add(q, lists[i].kind);
		p->q.limit = lists[i].kind == ASK_POINTS ? 0 : LOOKED_MAX;
		p->q.subject = (uint16_t)lists[i].subject;
		p->optional = i > 0;
	}
	if (ip_parse(r->params.search, &ip)) {
		p = inquiry_add(q, ASK_HOST);
		p->optional = true;
		p->q.has_ip = 1;
		p->q.ip = ip;
		p->q.space = common_space(r);
	} else if (flow_id_parse(r->params.search, &id)) {
		p = inquiry_add(q, ASK_FLOW);
		p->optional = true;
		p->q.flow = id;
	}
	inquiry_run(q);
}
