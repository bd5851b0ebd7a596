#include "tokens.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "events.h"
#include "granting.h"
#include "token_text.h"
#include "tokens_db.h"

#define BUCKETS     16384
#define CACHED_MAX  TOKENS_MAX
#define BATCH       256        /* uses written by one transaction */
#define WRITE_EVERY 60         /* s: how often the use of one token is written */
#define TOKEN_ARENA (1u << 20) /* lists of one token */

struct entry {
	struct holder holder; /* first */
	struct entry *next;   /* in its bucket */
	struct arena *arena;
	struct token token;
	struct token_use use;
	bool used;          /* since it was written */
	int64_t written_ns; /* UTC */
};

struct tokens {
	struct authd *a;
	size_t count;
	struct entry *bucket[BUCKETS];
};

struct tokens *
tokens_new(struct authd *a)
{
	struct tokens *ts = mem_calloc(1, sizeof(*ts));

	ts->a = a;
	return ts;
}

/* Hashes: any of their bits will do. */
static struct entry **
bucket_of(struct tokens *ts, const uint8_t *hash)
{
	return &ts->bucket[(hash[0] | (size_t)hash[1] << 8) % BUCKETS];
}

static void
unlink_entry(struct tokens *ts, struct entry **p)
{
	struct entry *e = *p;

	*p = e->next;
	ts->count--;
	arena_free(&e->arena);
	free(e);
}

static void
drop(struct tokens *ts, struct entry **p)
{
	granting_revoke(ts->a, &(*p)->holder);
	unlink_entry(ts, p);
}

void
tokens_free(struct tokens **tsp)
{
	struct tokens *ts = *tsp;

	for (size_t i = 0; ts != NULL && i < BUCKETS; i++)
		while (ts->bucket[i] != NULL)
			unlink_entry(ts, &ts->bucket[i]); /* store hears nothing any more */
	free(ts);
	*tsp = NULL;
}

const char *
tokens_handle(const struct holder *h, char *out)
{
	return events_handle(((const struct entry *)(const void *)h)->token.hash, out);
}

void
tokens_forget(struct tokens *ts, const uint8_t *hash)
{
	struct entry **p = bucket_of(ts, hash);

	while (*p != NULL && memcmp((*p)->token.hash, hash, TOKEN_HASH_LEN) != 0)
		p = &(*p)->next;
	if (*p != NULL)
		drop(ts, p);
}

void
tokens_forget_of(struct tokens *ts, uint64_t account)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry **p = &ts->bucket[i]; *p != NULL;)
			if ((*p)->holder.account == account)
				drop(ts, p);
			else
				p = &(*p)->next;
}

/* --- a token is shown --- */

/* Of the database; NULL with *why where there is none. */
static struct entry *
load(struct tokens *ts, const uint8_t hash[static TOKEN_HASH_LEN], enum db_status *why)
{
	struct txn x = txn_begin(accounts_db_tables(ts->a->db), false);
	struct entry *e = mem_calloc(1, sizeof(*e)), **bucket = bucket_of(ts, hash);
	bool found;

	e->arena = arena_new(TOKEN_ARENA);
	found = token_look(&x, hash, e->arena, &e->token);
	if (found)
		token_use_read(&x, hash, &e->use);
	*why = txn_end(&x);
	if (*why == DB_OK && !found)
		*why = DB_NONE;
	if (*why != DB_OK || ts->count >= CACHED_MAX) {
		*why = *why == DB_OK ? DB_EXISTS : *why;
		arena_free(&e->arena);
		free(e);
		return NULL;
	}
	e->holder = (struct holder){ NULL, HOLDER_TOKEN, e->token.owner,
				     e->token.expires_ns == 0 ? INT64_MAX : e->token.expires_ns };
	e->written_ns = e->use.ns;
	e->next = *bucket;
	*bucket = e;
	ts->count++;
	return e;
}

static struct entry *
find(struct tokens *ts, const uint8_t hash[static TOKEN_HASH_LEN], enum db_status *why)
{
	*why = DB_OK;
	for (struct entry *e = *bucket_of(ts, hash); e != NULL; e = e->next)
		if (sodium_memcmp(e->token.hash, hash, TOKEN_HASH_LEN) == 0)
			return e;
	return load(ts, hash, why);
}

