/* What is asked about one host: get/host/data, get/host/l7/stats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guide.h"
#include "guide_shape.h"
#include "guide_slices.h"

#define FLOWS_MAX 1000

/* --- asking
 * ------------------------------------------------------------------------------------------------------ */

/* What is no address is no host; false where g was answered. */
static bool
read_host(struct guide *g, struct ip_addr *ip, uint16_t *vlan)
{
	if (g->p.value[GUIDE_HOST] == NULL)
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, "host: is missing");
	else if (guide_host(&g->p, ip, vlan))
		return true;
	else
		guide_fail(g, GUIDE_INVALID_HOST, "");
	return false;
}

/* The host in its interface's address space, and (wanted) flows of it. */
static void
ask_host(struct guide *g, inquiry_fn *fn, uint32_t flows)
{
	struct inquiry *q;
	struct ip_addr ip;
	struct part *p;
	uint16_t vlan;

	if (!read_host(g, &ip, &vlan))
		return;
	q = guide_inquiry(g, fn);
	p = inquiry_add(q, ASK_HOST);
	p->q.has_ip = 1;
	p->q.ip = ip;
	p->q.vlan = vlan;
	p->q.space = g->point.space;
	if (flows > 0) {
		p = guide_ask(g, q, ASK_FLOWS, flows, SORT_BYTES);
		p->q.has_ip = 1;
		p->q.ip = ip;
	}
	inquiry_run(q);
}

/* --- get/host/data
 * ----------------------------------------------------------------------------------------------- */

static void
put_text(struct json_writer *w, const char *key, const struct row_text *t)
{
	json_string_n(w, key, t->len > 0 ? t->s : "", t->len);
}

static void
put_place(struct json_writer *w, const struct row *r)
{
	const struct row_host *h = &r->host;

	json_uint(w, "asn", h->as_number);
	put_text(w, "asname", &r->text[HOST_TEXT_AS_NAME]);
	json_string_n(w, "country", h->country, h->country[0] != 0 ? 2 : 0);
	put_text(w, "city", &r->text[HOST_TEXT_CITY]);
	json_uint(w, "os", guide_os(r));
	put_text(w, "os_detail", &r->text[HOST_TEXT_OS]);
}

/* By where they are from, the surest of each; none are a list in ntopng. */
static void
put_names(struct json_writer *w, const struct row *r)
{
	static const char *const sources[HOST_NAME_SOURCES] = {
		[HOST_NAME_DNS] = "dns",         [HOST_NAME_DHCP] = "dhcp", [HOST_NAME_MDNS] = "mdns",
		[HOST_NAME_NETBIOS] = "netbios", [HOST_NAME_TLS] = "tls",   [HOST_NAME_RESOLVED] = "resolved"
	};
	struct row_text rest = r->text[HOST_TEXT_NAMES];
	bool told[HOST_NAME_SOURCES] = { false };

	if (rest.len == 0) {
		json_array(w, "names");
		json_array_end(w);
		return;
	}
	json_object(w, "names");
	for (unsigned i = 0; i < HOST_NAMES && rest.len > 0; i++) {
		struct row_text one = row_text_line(&rest);
		size_t used = one.len < rest.len ? one.len + 1 : rest.len;
		unsigned source = r->host.name_source[i];

		if (source < HOST_NAME_SOURCES && sources[source] != NULL && !told[source]) {
			json_string_n(w, sources[source], one.s, one.len);
			told[source] = true;
		}
		rest.s += used;
		rest.len -= used;
	}
	json_object_end(w);
}

/* ntopng writes them in capitals. */
static void
put_mac(struct json_writer *w, const struct row_host *h)
{
	static const uint8_t none[6];
	char mac[MAC_TEXT_MAX];

	(void)mac_format(h->has_mac != 0 ? h->mac : none, mac);
	for (char *c = mac; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'f')
			*c = (char)(*c - 'a' + 'A');
	json_string(w, "mac", mac);
}

static void
put_identity(struct json_writer *w, const struct guide *g, const struct row *r)
{
	char ip[IP_TEXT_MAX], name[GUIDE_NAME_MAX];
	const struct row_host *h = &r->host;

	(void)ip_format(&h->ip, ip);
	json_uint(w, "ifid", guide_ifid(&g->point));
	json_string(w, "ip", ip);
	json_uint(w, "ip_version", ip_is_v4(&h->ip) ? 4 : 6);
	json_string(w, "tskey", ip);
	json_uint(w, "vlan", h->vlan);
	put_mac(w, h);
	json_string(w, "name", r->text[HOST_TEXT_NAMES].len > 0 ? guide_host_name(r, name) : "");
	put_names(w, r);
	json_bool(w, "localhost", h->local != 0);
	json_bool(w, "privatehost", ip_is_private(&h->ip));
	json_bool(w, "is_multicast", ip_is_multicast_or_broadcast(&h->ip));
	json_bool(w, "is_blacklisted", false);
	put_place(w, r);
}

