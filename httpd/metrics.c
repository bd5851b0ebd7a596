/*
 * GET /metrics: what Prometheus gathers. Each caller gets the numbers of what it may see, so that a tenant
 * can have its own; the counters of the platform are in the answers to who may see those.
 */
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/log.h"
#include "base/mem.h"
#include "clients.h"
#include "exposition.h"
#include "inquiry.h"
#include "refuse.h"
#include "request.h"
#include "state.h"

enum { POINTS, TOTALS, COUNTERS, COMPONENTS };

#define TYPE "text/plain; version=0.0.4; charset=utf-8"

static struct label
label_of(const char *name, const char *value)
{
	return (struct label){ name, value, strlen(value) };
}

/* --- interfaces
 * ------------------------------------------------------------------------------------------------- */

static uint64_t
point_bytes(const struct row_point *p)
{
	return p->bytes;
}

static uint64_t
point_packets(const struct row_point *p)
{
	return p->packets;
}

static uint64_t
point_dropped(const struct row_point *p)
{
	return p->dropped;
}

static uint64_t
point_flows(const struct row_point *p)
{
	return p->flows;
}

static uint64_t
point_hosts(const struct row_point *p)
{
	return p->hosts;
}

static uint64_t
point_up(const struct row_point *p)
{
	return p->state == POINT_UP;
}

static const struct point_metric {
	const char *name, *help;
	enum metric_kind kind;
	uint64_t (*value)(const struct row_point *p);
} point_metrics[] = {
	{ "weir_interface_bytes_total", "Bytes of frames seen since Weir started.", METRIC_COUNTER,
	  point_bytes },
	{ "weir_interface_packets_total", "Frames seen since Weir started.", METRIC_COUNTER, point_packets },
	{ "weir_interface_dropped_packets_total", "Frames that were lost before they were looked at.",
	  METRIC_COUNTER, point_dropped },
	{ "weir_interface_flows", "Flows that are active now.", METRIC_GAUGE, point_flows },
	{ "weir_interface_hosts", "Hosts that are active now.", METRIC_GAUGE, point_hosts },
	{ "weir_interface_up", "Whether frames of the interface can come in.", METRIC_GAUGE, point_up },
};

static void
put_points(struct evbuffer *out, const struct part *points)
{
	for (size_t i = 0; i < ARRAY_LEN(point_metrics); i++) {
		const struct point_metric *m = &point_metrics[i];
		struct rows rows = part_rows(points);
		char id[16];
		struct row r;

		exposition_metric(out, m->name, m->kind, m->help);
		while (rows_next(&rows, &r)) {
			(void)snprintf(id, sizeof(id), "%u", r.point.id);
			/* Two capture files can have one name. */
			struct label labels[] = { label_of("interface", r.point.name), label_of("id", id) };

			exposition_sample(out, m->name, labels, ARRAY_LEN(labels), m->value(&r.point));
		}
	}
}

/* --- sums
 * ------------------------------------------------------------------------------------------------------- */

static void
put_number(struct evbuffer *out, const char *name, enum metric_kind kind, const char *help, uint64_t value)
{
	exposition_metric(out, name, kind, help);
	exposition_sample(out, name, NULL, 0, value);
}

static void
put_totals(struct evbuffer *out, const struct part *totals, bool platform)
{
	struct rows rows = part_rows(totals);
	struct row r;

	if (!rows_next(&rows, &r))
		return;
	put_number(out, "weir_flows", METRIC_GAUGE, "Flows that are active now.", r.totals.flows);
	put_number(out, "weir_hosts", METRIC_GAUGE, "Hosts that are active now.", r.totals.hosts);
	put_number(out, "weir_flows_seen_total", METRIC_COUNTER, "Flows that began since the store started.",
		   r.totals.flows_seen);
	if (platform)
		put_number(out, "weir_flow_records_stored_total", METRIC_COUNTER,
			   "Records of flows that were written since the store started.",
			   r.totals.flows_stored);
}

/* --- counters by place
 * ------------------------------------------------------------------------------------------- */

static void
put_counter_row(struct evbuffer *out, const char *name, const char *key, const struct row *r)
{
	char worker[16] = "", id[16] = "";
	struct label labels[] = { { key, r->text[COUNTER_TEXT_NAME].s, r->text[COUNTER_TEXT_NAME].len },
				  { "interface", r->text[COUNTER_TEXT_POINT].s,
				    r->text[COUNTER_TEXT_POINT].len },
				  { "id", id, 0 },
				  { "worker", worker, 0 } };

	if (r->counter.point != UINT32_MAX)
		(void)snprintf(id, sizeof(id), "%u", r->counter.point);
	if (r->counter.worker != UINT32_MAX)
		(void)snprintf(worker, sizeof(worker), "%u", r->counter.worker);
	labels[2].len = strlen(id);
	labels[3].len = strlen(worker);
	exposition_sample(out, name, labels, ARRAY_LEN(labels), r->counter.count);
}

