#include "admin_sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "admin_person.h"
#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "shapes.h"
#include "user_name.h"

/* What session_op_end tells session_op_ended, in call->memory. */
enum { ENDED_ACCOUNT, ENDED_BUT_OWN, ENDED_ONE, ENDED_HANDLE };

/* --- whose --- */

struct hit {
	struct session *session;
};

/* Sessions that are looked for: of one account, or of all that the caller may see. */
struct search {
	struct admin_call *c;
	uint64_t account; /* 0: all */
	struct hit *found;
	size_t n, room;
};

static void
take(void *ctx, struct session *s)
{
	struct search *q = ctx;

	if (q->account != 0 && s->r.account != q->account)
		return;
	if (q->n == q->room) {
		q->room = q->room == 0 ? 64 : 2 * q->room;
		q->found = mem_reallocarray(q->found, q->room, sizeof(*q->found));
	}
	q->found[q->n++].session = s;
}

static int
id_order(const void *va, const void *vb)
{
	const struct hit *a = va, *b = vb;

	return memcmp(a->session->r.id, b->session->r.id, sizeof(a->session->r.id));
}

static void
write_one(struct admin_call *c, const struct session *s, const char *name)
{
	char handle[HANDLE_TEXT], address[IP_TEXT_MAX];

	json_object(c->w, NULL);
	json_string(c->w, "id", events_handle(s->r.id, handle));
	json_string(c->w, "user", name);
	json_time_ns(c->w, "created", s->r.created_ns);
	json_time_ns(c->w, "last_seen", s->r.last_seen_ns);
	json_time_ns(c->w, "expires", s->r.expires_ns);
	json_string(c->w, "address", ip_format(&s->r.ip, address));
	json_string(c->w, "agent", s->r.agent);
	json_bool(c->w, "current", memcmp(s->r.id, c->session, sizeof(s->r.id)) == 0);
	json_object_end(c->w);
}

static bool
is_visible(struct admin_call *c, const struct session *s, enum action action, struct person *p)
{
	struct resource r;

	if (p->who.number != s->r.account)
		person_read(c, s->r.account, p);
	r = person_resource(p, NULL, 0);
	return c->x.rc == 0 &&
	       (call_may(c, action, &r) ||
		(s->r.account == c->account &&
		 call_may(c, action == ACTION_READ_SESSIONS ? ACTION_READ_ACCOUNT : ACTION_WRITE_ACCOUNT,
			  &r)));
}

void
session_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op", "user", "all", "limit", "cursor" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	struct search q = { .c = c, .account = c->account };
	char name[ACCOUNT_NAME_MAX];
	struct page page;
	bool all = false;

	fields_only(&c->body, known, ARRAY_LEN(known));
	page_begin(c, &page);
	(void)field_flag(&c->body, "all", &all);
	if (field_text(&c->body, "user", OPTIONAL, user_name_judge, name, sizeof(name)) &&
	    person_find(c, name, ACTION_READ_SESSIONS, p))
		q.account = p->who.number;
	c->reads_others = all || q.account != c->account;
	if (!all && q.account == 0)
		fields_wrong(&c->body, "user", "It is missing: a user, or \"all\".");
	if (all)
		q.account = 0;
	if (call_good(c))
		sessions_each(c->a->sessions, clock_utc_ns(), take, &q);
	if (q.n > 0)
		qsort(q.found, q.n, sizeof(*q.found), id_order);
	json_array(c->w, "sessions");
	for (size_t i = 0; i < q.n; i++) {
		char handle[HANDLE_TEXT];

		(void)events_handle(q.found[i].session->r.id, handle);
		if (strcmp(handle, page.after) <= 0)
			continue;
		if (!page_next(c, &page, handle))
			break;
		if (is_visible(c, q.found[i].session, ACTION_READ_SESSIONS, p) && page_takes(c, &page))
			write_one(c, q.found[i].session, p->who.name);
	}
	json_array_end(c->w);
	page_end(c, &page);
	free(q.found);
}

/* --- ending --- */

