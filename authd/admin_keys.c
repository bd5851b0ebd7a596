#include "admin_keys.h"

#include <event2/event.h>
#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/mem.h"
#include "rotation.h"

/* What c->memory says to whoever is done. */
enum { ROTATES_GRANTS = 1, ROTATES_MASTER };

static const char *
which_judge(const char *text)
{
	return strcmp(text, "grants") == 0 || strcmp(text, "master") == 0 ? NULL
									  : "It is none of: grants, master.";
}

static void
rotate_grants(struct admin_call *c)
{
	int64_t now = clock_utc_ns();

	if (!signing_may_rotate(&c->a->signing, now)) {
		call_conflict(c, "which",
			      "It was rotated a moment ago, and what the key before signed is still out: try "
			      "again in two minutes.");
		return;
	}
	c->memory[0] = ROTATES_GRANTS;
	signing_rotate(&c->a->signing, &c->x, now);
	call_audit(c, AUDIT_KEY_ROTATED, TENANT_PLATFORM, "key:grants", "on request");
}

/* The new key is in its file already. authd ends, and whoever starts it again hands over the file as it is by
 * then: everything is sealed anew before it serves (at_rest.h), which is an entry. */
static void
rotate_master(struct admin_call *c)
{
	if (c->account != 0) {
		call_conflict(c, "which",
			      "It is in a file of the machine's: `weir key rotate master` there does it.");
		return;
	}
	if (c->a->master == NULL) {
		call_conflict(c, "which", "There is none (authd.master_key).");
		return;
	}
	c->memory[0] = ROTATES_MASTER;
}

void
key_op_rotate(struct admin_call *c)
{
	static const char *const known[] = { "op", "which" };
	char which[16];

	fields_only(&c->body, known, ARRAY_LEN(known));
	(void)field_text(&c->body, "which", REQUIRED, which_judge, which, sizeof(which));
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_WRITE_PLATFORM, TENANT_PLATFORM)) {
		call_end(c, ADMIN_DENIED);
		return;
	}
	if (strcmp(which, "master") == 0)
		rotate_master(c);
	else
		rotate_grants(c);
}

void
key_op_rotated(struct admin_call *c)
{
	static const struct timeval soon = { 0, 200000 }; /* the answer goes out before */

	if (c->memory[0] == ROTATES_MASTER) {
		(void)event_base_loopexit(c->a->base, &soon);
		return;
	}
	signing_adopt(&c->a->signing);
	rotation_publish(c->a);
}

/* --- which there are --- */

static void
write_key(struct json_writer *w, const char *which, const char *id, int64_t since_ns, const char *changes)
{
	json_object(w, NULL);
	json_string(w, "which", which);
	json_string(w, "id", id);
	if (since_ns != 0)
		json_int(w, "since", since_ns / NS_PER_S);
	else
		json_null(w, "since");
	json_string(w, "changes", changes);
	json_object_end(w);
}

void
key_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op" };
	const struct master_keys *m = c->a->master;
	char id[MASTER_ID_TEXT];

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_READ_PLATFORM, TENANT_PLATFORM)) {
		call_end(c, ADMIN_DENIED);
		return;
	}
	json_array(c->w, "keys");
	write_key(c->w, "master", m == NULL ? NULL : master_id_text(&m->key[0].id, id), 0,
		  m == NULL ? "not set (authd.master_key): secrets at rest are not sealed"
			    : "by weir key rotate master");
	write_key(c->w, "grants", NULL, signing_since(&c->a->signing),
		  "by itself after 90 days, and by weir key rotate grants");
	write_key(c->w, "audit", NULL, audit_key_since(c->a->audit), "by itself with each epoch of the log");
	json_array_end(c->w);
}
