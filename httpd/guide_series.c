/* Series by schema, as get/timeseries/ts has them: get/interface/timeseries and itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guide.h"

#define POINTS_MAX 20000
#define TIME_MAX   INT64_C(9000000000)

enum quantity { PER_SECOND_BYTES, PER_SECOND_PACKETS, MOST_FLOWS };

static const struct schema {
	const char *name;
	enum series_subject subject;
	enum quantity quantity;
	const char *id; /* of the one series in it */
} schemas[] = {
	{ "iface:traffic", SERIES_POINT, PER_SECOND_BYTES, "bytes" },
	{ "iface:packets", SERIES_POINT, PER_SECOND_PACKETS, "packets" },
	{ "iface:flows", SERIES_POINT, MOST_FLOWS, "num_flows" },
	{ "iface:ndpi", SERIES_APPLICATION, PER_SECOND_BYTES, "bytes" },
};

/* What is asked, once it was read. */
struct wanted {
	const struct schema *schema;
	int64_t begin_s, end_s;
	char application[64];
};

/* --- what is asked
 * ---------------------------------------------------------------------------------------------- */

static bool
read_range(const struct guide_params *p, struct wanted *o, char *err)
{
	o->end_s = clock_utc_ns() / NS_PER_S;
	if (!guide_number(p, GUIDE_END, 1, TIME_MAX, &o->end_s, err))
		return false;
	o->begin_s = o->end_s > 3600 ? o->end_s - 3600 : 1;
	if (!guide_number(p, GUIDE_BEGIN, 1, TIME_MAX, &o->begin_s, err))
		return false;
	if (o->begin_s >= o->end_s)
		(void)snprintf(err, GUIDE_ERROR_MAX, "epoch_end: is not after epoch_begin");
	else if ((o->end_s - o->begin_s) / 3600 > POINTS_MAX)
		(void)snprintf(err, GUIDE_ERROR_MAX, "epoch_begin: the range has more than %d hours",
			       POINTS_MAX);
	else
		return true;
	return false;
}

static bool
read_wanted(const struct guide_params *p, struct wanted *o, char *err)
{
	const char *schema = p->value[GUIDE_SCHEMA];
	char application[GUIDE_VALUE_MAX] = "";

	for (size_t i = 0; schema != NULL && i < ARRAY_LEN(schemas); i++)
		if (strcmp(schemas[i].name, schema) == 0)
			o->schema = &schemas[i];
	if (o->schema == NULL) {
		(void)snprintf(err, GUIDE_ERROR_MAX,
			       "ts_schema: is not iface:traffic, iface:packets, iface:flows or iface:ndpi");
		return false;
	}
	if (o->schema->subject == SERIES_APPLICATION &&
	    (!guide_query_value(p->value[GUIDE_QUERY], "protocol", application) ||
	     !str_copy(o->application, sizeof(o->application), application))) {
		(void)snprintf(err, GUIDE_ERROR_MAX, "ts_query: protocol:NAME is missing");
		return false;
	}
	return read_range(p, o, err);
}

void
guide_series(struct guide *g)
{
	char err[GUIDE_ERROR_MAX], ifid[GUIDE_VALUE_MAX];
	struct wanted o = { 0 };

	if (g->p.value[GUIDE_IFID] == NULL && guide_query_value(g->p.value[GUIDE_QUERY], "ifid", ifid))
		g->p.value[GUIDE_IFID] = mem_strdup(ifid);
	if (!read_wanted(&g->p, &o, err))
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, err);
	else
		guide_find_point(g);
}

/* --- the answer
 * ------------------------------------------------------------------------------------------------- */

static double
value_of(const struct schema *s, const struct row_series *r)
{
	double step = r->resolution_s > 0 ? (double)r->resolution_s : 1;

	if (s->quantity == MOST_FLOWS)
		return (double)r->flows_max;
	return (double)(s->quantity == PER_SECOND_BYTES ? r->bytes : r->packets) / step;
}

/* Points at equal steps; nothing at those of which nothing is kept. */
struct plot {
	int64_t begin_s, step_s;
	size_t n, known;
	double *value;
	bool *has;
};

/* The step of what came; without anything, one that a client can draw. */
static int64_t
step_of(const struct part *p, const struct wanted *o)
{
	struct rows rows = part_rows(p);
	struct row r;

	if (rows_next(&rows, &r) && r.series.resolution_s > 0)
		return r.series.resolution_s;
	return series_resolution(o->end_s - o->begin_s, 60);
}

