#include "guide_shape.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/mem.h"

/* --- parts
 * -------------------------------------------------------------------------------------------------------- */

uint64_t
guide_bps(const uint64_t bytes_per_s[static 2])
{
	uint64_t sum = bytes_per_s[0] + bytes_per_s[1];

	return sum > UINT64_MAX / 8 ? UINT64_MAX : sum * 8;
}

double
guide_pps(uint64_t bytes_per_s, uint64_t bytes, uint64_t packets)
{
	return bytes == 0 ? 0 : (double)bytes_per_s * (double)packets / (double)bytes;
}

const char *
guide_host_name(const struct row *r, char out[static GUIDE_NAME_MAX])
{
	struct row_text name = row_text_line(&r->text[HOST_TEXT_NAMES]);
	char ip[IP_TEXT_MAX];

	if (name.len > 0 && name.len < GUIDE_NAME_MAX)
		(void)snprintf(out, GUIDE_NAME_MAX, "%.*s", (int)name.len, name.s);
	else
		(void)str_copy(out, GUIDE_NAME_MAX, ip_format(&r->host.ip, ip));
	return out;
}

const char *
guide_host_label(const struct row_host *h, char out[static GUIDE_NAME_MAX])
{
	char ip[IP_TEXT_MAX], vlan[8] = "";

	if (h->vlan != 0)
		(void)snprintf(vlan, sizeof(vlan), "@%u", h->vlan);
	(void)snprintf(out, GUIDE_NAME_MAX, "%s%s", ip_format(&h->ip, ip), vlan);
	return out;
}

const char *
guide_host_key(const struct row_host *h, char out[static GUIDE_NAME_MAX])
{
	char label[GUIDE_NAME_MAX];
	size_t n = 0;

	for (const char *c = guide_host_label(h, label); *c != '\0'; c++) {
		const char *as = *c == '.' ? "__" : *c == ':' ? "____" : NULL;

		if (as == NULL)
			out[n++] = *c;
		for (; as != NULL && *as != '\0'; as++)
			out[n++] = *as;
	}
	out[n] = '\0';
	return out;
}

unsigned
guide_os(const struct row *r)
{
	static const struct {
		const char *begins;
		unsigned number;
	} known[] = { { "Linux", 1 },  { "Windows", 2 }, { "macOS", 3 },
		      { "Mac OS", 3 }, { "iOS", 4 },     { "Android", 5 } };
	const struct row_text *os = &r->text[HOST_TEXT_OS];

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (os->len >= strlen(known[i].begins) &&
		    memcmp(os->s, known[i].begins, strlen(known[i].begins)) == 0)
			return known[i].number;
	return 0;
}

void
guide_put_bytes(struct json_writer *w, const uint64_t bytes[static 2])
{
	json_object(w, "bytes");
	json_uint(w, "total", bytes[0] + bytes[1]);
	json_uint(w, "sent", bytes[0]);
	json_uint(w, "recvd", bytes[1]);
	json_object_end(w);
}

static void
put_thpt(struct json_writer *w, const uint64_t rate[static 2], const uint64_t bytes[static 2],
	 const uint64_t packets[static 2])
{
	json_object(w, "thpt");
	json_uint(w, "bps", guide_bps(rate));
	json_double(w, "pps", guide_pps(rate[0] + rate[1], bytes[0] + bytes[1], packets[0] + packets[1]));
	json_object_end(w);
}

static void
put_seen(struct json_writer *w, int64_t first_ns, int64_t last_ns)
{
	json_int(w, "first_seen", first_ns / NS_PER_S);
	json_int(w, "last_seen", last_ns / NS_PER_S);
}

/* --- hosts
 * -------------------------------------------------------------------------------------------------------- */

static void
put_identity(struct json_writer *w, const struct row *r)
{
	char ip[IP_TEXT_MAX], text[GUIDE_NAME_MAX];

	json_string(w, "key", guide_host_key(&r->host, text));
	json_string(w, "ip", ip_format(&r->host.ip, ip));
	json_string(w, "name", guide_host_name(r, text));
	json_uint(w, "vlan", r->host.vlan);
}

static bool
is_broadcast(const struct ip_addr *ip)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	return ip_is_v4(ip) && memcmp(ip->b + 12, all, sizeof(all)) == 0;
}

static void
put_kind(struct json_writer *w, const struct row_host *h)
{
	bool broadcast = is_broadcast(&h->ip);

	json_bool(w, "is_localhost", h->local != 0);
	json_bool(w, "is_multicast", !broadcast && ip_is_multicast_or_broadcast(&h->ip));
	json_bool(w, "is_broadcast", broadcast);
	json_bool(w, "is_broadcast_domain", false);
	json_bool(w, "is_blacklisted", false);
}

/* A host's score is the largest of its flows', not their sum. */
static void
put_score(struct json_writer *w, const struct row_host *h)
{
	json_object(w, "score");
	json_uint(w, "total", present_host_score(h));
	json_uint(w, "as_client", h->score_client);
	json_uint(w, "as_server", h->score_server);
	json_object_end(w);
}

static void
put_flow_counts(struct json_writer *w, const struct row_host *h)
{
	json_object(w, "num_flows");
	json_uint(w, "total", (uint64_t)h->flows_client + h->flows_server);
	json_uint(w, "as_client", h->flows_client);
	json_uint(w, "as_server", h->flows_server);
	json_object_end(w);
}

