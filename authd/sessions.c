#include "sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define BUCKETS 16384
#define BATCH   256 /* records of one transaction */

struct sessions {
	struct accounts_db *db;
	struct sessions_rules rules;
	void (*ended)(void *ctx, struct session *s);
	void *ctx;
	size_t count; /* those that are hidden included */
	int64_t flushed_ns;
	struct session *bucket[BUCKETS];
};

struct sessions *
sessions_new(struct accounts_db *db, const struct sessions_rules *rules,
	     void (*ended)(void *ctx, struct session *s), void *ctx)
{
	struct sessions *ss = mem_calloc(1, sizeof(*ss));

	ss->db = db;
	ss->rules = *rules;
	ss->ended = ended;
	ss->ctx = ctx;
	return ss;
}

void
sessions_free(struct sessions **ssp)
{
	struct sessions *ss = *ssp;

	for (size_t i = 0; ss != NULL && i < BUCKETS; i++)
		while (ss->bucket[i] != NULL) {
			struct session *s = ss->bucket[i];

			ss->bucket[i] = s->next;
			free(s);
		}
	free(ss);
	*ssp = NULL;
}

size_t
sessions_count(const struct sessions *ss)
{
	return ss->count;
}

static void
id_of(const uint8_t cookie[static COOKIE_BYTES], uint8_t id[static SESSION_ID_LEN])
{
	(void)crypto_generichash(id, SESSION_ID_LEN, cookie, COOKIE_BYTES, NULL, 0);
}

/* Ids are hashes of random bytes: any of their bits will do. */
static struct session **
bucket_of(struct sessions *ss, const uint8_t *id)
{
	return &ss->bucket[(id[0] | (size_t)id[1] << 8) % BUCKETS];
}

/* A clock that was set back makes a session young, never old. */
static bool
is_over(const struct sessions *ss, const struct session_record *r, int64_t now)
{
	return now >= r->expires_ns || now - r->last_seen_ns >= ss->rules.idle_ns;
}

static struct session *
insert(struct sessions *ss, const struct session_record *r)
{
	struct session **b = bucket_of(ss, r->id);
	struct session *s = mem_calloc(1, sizeof(*s));

	s->r = *r;
	s->holder = (struct holder){ NULL, HOLDER_SESSION, r->account, r->expires_ns };
	s->next = *b;
	*b = s;
	ss->count++;
	return s;
}

static void
drop(struct sessions *ss, struct session *gone)
{
	struct session **p = bucket_of(ss, gone->r.id);

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	ss->count--;
	free(gone);
}

/* Nobody finds it any more, and its grants are gone; what is left is to be removed from the disk. */
static void
hide(struct sessions *ss, struct session *s)
{
	if (s->ended)
		return;
	s->ended = true;
	ss->ended(ss->ctx, s);
}

struct load {
	struct sessions *ss;
	int64_t now;
};

static void
load_one(void *ctx, const struct session_record *r)
{
	const struct load *l = ctx;
	struct session *s;

	if (l->ss->count >= SESSIONS_MAX)
		return;
	s = insert(l->ss, r);
	if (is_over(l->ss, r, l->now))
		hide(l->ss, s);
}

bool
sessions_load(struct sessions *ss, int64_t now)
{
	struct load l = { ss, now };

	return accounts_db_each_session(ss->db, load_one, &l);
}

struct session *
sessions_find(struct sessions *ss, const uint8_t cookie[static COOKIE_BYTES], int64_t now)
{
	uint8_t id[SESSION_ID_LEN];

	id_of(cookie, id);
	for (struct session *s = *bucket_of(ss, id); s != NULL; s = s->next) {
		if (sodium_memcmp(s->r.id, id, sizeof(id)) != 0 || s->ended)
			continue;
		if (is_over(ss, &s->r, now)) {
			hide(ss, s); /* the sweep removes it */
			return NULL;
		}
		if (now > s->r.last_seen_ns) {
			s->r.last_seen_ns = now;
			s->touched = true;
		}
		return s;
	}
	return NULL;
}

void
sessions_draw(const struct sessions *ss, uint64_t account, const struct wire_client *client, int64_t now,
	      uint8_t cookie[static COOKIE_BYTES], struct session_record *r)
{
	randombytes_buf(cookie, COOKIE_BYTES);
	*r = (struct session_record){
		.account = account, .created_ns = now, .last_seen_ns = now, .ip = client->ip
	};
	(void)str_copy(r->agent, sizeof(r->agent), client->agent);
	r->expires_ns = now + ss->rules.absolute_ns;
	id_of(cookie, r->id);
}

/* The oldest living session of an account among those not chosen yet; count gets how many live. */
static struct session *
oldest(struct sessions *ss, uint64_t account, struct session *const *chosen, size_t nchosen, size_t *count)
{
	struct session *found = NULL;

	*count = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct session *s = ss->bucket[i]; s != NULL; s = s->next) {
			bool taken = s->ended || s->r.account != account;

			for (size_t k = 0; k < nchosen && !taken; k++)
				taken = chosen[k] == s;
			if (taken)
				continue;
			(*count)++;
			if (found == NULL || s->r.created_ns < found->r.created_ns)
				found = s;
		}
	return found;
}

#define EVICT_MAX                                                                                            \
	16 /* of one login: more than one only where the setting was lowered, and then login by login */

struct session *
sessions_begin(struct sessions *ss, struct session_record *r, sessions_also *also, void *ctx,
	       enum db_status *why)
{
	struct session *evicted[EVICT_MAX], *s;
	uint8_t gone[EVICT_MAX][SESSION_ID_LEN];
	size_t n = 0, left;
	struct txn x;

