/* What is asked about interfaces: which there are, their numbers, applications and hosts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guide.h"
#include "guide_shape.h"
#include "guide_slices.h"

#define SAMPLE  1000 /* hosts with most bytes, devices with most bytes: what sums of them are made of */
#define TALKERS 10
#define MBIT    1000000u
#define SPEED   1000 /* Mbit/s: what ntopng says of a link whose speed it does not know */

/* --- which there are
 * -------------------------------------------------------------------------------------------- */

static void
on_interfaces(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct rows rows = part_rows(&q->part[0]);
	struct guide *g = ctx;
	struct json_writer *w;
	struct row r;

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		w = guide_begin();
		json_array(w, "rsp");
		while (rows_next(&rows, &r)) {
			json_object(w, NULL);
			json_uint(w, "ifid", guide_ifid(&r.point));
			json_string(w, "ifname", r.point.name);
			json_string(w, "name", r.point.name);
			json_object_end(w);
		}
		json_array_end(w);
		guide_answer(g, &w);
	}
	inquiry_free(&q);
}

void
guide_interfaces(struct guide *g)
{
	struct inquiry *q = guide_inquiry(g, on_interfaces);

	(void)inquiry_add(q, ASK_POINTS);
	inquiry_run(q);
}

/* --- numbers of one
 * --------------------------------------------------------------------------------------------- */

/* Of the hosts and devices that were looked at. */
struct sample {
	uint64_t local_hosts, rcvd_only, local_rcvd_only, devices;
	uint64_t local2remote, remote2local; /* bytes that remote hosts received, sent */
	uint64_t retransmissions, out_of_order, lost;
};

static void
sample_host(struct sample *s, const struct row_host *h)
{
	bool rcvd_only = h->packets[0] == 0 && h->packets[1] > 0;

	s->local_hosts += h->local != 0;
	s->rcvd_only += rcvd_only;
	s->local_rcvd_only += rcvd_only && h->local != 0;
	if (h->local == 0) {
		s->remote2local += h->bytes[0];
		s->local2remote += h->bytes[1];
	}
	s->retransmissions += h->tcp.retransmissions[0];
	s->out_of_order += h->tcp.out_of_order[0];
	s->lost += h->tcp.lost[0];
}

static struct sample
sample_of(const struct inquiry *q)
{
	struct rows hosts = part_rows(&q->part[0]), devices = part_rows(&q->part[1]);
	struct sample s = { 0 };
	struct row r;

	while (rows_next(&hosts, &r))
		sample_host(&s, &r.host);
	while (rows_next(&devices, &r))
		s.devices++;
	return s;
}

/* ntopng rounds up. */
static void
put_share(struct json_writer *w, const char *key, uint64_t n, int64_t most, const struct boot *b)
{
	json_uint(w, key,
		  1 + n * 100 /
			  ((uint64_t)most * (uint64_t)(b->settings.workers > 0 ? b->settings.workers : 1)));
}

static void
put_clock(struct json_writer *w, const struct httpd *h)
{
	int64_t now = clock_utc_ns() / NS_PER_S, up = (clock_boot_ns() - h->started_ns) / NS_PER_S;
	time_t t = (time_t)now;
	char text[64];
	struct tm tm;

	json_int(w, "epoch", now);
	(void)gmtime_r(&t, &tm);
	(void)snprintf(text, sizeof(text), "%02d:%02d:%02d +0000", tm.tm_hour, tm.tm_min, tm.tm_sec);
	json_string(w, "localtime", text);
	if (up < 3600)
		(void)snprintf(text, sizeof(text), "%02lld:%02lld", (long long)up / 60, (long long)up % 60);
	else
		(void)snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", (long long)up / 3600,
			       (long long)up / 60 % 60, (long long)up % 60);
	json_string(w, "uptime", text);
	json_int(w, "uptime_sec", up);
}