void
guide_put_host(struct json_writer *w, const struct row *r)
{
	const struct row_host *h = &r->host;

	json_object(w, NULL);
	put_identity(w, r);
	json_uint(w, "os", guide_os(r));
	json_string_n(w, "country", h->country, h->country[0] != 0 ? 2 : 0);
	put_seen(w, h->first_ns, h->last_ns);
	json_uint(w, "num_alerts", 0);
	put_score(w, h);
	put_thpt(w, h->bytes_per_s, h->bytes, h->packets);
	guide_put_bytes(w, h->bytes);
	put_kind(w, h);
	put_flow_counts(w, h);
	json_object_end(w);
}

void
guide_put_talker(struct json_writer *w, const struct row *r, uint64_t bytes, uint64_t total)
{
	const struct row_host *h = &r->host;

	json_object(w, NULL);
	put_identity(w, r);
	guide_put_bytes(w, h->bytes);
	put_thpt(w, h->bytes_per_s, h->bytes, h->packets);
	json_double(w, "pctg", total == 0 ? 0 : (double)bytes * 100 / (double)total);
	json_object_end(w);
}

/* --- flows
 * -------------------------------------------------------------------------------------------------------- */

/* An end that is masked has its network for a name as well: store gives it no other. */
static void
put_end(struct json_writer *w, const char *key, const struct row *r, enum side side)
{
	const struct row_flow *f = &r->flow;
	const struct row_text *name =
	    &r->text[side == CLIENT ? FLOW_TEXT_CLIENT_NAME : FLOW_TEXT_SERVER_HOST];
	struct ip_prefix p = { f->flow.ip[side], ip_is_v4(&f->flow.ip[side]) ? 120 : 48 };
	bool icmp = f->flow.protocol == 1 || f->flow.protocol == 58;
	char ip[PREFIX_TEXT_MAX];

	(void)(f->masked[side] ? prefix_format(&p, ip) : ip_format(&f->flow.ip[side], ip));
	json_object(w, key);
	json_string(w, "ip", ip);
	if (name->len > 0)
		json_string_n(w, "name", name->s, name->len);
	else
		json_string(w, "name", ip);
	json_uint(w, "port", icmp ? 0 : f->flow.port[side]);
	json_bool(w, "is_blacklisted", false);
	json_bool(w, side == CLIENT ? "is_broadcast_domain" : "is_broadcast",
		  side == SERVER && !f->masked[side] && is_broadcast(&f->flow.ip[side]));
	json_bool(w, "is_dhcp", false);
	json_object_end(w);
}

/* The two halves of a flow's id, as ntopng's two numbers: together they name it. */
static void
put_id(struct json_writer *w, const struct flow_id *id)
{
	uint64_t half[2] = { 0, 0 };
	char text[33];

	for (size_t i = 0; i < sizeof(id->b); i++)
		half[i / 8] = half[i / 8] << 8 | id->b[i];
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)half[0]);
	json_string(w, "key", text);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)half[1]);
	json_string(w, "hash_id", text);
	json_string(w, "id", flow_id_format(id, text));
}

static void
put_directions(struct json_writer *w, const char *key, uint32_t client, uint32_t server)
{
	json_object(w, key);
	json_uint(w, "cli2srv", client);
	json_uint(w, "srv2cli", server);
	json_object_end(w);
}

static void
put_verbose(struct json_writer *w, const struct rec_flow *f)
{
	const struct flow_tcp *t = &f->tcp;

	json_uint(w, "packets", f->count.packets[CLIENT] + f->count.packets[SERVER]);
	json_object(w, "tcp");
	json_double(w, "appl_latency", (double)f->latency_us / 1000);
	json_object(w, "nw_latency");
	json_double(w, "cli", (double)t->handshake_us[CLIENT] / 1000);
	json_double(w, "srv", (double)t->handshake_us[SERVER] / 1000);
	json_object_end(w);
	put_directions(w, "retransmissions", t->retransmissions[CLIENT], t->retransmissions[SERVER]);
	put_directions(w, "out_of_order", t->out_of_order[CLIENT], t->out_of_order[SERVER]);
	put_directions(w, "lost", t->lost[CLIENT], t->lost[SERVER]);
	json_object_end(w);
}

static void
put_protocol(struct json_writer *w, const struct row *r)
{
	const struct row_text *application = &r->text[FLOW_TEXT_APPLICATION];
	char number[8];

	json_object(w, "protocol");
	json_string(w, "l4", protocol_name(r->flow.flow.protocol, number));
	if (application->len > 0)
		json_string_n(w, "l7", application->s, application->len);
	else
		json_string(w, "l7", "Unknown");
	json_object_end(w);
}

void
guide_put_flow(struct json_writer *w, const struct row *r, bool verbose)
{
	const struct rec_flow *f = &r->flow.flow;
	uint64_t sent = f->count.bytes[CLIENT], bytes = sent + f->count.bytes[SERVER];
	unsigned share = bytes == 0 ? 0 : (unsigned)((double)sent * 100 / (double)bytes + 0.5);
	char score[16];

	json_object(w, NULL);
	put_id(w, &f->id);
	put_seen(w, f->first_ns, f->last_ns);
	put_end(w, "client", r, CLIENT);
	put_end(w, "server", r, SERVER);
	json_uint(w, "vlan", f->vlan[0]);
	put_protocol(w, r);
	json_int(w, "duration", f->last_ns / NS_PER_S - f->first_ns / NS_PER_S + 1);
	json_uint(w, "bytes", bytes);
	put_thpt(w, r->flow.bytes_per_s, f->count.bytes, f->count.packets);
	put_directions(w, "breakdown", share, bytes == 0 ? 0 : 100 - share);
	(void)snprintf(score, sizeof(score), "%u", f->score);
	json_string(w, "score", score);
	if (verbose)
		put_verbose(w, f);
	json_object_end(w);
}