	*why = DB_EXISTS;
	if (ss->count >= SESSIONS_MAX)
		return NULL;
	while (n < EVICT_MAX && (s = oldest(ss, r->account, evicted, n, &left)) != NULL &&
	       left >= ss->rules.per_user) {
		memcpy(gone[n], s->r.id, SESSION_ID_LEN);
		evicted[n++] = s;
	}
	x = txn_begin(accounts_db_tables(ss->db), true);
	if (also != NULL)
		also(ctx, &x);
	sessions_put(&x, r, 1, (const uint8_t(*)[SESSION_ID_LEN])gone, n);
	*why = txn_end(&x);
	if (*why != DB_OK)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		hide(ss, evicted[i]);
		drop(ss, evicted[i]);
	}
	return insert(ss, r);
}

enum db_status
sessions_end(struct sessions *ss, struct session *s, sessions_also *also, void *ctx)
{
	struct txn x = txn_begin(accounts_db_tables(ss->db), true);
	enum db_status status;

	hide(ss, s);
	sessions_put(&x, NULL, 0, (const uint8_t(*)[SESSION_ID_LEN])s->r.id, 1);
	if (also != NULL)
		also(ctx, &x);
	status = txn_end(&x);
	if (status == DB_OK)
		drop(ss, s);
	return status;
}

size_t
sessions_forget(struct sessions *ss, uint64_t account, const uint8_t *but)
{
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct session *s = ss->bucket[i], *next; s != NULL; s = next) {
			next = s->next;
			if (s->r.account != account ||
			    (but != NULL && memcmp(s->r.id, but, sizeof(s->r.id)) == 0))
				continue;
			n += !s->ended;
			hide(ss, s);
			drop(ss, s);
		}
	return n;
}

void
sessions_forget_one(struct sessions *ss, const uint8_t *handle)
{
	struct session *s = *bucket_of(ss, handle);

	while (s != NULL && memcmp(s->r.id, handle, SESSION_HANDLE_LEN) != 0)
		s = s->next;
	if (s == NULL)
		return;
	hide(ss, s);
	drop(ss, s);
}

struct session *
sessions_look(struct sessions *ss, const uint8_t handle[static SESSION_HANDLE_LEN], int64_t now)
{
	struct session *s = *bucket_of(ss, handle);

	while (s != NULL &&
	       (s->ended || is_over(ss, &s->r, now) || memcmp(s->r.id, handle, SESSION_HANDLE_LEN) != 0))
		s = s->next;
	return s;
}

void
sessions_each(struct sessions *ss, int64_t now, void (*each)(void *ctx, struct session *s), void *ctx)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct session *s = ss->bucket[i]; s != NULL; s = s->next)
			if (!s->ended && !is_over(ss, &s->r, now))
				each(ctx, s);
}

/* Removes from the disk, then from memory, what has ended: a batch of it. */
static enum db_status
remove_ended(struct sessions *ss, bool *more)
{
	struct session *batch[BATCH];
	uint8_t gone[BATCH][SESSION_ID_LEN];
	enum db_status status;
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS && n < BATCH; i++)
		for (struct session *s = ss->bucket[i]; s != NULL && n < BATCH; s = s->next)
			if (s->ended) {
				memcpy(gone[n], s->r.id, SESSION_ID_LEN);
				batch[n++] = s;
			}
	*more = n == BATCH;
	if (n == 0)
		return DB_OK;
	status = accounts_db_sessions(ss->db, NULL, 0, (const uint8_t(*)[SESSION_ID_LEN])gone, n);
	for (size_t i = 0; i < n && status == DB_OK; i++)
		drop(ss, batch[i]);
	return status;
}

static enum db_status
write_touched(struct sessions *ss, bool *more)
{
	struct session *batch[BATCH];
	struct session_record put[BATCH];
	enum db_status status;
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS && n < BATCH; i++)
		for (struct session *s = ss->bucket[i]; s != NULL && n < BATCH; s = s->next)
			if (s->touched && !s->ended) {
				put[n] = s->r;
				batch[n++] = s;
			}
	*more = n == BATCH;
	if (n == 0)
		return DB_OK;
	status = accounts_db_sessions(ss->db, put, n, NULL, 0);
	for (size_t i = 0; i < n && status == DB_OK; i++)
		batch[i]->touched = false;
	return status;
}

enum db_status
sessions_flush(struct sessions *ss)
{
	enum db_status status = DB_OK;
	bool more = true;

	while (more && status == DB_OK)
		status = write_touched(ss, &more);
	return status;
}

/* How often the disk learns when sessions were seen: an eighth of the idle time, 5 s to 60 s. */
static int64_t
flush_interval(const struct sessions *ss)
{
	int64_t eighth = ss->rules.idle_ns / 8;

	if (eighth < 5 * NS_PER_S)
		return 5 * NS_PER_S;
	return eighth > 60 * NS_PER_S ? 60 * NS_PER_S : eighth;
}

enum db_status
sessions_sweep(struct sessions *ss, int64_t now)
{
	enum db_status status;
	bool more;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct session *s = ss->bucket[i]; s != NULL; s = s->next)
			if (!s->ended && is_over(ss, &s->r, now))
				hide(ss, s);
	status = remove_ended(ss, &more);
	if (status != DB_OK || (now - ss->flushed_ns < flush_interval(ss) && now >= ss->flushed_ns))
		return status;
	ss->flushed_ns = now;
	return write_touched(ss, &more);
}
