#include "sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "asks.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"

#define BUCKETS 1024

struct waiter {
	STAILQ_ENTRY(waiter) entry;
	session_fn *fn;
	void *ctx;
};

/* A credential that is known, or asked about, or both. */
struct entry {
	TAILQ_ENTRY(entry) used; /* by last use, oldest first */
	LIST_ENTRY(entry) chain;
	struct sessions *set;
	uint8_t key[CREDENTIAL_KEY_BYTES];
	enum credential_kind kind;
	uint64_t ask;          /* 0: authd is not being asked */
	struct credential who; /* while it is being asked */
	struct wire_client client;
	bool without_tenant; /* the second question: whether it is good at all */
	STAILQ_HEAD(, waiter) waiters;
	bool known;
	int64_t got_ns; /* clock_boot_ns */
	struct session session;
	uint8_t *grant;
};

struct sessions {
	struct httpd *httpd;
	size_t n;
	uint8_t secret[crypto_generichash_KEYBYTES];
	TAILQ_HEAD(, entry) used;
	LIST_HEAD(, entry) bucket[BUCKETS];
};

/* --- the table
 * ------------------------------------------------------------------------------------------------------- */

static unsigned
bucket_of(const uint8_t key[static CREDENTIAL_KEY_BYTES])
{
	return (key[0] | (unsigned)key[1] << 8) % BUCKETS;
}

static struct entry *
entry_find(struct sessions *s, const uint8_t key[static CREDENTIAL_KEY_BYTES])
{
	struct entry *e;

	LIST_FOREACH(e, &s->bucket[bucket_of(key)], chain)
	if (sodium_memcmp(e->key, key, CREDENTIAL_KEY_BYTES) == 0)
		return e;
	return NULL;
}

static void
entry_forget(struct entry *e)
{
	if (e->grant != NULL)
		sodium_memzero(e->grant, e->session.grant_len);
	free(e->grant);
	e->grant = NULL;
	e->known = false;
	memset(&e->session, 0, sizeof(e->session));
}

static void
entry_free(struct entry *e)
{
	entry_forget(e);
	credential_wipe(&e->who);
	TAILQ_REMOVE(&e->set->used, e, used);
	LIST_REMOVE(e, chain);
	e->set->n--;
	free(e);
}

/* Room for one more: the one not used for longest goes, of those that nobody waits for. */
static bool
make_room(struct sessions *s)
{
	struct entry *e;

	if (s->n < SESSIONS_MAX)
		return true;
	TAILQ_FOREACH(e, &s->used, used)
	if (e->ask == 0) {
		entry_free(e);
		return true;
	}
	return false;
}

static struct entry *
entry_make(struct sessions *s, const uint8_t key[static CREDENTIAL_KEY_BYTES])
{
	struct entry *e = entry_find(s, key);

	if (e != NULL) {
		TAILQ_REMOVE(&s->used, e, used);
		TAILQ_INSERT_TAIL(&s->used, e, used);
		return e;
	}
	if (!make_room(s))
		return NULL;
	e = mem_calloc(1, sizeof(*e));
	e->set = s;
	memcpy(e->key, key, CREDENTIAL_KEY_BYTES);
	STAILQ_INIT(&e->waiters);
	TAILQ_INSERT_TAIL(&s->used, e, used);
	LIST_INSERT_HEAD(&s->bucket[bucket_of(key)], e, chain);
	s->n++;
	return e;
}

static void
entry_set(struct entry *e, const struct wire_auth_answer *a)
{
	entry_forget(e);
	(void)str_copy(e->session.me.name, sizeof(e->session.me.name), a->name);
	(void)str_copy(e->session.me.tenant, sizeof(e->session.me.tenant), a->tenant);
	(void)str_copy(e->session.me.role, sizeof(e->session.me.role), a->role);
	e->session.me.rights = a->rights;
	e->session.me.session_expires_ns = a->session_expires_ns;
	e->session.grant_expires_ns = a->grant_expires_ns;
	e->session.grant_len = a->grant_len;
	e->grant = mem_calloc(a->grant_len + 1, 1);
	memcpy(e->grant, a->grant, a->grant_len);
	e->session.grant = e->grant;
	e->got_ns = clock_boot_ns();
	e->known = true;
}

static bool
entry_is_good(const struct entry *e, unsigned max_age_s)
{
	return e->known && e->session.grant_expires_ns > clock_utc_ns() + NS_PER_S &&
	       (max_age_s == SESSION_ANY_AGE || clock_boot_ns() - e->got_ns <= (int64_t)max_age_s * NS_PER_S);
}

