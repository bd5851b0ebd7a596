/* One function a kind of row: the shapes of docs/API.md. Unknown is null, never 0. */
#include "present/present.h"

#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "base/mem.h"
#include "ipc/attribute.h"
#include "ipc/boot.h"

/* --- parts
 * ------------------------------------------------------------------------------------------------------------
 */

static void
put_text(struct json_writer *w, const char *key, const struct row_text *t)
{
	json_string_n(w, key, t->len > 0 ? t->s : NULL, t->len);
}

/* "a,b,c" as an array; or another sign between them. */
static void
put_items(struct json_writer *w, const char *key, const struct row_text *t, char between)
{
	const char *at = t->s, *end = t->s + t->len;

	json_array(w, key);
	while (t->len > 0 && at < end) {
		const char *comma = memchr(at, between, (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;

		if (stop > at)
			json_string_n(w, NULL, at, (size_t)(stop - at));
		at = stop + 1;
	}
	json_array_end(w);
}

static void
put_list(struct json_writer *w, const char *key, const struct row_text *t)
{
	put_items(w, key, t, ',');
}

struct row_text
row_text_line(const struct row_text *t)
{
	const char *stop = t->len > 0 ? memchr(t->s, '\n', t->len) : NULL;

	return (struct row_text){ t->s, stop == NULL ? t->len : (size_t)(stop - t->s) };
}

static void
put_time(struct json_writer *w, const char *key, int64_t ns)
{
	if (ns > 0)
		json_time_ns(w, key, ns);
	else
		json_null(w, key);
}

static void
put_mac(struct json_writer *w, const char *key, const uint8_t mac[static 6], bool known)
{
	char text[MAC_TEXT_MAX];

	json_string(w, key, known ? mac_format(mac, text) : NULL);
}

static void
put_pair(struct json_writer *w, const char *key, uint64_t sent, uint64_t received)
{
	json_object(w, key);
	json_uint(w, "sent", sent);
	json_uint(w, "received", received);
	json_object_end(w);
}

/* --- rows
 * -------------------------------------------------------------------------------------------------------------
 */

void
present_interface(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_point *p = &r->point;

	json_object(w, key);
	json_uint(w, "id", p->id);
	json_string(w, "name", p->name);
	json_string(w, "kind", p->kind == POINT_FILE ? "file" : "interface");
	json_string(w, "state", point_state_name(p->state));
	json_uint(w, "address_space", p->space);
	json_uint(w, "bytes", p->bytes);
	json_uint(w, "packets", p->packets);
	json_uint(w, "bytes_per_second", p->bytes_per_s);
	json_uint(w, "packets_per_second", p->packets_per_s);
	json_uint(w, "dropped", p->dropped);
	json_uint(w, "flows", p->flows);
	json_uint(w, "hosts", p->hosts);
	put_time(w, "first", p->first_ns);
	put_time(w, "last", p->last_ns);
	if (p->speed_bps == 0)
		json_null(w, "speed_bps");
	else
		json_uint(w, "speed_bps", p->speed_bps);
	json_object_end(w);
}

static const char *
name_source(uint8_t source)
{
	static const char *const names[] = {
		[HOST_NAME_NONE] = "unknown",     [HOST_NAME_DNS] = "dns",         [HOST_NAME_DHCP] = "dhcp",
		[HOST_NAME_MDNS] = "mdns",        [HOST_NAME_NETBIOS] = "netbios", [HOST_NAME_TLS] = "tls",
		[HOST_NAME_RESOLVED] = "resolved"
	};
	static_assert(ARRAY_LEN(names) == HOST_NAME_SOURCES, "name every source");

	return names[source < ARRAY_LEN(names) ? source : HOST_NAME_NONE];
}

/* The names, surest first, and where each is from. */
static void
put_names(struct json_writer *w, const struct row_host *h, const struct row_text *names)
{
	unsigned n = names->len > 0;

	for (size_t i = 0; i < names->len; i++)
		n += names->s[i] == '\n';
	put_items(w, "names", names, '\n');
	json_array(w, "name_sources");
	for (unsigned i = 0; i < n && i < HOST_NAMES; i++)
		json_string(w, NULL, name_source(h->name_source[i]));
	json_array_end(w);
}

static void
put_country(struct json_writer *w, const char country[static 2])
{
	json_string_n(w, "country", country[0] != 0 ? country : NULL, country[0] != 0 ? 2 : 0);
}

static void
put_as(struct json_writer *w, uint32_t number, const struct row_text *name)
{
	if (number == 0) {
		json_null(w, "as");
		return;
	}
	json_object(w, "as");
	json_uint(w, "number", number);
	put_text(w, "name", name);
	json_object_end(w);
}

static void
put_sides(struct json_writer *w, const char *key, uint64_t client, uint64_t server)
{
	json_object(w, key);
	json_uint(w, "client", client);
	json_uint(w, "server", server);
	json_object_end(w);
}

/* The applications' names, and what each of them moved. */
static void
put_applications(struct json_writer *w, const struct row_host *h, const struct row_text *names)
{
	const char *at = names->s, *end = names->s + names->len;

	put_list(w, "applications", names);
	json_array(w, "application_traffic");
	for (unsigned i = 0; i < HOST_APPS && names->len > 0 && at < end; i++) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;

		json_object(w, NULL);
		json_string_n(w, "name", at, (size_t)(stop - at));
		json_uint(w, "bytes", h->application_bytes[i]);
		json_uint(w, "packets", h->application_packets[i]);
		json_object_end(w);
		at = stop + 1;
	}
	json_array_end(w);
}

static void
put_ports(struct json_writer *w, const char *key, const struct row_port list[static HOST_PORTS])
{
	char protocol[8];

	json_array(w, key);
	for (unsigned i = 0; i < HOST_PORTS && list[i].protocol != 0; i++) {
		json_object(w, NULL);
		json_uint(w, "port", list[i].port);
		json_string(w, "protocol", protocol_name(list[i].protocol, protocol));
		json_uint(w, "flows", list[i].flows);
		json_uint(w, "bytes", list[i].bytes);
		json_object_end(w);
	}
	json_array_end(w);
}

static void
put_host_tcp(struct json_writer *w, const struct host_tcp *t)
{
	json_object(w, "tcp");
	put_pair(w, "retransmissions", t->retransmissions[0], t->retransmissions[1]);
	put_pair(w, "out_of_order", t->out_of_order[0], t->out_of_order[1]);
	put_pair(w, "lost", t->lost[0], t->lost[1]);
	put_pair(w, "zero_windows", t->zero_windows[0], t->zero_windows[1]);
	json_uint(w, "resets", t->resets);
	if (t->handshakes > 0)
		json_double(w, "handshake_ms", (double)t->handshake_us / (double)t->handshakes / 1000.0);
	else
		json_null(w, "handshake_ms");
	json_object_end(w);
}

void
present_host(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_host *h = &r->host;
	char ip[IP_TEXT_MAX];

	json_object(w, key);
	json_string(w, "ip", ip_format(&h->ip, ip));
	json_uint(w, "vlan", h->vlan);
	json_uint(w, "address_space", h->space);
	put_mac(w, "mac", h->mac, h->has_mac != 0);
	put_text(w, "vendor", &r->text[HOST_TEXT_VENDOR]);
	put_names(w, h, &r->text[HOST_TEXT_NAMES]);
	json_bool(w, "local", h->local != 0);
	put_country(w, h->country);
	put_text(w, "city", &r->text[HOST_TEXT_CITY]);
	put_as(w, h->as_number, &r->text[HOST_TEXT_AS_NAME]);
	put_text(w, "os", &r->text[HOST_TEXT_OS]);
	put_pair(w, "bytes", h->bytes[0], h->bytes[1]);
	put_pair(w, "packets", h->packets[0], h->packets[1]);
	put_pair(w, "bytes_per_second", h->bytes_per_s[0], h->bytes_per_s[1]);
	put_sides(w, "flows", h->flows_seen[CLIENT], h->flows_seen[SERVER]);
	put_sides(w, "active_flows", h->flows_client, h->flows_server);
	put_applications(w, h, &r->text[HOST_TEXT_APPLICATIONS]);
	json_uint(w, "peers", h->peers);
	json_object(w, "ports");
	put_ports(w, "served", h->served);
	put_ports(w, "used", h->used);
	json_object_end(w);
	put_host_tcp(w, &h->tcp);
	json_uint(w, "score", present_host_score(h));
	put_list(w, "risks", &r->text[HOST_TEXT_RISKS]);
	put_time(w, "first", h->first_ns);
	put_time(w, "last", h->last_ns);
	json_object_end(w);
}

void
present_device(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_device *d = &r->device;
	char ip[IP_TEXT_MAX];

	json_object(w, key);
	put_mac(w, "mac", d->mac, true);
	put_text(w, "vendor", &r->text[DEVICE_TEXT_VENDOR]);
	put_text(w, "observation_point", &r->text[DEVICE_TEXT_POINT]);
	json_uint(w, "address_space", d->space);
	json_uint(w, "vlan", d->vlan);
	json_array(w, "ips");
	for (uint32_t i = 0; i < d->nips && i < DEVICE_IPS; i++)
		json_string(w, NULL, ip_format(&d->ip[i], ip));
	json_array_end(w);
	put_pair(w, "bytes", d->bytes[0], d->bytes[1]);
	put_pair(w, "packets", d->packets[0], d->packets[1]);
	json_object(w, "arp");
	json_uint(w, "requests", d->arp_requests);
	json_uint(w, "replies", d->arp_replies);
	json_object_end(w);
	put_time(w, "first", d->first_ns);
	put_time(w, "last", d->last_ns);
	json_object_end(w);
}

/* TCP, UDP, DCCP, SCTP and UDP-Lite have ports; an ICMP identifier is none. */
static bool
has_ports(uint8_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

/* Of an end that the viewer sees masked, the network: store/mask.h says how much of it. */
static const char *
end_address(const struct row_flow *r, enum side side, char out[static PREFIX_TEXT_MAX])
{
	struct ip_prefix p = { r->flow.ip[side], ip_is_v4(&r->flow.ip[side]) ? 120 : 48 };

	return r->masked[side] ? prefix_format(&p, out) : ip_format(&r->flow.ip[side], out);
}

static void
put_end(struct json_writer *w, const char *key, const struct row_flow *r, enum side side,
	const struct row_text *name)
{
	static const uint8_t none[6];
	const struct rec_flow *f = &r->flow;
	char ip[PREFIX_TEXT_MAX];

	json_object(w, key);
	json_string(w, "ip", end_address(r, side, ip));
	if (has_ports(f->protocol))
		json_uint(w, "port", f->port[side]);
	else
		json_null(w, "port");
	put_text(w, "name", name);
	put_mac(w, "mac", f->mac[side], memcmp(f->mac[side], none, sizeof(none)) != 0);
	json_object_end(w);
}

static void
put_milliseconds(struct json_writer *w, const char *key, uint32_t us)
{
	if (us > 0)
		json_time_ns(w, key, (int64_t)us * 1000000); /* thousandths, exactly: as a time is written */
	else
		json_null(w, key);
}

static void
put_tcp(struct json_writer *w, const struct rec_flow *f)
{
	const struct flow_tcp *t = &f->tcp;

	if (f->protocol != 6) {
		json_null(w, "tcp");
		return;
	}
	json_object(w, "tcp");
	put_pair(w, "flags", t->flags[CLIENT], t->flags[SERVER]);
	put_pair(w, "retransmissions", t->retransmissions[CLIENT], t->retransmissions[SERVER]);
	put_pair(w, "out_of_order", t->out_of_order[CLIENT], t->out_of_order[SERVER]);
	put_pair(w, "lost", t->lost[CLIENT], t->lost[SERVER]);
	put_pair(w, "zero_windows", t->zero_windows[CLIENT], t->zero_windows[SERVER]);
	json_object(w, "handshake_ms");
	put_milliseconds(w, "client", t->handshake_us[CLIENT]);
	put_milliseconds(w, "server", t->handshake_us[SERVER]);
	json_object_end(w);
	json_object_end(w);
}

/* Of a direction without packets nothing is known. */
static void
put_ttl(struct json_writer *w, const char *key, const struct rec_flow *f, enum side side)
{
	if (f->ttl_min[side] > f->ttl_max[side]) {
		json_null(w, key);
		return;
	}
	json_object(w, key);
	json_uint(w, "min", f->ttl_min[side]);
	json_uint(w, "max", f->ttl_max[side]);
	json_object_end(w);
}

static void
put_headers(struct json_writer *w, const struct rec_flow *f)
{
	json_object(w, "ttl");
	put_ttl(w, "sent", f, CLIENT);
	put_ttl(w, "received", f, SERVER);
	json_object_end(w);
	put_pair(w, "dscp", f->dscp[CLIENT], f->dscp[SERVER]);
	if (f->protocol != 1 && f->protocol != 58) {
		json_null(w, "icmp");
		return;
	}
	json_object(w, "icmp");
	json_uint(w, "type", f->icmp_type);
	json_uint(w, "code", f->icmp_code);
	json_object_end(w);
}

static void
put_attribute(struct json_writer *w, const struct attribute_value *v)
{
	if (v->row->kind == ATTRIBUTE_TEXT)
		json_string_n(w, v->row->key, v->text, v->len);
	else
		json_uint(w, v->row->key, v->number);
}

/* An object for each group of attribute.def, with all its keys; null where nothing of the group is known. */
static void
put_attributes(struct json_writer *w, const struct row_text *t)
{
	struct rcur list = rcur_of(t->s, t->len);
	struct attribute_value v;
	uint8_t before = 0;
	bool more = t->len > 0 && attribute_next(&list, &before, &v) == 1;

	for (size_t i = 0; i < attribute_count;) {
		const char *group = attribute_rows[i].group;
		bool known = more && strcmp(v.row->group, group) == 0;

		if (known)
			json_object(w, group);
		else
			json_null(w, group);
		for (; i < attribute_count && strcmp(attribute_rows[i].group, group) == 0; i++) {
			if (!known)
				continue;
			if (!more || v.row != &attribute_rows[i]) {
				json_null(w, attribute_rows[i].key);
				continue;
			}
			put_attribute(w, &v);
			more = attribute_next(&list, &before, &v) == 1;
		}
		if (known)
			json_object_end(w);
	}
}

static const char *
tunnel_name(uint8_t tunnel)
{
	static const char *const names[] = {
		[TUNNEL_NONE] = NULL,       [TUNNEL_IPIP] = "IPIP",       [TUNNEL_6IN4] = "6in4",
		[TUNNEL_GRE] = "GRE",       [TUNNEL_VXLAN] = "VXLAN",     [TUNNEL_GENEVE] = "GENEVE",
		[TUNNEL_GTPU] = "GTP-U",    [TUNNEL_L2TP] = "L2TP",       [TUNNEL_TEREDO] = "Teredo",
		[TUNNEL_CAPWAP] = "CAPWAP", [TUNNEL_MPLS] = "MPLS",       [TUNNEL_PPPOE] = "PPPoE",
		[TUNNEL_ERSPAN] = "ERSPAN", [TUNNEL_4IN6] = "4in6",       [TUNNEL_6IN6] = "6in6",
		[TUNNEL_PPTP] = "PPTP",     [TUNNEL_ETHERIP] = "EtherIP", [TUNNEL_AYIYA] = "AYIYA",
		[TUNNEL_PBB] = "MAC-in-MAC"
	};
	static_assert(ARRAY_LEN(names) == TUNNEL_COUNT, "name every tunnel");

	return tunnel < ARRAY_LEN(names) ? names[tunnel] : NULL;
}

static void
put_flow_identity(struct json_writer *w, const struct row *r)
{
	const struct rec_flow *f = &r->flow.flow;
	char id[33], protocol[8];

	json_string(w, "id", flow_id_format(&f->id, id));
	json_uint(w, "slice", f->slice);
	put_time(w, "first", f->first_ns);
	put_time(w, "last", f->last_ns);
	put_text(w, "observation_point", &r->text[FLOW_TEXT_POINT]);
	json_uint(w, "address_space", f->space);
	json_array(w, "vlan");
	for (size_t i = 0; i < FLOW_VLANS && f->vlan[i] != 0; i++)
		json_uint(w, NULL, f->vlan[i]);
	json_array_end(w);
	json_string(w, "tunnel", tunnel_name(f->tunnel));
	json_string(w, "protocol", protocol_name(f->protocol, protocol));
	put_end(w, "client", &r->flow, CLIENT, &r->text[FLOW_TEXT_CLIENT_NAME]);
	put_end(w, "server", &r->flow, SERVER, &r->text[FLOW_TEXT_SERVER_HOST]);
}

void
present_flow(struct json_writer *w, const char *key, const struct row *r)
{
	const struct rec_flow *f = &r->flow.flow;

	json_object(w, key);
	put_flow_identity(w, r);
	put_text(w, "application", &r->text[FLOW_TEXT_APPLICATION]);
	put_text(w, "category", &r->text[FLOW_TEXT_CATEGORY]);
	json_string(w, "breed", breed_name(f->breed));
	json_string(w, "confidence", confidence_name(f->confidence));
	put_text(w, "server_name", &r->text[FLOW_TEXT_SERVER_NAME]);
	put_text(w, "info", &r->text[FLOW_TEXT_INFO]);
	put_pair(w, "bytes", f->count.bytes[CLIENT], f->count.bytes[SERVER]);
	put_pair(w, "packets", f->count.packets[CLIENT], f->count.packets[SERVER]);
	put_pair(w, "goodput", f->count.payload[CLIENT], f->count.payload[SERVER]);
	put_pair(w, "bytes_per_second", r->flow.bytes_per_s[CLIENT], r->flow.bytes_per_s[SERVER]);
	put_tcp(w, f);
	put_milliseconds(w, "application_latency_ms", f->latency_us);
	put_headers(w, f);
	put_attributes(w, &r->text[FLOW_TEXT_ATTRIBUTES]);
	put_list(w, "risks", &r->text[FLOW_TEXT_RISKS]);
	json_uint(w, "score", f->score);
	json_string(w, "state", flow_state_name(f->state));
	json_string(w, "end_reason", end_reason_name(f->end_reason));
	json_bool(w, "live", r->flow.live != 0);
	json_object_end(w);
}

void
present_application(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_application *a = &r->application;

	json_object(w, key);
	put_text(w, "name", &r->text[APPLICATION_TEXT_NAME]);
	put_text(w, "category", &r->text[APPLICATION_TEXT_CATEGORY]);
	json_uint(w, "bytes", a->bytes);
	json_uint(w, "packets", a->packets);
	json_uint(w, "flows", a->flows);
	json_uint(w, "bytes_per_second", a->bytes_per_s);
	json_object_end(w);
}

/* An address, or the network that it is shown as. */
static void
put_network(struct json_writer *w, const char *key, const struct group_key *k)
{
	static const struct ip_addr none;
	const unsigned all = ip_is_v4(&k->ip) ? 32 : 128;
	char text[IP_TEXT_MAX], network[IP_TEXT_MAX + 5];

	ip_format(&k->ip, text);
	(void)snprintf(network, sizeof(network), k->bits < all ? "%s/%u" : "%s", text, k->bits);
	json_string(w, key, k->bits == 0 || ip_equal(&k->ip, &none) ? NULL : network);
}

static void
put_named(struct json_writer *w, const char *key, const struct group_key *k, const struct row_text *t)
{
	json_object(w, key);
	json_uint(w, "number", k->number);
	put_text(w, "name", t);
	json_object_end(w);
}

static void
put_group_key(struct json_writer *w, const struct group_key *k, const struct row_text *t)
{
	const struct dimension_row *d = &dimension_rows[k->dimension];
	const uint8_t number = (uint8_t)k->number;
	const uint8_t mac[6] = { (uint8_t)(k->number >> 40), (uint8_t)(k->number >> 32),
				 (uint8_t)(k->number >> 24), (uint8_t)(k->number >> 16),
				 (uint8_t)(k->number >> 8),  (uint8_t)k->number };
	char text[8];

	switch ((enum dimension_type)d->type) {
	case DIMENSION_TYPE_ADDRESS:
		put_network(w, d->word, k);
		break;
	case DIMENSION_TYPE_MAC:
		put_mac(w, d->word, mac, k->number != 0);
		break;
	case DIMENSION_TYPE_NUMBER:
		json_uint(w, d->word, k->number);
		break;
	case DIMENSION_TYPE_NAMED:
		put_named(w, d->word, k, t);
		break;
	case DIMENSION_TYPE_NAME:
		put_text(w, d->word, t);
		break;
	case DIMENSION_TYPE_PROTOCOL:
		json_string(w, d->word, protocol_name(number, text));
		break;
	case DIMENSION_TYPE_STATE:
		json_string(w, d->word, flow_state_name(number));
		break;
	case DIMENSION_TYPE_END_REASON:
		json_string(w, d->word, end_reason_name(number));
		break;
	case DIMENSION_TYPE_BREED:
		json_string(w, d->word, breed_name(number));
		break;
	}
}

static void
put_buckets(struct json_writer *w, const struct row_text *t)
{
	struct rcur c = rcur_of(t->s, t->len);
	struct group_bucket b;

	json_array(w, "buckets");
	while (rcur_left(&c) > 0 && rcur_copy(&c, &b, sizeof(b))) {
		json_array(w, NULL);
		json_time_ns(w, NULL, b.time_ns);
		json_uint(w, NULL, b.value);
		json_array_end(w);
	}
	json_array_end(w);
}

void
present_group(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_group *g = &r->group;

	json_object(w, key);
	if (g->what == GROUP_ONE) {
		json_object(w, "group");
		for (size_t i = 0; i < GROUP_DIMENSIONS_MAX; i++)
			if (g->key[i].dimension != DIMENSION_NONE)
				put_group_key(w, &g->key[i], &r->text[i]);
		json_object_end(w);
	} else {
		json_uint(w, "groups", g->groups);
	}
	for (unsigned i = 0; i < MEASURE_COUNT; i++)
		if (g->measures & MEASURE_BIT(i))
			json_uint(w, measure_rows[i].word, g->value[i]);
	put_buckets(w, &r->text[GROUP_TEXT_BUCKETS]);
	json_object_end(w);
}

/* Of flows it is not known. */
static void
put_most(struct json_writer *w, const struct row_series *s, uint64_t most)
{
	if (s->finest_s == 0)
		json_null(w, NULL);
	else
		json_uint(w, NULL, most);
}

void
present_series_point(struct json_writer *w, const struct row *r)
{
	const struct row_series *s = &r->series;

	json_array(w, NULL);
	json_time_ns(w, NULL, s->time_ns);
	json_uint(w, NULL, s->bytes);
	json_uint(w, NULL, s->packets);
	put_most(w, s, s->bytes_max);
	put_most(w, s, s->packets_max);
	put_most(w, s, s->flows_max);
	json_uint(w, NULL, s->in_bytes);
	json_uint(w, NULL, s->out_bytes);
	json_uint(w, NULL, s->in_packets);
	json_uint(w, NULL, s->out_packets);
	json_array_end(w);
}

static void
put_in_out(struct json_writer *w, const char *key, uint64_t in, uint64_t out)
{
	json_object(w, key);
	json_uint(w, "in", in);
	json_uint(w, "out", out);
	json_object_end(w);
}

void
present_series_of(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_series_of *s = &r->series_of;

	json_object(w, key);
	put_text(w, "key", &r->text[SERIES_OF_TEXT_KEY]);
	json_uint(w, "vlan", s->vlan);
	json_uint(w, "address_space", s->space);
	put_in_out(w, "bytes", s->in_bytes, s->out_bytes);
	put_in_out(w, "packets", s->in_packets, s->out_packets);
	put_time(w, "last", s->last_ns);
	json_object_end(w);
}

static void
put_sum(struct json_writer *w, const struct row *r)
{
	const struct row_series_of *s = &r->series_of;

	put_text(w, "key", &r->text[SERIES_OF_TEXT_KEY]);
	put_in_out(w, "bytes", s->in_bytes, s->out_bytes);
	put_in_out(w, "packets", s->in_packets, s->out_packets);
	put_in_out(w, "bytes_per_second", s->in_bytes_per_s, s->out_bytes_per_s);
	put_time(w, "last", s->last_ns);
}

void
present_series_sum(struct json_writer *w, const char *key, const struct row *r)
{
	json_object(w, key);
	put_sum(w, r);
	json_object_end(w);
}

void
present_as(struct json_writer *w, const char *key, const struct row *r)
{
	json_object(w, key);
	put_sum(w, r);
	put_text(w, "name", &r->text[SERIES_OF_TEXT_NAME]);
	json_object_end(w);
}

void
present_counter(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_counter *c = &r->counter;

	json_object(w, key);
	put_text(w, c->class_ == COUNTER_UNDECODED ? "reason" : "place", &r->text[COUNTER_TEXT_NAME]);
	put_text(w, "interface", &r->text[COUNTER_TEXT_POINT]);
	if (c->worker == UINT32_MAX)
		json_null(w, "worker");
	else
		json_uint(w, "worker", c->worker);
	json_uint(w, "count", c->count);
	json_object_end(w);
}

void
present_component(struct json_writer *w, const char *key, const struct wire_component *c)
{
	const char *process = proc_name((enum proc)c->proc);
	char name[32];

	(void)snprintf(name, sizeof(name), "%s@%u", process, c->instance);
	json_object(w, key);
	json_string(w, "name", name);
	json_string(w, "process", process);
	json_uint(w, "instance", c->instance);
	json_string(w, "state", component_state_name(c->state));
	put_time(w, "since", c->since_ns);
	json_uint(w, "restarts", c->restarts);
	put_time(w, "last_death", c->died_ns);
	json_string(w, "why", c->why[0] != '\0' ? c->why : NULL);
	json_string(w, "interface", c->point[0] != '\0' ? c->point : NULL);
	json_string(w, "warning", component_warning_text(c->warning));
	json_object_end(w);
}
