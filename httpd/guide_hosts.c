/* get/host/active: hosts by page, sorted and filtered as ntopng does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "guide_list.h"
#include "guide_shape.h"
#include "guide_slices.h"

enum mode { MODE_ALL, MODE_LOCAL, MODE_REMOTE, MODE_DHCP, MODE_NONE };

/* -1: any. */
struct host_filter {
	enum mode mode;
	int64_t version, vlan, asn, os;
	char country[3], mac[MAC_TEXT_MAX], application[GUIDE_LABEL_BYTES];
	bool has_cidr;
	struct ip_prefix cidr;
};

/* --- orders
 * ----------------------------------------------------------------------------------------------------- */

static int
by_ip(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return memcmp(x->host.ip.b, y->host.ip.b, sizeof(x->host.ip.b));
}

static int
by_name(const void *a, const void *b)
{
	char x[GUIDE_NAME_MAX], y[GUIDE_NAME_MAX];
	int order = strcasecmp(guide_host_name(a, x), guide_host_name(b, y));

	return order != 0 ? order : by_ip(a, b);
}

static int
by_country(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = memcmp(x->host.country, y->host.country, sizeof(x->host.country));

	return order != 0 ? order : by_ip(a, b);
}

static int
by_vlan(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = (x->host.vlan > y->host.vlan) - (x->host.vlan < y->host.vlan);

	return order != 0 ? order : by_ip(a, b);
}

/* No host has an alert: they are all alike. */
static const struct guide_column columns[] = {
	{ "traffic", SORT_BYTES, NULL },       { "bytes", SORT_BYTES, NULL },
	{ "alerts", SORT_BYTES, NULL },        { "thpt", SORT_RATE, NULL },
	{ "num_flows", SORT_FLOWS, NULL },     { "since", SORT_FIRST, NULL },
	{ "first_seen", SORT_FIRST, NULL },    { "last", SORT_LAST, NULL },
	{ "last_seen", SORT_LAST, NULL },      { "score", SORT_SCORE, NULL },
	{ "ip", SORT_BYTES, by_ip },           { "name", SORT_BYTES, by_name },
	{ "country", SORT_BYTES, by_country }, { "vlan", SORT_BYTES, by_vlan },
	{ NULL, SORT_DEFAULT, NULL },
};

/* --- filters
 * ---------------------------------------------------------------------------------------------------- */

static bool
is_number(int64_t wanted, int64_t is)
{
	return wanted == -1 || wanted == is;
}

static bool
is_part(const char *s, size_t len, const char *wanted)
{
	return len == strlen(wanted) && strncasecmp(s, wanted, len) == 0;
}

/* Whether it is among the host's largest applications, by its whole name or a part of it. */
static bool
has_application(const struct row *r, const char *wanted)
{
	const char *at = r->text[HOST_TEXT_APPLICATIONS].s;
	size_t left = r->text[HOST_TEXT_APPLICATIONS].len;

	while (left > 0) {
		const char *comma = memchr(at, ',', left);
		size_t len = comma == NULL ? left : (size_t)(comma - at);
		const char *dot = memchr(at, '.', len);
		size_t first = dot == NULL ? len : (size_t)(dot - at);

		if (is_part(at, len, wanted) || is_part(at, first, wanted) ||
		    (dot != NULL && is_part(dot + 1, len - first - 1, wanted)))
			return true;
		at += len + (comma != NULL);
		left -= len + (comma != NULL);
	}
	return false;
}

static bool
has_dhcp(const struct row_host *h)
{
	for (size_t i = 0; i < ARRAY_LEN(h->name_source); i++)
		if (h->name_source[i] == HOST_NAME_DHCP)
			return true;
	return false;
}

static bool
is_of_mode(enum mode mode, const struct row_host *h)
{
	switch (mode) {
	case MODE_LOCAL:
		return h->local != 0;
	case MODE_REMOTE:
		return h->local == 0;
	case MODE_DHCP:
		return has_dhcp(h);
	case MODE_NONE:
		return false;
	case MODE_ALL:
		break;
	}
	return true;
}

static bool
wants(void *filter, const struct row *r)
{
	const struct host_filter *f = filter;
	const struct row_host *h = &r->host;
	char mac[MAC_TEXT_MAX];

	if (!is_of_mode(f->mode, h) || (f->application[0] != '\0' && !has_application(r, f->application)))
		return false;
	if (f->country[0] != '\0' && strncasecmp(f->country, h->country, sizeof(h->country)) != 0)
		return false;
	if (f->mac[0] != '\0' && (h->has_mac == 0 || strcasecmp(f->mac, mac_format(h->mac, mac)) != 0))
		return false;
	if (f->has_cidr && !prefix_contains(&f->cidr, &h->ip))
		return false;
	return is_number(f->version, ip_is_v4(&h->ip) ? 4 : 6) && is_number(f->vlan, h->vlan) &&
	       is_number(f->asn, h->as_number) && is_number(f->os, guide_os(r));
}