static void
put_all_counters(struct evbuffer *out, const struct httpd *h, const struct part *counters, bool platform)
{
	static const struct {
		enum counter_class class_;
		const char *name, *key, *help;
	} kinds[] = {
		{ COUNTER_DROP, "weir_dropped_total", "place",
		  "What was lost, by the place where it was lost." },
		{ COUNTER_UNDECODED, "weir_undecoded_packets_total", "reason",
		  "Frames that could not be decoded, by reason." },
		{ COUNTER_INFO, "weir_events_total", "place", "What happened and is no loss, by place." },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct rows rows = part_rows(counters);
		struct row r;

		exposition_metric(out, kinds[i].name, METRIC_COUNTER, kinds[i].help);
		while (rows_next(&rows, &r))
			if (r.counter.class_ == (uint32_t)kinds[i].class_)
				put_counter_row(out, kinds[i].name, kinds[i].key, &r);
		for (unsigned n = 0; platform && kinds[i].class_ == COUNTER_INFO && n < OWN_COUNTERS; n++)
			if (own_counter(h, n, &r))
				put_counter_row(out, kinds[i].name, kinds[i].key, &r);
	}
}

/* --- processes
 * --------------------------------------------------------------------------------------------------- */

static void
put_component(struct evbuffer *out, const char *name, const struct wire_component *c, uint64_t value)
{
	const char *process = proc_name((enum proc)c->proc);
	char text[64];

	(void)snprintf(text, sizeof(text), "%s@%u", process == NULL ? "unknown" : process, c->instance);

	struct label label = label_of("process", text);

	exposition_sample(out, name, &label, 1, value);
}

static void
put_components(struct evbuffer *out, const struct part *components)
{
	struct rows up = part_rows(components), restarts = part_rows(components),
		    warnings = part_rows(components);
	struct row r;

	exposition_metric(out, "weir_process_up", METRIC_GAUGE,
			  "Whether the process runs, and does all that it should.");
	while (rows_next(&up, &r))
		put_component(out, "weir_process_up", &r.component, r.component.state == COMPONENT_RUNNING);
	exposition_metric(out, "weir_process_restarts_total", METRIC_COUNTER,
			  "How often the process was started again.");
	while (rows_next(&restarts, &r))
		put_component(out, "weir_process_restarts_total", &r.component, r.component.restarts);
	exposition_metric(out, "weir_process_warning", METRIC_GAUGE,
			  "Whether there is something that the operator should know of it, as health says.");
	while (rows_next(&warnings, &r))
		put_component(out, "weir_process_warning", &r.component, r.component.warning != WARNING_NONE);
}

/* --- the answer
 * ------------------------------------------------------------------------------------------------- */

static void
put_build(struct evbuffer *out)
{
	struct label version = label_of("version", WEIR_VERSION);

	exposition_metric(out, "weir_build_info", METRIC_GAUGE, "The version of Weir.");
	exposition_sample(out, "weir_build_info", &version, 1, 1);
}

static void
on_metrics(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct request *r = ctx;
	struct evbuffer *out;

	if (end != INQUIRY_OK) {
		refuse_inquiry(r, end);
	} else {
		out = evbuffer_new();
		if (out == NULL)
			fatalx("no memory for an answer");
		put_build(out);
		put_points(out, &q->part[POINTS]);
		put_totals(out, &q->part[TOTALS], role_sees_platform(q->me.role));
		put_all_counters(out, r->httpd, &q->part[COUNTERS], role_sees_platform(q->me.role));
		put_components(out, &q->part[COMPONENTS]);
		reply_text(r, 200, TYPE, &out);
	}
	inquiry_free(&q);
}

/* A token's scopes may leave out the processes (health:read); without interfaces (traffic:read) there is no
 * answer, so that a token which is void is not told so by silence. */
void
api_metrics(struct request *r)
{
	static const enum question_kind kinds[] = { [POINTS] = ASK_POINTS,
						    [TOTALS] = ASK_TOTALS,
						    [COUNTERS] = ASK_COUNTERS,
						    [COMPONENTS] = ASK_COMPONENTS };
	struct inquiry *q = inquiry_new(r->httpd, &r->who, &r->from, on_metrics, r);

	inquiry_watch(q, client_socket(r->client));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		inquiry_add(q, kinds[i])->optional = i != POINTS;
	inquiry_run(q);
}
