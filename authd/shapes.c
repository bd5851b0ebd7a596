#include "shapes.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "narrowings.h"
#include "tenants.h"

/* Room for n things in the call's arena; NULL ends the call. */
static void *
room(struct admin_call *c, const struct fields *f, const char *key, size_t n, size_t size)
{
	void *p = arena_alloc(c->arena, (n + 1) * size);

	if (p == NULL)
		fields_wrong(f, key, "It is too long.");
	return p;
}

/* --- narrowings --- */

static void
read_interfaces(struct admin_call *c, const struct fields *f, struct narrowing *n)
{
	const struct json_node *list;
	char(*names)[64];

	if (!field_list(f, "interfaces", OPTIONAL, NARROWING_LIST_MAX, &list))
		return;
	n->ninterfaces = json_node_count(list);
	names = room(c, f, "interfaces", n->ninterfaces, sizeof(*names));
	for (size_t i = 0; names != NULL && i < n->ninterfaces; i++) {
		const char *name = element_text(f, "interfaces", list, i, sizeof(*names), interface_judge);

		if (name != NULL)
			(void)str_copy(names[i], sizeof(names[i]), name);
	}
	n->interfaces = (void *)names;
}

/* "192.0.2.1", or one of its interfaces: "192.0.2.1/7". */
static bool
parse_exporter(const char *text, struct exporter_ref *e)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_MAX] = "", *end;
	unsigned long number;

	memset(e, 0, sizeof(*e));
	if (slash == NULL)
		return ip_parse(text, &e->ip);
	if ((size_t)(slash - text) >= sizeof(address) || slash[1] < '0' || slash[1] > '9')
		return false;
	memcpy(address, text, (size_t)(slash - text));
	number = strtoul(slash + 1, &end, 10);
	e->has_interface = 1;
	e->interface = (uint32_t)number;
	return *end == '\0' && number <= UINT32_MAX && ip_parse(address, &e->ip);
}

static void
read_exporters(struct admin_call *c, const struct fields *f, struct narrowing *n)
{
	const struct json_node *list;
	struct exporter_ref *refs;

	if (!field_list(f, "exporters", OPTIONAL, NARROWING_LIST_MAX, &list))
		return;
	n->nexporters = json_node_count(list);
	refs = room(c, f, "exporters", n->nexporters, sizeof(*refs));
	for (size_t i = 0; refs != NULL && i < n->nexporters; i++) {
		const char *text = element_text(f, "exporters", list, i, 64, any_text);

		if (text != NULL && !parse_exporter(text, &refs[i]))
			fields_wrong_at(f, "exporters", i,
					"It is no exporter: write it as 192.0.2.1, or as 192.0.2.1/7 for its "
					"interface 7.");
	}
	n->exporters = refs;
}

static void
read_networks(struct admin_call *c, const struct fields *f, struct narrowing *n)
{
	const struct json_node *list;
	struct ip_prefix *networks;

	if (!field_list(f, "networks", OPTIONAL, NARROWING_LIST_MAX, &list))
		return;
	n->nnetworks = json_node_count(list);
	networks = room(c, f, "networks", n->nnetworks, sizeof(*networks));
	for (size_t i = 0; networks != NULL && i < n->nnetworks; i++)
		(void)element_prefix(f, "networks", list, i, &networks[i]);
	n->networks = networks;
}

void
shape_read_narrowing(struct admin_call *c, const struct fields *f, struct narrowing *n)
{
	memset(n, 0, sizeof(*n));
	read_interfaces(c, f, n);
	read_exporters(c, f, n);
	read_networks(c, f, n);
	(void)field_flag(f, "masked", &n->masked);
	if (!f->fault->set)
		narrowing_sort(n);
}

static void
write_exporter(struct json_writer *w, const struct exporter_ref *e)
{
	char address[IP_TEXT_MAX], text[IP_TEXT_MAX + 16];

	(void)ip_format(&e->ip, address);
	if (e->has_interface)
		(void)snprintf(text, sizeof(text), "%s/%u", address, e->interface);
	else
		(void)str_copy(text, sizeof(text), address);
	json_string(w, NULL, text);
}

void
shape_write_narrowing(struct json_writer *w, const struct narrowing *n)
{
	char prefix[PREFIX_TEXT_MAX];

	json_array(w, "interfaces");
	for (size_t i = 0; i < n->ninterfaces; i++)
		json_string(w, NULL, n->interfaces[i]);
	json_array_end(w);
	json_array(w, "exporters");
	for (size_t i = 0; i < n->nexporters; i++)
		write_exporter(w, &n->exporters[i]);
	json_array_end(w);
	json_array(w, "networks");
	for (size_t i = 0; i < n->nnetworks; i++)
		json_string(w, NULL, prefix_format(&n->networks[i], prefix));
	json_array_end(w);
	json_bool(w, "masked", n->masked);
}

/* --- accesses --- */