static double
ratio(uint64_t sent, uint64_t received)
{
	return sent + received == 0 ? 0
				    : ((double)sent - (double)received) / ((double)sent + (double)received);
}

static void
put_traffic(struct json_writer *w, const struct row_host *h)
{
	uint64_t rate = h->bytes_per_s[0] + h->bytes_per_s[1];

	json_uint(w, "bytes.sent", h->bytes[0]);
	json_uint(w, "bytes.rcvd", h->bytes[1]);
	json_double(w, "bytes_ratio", ratio(h->bytes[0], h->bytes[1]));
	json_uint(w, "packets.sent", h->packets[0]);
	json_uint(w, "packets.rcvd", h->packets[1]);
	json_double(w, "pkts_ratio", ratio(h->packets[0], h->packets[1]));
	json_uint(w, "throughput_bps", rate);
	json_double(w, "throughput_pps",
		    guide_pps(rate, h->bytes[0] + h->bytes[1], h->packets[0] + h->packets[1]));
	json_uint(w, "active_flows.as_client", h->flows_client);
	json_uint(w, "active_flows.as_server", h->flows_server);
	json_uint(w, "total_flows.as_client", h->flows_seen[CLIENT]);
	json_uint(w, "total_flows.as_server", h->flows_seen[SERVER]);
	json_uint(w, "flows.as_client", h->flows_seen[CLIENT]);
	json_uint(w, "flows.as_server", h->flows_seen[SERVER]);
	json_int(w, "seen.first", h->first_ns / NS_PER_S);
	json_int(w, "seen.last", h->last_ns / NS_PER_S);
	json_int(w, "duration", h->last_ns / NS_PER_S - h->first_ns / NS_PER_S + 1);
}

/* Of hosts no sums by protocol are kept. */
static void
put_protocols(struct json_writer *w)
{
	static const char *const protocols[] = { "tcp", "udp", "icmp", "other_ip" };
	static const char *const counters[] = { "bytes.sent", "bytes.rcvd", "packets.sent", "packets.rcvd" };
	char key[32];

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		for (size_t j = 0; j < ARRAY_LEN(counters); j++) {
			(void)snprintf(key, sizeof(key), "%s.%s", protocols[i], counters[j]);
			json_null(w, key);
		}
}

static void
put_tcp(struct json_writer *w, const struct host_tcp *t)
{
	bool problems = false;

	for (int i = 0; i < 2; i++) {
		json_object(w, i == 0 ? "tcpPacketStats.sent" : "tcpPacketStats.rcvd");
		json_uint(w, "retransmissions", t->retransmissions[i]);
		json_uint(w, "out_of_order", t->out_of_order[i]);
		json_uint(w, "lost", t->lost[i]);
		json_null(w, "keep_alive");
		json_object_end(w);
		problems |= (t->retransmissions[i] | t->out_of_order[i] | t->lost[i]) != 0;
	}
	json_bool(w, "tcp.packets.seq_problems", problems);
}

/* The i-th of the host's applications; false past the end. */
static bool
application_at(const struct row *r, unsigned i, struct row_text *name)
{
	const char *at = r->text[HOST_TEXT_APPLICATIONS].s;
	const char *end = at + r->text[HOST_TEXT_APPLICATIONS].len;

	for (unsigned k = 0; i < HOST_APPS && r->text[HOST_TEXT_APPLICATIONS].len > 0 && at < end; k++) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma == NULL ? end : comma;

		*name = (struct row_text){ at, (size_t)(stop - at) };
		if (k == i)
			return true;
		at = stop + 1;
	}
	return false;
}

static void
put_applications(struct json_writer *w, const struct row *r)
{
	char key[GUIDE_LABEL_BYTES];
	struct row_text name;

	json_object(w, "ndpi");
	for (unsigned i = 0; application_at(r, i, &name); i++) {
		(void)snprintf(key, sizeof(key), "%.*s", (int)name.len, name.s);
		json_object(w, key);
		json_uint(w, "bytes", r->host.application_bytes[i]);
		json_uint(w, "packets", r->host.application_packets[i]);
		json_object_end(w);
	}
	json_object_end(w);
}