static bool
refuse(char *err, enum guide_param which, const char *why)
{
	(void)snprintf(err, GUIDE_ERROR_MAX, "%s: %s", guide_param_name(which), why);
	return false;
}

static bool
read_mode(const struct guide_params *p, struct host_filter *f, char *err)
{
	static const struct {
		const char *name;
		enum mode mode;
	} modes[] = { { "all", MODE_ALL },
		      { "local", MODE_LOCAL },
		      { "remote", MODE_REMOTE },
		      { "dhcp", MODE_DHCP },
		      { "blacklisted", MODE_NONE },
		      { "filtered", MODE_NONE },
		      { "broadcast_domain", MODE_NONE } };

	if (p->value[GUIDE_MODE] == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(modes[i].name, p->value[GUIDE_MODE]) == 0) {
			f->mode = modes[i].mode;
			return true;
		}
	return refuse(err, GUIDE_MODE,
		      "is not all, local, remote, dhcp, blacklisted, filtered or broadcast_domain");
}

static bool
read_cidr(const struct guide_params *p, enum guide_param which, struct host_filter *f, char *err)
{
	if (f->has_cidr)
		return refuse(err, which, "network and network_cidr are the same");
	f->has_cidr = prefix_parse(p->value[which], &f->cidr);
	return f->has_cidr || refuse(err, which, "is not a network");
}

/* ntopng numbers its networks, -1 being all that is remote; here a network is called by its addresses. */
static bool
read_network(const struct guide_params *p, struct host_filter *f, char *err)
{
	const char *network = p->value[GUIDE_NETWORK];

	if (network != NULL && strcmp(network, "-1") == 0)
		f->mode = f->mode == MODE_LOCAL ? MODE_NONE : MODE_REMOTE;
	else if (network != NULL && !read_cidr(p, GUIDE_NETWORK, f, err))
		return false;
	return p->value[GUIDE_CIDR] == NULL || read_cidr(p, GUIDE_CIDR, f, err);
}

/* Hosts are in no pools, which ntopng calls pool 0. */
static bool
read_pool(const struct guide_params *p, struct host_filter *f, char *err)
{
	int64_t pool = 0;

	if (!guide_number(p, GUIDE_POOL, 0, UINT16_MAX, &pool, err))
		return false;
	if (pool != 0)
		f->mode = MODE_NONE;
	return true;
}

static bool
read_texts(const struct guide_params *p, struct host_filter *f, char *err)
{
	if (p->value[GUIDE_COUNTRY] != NULL &&
	    !str_copy(f->country, sizeof(f->country), p->value[GUIDE_COUNTRY]))
		return refuse(err, GUIDE_COUNTRY, "is not a country of two letters");
	if (p->value[GUIDE_MAC] != NULL && !str_copy(f->mac, sizeof(f->mac), p->value[GUIDE_MAC]))
		return refuse(err, GUIDE_MAC, "is not a MAC address");
	if (p->value[GUIDE_PROTOCOL] != NULL &&
	    !str_copy(f->application, sizeof(f->application), p->value[GUIDE_PROTOCOL]))
		return refuse(err, GUIDE_PROTOCOL, "is not the name of an application");
	return read_mode(p, f, err) && read_network(p, f, err) && read_pool(p, f, err);
}

static bool
read_filter(const struct guide_params *p, struct host_filter *f, char *err)
{
	f->version = f->vlan = f->asn = f->os = -1;
	return guide_number(p, GUIDE_VERSION, 4, 6, &f->version, err) &&
	       guide_number(p, GUIDE_VLAN, 0, 4095, &f->vlan, err) &&
	       guide_number(p, GUIDE_ASN, 0, UINT32_MAX, &f->asn, err) &&
	       guide_number(p, GUIDE_OS, 0, 255, &f->os, err) && read_texts(p, f, err);
}

static bool
narrows(const struct host_filter *f)
{
	return f->mode != MODE_ALL || f->version != -1 || f->vlan != -1 || f->asn != -1 || f->os != -1 ||
	       f->country[0] != '\0' || f->mac[0] != '\0' || f->application[0] != '\0' || f->has_cidr;
}

/* --- the list
 * --------------------------------------------------------------------------------------------------- */

static void
put(struct json_writer *w, const struct guide *g, const struct row *r)
{
	(void)g;
	guide_put_host(w, r);
}

static uint64_t
count(const struct row_point *p)
{
	return p->hosts;
}

void
guide_hosts(struct guide *g)
{
	static const struct guide_list_kind kind = { ASK_HOSTS, columns, wants, NULL, put, count };
	struct host_filter *f = mem_calloc(1, sizeof(*f));
	char err[GUIDE_ERROR_MAX];

	if (read_filter(&g->p, f, err)) {
		guide_list_begin(g, &kind, f, narrows(f));
	} else {
		free(f);
		guide_fail(g, GUIDE_INVALID_ARGUMENTS, err);
	}
}
