#include "events.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/clock.h"
#include "base/mem.h"

/* Failures with one account since the last writing. */
struct failing {
	uint64_t account;
	uint32_t count;
	int64_t last_ns;
	struct ip_addr ip;
};

struct events {
	struct audit_entry entry[EVENTS_PENDING];
	size_t nentries;
	struct failing failing[EVENTS_PENDING];
	size_t nfailing;
};

struct events *
events_new(struct authd *a)
{
	(void)a;
	return mem_calloc(1, sizeof(struct events));
}

void
events_free(struct events **ev)
{
	free(*ev);
	*ev = NULL;
}

const char *
events_handle(const uint8_t *hash, char out[static HANDLE_TEXT])
{
	return sodium_bin2hex(out, HANDLE_TEXT, hash, HANDLE_BYTES);
}

struct audit_entry
events_entry(enum audit_kind kind, enum audit_outcome outcome, const char *user,
	     const struct wire_client *client)
{
	char actor[AUDIT_ACTOR_MAX];
	struct audit_entry e;

	(void)snprintf(actor, sizeof(actor), "user:%s", user);
	e = audit_entry_of(kind, outcome, user[0] == '\0' ? "unknown" : actor, "");
	if (client != NULL) {
		e.has_address = true;
		e.address = client->ip;
	}
	return e;
}

/* --- gathering --- */

static void
gather(struct authd *a, struct audit_entry *e)
{
	struct events *ev = a->events;

	if (ev->nentries < EVENTS_PENDING)
		ev->entry[ev->nentries++] = *e;
	else
		(void)audit_failure(a->audit, e, true);
}

/* Where there are too many accounts at once, the rest has its failures in the audit log only. */
static void
count_failure(struct events *ev, uint64_t account, const struct wire_client *client)
{
	size_t i = 0;

	while (i < ev->nfailing && ev->failing[i].account != account)
		i++;
	if (i == EVENTS_PENDING)
		return;
	if (i == ev->nfailing)
		ev->failing[ev->nfailing++] = (struct failing){ .account = account };
	ev->failing[i].count++;
	ev->failing[i].last_ns = clock_utc_ns();
	ev->failing[i].ip = client->ip;
}

void
events_failed(struct authd *a, uint64_t account, const char *name, const struct wire_client *client,
	      const char *why)
{
	struct audit_entry e =
	    events_entry(AUDIT_LOGIN_FAILED, AUDIT_REFUSED, account == 0 ? "" : name, client);

	if (why != NULL)
		audit_detail(&e, "%s", why);
	gather(a, &e);
	if (account != 0)
		count_failure(a->events, account, client);
}

void
events_held_back(struct authd *a, const struct wire_client *client)
{
	struct audit_entry e = events_entry(AUDIT_LOGIN_FAILED, AUDIT_REFUSED, "", client);

	(void)audit_failure(a->audit, &e, true);
}

void
events_token(struct authd *a, const struct token *t, const struct wire_client *client, bool taken)
{
	struct audit_entry e = events_entry(taken ? AUDIT_TOKEN_USED : AUDIT_TOKEN_REFUSED,
					    taken ? AUDIT_DONE : AUDIT_REFUSED, "", client);
	char handle[HANDLE_TEXT];

	(void)snprintf(e.subject, sizeof(e.subject), "token:%s", events_handle(t->hash, handle));
	(void)snprintf(e.credential, sizeof(e.credential), "token:%s", handle);
	e.tenant = t->access.tenant;
	gather(a, &e);
}

/* --- writing --- */

static void
write_failing(struct txn *x, const struct failing *f)
{
	struct be64 key = be64_of(f->account);
	struct login_record l;
	struct db_bytes v;

	if (!txn_look(x, TABLE_ACCOUNTS, be64_bytes(&key), &v))
		return; /* it was removed meanwhile */
	login_read(x, f->account, &l);
	l.failures = l.failures > UINT32_MAX - f->count ? UINT32_MAX : l.failures + f->count;
	l.failed_ns = f->last_ns;
	l.failed_ip = f->ip;
	if (x->rc == 0)
		login_write(x, f->account, &l);
}

static enum db_status
write_counts(struct authd *a)
{
	struct events *ev = a->events;
	enum db_status status;
	struct txn x;

	if (ev->nfailing == 0)
		return DB_OK;
	x = txn_begin(accounts_db_tables(a->db), true);
	for (size_t i = 0; i < ev->nfailing; i++)
		write_failing(&x, &ev->failing[i]);
	status = txn_end(&x);
	if (status == DB_OK)
		ev->nfailing = 0;
	return status;
}

enum db_status
events_flush(struct authd *a)
{
	struct events *ev = a->events;
	enum db_status status = write_counts(a);
	size_t done = 0;

	while (done < ev->nentries && status == DB_OK)
		if ((status = audit_failure(a->audit, &ev->entry[done], false)) == DB_OK)
			done++;
	ev->nentries -= done;
	memmove(ev->entry, ev->entry + done, ev->nentries * sizeof(ev->entry[0]));
	return status;
}
