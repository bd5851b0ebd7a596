/* What store answers: lists, single things, series and totals, each a question (or two) and the shape of its
 * answer. */
#include <sodium.h>
#include <string.h>

#include "api.h"
#include "api_answer.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "clients.h"
#include "filter_param.h"
#include "inquiry.h"
#include "present/present.h"
#include "refuse.h"
#include "request.h"

#define SERIES_POINTS           20000 /* most points of one series */
#define PERCENTILE_RESOLUTION_S 300   /* as providers bill */

/* --- lists
 * -------------------------------------------------------------------------------------------------------------
 */

static void
shape_interfaces(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	(void)r;
	part_array(w, "interfaces", &q->part[0], present_interface);
}

static void
on_interfaces(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_interfaces);
}

void
api_interfaces(struct request *r)
{
	struct inquiry *q = inquiry_of(r, on_interfaces);

	(void)inquiry_add(q, ASK_POINTS);
	run_list(r, q, &table_interfaces);
}

static void
shape_hosts(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	(void)r;
	part_array(w, "hosts", &q->part[0], present_host);
	put_cursor(w, &q->part[0]);
}

static void
on_hosts(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_hosts);
}

void
api_hosts(struct request *r)
{
	struct inquiry *q = inquiry_of(r, on_hosts);

	(void)ask_list(q, ASK_HOSTS, r);
	run_list(r, q, &table_hosts);
}

static void
shape_devices(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	(void)r;
	part_array(w, "devices", &q->part[0], present_device);
	put_cursor(w, &q->part[0]);
}

static void
on_devices(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_devices);
}

void
api_devices(struct request *r)
{
	struct inquiry *q = inquiry_of(r, on_devices);

	(void)ask_list(q, ASK_DEVICES, r);
	run_list(r, q, &table_devices);
}

static void
shape_flows(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	(void)r;
	part_array(w, "flows", &q->part[0], present_flow);
	put_cursor(w, &q->part[0]);
}

static void
on_flows(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_flows);
}

/* A range of time that can be: false where r was answered. */
static bool
range_is_valid(struct request *r, int64_t from_ns, int64_t to_ns)
{
	if (from_ns < to_ns)
		return true;
	reply_problem(r, 400, "to: is not after from");
	return false;
}

static void
ask_flows(struct request *r, uint8_t *filter, size_t filter_len)
{
	const struct params *p = &r->params;
	bool kept = params_has(p, PARAM_FROM);
	struct inquiry *q = inquiry_of(r, on_flows);
	struct part *part = ask_list(q, ASK_FLOWS, r);

	part->filter = filter;
	part->filter_len = filter_len;
	part->q.from_ns = p->from_ns;
	part->q.to_ns = !kept ? 0 : params_has(p, PARAM_TO) ? p->to_ns : clock_utc_ns();
	part->q.has_ip = params_has(p, PARAM_HOST);
	part->q.ip = p->host;
	part->q.key_len = (uint16_t)strlen(p->application);
	memcpy(part->q.key, p->application, part->q.key_len);
	run_list(r, q, &table_flows);
}

void
api_flows(struct request *r)
{
	const struct params *p = &r->params;
	bool kept = params_has(p, PARAM_FROM);
	int64_t to_ns = params_has(p, PARAM_TO) ? p->to_ns : clock_utc_ns();

	if (params_has(p, PARAM_TO) && !kept) {
		reply_problem(r, 400, "to: needs from");
		return;
	}
	if (kept && (params_has(p, PARAM_SORT) || params_has(p, PARAM_ORDER))) {
		reply_problem(r, 400, "%s: kept flows are always newest first",
			      params_has(p, PARAM_SORT) ? "sort" : "order");
		return;
	}
	if (kept && !range_is_valid(r, p->from_ns, to_ns))
		return;
	filter_param(r, ask_flows);
}

/* --- groups
 * ------------------------------------------------------------------------------------------------------------
 */

