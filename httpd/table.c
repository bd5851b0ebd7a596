#include "table.h"

#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "ipc/wire.h"
#include "present/present.h"
#include "text.h"

/* --- store's
 * ------------------------------------------------------------------------------------------------------------
 */

/* A point with names, in the place of a list's order. */
static void
present_point(struct json_writer *w, const char *key, const struct row *r)
{
	const struct row_series *s = &r->series;

	json_object(w, key);
	json_time_ns(w, "time", s->time_ns);
	json_uint(w, "bytes", s->bytes);
	json_uint(w, "packets", s->packets);
	json_uint(w, "bytes_max", s->bytes_max);
	json_uint(w, "packets_max", s->packets_max);
	json_uint(w, "flows_max", s->flows_max);
	json_uint(w, "bytes_in", s->in_bytes);
	json_uint(w, "bytes_out", s->out_bytes);
	json_uint(w, "packets_in", s->in_packets);
	json_uint(w, "packets_out", s->out_packets);
	json_object_end(w);
}

/* Sums of all and of the rest are no rows of the table. */
static bool
is_group(const struct row *r)
{
	return r->group.what == GROUP_ONE;
}

const struct table table_interfaces = {
	"interfaces",
	"id name kind state address_space bytes packets bytes_per_second packets_per_second dropped flows "
	"hosts first last speed_bps",
	present_interface, NULL
};

const struct table table_hosts = {
	"hosts",
	"ip vlan address_space mac vendor names name_sources local country city as.number as.name os "
	"bytes.sent bytes.received packets.sent packets.received bytes_per_second.sent "
	"bytes_per_second.received "
	"flows.client flows.server active_flows.client active_flows.server applications application_traffic "
	"peers ports.served ports.used tcp.retransmissions.sent tcp.retransmissions.received "
	"tcp.out_of_order.sent tcp.out_of_order.received tcp.lost.sent tcp.lost.received "
	"tcp.zero_windows.sent tcp.zero_windows.received tcp.resets tcp.handshake_ms score risks first last",
	present_host, NULL
};

const struct table table_devices = {
	"devices",
	"mac vendor observation_point address_space vlan ips bytes.sent bytes.received packets.sent "
	"packets.received arp.requests arp.replies first last",
	present_device, NULL
};

const struct table table_flows = {
	"flows",
	"id slice first last observation_point address_space vlan tunnel protocol client.ip client.port "
	"client.name client.mac server.ip server.port server.name server.mac application category breed "
	"confidence server_name info bytes.sent bytes.received packets.sent packets.received goodput.sent "
	"goodput.received bytes_per_second.sent bytes_per_second.received tcp.flags.sent tcp.flags.received "
	"tcp.retransmissions.sent tcp.retransmissions.received tcp.out_of_order.sent "
	"tcp.out_of_order.received tcp.lost.sent tcp.lost.received tcp.zero_windows.sent "
	"tcp.zero_windows.received tcp.handshake_ms.client tcp.handshake_ms.server application_latency_ms "
	"ttl.sent.min ttl.sent.max ttl.received.min ttl.received.max dscp.sent dscp.received icmp.type "
	"icmp.code "
	"tls.version tls.cipher tls.alpn tls.ja3_client tls.ja3_server tls.ja4_client tls.issuer tls.subject "
	"tls.not_before tls.not_after tls.fingerprint_sha1 tls.supported_versions tls.certificate_names "
	"http.method http.status http.url http.user_agent http.content_type http.request_content_type "
	"dns.query dns.query_type dns.answer dns.rcode ssh.client ssh.server ssh.hassh_client "
	"ssh.hassh_server "
	"dhcp.fingerprint dhcp.class dhcp.name risks score state end_reason live",
	present_flow, NULL
};

const struct table table_groups = { "groups", NULL, present_group, is_group };

const struct table table_applications = { "applications",
					  "name category bytes packets flows bytes_per_second",
					  present_application, NULL };

const struct table table_series = {
	"series",
	"time bytes packets bytes_max packets_max flows_max bytes_in bytes_out packets_in packets_out",
	present_point, NULL
};