/* What nothing watches for yet is not there: docs/API.md. */
static void
put_alerts(struct json_writer *w)
{
	static const char *const keys[] = { "engaged_alerts",
					    "engaged_alerts_notice",
					    "engaged_alerts_warning",
					    "engaged_alerts_error",
					    "alerted_flows",
					    "alerted_flows_notice",
					    "alerted_flows_warning",
					    "alerted_flows_error",
					    "dropped_alerts",
					    "host_dropped_alerts",
					    "flow_dropped_alerts",
					    "other_dropped_alerts",
					    "num_local_hosts_anomalies",
					    "num_remote_hosts_anomalies" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		json_uint(w, keys[i], 0);
}

/* A captured interface has no direction: ntopng calls all of it download. */
static void
put_directions(struct json_writer *w, const struct row_point *p)
{
	static const char *const download[] = { "bytes_download", "bytes_download_since_reset" };
	static const char *const packets[] = { "packets_download", "packets_download_since_reset" };
	static const char *const upload[] = { "bytes_upload", "bytes_upload_since_reset", "packets_upload",
					      "packets_upload_since_reset" };

	for (size_t i = 0; i < ARRAY_LEN(download); i++)
		json_uint(w, download[i], p->bytes);
	for (size_t i = 0; i < ARRAY_LEN(packets); i++)
		json_uint(w, packets[i], p->packets);
	for (size_t i = 0; i < ARRAY_LEN(upload); i++)
		json_uint(w, upload[i], 0);
	json_object(w, "throughput");
	json_object(w, "download");
	json_uint(w, "bps", p->bytes_per_s);
	json_uint(w, "pps", p->packets_per_s);
	json_object_end(w);
	json_object(w, "upload");
	json_uint(w, "bps", 0);
	json_uint(w, "pps", 0);
	json_object_end(w);
	json_object_end(w);
}

static void
put_sample(struct json_writer *w, const struct sample *s)
{
	json_uint(w, "num_local_hosts", s->local_hosts);
	json_uint(w, "num_devices", s->devices);
	json_uint(w, "num_rcvd_only_hosts", s->rcvd_only);
	json_uint(w, "num_local_rcvd_only_hosts", s->local_rcvd_only);
	json_uint(w, "local2remote", s->local2remote);
	json_uint(w, "remote2local", s->remote2local);
	json_object(w, "tcpPacketStats");
	json_uint(w, "retransmissions", s->retransmissions);
	json_uint(w, "out_of_order", s->out_of_order);
	json_uint(w, "lost", s->lost);
	json_object_end(w);
}

/* s NULL: without what has to be looked for at its hosts. nhosts: as far as they were counted. */
static void
put_data(struct json_writer *w, const char *key, const struct guide *g, const struct row_point *p,
	 const struct sample *s, uint64_t nhosts)
{
	const struct boot *b = g->request->httpd->boot;
	uint64_t hosts = p->hosts > nhosts ? p->hosts : nhosts;
	char ifid[16];

	(void)snprintf(ifid, sizeof(ifid), "%u", guide_ifid(p));
	json_object(w, key);
	json_string(w, "ifid", ifid);
	json_string(w, "ifname", p->name);
	json_uint(w, "speed", p->speed_bps >= MBIT ? p->speed_bps / MBIT : SPEED);
	json_uint(w, "periodic_stats_update_frequency_secs", 1);
	json_uint(w, "packets", p->packets);
	json_uint(w, "bytes", p->bytes);
	json_uint(w, "drops", p->dropped);
	json_uint(w, "throughput_bps", p->bytes_per_s);
	json_uint(w, "throughput_pps", p->packets_per_s);
	json_uint(w, "num_flows", p->flows);
	json_uint(w, "num_hosts", hosts);
	put_alerts(w);
	put_clock(w, g->request->httpd);
	put_share(w, "hosts_pctg", hosts, b->settings.max_hosts, b);
	put_share(w, "flows_pctg", p->flows, b->settings.max_flows, b);
	put_share(w, "macs_pctg", s == NULL ? 0 : s->devices, b->settings.max_hosts, b);
	json_bool(w, "is_view", false);
	json_uint(w, "num_live_captures", 0);
	json_bool(w, "active_discovery_active", false);
	json_array(w, "profiles");
	json_array_end(w);
	put_directions(w, p);
	if (s != NULL)
		put_sample(w, s);
	json_object_end(w);
}

static void
on_sample(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct rows hosts = part_rows(&q->part[0]);
	struct guide *g = ctx;
	struct json_writer *w;
	struct sample s;
	uint64_t n = 0;
	struct row r;

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		while (rows_next(&hosts, &r))
			n++;
		s = sample_of(q);
		w = guide_begin();
		put_data(w, "rsp", g, &g->point, &s, n);
		guide_answer(g, &w);
	}
	inquiry_free(&q);
}

