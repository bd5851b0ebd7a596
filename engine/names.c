/* Which packets tell names, and what is believed of them. */
#include "names.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "dhcp.h"
#include "dns.h"
#include "engine.h"
#include "netbios.h"

#define DHCP_WAIT_NS (30 * NS_PER_S) /* for the answer to a request */

struct telling {
	struct engine *e;
	const struct point *p;
	const struct packet *k;
	enum host_name_source source;
};

/* Addresses that name nobody: 0.0.0.0 (a blocked name), 127.0.0.0/8, ::, ::1, groups. */
static bool
names_nobody(const struct ip_addr *ip)
{
	static const struct ip_addr none, self = { { [15] = 1 } };

	if (ip_is_v4(ip))
		return ip->b[12] == 0 || ip->b[12] == 127 || ip_is_multicast_or_broadcast(ip);
	return ip_equal(ip, &none) || ip_equal(ip, &self) || ip_is_multicast_or_broadcast(ip);
}

static void
found(void *ctx, const struct ip_addr *ip, const char *name, size_t len)
{
	const struct telling *t = ctx;

	if (!names_nobody(ip))
		hosts_learn(t->e, t->p, t->source, ip, t->k->key.vlan[0], &t->k->key.ip[t->k->swapped],
			    &t->k->key.ip[!t->k->swapped], name, len);
}

/* --- DHCP: the client says its name, the server's answer says its address
 * ---------------------------------------------------------------- */

static struct dhcp_asking *
asking_place(struct engine *e, const struct point *p, const struct dhcp_message *m)
{
	uint64_t mac = 0;

	memcpy(&mac, m->mac, sizeof(m->mac));
	return &e->dhcp[hash_mix(mac ^ e->seed[0], ((uint64_t)m->transaction << 8 | p->index) ^ e->seed[1]) %
			DHCP_ASKING];
}

static void
client_asks(struct engine *e, const struct point *p, const struct packet *k, const struct dhcp_message *m)
{
	struct dhcp_asking *a = asking_place(e, p, m);

	if (m->name_len == 0 || m->name_len > sizeof(a->name))
		return;
	*a = (struct dhcp_asking){ .time_ns = p->now_ns,
				   .transaction = m->transaction,
				   .point = (uint8_t)p->index,
				   .vlan = k->key.vlan[0],
				   .name_len = (uint8_t)m->name_len };
	memcpy(a->mac, m->mac, sizeof(a->mac));
	memcpy(a->name, m->name, m->name_len);
}

static void
server_gives(struct engine *e, const struct point *p, const struct packet *k, const struct dhcp_message *m)
{
	const struct dhcp_asking *a = asking_place(e, p, m);

	if (a->time_ns == 0 || p->now_ns - a->time_ns > DHCP_WAIT_NS || a->transaction != m->transaction ||
	    a->point != p->index || a->vlan != k->key.vlan[0] || memcmp(a->mac, m->mac, sizeof(a->mac)) != 0)
		return;
	/* The client's packets came from nowhere (0.0.0.0): what decides whose knowledge this is is the
	 * address it gets. */
	hosts_learn(e, p, HOST_NAME_DHCP, &m->ip, k->key.vlan[0], &m->ip, &k->key.ip[k->swapped], a->name,
		    a->name_len);
}

static void
read_dhcp(struct engine *e, const struct point *p, const struct packet *k)
{
	struct dhcp_message m;

	if (!dhcp_read(k->app, k->app_len, &m))
		return;
	if (m.kind == DHCP_ASKS)
		client_asks(e, p, k, &m);
	else if (m.kind == DHCP_GIVES && !names_nobody(&m.ip))
		server_gives(e, p, k, &m);
}

/* --- by port
 * ------------------------------------------------------------------------------------------------------------
 */

void
learn_names(struct engine *e, struct point *p, const struct packet *k)
{
	struct telling t = { e, p, k, HOST_NAME_DNS };
	const bool deaf = e->boot->settings.dns_mode == DNS_MODE_DEAF;

	switch (k->key.port[k->swapped]) {
	case PORT_DNS:
		if (!deaf)
			dns_read(k->app, k->app_len, false, found, &t);
		break;
	case PORT_MDNS:
	case PORT_LLMNR:
		t.source = HOST_NAME_MDNS;
		if (!deaf)
			dns_read(k->app, k->app_len, true, found, &t);
		break;
	case PORT_NETBIOS:
		t.source = HOST_NAME_NETBIOS;
		netbios_read(k->app, k->app_len, &k->key.ip[k->swapped], found, &t);
		break;
	default:
		read_dhcp(e, p, k);
		break;
	}
}
