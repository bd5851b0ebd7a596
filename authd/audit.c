#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit_log.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "locked.h"

/* --- entries --- */

struct audit_entry
audit_entry_of(enum audit_kind kind, enum audit_outcome outcome, const char *actor, const char *subject)
{
	struct audit_entry e = { .kind = kind, .outcome = outcome };

	(void)str_copy(e.actor, sizeof(e.actor), actor);
	(void)str_copy(e.subject, sizeof(e.subject), subject);
	return e;
}

void
audit_detail(struct audit_entry *e, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(e->detail, sizeof(e->detail), format, ap);
	va_end(ap);
}

/* Where the log has got to, as this transaction sees it; its key is not in it. False where it cannot be told.
 */
bool
audit_head(struct audit *au, struct txn *x, struct audit_head *h)
{
	struct audit_entry e;
	struct audit_seal s;
	struct db_bytes key, record;

	memset(h, 0, sizeof(*h));
	if (!txn_last(x, TABLE_AUDIT, &key, &record))
		return x->rc == 0;
	if (!audit_entry_decode(record.p, record.n, &e, &s)) {
		txn_damaged(x);
		return false;
	}
	h->sequence = e.sequence;
	h->epoch = e.kind == AUDIT_EPOCH ? e.epoch + 1 : e.epoch;
	memcpy(h->key, audit_key_public(au->key->secret), sizeof(h->key));
	audit_digest(AUDIT_FOR_LINK, record.p, record.n, h->hash);
	return true;
}

void
audit_append(struct txn *x, struct audit_head *h, struct audit_entry *e, const uint8_t *next_key,
	     const uint8_t secret[static AUDIT_SECRET_BYTES])
{
	uint8_t record[AUDIT_RECORD_MAX];
	struct be64 key;
	size_t n;

	e->time_ns = clock_utc_ns();
	n = audit_chain_append(h, e, next_key, secret, record);
	if (n == 0)
		txn_fail(x, DB_BROKEN);
	key = be64_of(e->sequence);
	txn_put_new(x, TABLE_AUDIT, be64_bytes(&key), db_bytes(record, n));
}

void
audit_add(struct audit *au, struct txn *x, struct audit_entry *e)
{
	struct audit_head h;

	if (!audit_head(au, x, &h))
		return;
	if (h.epoch != au->key->epoch) {
		txn_damaged(x); /* somebody else wrote into the log */
		return;
	}
	audit_append(x, &h, e, NULL, au->key->secret);
}

enum db_status
audit_write(struct audit *au, struct audit_entry *e)
{
	struct txn x = txn_begin(au->db, true);

	audit_add(au, &x, e);
	return txn_end(&x);
}

/* --- failures --- */

static bool
tell_failures(void *ctx, const struct ip_addr *network, uint64_t count)
{
	struct audit_entry e = audit_entry_of(AUDIT_LOGIN_FAILED, AUDIT_REFUSED, "unknown", "");

	e.has_address = network != NULL;
	if (network != NULL)
		e.address = *network;
	audit_detail(&e, "%llu more attempts within a minute%s", (unsigned long long)count,
		     network == NULL ? ", from several addresses" : "");
	return audit_write(ctx, &e) == DB_OK;
}

enum db_status
audit_failure(struct audit *au, struct audit_entry *e, bool held_back)
{
	static const struct ip_addr nowhere;

	if (!flood_admit(&au->flood, e->has_address ? &e->address : &nowhere, held_back, clock_boot_ns()))
		return DB_OK;
	return audit_write(au, e);
}

/* --- time --- */

enum db_status
audit_tick(struct audit *au, int64_t now_ns)
{
	enum db_status status;

	if (flood_due(&au->flood, clock_boot_ns()))
		flood_settle(&au->flood, clock_boot_ns(), tell_failures, au);
	status = audit_epoch_tick(au, now_ns);
	if (status == DB_OK)
		status = audit_trim_tick(au, now_ns);
	audit_tail_tick(au, now_ns);
	return status;
}

/* --- opening and closing --- */

static int
open_file(const char *path, struct db_error *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1) {
		e->status = EXIT_FAILED;
		(void)snprintf(e->text, sizeof(e->text), "%s: %s", path, strerror(errno));
	}
	return fd;
}

/* Without ceremony: nothing of the log is touched. */
static void
let_go(struct audit **aup)
{
	struct audit *au = *aup;

	if (au->key_fd != -1)
		close(au->key_fd);
	if (au->tail_fd != -1)
		close(au->tail_fd);
	sodium_memzero(au->key, sizeof(*au->key));
	sodium_memzero(au, sizeof(*au));
	free(au);
	*aup = NULL;
}

static void
note_fault(struct audit *au, const struct audit_finding *found)
{
	struct audit_entry e = audit_entry_of(AUDIT_FAULT, AUDIT_DONE, "system", "");

	log_error("the audit log is not as it was left: %s; see `weir audit verify`", found->text);
	audit_detail(&e, "%s", found->text);
	if (audit_write(au, &e) != DB_OK)
		log_error("and that cannot be written down: %s", db_why(au->db));
}

struct audit *
audit_open(struct db *db, const char *key_file, const char *tail_file, const struct audit_rules *rules,
	   struct db_error *e)
{
	struct audit *au = mem_calloc(1, sizeof(*au));
	struct audit_finding found = { 0 };
	bool as_left;

	au->db = db;
	au->rules = *rules;
	au->key = locked_pages(sizeof(*au->key));
	au->key_fd = open_file(key_file, e);
	au->tail_fd = open_file(tail_file, e);
	flood_begin(&au->flood, clock_boot_ns());
	randombytes_buf(au->cursor_key, sizeof(au->cursor_key));
	if (au->key_fd == -1 || au->tail_fd == -1) {
		let_go(&au);
		return NULL;
	}
	as_left = audit_tail_check(au, &found);
	if (!audit_epoch_open(au, key_file, e))
		let_go(&au);
	else if (!as_left)
		note_fault(au, &found);
	return au;
}

void
audit_close(struct audit **aup)
{
	struct audit *au = *aup;
	struct audit_anchor a;

	if (au == NULL)
		return;
	flood_settle(&au->flood, clock_boot_ns(), tell_failures, au);
	if (audit_anchor_now(au, &a) != DB_OK)
		log_warn("the audit log could not be anchored: %s", db_why(au->db));
	let_go(aup);
}
