#include "admin_keys.h"

#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/mem.h"
#include "rotation.h"

static const char *
which_judge(const char *text)
{
	return strcmp(text, "grants") == 0 ? NULL : "It is none of: grants.";
}

void
key_op_rotate(struct admin_call *c)
{
	static const char *const known[] = { "op", "which" };
	int64_t now = clock_utc_ns();
	char which[16];

	fields_only(&c->body, known, ARRAY_LEN(known));
	(void)field_text(&c->body, "which", REQUIRED, which_judge, which, sizeof(which));
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_WRITE_PLATFORM, TENANT_PLATFORM)) {
		call_end(c, ADMIN_DENIED);
		return;
	}
	if (!signing_may_rotate(&c->a->signing, now)) {
		call_conflict(c, "which",
			      "It was rotated a moment ago, and what the key before signed is still out: try "
			      "again in two minutes.");
		return;
	}
	signing_rotate(&c->a->signing, &c->x, now);
	call_audit(c, AUDIT_KEY_ROTATED, TENANT_PLATFORM, "key:grants", "on request");
}

void
key_op_rotated(struct admin_call *c)
{
	signing_adopt(&c->a->signing);
	rotation_publish(c->a);
}