/* What the caller may not see is as good as none: one sentence for both. */
bool
shape_read_tenant(struct admin_call *c, const struct fields *f, const char *key, enum presence p,
		  uint32_t *number)
{
	char name[TENANT_NAME_MAX];

	if (!field_text(f, key, p, any_text, name, sizeof(name)))
		return false;
	*number = TENANT_PLATFORM;
	if (strcmp(name, "*") == 0)
		return true;
	*number = tenant_number(&c->x, name);
	if (*number == 0 || (!call_spans_tenants(c) && *number != c->grant.tenant)) {
		fields_wrong(f, key, "There is no such tenant.");
		return false;
	}
	return true;
}

bool
shape_read_role(const struct fields *f, const char *key, enum presence p, uint32_t *role)
{
	char name[40];

	if (!field_text(f, key, p, any_text, name, sizeof(name)))
		return false;
	*role = role_parse(name);
	if (*role == ROLE_NONE)
		fields_wrong(f, key,
			     "There is no such role: it is one of platform-administrator, auditor, "
			     "tenant-administrator, operator, viewer, limited-viewer.");
	return *role != ROLE_NONE;
}

bool
shape_read_accesses(struct admin_call *c, const struct fields *f, const char *key, struct accesses *out)
{
	static const char *const known[] = {
		"tenant", "role", "interfaces", "exporters", "networks", "masked"
	};
	const struct json_node *list;

	memset(out, 0, sizeof(*out));
	if (!field_list(f, key, OPTIONAL, ACCESSES_MAX, &list))
		return false;
	out->n = json_node_count(list);
	out->item = room(c, f, key, out->n, sizeof(*out->item));
	for (size_t i = 0; out->item != NULL && i < out->n && !f->fault->set; i++) {
		struct fields e = fields_element(f, key, list, i);
		struct access *a = &out->item[i];

		fields_only(&e, known, ARRAY_LEN(known));
		(void)shape_read_tenant(c, &e, "tenant", REQUIRED, &a->tenant);
		(void)shape_read_role(&e, "role", REQUIRED, &a->role);
		shape_read_narrowing(c, &e, &a->within);
	}
	return !f->fault->set;
}

void
shape_write_accesses(struct admin_call *c, const char *key, const struct accesses *a)
{
	char name[TENANT_NAME_MAX];

	json_array(c->w, key);
	for (size_t i = 0; i < a->n; i++) {
		json_object(c->w, NULL);
		tenant_name(&c->x, a->item[i].tenant, name);
		json_string(c->w, "tenant", name);
		json_string(c->w, "role", role_name((enum role)a->item[i].role));
		shape_write_narrowing(c->w, &a->item[i].within);
		json_object_end(c->w);
	}
	json_array_end(c->w);
}

/* --- tenants --- */

static void
read_selector(const struct fields *e, struct tenant_selector *s)
{
	static const char *const known[] = { "interface", "vlan", "exporter", "exporter_interface",
					     "network" };
	char text[PREFIX_TEXT_MAX];
	int64_t number;

	memset(s, 0, sizeof(*s));
	s->vlan = UINT32_MAX;
	fields_only(e, known, ARRAY_LEN(known));
	(void)field_text(e, "interface", OPTIONAL, interface_judge, s->point, sizeof(s->point));
	if (field_int(e, "vlan", OPTIONAL, 0, 4094, &number))
		s->vlan = (uint32_t)number;
	if (field_text(e, "exporter", OPTIONAL, any_text, text, sizeof(text))) {
		s->has_exporter = 1;
		if (!ip_parse(text, &s->exporter))
			fields_wrong(e, "exporter",
				     "It is no address: write it as 192.0.2.1 or 2001:db8::1.");
	}
	if (field_int(e, "exporter_interface", OPTIONAL, 0, UINT32_MAX, &number)) {
		s->has_interface = 1;
		s->interface = (uint32_t)number;
		if (!s->has_exporter)
			fields_wrong(e, "exporter_interface", "It needs an exporter beside it.");
	}
	if (field_text(e, "network", OPTIONAL, any_text, text, sizeof(text))) {
		s->has_network = 1;
		if (!prefix_parse(text, &s->network))
			fields_wrong(e, "network",
				     "It is no network: write it as 192.0.2.0/24 or 2001:db8::/32.");
	}
}

bool
shape_read_selectors(struct admin_call *c, const struct fields *f, struct tenant_record *t)
{
	const struct json_node *list;

	if (!field_list(f, "selectors", OPTIONAL, SELECTORS_MAX, &list))
		return false;
	t->nselectors = json_node_count(list);
	t->selectors = room(c, f, "selectors", t->nselectors, sizeof(*t->selectors));
	for (size_t i = 0; t->selectors != NULL && i < t->nselectors && !f->fault->set; i++) {
		struct fields e = fields_element(f, "selectors", list, i);

		read_selector(&e, &t->selectors[i]);
	}
	return !f->fault->set;
}