/* False: there are too many. */
static bool
gather(struct plot *l, const struct part *p, const struct wanted *o)
{
	struct rows rows = part_rows(p);
	struct row r;

	l->step_s = step_of(p, o);
	l->begin_s = o->begin_s - o->begin_s % l->step_s;
	l->n = (size_t)((o->end_s - l->begin_s + l->step_s - 1) / l->step_s);
	if (l->n > POINTS_MAX)
		return false;
	l->value = mem_calloc(l->n + 1, sizeof(*l->value));
	l->has = mem_calloc(l->n + 1, sizeof(*l->has));
	while (rows_next(&rows, &r)) {
		int64_t at = (r.series.time_ns / NS_PER_S - l->begin_s) / l->step_s;

		if (r.series.time_ns / NS_PER_S < l->begin_s || (size_t)at >= l->n ||
		    r.series.resolution_s != (uint32_t)l->step_s)
			continue;
		if (o->schema->quantity == MOST_FLOWS && r.series.finest_s == 0)
			continue; /* made of flows, which do not tell it */
		l->known += !l->has[at];
		l->has[at] = true;
		l->value[at] = value_of(o->schema, &r.series);
	}
	return true;
}

static int
smaller_first(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that 95 of 100 do not pass (nearest rank). */
static double
percentile(const struct plot *l)
{
	double *sorted = mem_calloc(l->known + 1, sizeof(*sorted)), out;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->has[i])
			sorted[n++] = l->value[i];
	qsort(sorted, n, sizeof(*sorted), smaller_first);
	out = n == 0 ? 0 : sorted[(n * 95 + 99) / 100 - 1];
	free(sorted);
	return out;
}

static void
put_statistics(struct json_writer *w, const struct plot *l, const struct schema *s)
{
	size_t most = 0, least = 0;
	bool any = false;
	double sum = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (!l->has[i])
			continue;
		most = !any || l->value[i] > l->value[most] ? i : most;
		least = !any || l->value[i] < l->value[least] ? i : least;
		sum += l->value[i];
		any = true;
	}
	json_object(w, "statistics");
	if (any) {
		json_double(w, "average", sum / (double)l->known);
		json_double(w, "total", s->quantity == MOST_FLOWS ? sum : sum * (double)l->step_s);
		json_double(w, "max_val", l->value[most]);
		json_uint(w, "max_val_idx", most);
		json_double(w, "min_val", l->value[least]);
		json_uint(w, "min_val_idx", least);
		json_double(w, "95th_percentile", percentile(l));
	}
	json_object_end(w);
}

static void
put_query(struct json_writer *w, const struct guide *g, const struct wanted *o)
{
	char ifid[16];

	(void)snprintf(ifid, sizeof(ifid), "%u", guide_ifid(&g->point));
	json_object(w, "query");
	json_string(w, "ifid", ifid);
	if (o->application[0] != '\0')
		json_string(w, "protocol", o->application);
	json_object_end(w);
}

static void
put_series(struct json_writer *w, const struct guide *g, const struct wanted *o, const struct plot *l)
{
	json_object(w, "rsp");
	json_object(w, "metadata");
	json_int(w, "epoch_begin", l->begin_s);
	json_int(w, "epoch_end", o->end_s);
	json_int(w, "epoch_step", l->step_s);
	json_uint(w, "num_point", l->n);
	json_string(w, "schema", o->schema->name);
	put_query(w, g, o);
	json_object_end(w);
	json_array(w, "series");
	json_object(w, NULL);
	json_string(w, "id", o->schema->id);
	json_array(w, "data");
	for (size_t i = 0; i < l->n; i++)
		if (l->has[i])
			json_double(w, NULL, l->value[i]);
		else
			json_null(w, NULL);
	json_array_end(w);
	put_statistics(w, l, o->schema);
	json_object_end(w);
	json_array_end(w);
	json_object_end(w);
}

static void
on_series(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct guide *g = ctx;
	struct wanted *o = g->data;
	struct plot l = { 0 };
	struct json_writer *w;

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else if (!gather(&l, &q->part[0], o)) {
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, "epoch_begin: the range has too many points");
	} else {
		w = guide_begin();
		put_series(w, g, o, &l);
		guide_answer(g, &w);
	}
	free(l.value);
	free(l.has);
	free(o);
	inquiry_free(&q);
}

void
guide_series_of(struct guide *g)
{
	struct wanted *o = mem_calloc(1, sizeof(*o));
	char err[GUIDE_ERROR_MAX];
	struct inquiry *q;
	struct part *p;

	if (!read_wanted(&g->p, o, err)) {
		free(o);
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, err);
		return;
	}
	g->data = o;
	q = guide_inquiry(g, on_series);
	p = guide_ask(g, q, ASK_SERIES, 1000, SORT_DEFAULT);
	p->follow = true;
	p->q.subject = (uint16_t)o->schema->subject;
	p->q.from_ns = o->begin_s * NS_PER_S;
	p->q.to_ns = o->end_s * NS_PER_S;
	p->q.key_len = (uint16_t)strlen(o->application);
	memcpy(p->q.key, o->application, p->q.key_len);
	inquiry_run(q);
}