static void
put_words(struct json_writer *w, const struct wire_grouping *by)
{
	json_array(w, "by");
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX && by->dimension[i] != DIMENSION_NONE; i++)
		json_string(w, NULL, dimension_rows[by->dimension[i]].word);
	json_array_end(w);
	json_string(w, "measure", measure_rows[by->measure].word);
	if (by->bucket_s == 0)
		json_null(w, "bucket");
	else
		json_uint(w, "bucket", by->bucket_s);
}

/* The rows that are of a kind: one of the sums, or all groups. */
static void
put_groups(struct json_writer *w, const char *key, const struct part *part, enum group_what what)
{
	struct rows rows = part_rows(part);
	struct row row;

	while (rows_next(&rows, &row))
		if (row.group.what == (uint32_t)what)
			present_group(w, key, &row);
}

static void
shape_groups(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	const struct part *part = &q->part[0];

	(void)r;
	json_time_ns(w, "from", part->q.from_ns);
	json_time_ns(w, "to", part->q.to_ns);
	put_words(w, &part->q.grouping);
	put_groups(w, "all", part, GROUP_ALL);
	json_array(w, "groups");
	put_groups(w, NULL, part, GROUP_ONE);
	json_array_end(w);
	put_groups(w, "rest", part, GROUP_REST);
}

static void
on_groups(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_groups);
}

static void
ask_groups(struct request *r, uint8_t *filter, size_t filter_len)
{
	const struct params *p = &r->params;
	struct inquiry *q = inquiry_of(r, on_groups);
	struct part *part = ask_list(q, ASK_GROUPS, r);

	part->filter = filter;
	part->filter_len = filter_len;
	part->q.grouping = p->grouping;
	part->q.from_ns = p->from_ns;
	part->q.to_ns = p->to_ns;
	run_list(r, q, &table_groups);
}

/* What store would refuse without a word of why; false where r was answered. */
static bool
buckets_are_valid(struct request *r)
{
	const struct params *p = &r->params;
	const uint32_t bucket_s = p->grouping.bucket_s, limit = rows_at_once(p);
	int64_t n;

	if (bucket_s == 0)
		return true;
	n = (p->to_ns - 1) / NS_PER_S / bucket_s - p->from_ns / NS_PER_S / bucket_s + 1;
	if (n <= GROUP_BUCKETS_MAX && n * limit <= GROUP_CELLS_MAX)
		return true;
	reply_problem(r, 400, "bucket: gives %lld for each group; %u are possible, and %u for all together",
		      (long long)n, GROUP_BUCKETS_MAX, GROUP_CELLS_MAX);
	return false;
}

void
api_top_flows(struct request *r)
{
	struct params *p = &r->params;
	struct wire_grouping *by = &p->grouping;

	if (!params_has(p, PARAM_BY)) {
		reply_problem(r, 400, "by: is missing");
		return;
	}
	if (!params_has(p, PARAM_TO))
		p->to_ns = clock_utc_ns();
	if (!params_has(p, PARAM_FROM))
		p->from_ns = p->to_ns > 3600 * NS_PER_S ? p->to_ns - 3600 * NS_PER_S : 1;
	if (!params_has(p, PARAM_MEASURE))
		by->measure = MEASURE_BYTES;
	if (!params_has(p, PARAM_MEASURES))
		by->measures =
		    MEASURE_BIT(MEASURE_FLOWS) | MEASURE_BIT(MEASURE_PACKETS) | MEASURE_BIT(MEASURE_BYTES);
	if (range_is_valid(r, p->from_ns, p->to_ns) && buckets_are_valid(r))
		filter_param(r, ask_groups);
}

static void
shape_applications(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	(void)r;
	part_array(w, "applications", &q->part[0], present_application);
}

static void
on_applications(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_applications);
}

void
api_applications(struct request *r)
{
	struct inquiry *q = inquiry_of(r, on_applications);

	(void)ask_list(q, ASK_APPLICATIONS, r);
	run_list(r, q, &table_applications);
}

