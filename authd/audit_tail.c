#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit_log.h"
#include "base/clock.h"
#include "base/log.h"

/* --- anchors --- */

static bool
make_anchor(struct audit *au, int64_t now, struct audit_anchor *a)
{
	struct txn x = txn_begin(au->db, false);
	struct audit_head h;
	bool good = audit_head(au, &x, &h);

	if (txn_end(&x) != DB_OK || !good)
		return false;
	*a = audit_anchor_make(&h, now, au->key->secret);
	return true;
}

/* The log line is what leaves the machine (syslog); the file is for who has only this machine. */
static void
publish(struct audit *au, const struct audit_anchor *a)
{
	char line[AUDIT_ANCHOR_TEXT_MAX + 1];
	size_t n = strlen(audit_anchor_format(a, line));

	log_info("%s", line);
	line[n] = '\n';
	if (au->rules.anchors != -1 && write(au->rules.anchors, line, n + 1) != (ssize_t)n + 1)
		log_error("the file of audit anchors cannot be written: %s", strerror(errno));
	au->anchored_ns = a->time_ns;
}

enum db_status
audit_anchor_now(struct audit *au, struct audit_anchor *a)
{
	enum db_status status = audit_epoch_end(au);
	int64_t now = clock_utc_ns();

	if (!make_anchor(au, now, a))
		return DB_BROKEN;
	publish(au, a); /* also where the epoch could not end: what is there is there */
	audit_tail_tick(au, now);
	return status;
}

/* --- the tail --- */

static void
write_tail(struct audit *au, const struct audit_anchor *a)
{
	char text[AUDIT_ANCHOR_TEXT_MAX] = { 0 };

	(void)audit_anchor_format(a, text);
	/* Not waited for: it may be behind the log after a crash of the machine, but never before it. */
	if (pwrite(au->tail_fd, text, sizeof(text), 0) != (ssize_t)sizeof(text))
		log_warn("%s: %s", AUDIT_TAIL_FILE, strerror(errno));
	au->tail = a->sequence;
}

void
audit_tail_tick(struct audit *au, int64_t now)
{
	bool due = au->anchored_ns == 0 || now - au->anchored_ns >= au->rules.anchor_interval_ns ||
		   now < au->anchored_ns;
	struct audit_anchor a;

	if (due && audit_epoch_end(au) == DB_BROKEN)
		return;
	if (!make_anchor(au, now, &a))
		return;
	if (due)
		publish(au, &a);
	if (a.sequence != au->tail)
		write_tail(au, &a);
}

/* --- is it the log that was left? --- */

struct check {
	struct audit_walk walk;
	const struct audit_anchor *tail;
};

static bool
check_one(void *ctx, struct db_bytes key, struct db_bytes record)
{
	struct check *c = ctx;
	struct audit_entry e;
	uint64_t n = 0;

	(void)be64_read(key, &n);
	/* Signatures take a hundred times as long: `weir audit verify` looks at them. */
	return audit_walk_step(&c->walk, n, record.p, record.n, false, &e) &&
	       (c->tail->sequence != n || audit_anchor_holds(&c->walk, c->tail));
}

bool
audit_tail_check(struct audit *au, struct audit_finding *found)
{
	struct be64 from = be64_of(0);
	struct txn x = txn_begin(au->db, false);
	struct audit_anchor tail = { 0 };
	struct check c = { .tail = &tail };
	char text[AUDIT_ANCHOR_TEXT_MAX] = "";

	if (pread(au->tail_fd, text, sizeof(text) - 1, 0) > 0 &&
	    !audit_anchor_parse(text, strlen(text), &tail))
		log_warn("%s: it tells nothing", AUDIT_TAIL_FILE);
	txn_walk(&x, TABLE_AUDIT, be64_bytes(&from), false, check_one, &c);
	if (txn_end(&x) != DB_OK)
		return true; /* whoever reads next says so */
	(void)audit_anchor_reached(&c.walk, &tail);
	(void)audit_walk_end(&c.walk);
	*found = c.walk.found;
	/* That it was begun anew has an entry of its own. */
	return found->fault == AUDIT_SOUND || found->fault == AUDIT_NEW_KEY;
}
