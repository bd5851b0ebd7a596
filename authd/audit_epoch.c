#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "audit_log.h"
#include "base/clock.h"
#include "base/log.h"
#include "ipc/boot.h"

static void
draw_key(uint8_t secret[static AUDIT_SECRET_BYTES])
{
	uint8_t public_key[AUDIT_KEY_BYTES];

	crypto_sign_keypair(public_key, secret);
}

/* The log has gone on to the next key: the former one is to be forgotten, here and in the file. */
static void
adopt_next_key(struct audit *au)
{
	struct audit_key *k = au->key;

	k->epoch = k->next_epoch;
	memcpy(k->secret, k->next_secret, sizeof(k->secret));
	k->next_epoch = 0;
	sodium_memzero(k->next_secret, sizeof(k->next_secret));
	au->key_unwritten = true;
}

static bool
write_key(struct audit *au)
{
	if (!audit_key_write(au->key_fd, db_keys(au->db), au->key)) {
		log_error("%s: %s", AUDIT_KEY_FILE, strerror(errno));
		return false;
	}
	au->key_unwritten = false;
	return true;
}

static enum db_status
end_now(struct audit *au)
{
	struct audit_entry e = audit_entry_of(AUDIT_EPOCH, AUDIT_DONE, "system", "");
	struct audit_key *k = au->key;
	struct audit_head h;
	struct txn x;
	enum db_status status;

	k->next_epoch = k->epoch + 1;
	draw_key(k->next_secret);
	/* Before the log names it, the next key must be safe. */
	if (!write_key(au))
		return DB_UNWRITABLE;
	audit_detail(&e, "epoch %u begins", k->next_epoch);
	x = txn_begin(au->db, true);
	if (audit_head(au, &x, &h) && h.epoch != k->epoch)
		txn_damaged(&x);
	audit_append(&x, &h, &e, audit_key_public(k->next_secret), k->secret);
	status = txn_end(&x);
	if (status != DB_OK)
		return status;
	au->epoch_first = e.sequence;
	au->epoch_ns = e.time_ns;
	adopt_next_key(au);
	(void)write_key(au); /* else the next tick does it */
	return DB_OK;
}

int64_t
audit_key_since(const struct audit *au)
{
	return au->epoch_ns;
}

static uint64_t
last_sequence(struct audit *au)
{
	struct txn x = txn_begin(au->db, false);
	struct audit_head h = { 0 };

	(void)audit_head(au, &x, &h);
	(void)txn_end(&x);
	return h.sequence;
}

enum db_status
audit_epoch_end(struct audit *au)
{
	return last_sequence(au) > au->epoch_first ? end_now(au) : DB_OK;
}

enum db_status
audit_epoch_tick(struct audit *au, int64_t now_ns)
{
	uint64_t entries = last_sequence(au) - au->epoch_first;
	int64_t age = now_ns - au->epoch_ns;

	if (au->key_unwritten && !write_key(au))
		return DB_UNWRITABLE;
	/* A clock that was set back ends it too. */
	if (entries >= AUDIT_EPOCH_ENTRIES || (entries > 0 && (age < 0 || age >= AUDIT_EPOCH_S * NS_PER_S)))
		return end_now(au);
	return DB_OK;
}

/* --- opening --- */

static bool
refuse(struct db_error *e, const char *key_file, const char *what)
{
	e->status = EXIT_BAD_INPUT;
	(void)snprintf(
	    e->text, sizeof(e->text),
	    "%s %s: put back the right one, or move it away; the audit log then goes on with a new key, and "
	    "`weir audit verify` will say from where on",
	    key_file, what);
	return false;
}

static bool
unwritable(struct db_error *e, const char *key_file)
{
	e->status = EXIT_FAILED;
	(void)snprintf(e->text, sizeof(e->text), "%s: %s", key_file, strerror(errno));
	return false;
}