const struct table table_subjects = { "subjects",
				      "key vlan address_space bytes.in bytes.out packets.in packets.out last",
				      present_series_of, NULL };

const struct table table_networks = {
	"networks",
	"key bytes.in bytes.out packets.in packets.out bytes_per_second.in bytes_per_second.out last",
	present_series_sum, NULL
};

const struct table table_countries = {
	"countries",
	"key bytes.in bytes.out packets.in packets.out bytes_per_second.in bytes_per_second.out last",
	present_series_sum, NULL
};

const struct table table_categories = {
	"categories",
	"key bytes.in bytes.out packets.in packets.out bytes_per_second.in bytes_per_second.out last",
	present_series_sum, NULL
};

const struct table table_as = {
	"as",
	"key bytes.in bytes.out packets.in packets.out bytes_per_second.in bytes_per_second.out last name",
	present_as, NULL
};

/* Nothing raises alerts yet: the sums that are asked for in their place are none. */
static bool
is_alert(const struct row *r)
{
	(void)r;
	return false;
}

const struct table table_alerts = {
	"alerts",
	"id time released severity type status score entity.kind entity.key text flow host.ip host.vlan "
	"host.address_space",
	NULL, is_alert
};

static void
add_column(struct text *out, const char *first, const char *second)
{
	if (out->len > 0)
		text_add(out, " ", 1);
	text_add(out, first, strlen(first));
	text_add(out, second, strlen(second));
}

void
table_group_columns(const struct wire_grouping *by, struct text *out)
{
	char name[64];

	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX && by->dimension[i] != DIMENSION_NONE; i++) {
		const struct dimension_row *d = &dimension_rows[by->dimension[i]];

		(void)str_copy(name, sizeof(name), d->word);
		if (d->type == DIMENSION_TYPE_NAMED) {
			add_column(out, "group.", name);
			text_add(out, ".number", 7);
			add_column(out, "group.", name);
			text_add(out, ".name", 5);
		} else
			add_column(out, "group.", name);
	}
	for (unsigned i = 0; i < MEASURE_COUNT; i++)
		if (i == by->measure || (by->measures & MEASURE_BIT(i)) != 0)
			add_column(out, measure_rows[i].word, "");
	if (by->bucket_s != 0)
		add_column(out, "buckets", "");
	text_add(out, "", 1);
}

/* --- authd's
 * ------------------------------------------------------------------------------------------------------------
 */

static const struct {
	const char *op, *member;
	bool whole;
	struct table table;
} lists[] = {
	{ "tenant.list",
	  "tenants",
	  false,
	  { "tenants",
	    "name title selectors address_spaces quotas.flows_per_s quotas.stored_bytes quotas.retention "
	    "quotas.series quotas.keep_minutes quotas.keep_five_minutes quotas.keep_hours quotas.keep_days",
	    NULL, NULL } },
	{ "user.list",
	  "users",
	  false,
	  { "users",
	    "name kind title access groups disabled provider second_factor created last_login.time "
	    "last_login.address "
	    "failed_logins",
	    NULL, NULL } },
	{ "group.list", "groups", false, { "groups", "name title members access", NULL, NULL } },
	{ "session.list",
	  "sessions",
	  false,
	  { "sessions", "id user created last_seen expires address agent current", NULL, NULL } },
	{ "token.list",
	  "tokens",
	  false,
	  { "tokens",
	    "id owner label tenant role scopes interfaces exporters networks masked expires sources created "
	    "last_used.time last_used.address",
	    NULL, NULL } },
	{ "audit.list",
	  "entries",
	  false,
	  { "audit", "sequence time kind outcome actor address credential tenant subject detail", NULL,
	    NULL } },
	{ "label.list", "labels", true, { "labels", "kind key vlan address_space label", NULL, NULL } },
	{ "setting.list",
	  "settings",
	  true,
	  { "settings", "key value default unit min max help", NULL, NULL } },
};

const struct table *
table_of_operation(const char *op, const char **member, bool *whole)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(lists[i].op, op) == 0) {
			*member = lists[i].member;
			*whole = lists[i].whole;
			return &lists[i].table;
		}
	return NULL;
}