static void
end_one(struct admin_call *c, struct person *p)
{
	uint8_t handle[HANDLE_BYTES];
	struct session *s;
	char text[HANDLE_TEXT];

	if (!shape_read_handle(&c->body, "id", handle))
		return;
	s = sessions_look(c->a->sessions, handle, clock_utc_ns());
	if (s == NULL || !is_visible(c, s, ACTION_WRITE_SESSIONS, p)) {
		call_end(c, ADMIN_NOT_FOUND);
		return;
	}
	txn_delete(&c->x, TABLE_SESSIONS, db_bytes(s->r.id, sizeof(s->r.id)));
	call_audit(c, AUDIT_SESSION_ENDED, person_matter(p, NULL), p->subject, "session %s",
		   events_handle(s->r.id, text));
	c->memory[ENDED_ONE] = 1;
	memcpy(&c->memory[ENDED_HANDLE], handle, sizeof(handle));
	json_int(c->w, "ended", 1);
}

struct count {
	uint64_t account;
	const uint8_t *but;
	int64_t n;
};

static void
count_one(void *ctx, struct session *s)
{
	struct count *k = ctx;

	k->n +=
	    s->r.account == k->account && (k->but == NULL || memcmp(s->r.id, k->but, sizeof(s->r.id)) != 0);
}

static void
end_all(struct admin_call *c, const struct person *p, bool but_own)
{
	struct count k = { p->who.number, but_own ? c->session : NULL, 0 };

	sessions_each(c->a->sessions, clock_utc_ns(), count_one, &k);
	sessions_remove_of(&c->x, p->who.number, k.but);
	call_audit(c, AUDIT_SESSION_ENDED, person_matter(p, NULL), p->subject, "%s",
		   but_own ? "all but the one that asked" : "all");
	c->memory[ENDED_ACCOUNT] = p->who.number;
	c->memory[ENDED_BUT_OWN] = but_own;
	json_int(c->w, "ended", k.n);
}

static void
end_others(struct admin_call *c, struct person *p)
{
	struct resource r;

	if (c->account == 0) {
		fields_wrong(&c->body, "others", "The command line has no sessions.");
		return;
	}
	person_read(c, c->account, p);
	r = person_resource(p, NULL, 0);
	if (call_may(c, ACTION_WRITE_ACCOUNT, &r))
		end_all(c, p, true);
	else
		call_end(c, ADMIN_DENIED);
}

static void
end_of_user(struct admin_call *c, struct person *p)
{
	char name[ACCOUNT_NAME_MAX];
	struct resource r;

	if (!field_text(&c->body, "user", REQUIRED, user_name_judge, name, sizeof(name)))
		return;
	if (c->account != 0 && strcmp(name, c->name) == 0) {
		person_read(c, c->account, p);
		r = person_resource(p, NULL, 0);
		if (call_may(c, ACTION_WRITE_ACCOUNT, &r)) {
			end_all(c, p, false);
			return;
		}
	}
	if (!person_find(c, name, ACTION_READ_SESSIONS, p))
		return;
	r = person_resource(p, NULL, 0);
	if (call_may(c, ACTION_WRITE_SESSIONS, &r))
		end_all(c, p, false);
	else
		call_denied(c, "user", "You may not end the sessions of a user who has such rights.");
}

void
session_op_end(struct admin_call *c)
{
	static const char *const known[] = { "op", "id", "user", "others" };
	AUTO(mem_drop) struct person *p = mem_calloc(1, sizeof(*p));
	bool others = false;

	fields_only(&c->body, known, ARRAY_LEN(known));
	(void)field_flag(&c->body, "others", &others);
	if (!call_good(c))
		return;
	if (others)
		end_others(c, p);
	else if (fields_has(&c->body, "user"))
		end_of_user(c, p);
	else
		end_one(c, p);
}

/* They are off the disk: now out of memory, and their grants are taken back. */
void
session_op_ended(struct admin_call *c)
{
	struct sessions *ss = c->a->sessions;

	if (c->memory[ENDED_ONE] != 0) {
		uint8_t handle[HANDLE_BYTES];

		memcpy(handle, &c->memory[ENDED_HANDLE], sizeof(handle));
		sessions_forget_one(ss, handle);
	} else {
		(void)sessions_forget(ss, c->memory[ENDED_ACCOUNT],
				      c->memory[ENDED_BUT_OWN] ? c->session : NULL);
	}
}