/* The application of a port is not kept: ntopng calls that Unknown, and its empty tables are lists. */
static void
put_ports(struct json_writer *w, const char *key, const struct row_port list[static HOST_PORTS])
{
	char number[8], text[24];

	if (list[0].protocol == 0) {
		json_array(w, key);
		json_array_end(w);
		return;
	}
	json_object(w, key);
	for (unsigned i = 0; i < HOST_PORTS && list[i].protocol != 0; i++) {
		(void)snprintf(text, sizeof(text), "%s:%u", protocol_name(list[i].protocol, number),
			       list[i].port);
		for (char *c = text; *c != '\0'; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
		json_string(w, text, "Unknown");
	}
	json_object_end(w);
}

static void
put_flows(struct json_writer *w, const struct part *p)
{
	struct rows rows = part_rows(p);
	struct row r;

	json_array(w, "flows");
	while (rows_next(&rows, &r))
		guide_put_flow(w, &r, true);
	json_array_end(w);
}

static void
put_host(struct json_writer *w, const struct guide *g, const struct row *r, const struct inquiry *q)
{
	json_object(w, "rsp");
	put_identity(w, g, r);
	put_traffic(w, &r->host);
	put_protocols(w);
	put_tcp(w, &r->host.tcp);
	json_uint(w, "score", present_host_score(&r->host));
	json_uint(w, "score.as_client", r->host.score_client);
	json_uint(w, "score.as_server", r->host.score_server);
	json_uint(w, "num_alerts", 0);
	json_uint(w, "total_alerts", 0);
	json_uint(w, "active_alerted_flows", 0);
	put_applications(w, r);
	json_object(w, "used_ports");
	put_ports(w, "local_server_ports", r->host.served);
	put_ports(w, "remote_contacted_ports", r->host.used);
	json_object_end(w);
	if (q->n > 1)
		put_flows(w, &q->part[1]);
	json_object_end(w);
}

static void
on_host(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct rows rows = part_rows(&q->part[0]);
	struct guide *g = ctx;
	struct json_writer *w;
	struct row r;

	if (end == INQUIRY_NOT_FOUND || (end == INQUIRY_OK && !rows_next(&rows, &r))) {
		guide_fail(g, GUIDE_NOT_FOUND, "");
	} else if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		w = guide_begin();
		put_host(w, g, &r, q);
		guide_answer(g, &w);
	}
	inquiry_free(&q);
}

void
guide_host_data(struct guide *g)
{
	char err[GUIDE_ERROR_MAX];
	int64_t flows = 10;

	if (!guide_number(&g->p, GUIDE_LIMIT, 1, FLOWS_MAX, &flows, err))
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, err);
	else
		ask_host(g, on_host, guide_flag(&g->p, GUIDE_HOST_FLOWS) ? (uint32_t)flows : 0);
}

/* --- get/host/l7/stats
 * ------------------------------------------------------------------------------------------- */

/* How long an application was active is not kept. */
static void
put_duration(struct json_writer *w)
{
	json_null(w, "duration");
}

static void
gather(struct guide_slices *s, const struct row *host, const struct part *flows)
{
	struct row_text name;
	struct rows rows;
	struct row r;

	for (unsigned i = 0; flows == NULL && application_at(host, i, &name); i++)
		guide_slices_add_application(s, &name, host->host.application_bytes[i]);
	if (flows == NULL)
		return;
	rows = part_rows(flows);
	while (rows_next(&rows, &r))
		guide_slices_add_breed(s, r.flow.flow.breed,
				       r.flow.flow.count.bytes[0] + r.flow.flow.count.bytes[1]);
}

static void
on_l7(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct guide_slices *s = mem_calloc(1, sizeof(*s));
	struct rows rows = part_rows(&q->part[0]);
	struct guide *g = ctx;
	struct json_writer *w;
	struct row r;

	if (end == INQUIRY_NOT_FOUND || (end == INQUIRY_OK && !rows_next(&rows, &r))) {
		guide_fail(g, GUIDE_NOT_FOUND, "");
	} else if (end != INQUIRY_OK) {
		guide_fail_inquiry(g, q, end);
	} else {
		gather(s, &r, q->n > 1 ? &q->part[1] : NULL);
		w = guide_begin();
		guide_slices_put(w, s, 5, 3, put_duration);
		guide_answer(g, &w);
	}
	free(s);
	inquiry_free(&q);
}

void
guide_host_l7(struct guide *g)
{
	/* Ratings are kept of flows alone. */
	ask_host(g, on_l7, guide_flag(&g->p, GUIDE_BREED) ? FLOWS_MAX : 0);
}