/* --- authd
 * -----------------------------------------------------------------------------------------------------------
 */

/* Tells everyone who waits. The entry may go while they are told: they are taken off first, and the session
 * is copied. */
static void
tell(struct entry *e, enum session_end end)
{
	uint8_t grant[GRANT_MAX];
	struct session copy = e->session;
	STAILQ_HEAD(, waiter) waiters = STAILQ_HEAD_INITIALIZER(waiters);
	struct waiter *w;

	STAILQ_CONCAT(&waiters, &e->waiters);
	if (end == SESSION_NO_AUTHD && entry_is_good(e, SESSION_ANY_AGE))
		end = SESSION_OK; /* what it granted before still holds */
	if (end == SESSION_OK) {
		memcpy(grant, e->grant, copy.grant_len);
		copy.grant = grant;
	} else if (!e->known)
		entry_free(e);
	while ((w = STAILQ_FIRST(&waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&waiters, entry);
		w->fn(w->ctx, end, end == SESSION_OK || end == SESSION_THROTTLED ? &copy : NULL);
		free(w);
	}
}

static bool ask_authd(struct entry *e);

/* What authd says of a password beside right and wrong. */
static enum session_end
refused_password(const struct wire_auth_answer *a)
{
	switch ((enum auth_status)a->status) {
	case AUTH_THROTTLED:
		return SESSION_THROTTLED;
	case AUTH_BUSY:
		return SESSION_BUSY;
	case AUTH_AWAY:
		return SESSION_AWAY;
	case AUTH_SECOND_FACTOR:
		return SESSION_TOKEN_ONLY;
	case AUTH_NO_TENANT:
		return SESSION_NO_TENANT;
	default:
		return SESSION_NO_AUTHD;
	}
}

static bool
on_answer(void *ctx, enum ask_end end, const void *body, size_t len)
{
	struct entry *e = ctx;
	const struct wire_auth_answer *a = body;

	(void)len;
	e->ask = 0;
	/* authd has one answer for what is no session and for a tenant that is not the session's; but a
	 * password would be judged, and held against its client, twice. */
	if (end == ASK_LAST && a->status == AUTH_DENIED && e->kind != CREDENTIAL_BASIC &&
	    !e->without_tenant && e->who.tenant[0] != '\0') {
		entry_forget(e);
		e->without_tenant = true;
		if (ask_authd(e))
			return true;
	}
	credential_wipe(&e->who);
	if (end != ASK_LAST)
		tell(e, SESSION_NO_AUTHD);
	else if (a->status == AUTH_OK && e->without_tenant)
		tell(e, SESSION_NO_TENANT);
	else if (a->status == AUTH_OK) {
		entry_set(e, a);
		tell(e, SESSION_OK);
	} else if (a->status == AUTH_DENIED) {
		entry_forget(e);
		tell(e, SESSION_DENIED);
	} else if (e->kind == CREDENTIAL_BASIC) {
		entry_forget(e);
		e->session.retry_after_s = a->retry_after_s;
		tell(e, refused_password(a));
	} else
		tell(e, SESSION_NO_AUTHD);
	return true;
}

static bool
send_cookie(struct channel *ch, const struct entry *e)
{
	struct wire_session q = { .request = e->ask, .client = e->client };
	bool sent;

	memcpy(q.cookie, e->who.cookie, sizeof(q.cookie));
	(void)str_copy(q.tenant, sizeof(q.tenant), e->without_tenant ? "" : e->who.tenant);
	sent = channel_send(ch, MSG_SESSION, &q, sizeof(q));
	sodium_memzero(&q, sizeof(q));
	return sent;
}

static bool
send_token(struct channel *ch, const struct entry *e)
{
	struct wire_token q = { .request = e->ask, .client = e->client };
	bool sent;

	(void)str_copy(q.token, sizeof(q.token), e->who.token);
	(void)str_copy(q.tenant, sizeof(q.tenant), e->without_tenant ? "" : e->who.tenant);
	sent = channel_send(ch, MSG_TOKEN, &q, sizeof(q));
	sodium_memzero(&q, sizeof(q));
	return sent;
}

static bool
send_basic(struct channel *ch, const struct entry *e)
{
	struct wire_basic q = { .request = e->ask, .client = e->client };
	bool sent;

	(void)str_copy(q.name, sizeof(q.name), e->who.name);
	(void)str_copy(q.password, sizeof(q.password), e->who.password);
	(void)str_copy(q.tenant, sizeof(q.tenant), e->who.tenant);
	sent = channel_send(ch, MSG_BASIC, &q, sizeof(q));
	sodium_memzero(&q, sizeof(q));
	return sent;
}

static bool
send_who(struct channel *ch, const struct entry *e)
{
	if (e->who.kind == CREDENTIAL_BASIC)
		return send_basic(ch, e);
	return e->who.kind == CREDENTIAL_TOKEN ? send_token(ch, e) : send_cookie(ch, e);
}

static bool
ask_authd(struct entry *e)
{
	struct httpd *h = e->set->httpd;
	struct channel *ch = peers_find(h->peers, PROC_AUTHD, 0);
	enum ask_time time = e->who.kind == CREDENTIAL_BASIC ? ASK_SLOW : ASK_QUICK;

	if (ch == NULL || (e->ask = asks_add(h->asks, PROC_AUTHD, time, on_answer, e)) == 0)
		return false;
	if (!send_who(ch, e)) {
		asks_cancel(h->asks, e->ask);
		e->ask = 0;
	}
	return e->ask != 0;
}

static bool
begin_asking(struct entry *e, const struct credential *who, const struct wire_client *client)
{
	e->who = *who;
	e->kind = who->kind;
	e->client = *client;
	e->without_tenant = false;
	if (ask_authd(e))
		return true;
	credential_wipe(&e->who);
	return false;
}

void
session_get(struct sessions *s, const struct credential *who, const struct wire_client *client,
	    unsigned max_age_s, session_fn *fn, void *ctx)
{
	uint8_t key[CREDENTIAL_KEY_BYTES], grant[GRANT_MAX];
	struct entry *e;
	struct waiter *w;

	if (!serve_has(s->httpd, PROC_AUTHD))
		max_age_s = SESSION_ANY_AGE; /* what it granted before still holds */
	credential_key(who, &client->ip, s->secret, sizeof(s->secret), key);
	e = entry_make(s, key);
	if (e != NULL && entry_is_good(e, max_age_s)) {
		struct session copy = e->session;

		/* The callback may drop the session, its grant with it. */
		memcpy(grant, e->grant, copy.grant_len);
		copy.grant = grant;
		fn(ctx, SESSION_OK, &copy);
		return;
	}
	if (e == NULL || (e->ask == 0 && !begin_asking(e, who, client))) {
		if (e != NULL && !e->known)
			entry_free(e);
		fn(ctx, SESSION_NO_AUTHD, NULL);
		return;
	}
	w = mem_calloc(1, sizeof(*w));
	w->fn = fn;
	w->ctx = ctx;
	STAILQ_INSERT_TAIL(&e->waiters, w, entry);
}

void
session_put(struct sessions *s, const struct wire_auth_answer *a)
{
	struct credential who = { .kind = CREDENTIAL_COOKIE };
	uint8_t key[CREDENTIAL_KEY_BYTES];
	struct entry *e;

	memcpy(who.cookie, a->cookie, sizeof(who.cookie));
	credential_key(&who, NULL, s->secret, sizeof(s->secret), key);
	credential_wipe(&who);
	e = entry_make(s, key);
	if (e != NULL)
		entry_set(e, a);
}

void
session_drop(struct sessions *s, const struct credential *who, const struct wire_client *client)
{
	uint8_t key[CREDENTIAL_KEY_BYTES];
	struct entry *e;

	credential_key(who, &client->ip, s->secret, sizeof(s->secret), key);
	e = entry_find(s, key);
	if (e != NULL && e->ask == 0)
		entry_free(e);
	else if (e != NULL)
		entry_forget(e);
}

struct sessions *
sessions_new(struct httpd *h)
{
	struct sessions *s = mem_calloc(1, sizeof(*s));

	s->httpd = h;
	TAILQ_INIT(&s->used);
	randombytes_buf(s->secret, sizeof(s->secret));
	return s;
}

/* Nothing is being asked any more: asks_free came before. */
void
sessions_free(struct sessions **s)
{
	struct entry *e, *next;

	if (*s == NULL)
		return;
	for (e = TAILQ_FIRST(&(*s)->used); e != NULL; e = next) {
		next = TAILQ_NEXT(e, used);
		entry_free(e);
	}
	sodium_memzero((*s)->secret, sizeof((*s)->secret));
	free(*s);
	*s = NULL;
}