void
guide_interface_data_of(struct guide *g)
{
	const char *type = g->p.value[GUIDE_TYPE];
	struct json_writer *w;
	struct inquiry *q;

	if (type != NULL && strcmp(type, "summary") == 0) {
		w = guide_begin();
		put_data(w, "rsp", g, &g->point, NULL, 0);
		guide_answer(g, &w);
		return;
	}
	q = guide_inquiry(g, on_sample);
	(void)guide_ask(g, q, ASK_HOSTS, SAMPLE, SORT_BYTES);
	guide_ask(g, q, ASK_DEVICES, SAMPLE, SORT_BYTES)->optional = true;
	inquiry_run(q);
}

static void
on_all(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct rows rows = part_rows(&q->part[0]);
	struct guide *g = ctx;
	struct json_writer *w;
	char ifid[16];
	struct row r;

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		w = guide_begin();
		json_object(w, "rsp");
		while (rows_next(&rows, &r)) {
			(void)snprintf(ifid, sizeof(ifid), "%u", guide_ifid(&r.point));
			put_data(w, ifid, g, &r.point, NULL, 0);
		}
		json_object_end(w);
		guide_answer(g, &w);
	}
	inquiry_free(&q);
}

void
guide_interface_data(struct guide *g)
{
	const char *filter = g->p.value[GUIDE_IFFILTER];
	struct inquiry *q;

	if (filter == NULL) {
		guide_find_point(g);
	} else if (strcmp(filter, "all") != 0) {
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, "iffilter: is not all");
	} else {
		q = guide_inquiry(g, on_all);
		(void)inquiry_add(q, ASK_POINTS);
		inquiry_run(q);
	}
}

/* --- applications
 * ----------------------------------------------------------------------------------------------- */

static void
put_link(struct json_writer *w)
{
	json_string(w, "url", "#");
}

static void
gather_application(struct guide_slices *s, const struct guide *g, const struct row *r)
{
	const char *mode = g->p.value[GUIDE_STATS_MODE];
	bool count = mode != NULL && strcmp(mode, "count") == 0;

	guide_slices_add_application(s, &r->text[APPLICATION_TEXT_NAME],
				     count ? r->application.flows : r->application.bytes);
}

static void
gather_breed(struct guide_slices *s, const struct row *r)
{
	const struct rec_flow *f = &r->flow.flow;

	guide_slices_add_breed(s, f->breed, f->count.bytes[0] + f->count.bytes[1]);
}

static void
on_l7(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct guide_slices *s = mem_calloc(1, sizeof(*s));
	struct rows rows = part_rows(&q->part[0]);
	bool breed = q->part[0].q.kind == ASK_FLOWS;
	struct guide *g = ctx;
	struct json_writer *w;
	struct row r;

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		while (rows_next(&rows, &r))
			if (breed)
				gather_breed(s, &r);
			else
				gather_application(s, g, &r);
		w = guide_begin();
		guide_slices_put(w, s, 5, 3, breed ? NULL : put_link);
		guide_answer(g, &w);
	}
	free(s);
	inquiry_free(&q);
}