/* --- single things
 * ------------------------------------------------------------------------------------------------------ */

static void
on_host(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct request *r = ctx;
	struct rows rows = part_rows(&q->part[0]);
	struct json_writer *w;
	struct row row;

	if (end != INQUIRY_OK)
		refuse_inquiry(r, end);
	else if (!rows_next(&rows, &row))
		refuse_inquiry(r, INQUIRY_NOT_FOUND);
	else {
		w = json_new(ANSWER_TEXT_MAX);
		present_host(w, NULL, &row);
		reply_json(r, &w);
	}
	inquiry_free(&q);
}

void
api_host(struct request *r)
{
	struct inquiry *q;
	struct part *part;
	struct ip_addr ip;

	if (!ip_parse(r->segment, &ip)) {
		refuse_inquiry(r, INQUIRY_NOT_FOUND);
		return;
	}
	q = inquiry_of(r, on_host);
	part = inquiry_add(q, ASK_HOST);
	part->q.has_ip = 1;
	part->q.ip = ip;
	part->q.vlan = r->params.vlan;
	part->q.space = params_has(&r->params, PARAM_SPACE) ? r->params.space : common_space(r);
	inquiry_run(q);
}

static void
shape_flow(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	(void)r;
	part_array(w, "flows", &q->part[0], present_flow);
}

static void
on_flow(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct rows rows = part_rows(&q->part[0]);
	struct row row;

	answer_with(ctx, q, end == INQUIRY_OK && !rows_next(&rows, &row) ? INQUIRY_NOT_FOUND : end,
		    shape_flow);
}

void
api_flow(struct request *r)
{
	struct inquiry *q;
	struct flow_id id;

	if (!flow_id_parse(r->segment, &id)) {
		refuse_inquiry(r, INQUIRY_NOT_FOUND);
		return;
	}
	q = inquiry_of(r, on_flow);
	inquiry_add(q, ASK_FLOW)->q.flow = id;
	inquiry_run(q);
}

/* --- series
 * -------------------------------------------------------------------------------------------------------------
 */

static void
put_point(struct json_writer *w, const char *key, const struct row *r)
{
	(void)key;
	present_series_point(w, r);
}

/* All others are kept by the minute. */
static bool
is_by_second(enum series_subject subject)
{
	return subject == SERIES_TENANT || subject == SERIES_POINT || subject == SERIES_APPLICATION;
}

/* ... but for hosts and networks that are watched: of others no seconds are found. */
static bool
may_be_by_second(enum series_subject subject)
{
	return is_by_second(subject) || subject == SERIES_HOST || subject == SERIES_NETWORK;
}

/* Where store chose it, the points have it. */
static uint32_t
resolution_of(const struct wire_question *asked, const struct part *p)
{
	struct rows rows = part_rows(p);
	struct row r;

	if (asked->resolution_s != 0)
		return asked->resolution_s;
	if (rows_next(&rows, &r))
		return r.series.resolution_s;
	return series_resolution((asked->to_ns - asked->from_ns) / NS_PER_S,
				 is_by_second((enum series_subject)asked->subject) ? 1 : 60);
}

/* Whether it is what is kept, or made of flows; null: there is nothing. */
static void
put_source(struct json_writer *w, const struct part *p)
{
	struct rows rows = part_rows(p);
	struct row r;

	if (!rows_next(&rows, &r))
		json_null(w, "source");
	else
		json_string(w, "source", r.series.finest_s == 0 ? "flows" : "series");
}

/* null where there is no such series, or none of the caller's. */
static void
put_percentile(struct json_writer *w, const struct wire_question *asked, const struct part *p)
{
	struct rows rows = part_rows(p);
	struct row r;

	if (!rows_next(&rows, &r)) {
		json_null(w, "percentile");
		return;
	}

	const struct row_series *s = &r.series;

	json_object(w, "percentile");
	json_uint(w, "percent", asked->percent);
	json_uint(w, "buckets", s->packets);
	json_uint(w, "bytes", s->bytes);
	json_uint(w, "bytes_in", s->in_bytes);
	json_uint(w, "bytes_out", s->out_bytes);
	json_object_end(w);
}