static bool
is_allowed_from(const struct token *t, const struct ip_addr *ip)
{
	for (size_t i = 0; i < t->nsources; i++)
		if (prefix_contains(&t->sources[i], ip))
			return true;
	return t->nsources == 0;
}

static void
refuse(struct tokens *ts, const struct return_address *to, uint64_t request, enum db_status why)
{
	struct authd *a = ts->a;

	if (why == DB_NONE) {
		reply_status(a, to, request, AUTH_DENIED, 0, NULL);
	} else if (why == DB_EXISTS) {
		reply_status(a, to, request, AUTH_BUSY, 0, "Too many tokens are in use.");
	} else {
		if (why == DB_BROKEN)
			authd_give_up(a, accounts_db_why(a->db));
		reply_status(a, to, request, AUTH_UNAVAILABLE, 0, "The accounts cannot be read.");
	}
}

static void
was_used(struct tokens *ts, struct entry *e, const struct wire_client *client, int64_t now)
{
	if (e->use.ns == 0 || !ip_equal(&e->use.ip, &client->ip))
		events_token(ts->a, &e->token, client, true);
	e->use = (struct token_use){ now, client->ip };
	e->used = true;
}

static void
serve_entry(struct tokens *ts, const struct return_address *to, struct entry *e, const struct wire_token *w)
{
	int64_t now = clock_utc_ns();

	if (now >= e->holder.expires_ns || !is_allowed_from(&e->token, &w->client.ip)) {
		events_token(ts->a, &e->token, &w->client, false);
		refuse(ts, to, w->request, DB_NONE);
		return;
	}
	if (granting_answer(ts->a, to, w->request, &e->holder, w->tenant, &e->token, NULL) == DB_OK)
		was_used(ts, e, &w->client, now);
}

bool
tokens_serve(struct tokens *ts, struct channel *ch, struct wire_token *w)
{
	static struct log_limit unknown;
	struct return_address to = return_address_of(ch);
	uint8_t hash[TOKEN_HASH_LEN];
	char from[IP_TEXT_MAX];
	enum db_status why = DB_NONE;
	struct entry *e = NULL;

	if (memchr(w->token, 0, sizeof(w->token)) == NULL ||
	    memchr(w->tenant, 0, sizeof(w->tenant)) == NULL ||
	    memchr(w->client.agent, 0, sizeof(w->client.agent)) == NULL)
		return false;
	if (token_text_good(w->token)) {
		token_text_hash(w->token, hash);
		e = find(ts, hash, &why);
	}
	if (e != NULL) {
		serve_entry(ts, &to, e, w);
	} else {
		if (why == DB_NONE)
			log_warn_limited(&unknown, "a token that is none from %s",
					 ip_format(&w->client.ip, from));
		refuse(ts, &to, w->request, why);
	}
	sodium_memzero(w->token, sizeof(w->token));
	return true;
}

/* --- when they were used --- */

static enum db_status
write_uses(struct tokens *ts, int64_t now, bool all, bool *more)
{
	struct entry *batch[BATCH];
	enum db_status status;
	struct txn x;
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS && n < BATCH; i++)
		for (struct entry *e = ts->bucket[i]; e != NULL && n < BATCH; e = e->next)
			if (e->used &&
			    (all || now - e->written_ns >= WRITE_EVERY * NS_PER_S || now < e->written_ns))
				batch[n++] = e;
	*more = n == BATCH;
	if (n == 0)
		return DB_OK;
	x = txn_begin(accounts_db_tables(ts->a->db), true);
	for (size_t i = 0; i < n; i++)
		token_use_write(&x, batch[i]->token.hash, &batch[i]->use);
	status = txn_end(&x);
	for (size_t i = 0; i < n && status == DB_OK; i++) {
		batch[i]->used = false;
		batch[i]->written_ns = now;
	}
	return status;
}

enum db_status
tokens_sweep(struct tokens *ts, int64_t now)
{
	bool more;

	return write_uses(ts, now, false, &more);
}

enum db_status
tokens_flush(struct tokens *ts)
{
	enum db_status status = DB_OK;
	bool more = true;

	while (more && status == DB_OK)
		status = write_uses(ts, clock_utc_ns(), true, &more);
	return status;
}