void
guide_interface_l7(struct guide *g)
{
	const char *mode = g->p.value[GUIDE_STATS_MODE];
	bool count = mode != NULL && strcmp(mode, "count") == 0;
	struct inquiry *q;

	if (mode != NULL && !count && strcmp(mode, "sinceStartup") != 0) {
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, "ndpistats_mode: is not count or sinceStartup");
		return;
	}
	q = guide_inquiry(g, on_l7);
	if (guide_flag(&g->p, GUIDE_BREED) && !count) /* ratings are kept of flows alone */
		(void)guide_ask(g, q, ASK_FLOWS, SAMPLE, SORT_BYTES);
	else
		(void)guide_ask(g, q, ASK_APPLICATIONS, SAMPLE, SORT_BYTES);
	inquiry_run(q);
}

/* --- hosts
 * ------------------------------------------------------------------------------------------------------- */

static void
on_top_hosts(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct guide_slices *s = mem_calloc(1, sizeof(*s));
	struct rows rows = part_rows(&q->part[0]);
	char label[GUIDE_NAME_MAX];
	struct guide *g = ctx;
	struct json_writer *w;
	struct row r;

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		while (rows_next(&rows, &r)) {
			guide_slices_add(s, guide_host_label(&r.host, label),
					 r.host.bytes[0] + r.host.bytes[1]);
		}
		w = guide_begin();
		guide_slices_put(w, s, TALKERS, 5, put_link);
		guide_answer(g, &w);
	}
	free(s);
	inquiry_free(&q);
}

void
guide_top_hosts(struct guide *g)
{
	struct inquiry *q = guide_inquiry(g, on_top_hosts);

	(void)guide_ask(g, q, ASK_HOSTS, SAMPLE, SORT_BYTES);
	inquiry_run(q);
}

enum direction { SENT, RECEIVED, BOTH };

static uint64_t
bytes_of(const struct row *r, enum direction d)
{
	return d == BOTH ? r->host.bytes[0] + r->host.bytes[1] : r->host.bytes[d];
}

/* The largest of them in one direction, largest first: few, so that each is looked for. */
static void
put_talkers(struct json_writer *w, const char *key, const struct row *row, size_t n, enum direction d)
{
	bool used[SAMPLE] = { false };
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += bytes_of(&row[i], d);
	json_array(w, key);
	for (unsigned k = 0; k < TALKERS; k++) {
		size_t best = n;

		for (size_t i = 0; i < n; i++)
			if (!used[i] && bytes_of(&row[i], d) > 0 &&
			    (best == n || bytes_of(&row[i], d) > bytes_of(&row[best], d)))
				best = i;
		if (best == n)
			break;
		used[best] = true;
		guide_put_talker(w, &row[best], bytes_of(&row[best], d), total);
	}
	json_array_end(w);
}

static void
on_talkers(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct row *row = mem_calloc(SAMPLE, sizeof(*row));
	struct rows rows = part_rows(&q->part[0]);
	struct guide *g = ctx;
	struct json_writer *w;
	size_t n = 0;

	if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		while (n < SAMPLE && rows_next(&rows, &row[n]))
			n++;
		w = guide_begin();
		json_object(w, "rsp");
		put_talkers(w, "senders", row, n, SENT);
		put_talkers(w, "receivers", row, n, RECEIVED);
		put_talkers(w, "total", row, n, BOTH);
		json_object_end(w);
		guide_answer(g, &w);
	}
	free(row);
	inquiry_free(&q);
}

void
guide_top_talkers(struct guide *g)
{
	struct inquiry *q = guide_inquiry(g, on_talkers);

	(void)guide_ask(g, q, ASK_HOSTS, SAMPLE, SORT_BYTES);
	inquiry_run(q);
}