/* Begins the log, or begins it anew where its key is lost. */
static bool
begin(struct audit *au, struct audit_head *h, const char *key_file, struct db_error *e)
{
	struct audit_entry begun = audit_entry_of(AUDIT_BEGUN, AUDIT_DONE, "system", "");
	struct txn x;

	sodium_memzero(au->key, sizeof(*au->key));
	au->key->epoch = h->epoch + 1;
	draw_key(au->key->secret);
	if (!audit_key_write(au->key_fd, db_keys(au->db), au->key))
		return unwritable(e, key_file);
	if (h->sequence > 0)
		log_error(
		    "the key of the audit log is lost: the log goes on behind entry %llu with a new one",
		    (unsigned long long)h->sequence);
	x = txn_begin(au->db, true);
	audit_append(&x, h, &begun, audit_key_public(au->key->secret), au->key->secret);
	return txn_end(&x) == DB_OK || db_fail(&x, "the audit log", e);
}

/* The public key that the log goes on with, from the last entry that names one. */
struct last_key {
	bool found, damaged;
	uint8_t key[AUDIT_KEY_BYTES];
	uint64_t sequence;
	int64_t time_ns;
};

static bool
look_for_key(void *ctx, struct db_bytes key, struct db_bytes record)
{
	struct last_key *l = ctx;
	struct audit_entry e;
	struct audit_seal s;

	(void)key;
	l->damaged = !audit_entry_decode(record.p, record.n, &e, &s);
	if (l->damaged || !s.has_key)
		return !l->damaged;
	l->found = true;
	memcpy(l->key, s.key, sizeof(l->key));
	l->sequence = e.sequence;
	l->time_ns = e.time_ns;
	return false;
}

static struct last_key
find_last_key(struct audit *au)
{
	struct be64 from = be64_of(UINT64_MAX);
	struct txn x = txn_begin(au->db, false);
	struct last_key l = { 0 };

	txn_walk(&x, TABLE_AUDIT, be64_bytes(&from), true, look_for_key, &l);
	l.found &= txn_end(&x) == DB_OK;
	return l;
}

static bool
key_fits(const struct audit_key *k, const struct audit_head *h, const struct last_key *l)
{
	return k->epoch == h->epoch && memcmp(audit_key_public(k->secret), l->key, sizeof(l->key)) == 0;
}

/* The key in the file, beside what the log says; a crash between the two leaves one of a few states. */
static bool
match_key(struct audit *au, struct audit_head *h, const char *key_file, struct db_error *e)
{
	const struct master_keys *masters = db_keys(au->db);
	struct master_id id;
	enum audit_key_status read = audit_key_read(au->key_fd, masters, au->key, &id);
	char what[80], text[MASTER_ID_TEXT];
	struct last_key l;

	/* A first start that was cut short, too. */
	if (h->sequence == 0 || read == AUDIT_KEY_EMPTY)
		return begin(au, h, key_file, e);
	if (read == AUDIT_KEY_DAMAGED)
		return refuse(e, key_file, "is damaged");
	if (read == AUDIT_KEY_NO_MASTER) {
		(void)snprintf(what, sizeof(what), "is sealed with the master key %s, which is not here",
			       master_id_text(&id, text));
		return refuse(e, key_file, what);
	}
	if (au->key->epoch == h->epoch + 1 && au->key->next_epoch == 0)
		return begin(au, h, key_file, e); /* to begin anew was cut short */
	l = find_last_key(au);
	if (au->key->next_epoch == h->epoch)
		adopt_next_key(au);
	if (!l.found || !key_fits(au->key, h, &l))
		return refuse(e, key_file, "is not the key of this audit log");
	/* At once: when authd serves, nothing needs the former master key any more. */
	if (read == AUDIT_KEY_OLD && !audit_key_write(au->key_fd, masters, au->key))
		return unwritable(e, key_file);
	return true;
}

static void
note_epoch(struct audit *au)
{
	struct last_key l = find_last_key(au);

	au->epoch_first = l.sequence;
	au->epoch_ns = l.time_ns;
}

bool
audit_epoch_open(struct audit *au, const char *key_file, struct db_error *e)
{
	struct txn x = txn_begin(au->db, false);
	struct audit_head h;

	(void)audit_head(au, &x, &h);
	if (txn_end(&x) != DB_OK)
		return db_fail(&x, "the audit log", e);
	if (!match_key(au, &h, key_file, e))
		return false;
	note_epoch(au);
	return true;
}
