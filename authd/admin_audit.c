#include "admin_audit.h"

#include <string.h>

#include "authd.h"
#include "base/mem.h"
#include "shapes.h"

static const char *
kind_judge(const char *text)
{
	return audit_kind_named(text) == AUDIT_NONE ? "There is no such kind of entry." : NULL;
}

void
audit_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "from", "to", "actor", "kind", "cursor", "limit" };
	struct audit_query q = { .to_ns = INT64_MAX,
				 .one_tenant = !call_spans_tenants(c),
				 .tenant = c->grant.tenant };
	int64_t limit = 100;
	char kind[40];

	fields_only(&c->body, known, ARRAY_LEN(known));
	(void)field_time(&c->body, "from", &q.from_ns);
	(void)field_time(&c->body, "to", &q.to_ns);
	(void)field_text(&c->body, "actor", OPTIONAL, title_judge, q.actor, sizeof(q.actor));
	if (field_text(&c->body, "kind", OPTIONAL, kind_judge, kind, sizeof(kind)))
		q.kind = audit_kind_named(kind);
	(void)field_text(&c->body, "cursor", OPTIONAL, any_text, q.cursor, sizeof(q.cursor));
	(void)field_int(&c->body, "limit", OPTIONAL, 1, 1000, &limit);
	q.limit = (unsigned)limit;
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_READ_AUDIT, c->grant.tenant)) {
		call_end(c, ADMIN_DENIED);
		return;
	}
	c->reads_others = true;
	c->reading = AUDIT_AUDIT_READ;
	json_reset(c->w);
	c->whole = true;
	if (audit_list(c->a->audit, &q, c->w, NULL) == DB_NONE)
		fields_wrong(&c->body, "cursor", "It is none that an answer gave since authd was started.");
}

void
audit_op_anchor(struct admin_call *c)
{
	static const char *const known[] = { "op" };
	struct audit_entry e = audit_entry_of(AUDIT_ANCHOR, AUDIT_DONE, c->grant.subject, "");
	struct audit_anchor anchor;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_WRITE_PLATFORM, TENANT_PLATFORM)) {
		call_end(c, ADMIN_DENIED);
		return;
	}
	(void)str_copy(e.credential, sizeof(e.credential), c->credential);
	if (audit_write(c->a->audit, &e) != DB_OK || audit_anchor_now(c->a->audit, &anchor) != DB_OK)
		call_end(c, ADMIN_UNAVAILABLE);
}
