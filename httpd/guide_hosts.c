/* get/host/active: hosts by page, sorted and filtered as ntopng does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "guide_list.h"
#include "guide_shape.h"

enum mode { MODE_ALL, MODE_LOCAL, MODE_REMOTE, MODE_NONE };

/* -1: any. */
struct host_filter {
	enum mode mode;
	int64_t version, vlan, asn, os;
	char country[3], mac[MAC_TEXT_MAX];
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
wants(void *filter, const struct row *r)
{
	const struct host_filter *f = filter;
	const struct row_host *h = &r->host;
	char mac[MAC_TEXT_MAX];

	if (f->mode == MODE_NONE || (f->mode == MODE_LOCAL && h->local == 0) ||
	    (f->mode == MODE_REMOTE && h->local != 0))
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
		      { "blacklisted", MODE_NONE } };

	if (p->value[GUIDE_MODE] == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(modes[i].name, p->value[GUIDE_MODE]) == 0) {
			f->mode = modes[i].mode;
			return true;
		}
	return refuse(err, GUIDE_MODE, "is not all, local, remote or blacklisted");
}

static bool
read_texts(const struct guide_params *p, struct host_filter *f, char *err)
{
	/* Numbers that ntopng gives to what Weir has not: nothing can have them. */
	static const enum guide_param unknown[] = { GUIDE_NETWORK, GUIDE_POOL, GUIDE_PROTOCOL };

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		if (p->value[unknown[i]] != NULL)
			return refuse(err, unknown[i], "hosts are not filtered by it here");
	if (p->value[GUIDE_COUNTRY] != NULL &&
	    !str_copy(f->country, sizeof(f->country), p->value[GUIDE_COUNTRY]))
		return refuse(err, GUIDE_COUNTRY, "is not a country of two letters");
	if (p->value[GUIDE_MAC] != NULL && !str_copy(f->mac, sizeof(f->mac), p->value[GUIDE_MAC]))
		return refuse(err, GUIDE_MAC, "is not a MAC address");
	f->has_cidr = p->value[GUIDE_CIDR] != NULL;
	if (f->has_cidr && !prefix_parse(p->value[GUIDE_CIDR], &f->cidr))
		return refuse(err, GUIDE_CIDR, "is not a network");
	return read_mode(p, f, err);
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
	       f->country[0] != '\0' || f->mac[0] != '\0' || f->has_cidr;
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