static void
shape_series(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	const struct wire_question *asked = &q->part[0].q;

	json_string(w, "subject", subject_name((enum series_subject)asked->subject));
	json_string(w, "key", r->params.key[0] != '\0' ? r->params.key : NULL);
	json_uint(w, "resolution", resolution_of(asked, &q->part[0]));
	put_source(w, &q->part[0]);
	if (asked->percent != 0) {
		put_percentile(w, asked, &q->part[0]);
		json_array(w, "points");
		json_array_end(w);
	} else {
		part_array(w, "points", &q->part[0], put_point);
	}
}

static void
on_series(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_series);
}

static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* What is no key of its subject is a mistake; what is one may have no series. */
static bool
key_is_valid(struct request *r)
{
	const char *key = r->params.key, *at = strchr(key, '@'), *want = NULL;
	struct ip_prefix network;
	struct ip_addr ip;

	switch (r->params.subject) {
	case SERIES_HOST:
	case SERIES_EXPORTER:
		want = ip_parse(key, &ip) ? NULL : "an IP address";
		break;
	case SERIES_NETWORK:
		want = prefix_parse(key, &network) ? NULL : "a network, as 10.0.0.0/8";
		break;
	case SERIES_AS:
		want = is_number(key) ? NULL : "the number of an autonomous system";
		break;
	case SERIES_COUNTRY:
		want = strlen(key) == 2 ? NULL : "two letters";
		break;
	case SERIES_EXPORTER_INTERFACE:
		want = at != NULL && ip_parse(at + 1, &ip)
			   ? NULL
			   : "an interface's number and its exporter, as 3@192.0.2.1";
		break;
	default:
		break;
	}
	if (want == NULL || strcmp(key, "(other)") == 0)
		return true;
	reply_problem(r, 400, "key: is not %s", want);
	return false;
}

/* The conditions that its parameters set one another; false where r was answered. */
static bool
series_is_valid(struct request *r, int64_t from_ns, int64_t to_ns)
{
	const struct params *p = &r->params;
	bool wants_key = p->subject != SERIES_TENANT;

	if (wants_key != params_has(p, PARAM_KEY)) {
		reply_problem(r, 400, wants_key ? "key: is missing" : "key: the tenant's series has none");
		return false;
	}
	if (wants_key && !key_is_valid(r))
		return false;
	if (p->subject != SERIES_HOST && (params_has(p, PARAM_VLAN) || params_has(p, PARAM_SPACE))) {
		reply_problem(r, 400, "%s: only hosts have one",
			      params_has(p, PARAM_VLAN) ? "vlan" : "space");
		return false;
	}
	if (!range_is_valid(r, from_ns, to_ns))
		return false;
	if (params_has(p, PARAM_RESOLUTION) && p->resolution_s < 60 && !may_be_by_second(p->subject)) {
		reply_problem(r, 400, "resolution: of this subject series are kept by the minute");
		return false;
	}
	if (params_has(p, PARAM_LIMIT) && p->as == AS_JSON) {
		reply_problem(r, 400, "limit: only tables have one");
		return false;
	}
	if (params_has(p, PARAM_PERCENTILE)) {
		if (p->as != AS_JSON) {
			reply_problem(r, 400, "format: a percentile is no table");
			return false;
		}
		if (!params_has(p, PARAM_RESOLUTION) || p->resolution_s >= 60)
			return true;
		reply_problem(r, 400, "resolution: percentiles are of minutes or longer");
		return false;
	}
	if (params_has(p, PARAM_RESOLUTION) && p->as == AS_JSON &&
	    (to_ns - from_ns) / NS_PER_S / p->resolution_s > SERIES_POINTS) {
		reply_problem(r, 400, "resolution: gives more than %d points for this range", SERIES_POINTS);
		return false;
	}
	return true;
}