bool
shape_read_spaces(const struct fields *f, struct tenant *t)
{
	const struct json_node *list;
	int64_t number;

	if (!field_list(f, "address_spaces", OPTIONAL, TENANT_SPACES_MAX, &list))
		return false;
	t->nspaces = (uint32_t)json_node_count(list);
	for (uint32_t i = 0; i < t->nspaces; i++) {
		if (!json_node_int(json_node_at(list, i), &number) || number < 0 || number > UINT16_MAX)
			fields_wrong_at(f, "address_spaces", i, "It must be a whole number from 0 to 65535.");
		else
			t->space[i] = (uint32_t)number;
		for (uint32_t k = 0; k < i; k++)
			if (t->space[k] == t->space[i])
				fields_wrong_at(f, "address_spaces", i, "It is there twice.");
	}
	return !f->fault->set;
}

static const struct {
	const char *name;
	size_t offset;
} quotas[] = {
	{ "flows_per_s", offsetof(struct tenant_quota, flows_per_s) },
	{ "stored_bytes", offsetof(struct tenant_quota, stored_bytes) },
	{ "retention", offsetof(struct tenant_quota, retention_s) },
	{ "series", offsetof(struct tenant_quota, series) },
	{ "keep_minutes", offsetof(struct tenant_quota, keep_s[0]) },
	{ "keep_five_minutes", offsetof(struct tenant_quota, keep_s[1]) },
	{ "keep_hours", offsetof(struct tenant_quota, keep_s[2]) },
	{ "keep_days", offsetof(struct tenant_quota, keep_s[3]) },
};

bool
shape_read_quotas(const struct fields *f, struct tenant_quota *q)
{
	static const char *const known[] = { "flows_per_s",  "stored_bytes",      "retention",  "series",
					     "keep_minutes", "keep_five_minutes", "keep_hours", "keep_days" };
	struct fields o;

	memset(q, 0, sizeof(*q));
	if (!fields_object(f, "quotas", OPTIONAL, &o))
		return false;
	fields_only(&o, known, ARRAY_LEN(known));
	for (size_t i = 0; i < ARRAY_LEN(quotas); i++) {
		uint64_t *at = (uint64_t *)(void *)((uint8_t *)q + quotas[i].offset);
		int64_t number;

		if (json_node_kind(json_node_member(o.node, quotas[i].name)) != JSON_KIND_NULL &&
		    field_int(&o, quotas[i].name, OPTIONAL, 1, INT64_C(1) << 53, &number))
			*at = (uint64_t)number;
	}
	return !f->fault->set;
}

static void
write_selector(struct json_writer *w, const struct tenant_selector *s)
{
	char text[PREFIX_TEXT_MAX];

	json_object(w, NULL);
	if (s->point[0] != '\0')
		json_string(w, "interface", s->point);
	if (s->vlan != UINT32_MAX)
		json_uint(w, "vlan", s->vlan);
	if (s->has_exporter)
		json_string(w, "exporter", ip_format(&s->exporter, text));
	if (s->has_interface)
		json_uint(w, "exporter_interface", s->interface);
	if (s->has_network)
		json_string(w, "network", prefix_format(&s->network, text));
	json_object_end(w);
}

void
shape_write_tenant(struct json_writer *w, const char *key, const struct tenant_record *t)
{
	json_object(w, key);
	json_string(w, "name", t->tenant.name);
	json_string(w, "title", t->tenant.title);
	json_array(w, "selectors");
	for (size_t i = 0; i < t->nselectors; i++)
		write_selector(w, &t->selectors[i]);
	json_array_end(w);
	json_array(w, "address_spaces");
	for (uint32_t i = 0; i < t->tenant.nspaces; i++)
		json_uint(w, NULL, t->tenant.space[i]);
	json_array_end(w);
	json_object(w, "quotas");
	for (size_t i = 0; i < ARRAY_LEN(quotas); i++) {
		const uint64_t *at =
		    (const uint64_t *)(const void *)((const uint8_t *)&t->tenant.quota + quotas[i].offset);

		if (*at == 0)
			json_null(w, quotas[i].name);
		else
			json_uint(w, quotas[i].name, *at);
	}
	json_object_end(w);
	json_object_end(w);
}

/* --- small things --- */

void
shape_write_time(struct json_writer *w, const char *key, int64_t ns)
{
	if (ns == 0)
		json_null(w, key);
	else
		json_time_ns(w, key, ns);
}

void
shape_write_visit(struct json_writer *w, const char *key, int64_t ns, const struct ip_addr *ip)
{
	char text[IP_TEXT_MAX];

	if (ns == 0) {
		json_null(w, key);
		return;
	}
	json_object(w, key);
	json_time_ns(w, "time", ns);
	json_string(w, "address", ip_format(ip, text));
	json_object_end(w);
}

bool
shape_read_handle(const struct fields *f, const char *key, uint8_t out[static HANDLE_BYTES])
{
	char text[HANDLE_TEXT];
	size_t len = 0;

	if (!field_text(f, key, REQUIRED, any_text, text, sizeof(text)))
		return false;
	if (sodium_hex2bin(out, HANDLE_BYTES, text, strlen(text), NULL, &len, NULL) == 0 &&
	    len == HANDLE_BYTES)
		return true;
	fields_wrong(f, key, "It must be 16 hex digits.");
	return false;
}