void
api_timeseries(struct request *r)
{
	struct params *p = &r->params;
	int64_t to_ns = params_has(p, PARAM_TO) ? p->to_ns : clock_utc_ns();
	struct inquiry *q;
	struct part *part;

	if (!params_has(p, PARAM_SUBJECT))
		p->subject = SERIES_TENANT;

	int64_t length_s = is_by_second(p->subject) ? 300 : 3600;
	int64_t from_ns = params_has(p, PARAM_FROM) ? p->from_ns : to_ns - length_s * NS_PER_S;

	if (!series_is_valid(r, from_ns, to_ns))
		return;
	q = inquiry_of(r, on_series);
	part = inquiry_add(q, ASK_SERIES);
	part->follow = p->percentile == 0 && p->as == AS_JSON;
	part->q.limit = 1000;
	part->q.subject = (uint16_t)p->subject;
	part->q.percent = p->percentile;
	part->q.from_ns = from_ns > 0 ? from_ns : 1;
	part->q.to_ns = to_ns;
	/* Otherwise store chooses the finest that there is, within the limit. */
	part->q.resolution_s = params_has(p, PARAM_RESOLUTION)   ? p->resolution_s
			       : params_has(p, PARAM_PERCENTILE) ? PERCENTILE_RESOLUTION_S
								 : 0;
	if (p->subject == SERIES_POINT)
		part->q.point = point_number(r, p->key);
	if (p->subject != SERIES_TENANT && p->subject != SERIES_POINT) {
		part->q.key_len = (uint16_t)strlen(p->key);
		memcpy(part->q.key, p->key, part->q.key_len);
	}
	part->q.vlan = p->vlan;
	if (p->subject == SERIES_HOST)
		part->q.space = params_has(p, PARAM_SPACE) ? p->space : common_space(r);
	run_list(r, q, &table_series);
}

static void
shape_subjects(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	json_string(w, "subject", subject_name(r->params.subject));
	part_array(w, "subjects", &q->part[0], present_series_of);
	put_cursor(w, &q->part[0]);
}

static void
on_subjects(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_subjects);
}

void
api_timeseries_subjects(struct request *r)
{
	enum series_subject subject = r->params.subject;
	struct inquiry *q;

	if (!params_has(&r->params, PARAM_SUBJECT)) {
		reply_problem(r, 400, "subject: is missing");
		return;
	}
	if (subject == SERIES_TENANT || subject == SERIES_POINT) {
		reply_problem(r, 400, "subject: has no list of series (interfaces are in /interfaces)");
		return;
	}
	q = inquiry_of(r, on_subjects);
	ask_list(q, ASK_SERIES_LIST, r)->q.subject = (uint16_t)subject;
	run_list(r, q, &table_subjects);
}

/* --- totals
 * -------------------------------------------------------------------------------------------------------------
 */

static void
shape_totals(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	struct counter_sum *sums = mem_calloc(2, sizeof(*sums)); /* drops, undecoded */
	struct rows totals = part_rows(&q->part[0]), counters = part_rows(&q->part[1]);
	struct row_totals sum = { 0 };
	struct row row;

	(void)r;
	if (rows_next(&totals, &row))
		sum = row.totals;
	while (rows_next(&counters, &row))
		if (row.counter.class_ == COUNTER_DROP || row.counter.class_ == COUNTER_UNDECODED)
			counter_sum_add(&sums[row.counter.class_ == COUNTER_UNDECODED], &row);
	present_totals(w, "totals", &sum, &sums[0], &sums[1]);
	mem_drop(&sums);
}

static void
on_totals(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_totals);
}

void
api_totals(struct request *r)
{
	struct inquiry *q = inquiry_of(r, on_totals);

	(void)inquiry_add(q, ASK_TOTALS);
	(void)inquiry_add(q, ASK_COUNTERS);
	inquiry_run(q);
}
