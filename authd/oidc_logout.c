#include "oidc_logout.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "events.h"
#include "oidc_ask.h"
#include "providers.h"
#include "reply.h"

#define ENDS(text)   (memchr((text), 0, sizeof(text)) != NULL)
#define TAKEN_MAX    4096              /* then the oldest is forgotten */
#define TAKEN_FOR_NS (3600 * NS_PER_S) /* weir-directory takes no token that is older */
#define BATCH        64                /* sessions that end together */

struct taken {
	uint8_t hash[32]; /* of provider and jti */
	int64_t until_ns; /* boot clock; 0: this place is free */
};

struct logouts {
	unsigned judging;
	struct taken item[TAKEN_MAX];
};

struct logouts *
logouts_new(void)
{
	return mem_calloc(1, sizeof(struct logouts));
}

void
logouts_free(struct logouts **l)
{
	free(*l);
	*l = NULL;
}

void
oidc_sid(const char *sid, uint8_t out[static SESSION_SID_LEN])
{
	(void)crypto_generichash(out, SESSION_SID_LEN, (const uint8_t *)sid, strlen(sid), NULL, 0);
}

/* False where this one was taken before. */
static bool
take_once(struct logouts *l, const char *provider, const char *jti)
{
	int64_t now = clock_boot_ns();
	struct taken *place = &l->item[0];
	crypto_generichash_state h;
	uint8_t hash[32];

	(void)crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	(void)crypto_generichash_update(&h, (const uint8_t *)provider, strlen(provider) + 1);
	(void)crypto_generichash_update(&h, (const uint8_t *)jti, strlen(jti));
	(void)crypto_generichash_final(&h, hash, sizeof(hash));
	for (size_t i = 0; i < TAKEN_MAX; i++) {
		struct taken *at = &l->item[i];

		if (at->until_ns > now && memcmp(at->hash, hash, sizeof(hash)) == 0)
			return false;
		if (at->until_ns < place->until_ns)
			place = at;
	}
	memcpy(place->hash, hash, sizeof(hash));
	place->until_ns = now + TAKEN_FOR_NS;
	return true;
}

/* --- whose sessions --- */

struct leaver {
	struct authd *a;
	const struct provider *p;
	const struct wire_client *client;
	uint64_t account;             /* 0: any */
	uint8_t sid[SESSION_SID_LEN]; /* where has_sid */
	bool has_sid;
	size_t n;
	struct session *found[BATCH];
	struct session *ending;
};

static void
find(void *ctx, struct session *s)
{
	struct leaver *l = ctx;

	if (l->n < BATCH && strcmp(s->r.origin.provider, l->p->s->name) == 0 &&
	    (l->account == 0 || s->r.account == l->account) &&
	    (!l->has_sid || memcmp(s->r.origin.sid, l->sid, sizeof(l->sid)) == 0))
		l->found[l->n++] = s;
}

static void
write_end(void *ctx, struct txn *x)
{
	const struct leaver *l = ctx;
	char handle[HANDLE_TEXT];
	struct audit_entry e;
	struct account who;

	account_read(x, l->ending->r.account, &who);
	e = events_entry(AUDIT_SESSION_ENDED, AUDIT_DONE, who.name, l->client);
	(void)snprintf(e.subject, sizeof(e.subject), "session:%s", events_handle(l->ending->r.id, handle));
	audit_detail(&e, "logged out at the provider '%s'", l->p->s->name);
	audit_add(l->a->audit, x, &e);
	sodium_memzero(&who, sizeof(who));
}

/* Ends them in memory whatever the disk says: the sweep tries again there. */
static size_t
end_sessions(struct leaver *l)
{
	size_t all = 0;

	do {
		l->n = 0;
		sessions_each(l->a->sessions, clock_utc_ns(), find, l);
		for (size_t i = 0; i < l->n; i++) {
			l->ending = l->found[i];
			if (sessions_end(l->a->sessions, l->found[i], write_end, l) != DB_OK)
				log_error("a session that was ended is still on disk: %s",
					  accounts_db_why(l->a->db));
		}
		all += l->n;
	} while (l->n == BATCH);
	return all;
}

/* The account of whom the provider means; false where it is nobody's here. */
static bool
find_account(struct leaver *l, const char *sub)
{
	struct txn x = txn_begin(accounts_db_tables(l->a->db), false);

	l->account = subject_look(&x, l->p->s->name, sub);
	return txn_end(&x) == DB_OK && l->account != 0;
}

/* --- the token --- */

struct judging {
	struct authd *a;
	struct return_address to;
	uint64_t request;
	struct wire_client client;
	const struct provider *p;
};

static void
answer(struct judging *j, enum auth_status status)
{
	struct answer answer = { .id = MSG_AUTH_ANSWER, .to = j->to };

	answer.auth.request = j->request;
	answer.auth.status = status;
	store_link_answer(j->a, &answer, j->a->store.ticket, true);
}

static void
refuse(struct judging *j, enum auth_status status, const char *why)
{
	char from[IP_TEXT_MAX];

	j->a->counters.n[COUNTED_AUTHD_LOGOUTS_REFUSED]++;
	log_warn("a logout that '%s' told from %s is not taken: %s", j->p->s->name,
		 ip_format(&j->client.ip, from), why);
	answer(j, status);
}

static const char *
text_of(const struct json_node *root, const char *key)
{
	const char *text = json_node_text(json_node_member(root, key));

	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void
take(struct judging *j, const struct person_told *t)
{
	const struct json_node *root = json_root(t->doc);
	const char *sub = text_of(root, "sub"), *sid = text_of(root, "sid"), *jti = text_of(root, "jti");
	struct leaver l = { .a = j->a, .p = j->p, .client = &j->client, .has_sid = sid != NULL };
	struct session_origin over = { .provider = "" };

	if ((sub == NULL && sid == NULL) || jti == NULL) {
		refuse(j, AUTH_DENIED, "it names nobody, or has no jti");
		return;
	}
	if (!take_once(j->a->logouts, j->p->s->name, jti)) {
		refuse(j, AUTH_DENIED, "it was told before (jti)");
		return;
	}
	(void)str_copy(over.provider, sizeof(over.provider), j->p->s->name);
	if (sid != NULL)
		oidc_sid(sid, over.sid);
	memcpy(l.sid, over.sid, sizeof(l.sid));
	if (sub == NULL || find_account(&l, sub)) {
		size_t n = end_sessions(&l);

		/* Who has shown his password there, and his second factor not yet here. */
		if (l.account != 0)
			tickets_forget(j->a->tickets, l.account);
		else
			tickets_forget_origin(j->a->tickets, &over);
		log_info("a logout that '%s' told ended %zu sessions", j->p->s->name, n);
	}
	answer(j, AUTH_OK);
}

static void
on_told(void *ctx, const struct person_told *t)
{
	struct judging *j = ctx;

	j->a->logouts->judging--;
	if (t->verdict == DIRECTORY_RIGHT && t->doc != NULL)
		take(j, t);
	else
		refuse(j, t->verdict == DIRECTORY_UNAVAILABLE ? AUTH_BUSY : AUTH_DENIED, t->why);
	free(j);
}

bool
oidc_logout_serve(struct authd *a, struct channel *ch, const void *body, size_t len)
{
	struct return_address to = return_address_of(ch);
	char token[OIDC_TOKEN_MAX + 1];
	const struct oidc_question q = { .proof = token };
	struct wire_oidc_logout w;
	const struct provider *p;
	struct judging *j;

	memcpy(&w, body, sizeof(w));
	if (!ENDS(w.client.agent) || !ENDS(w.provider) || w.token_len == 0 || w.token_len > OIDC_TOKEN_MAX ||
	    w.token_len != len - sizeof(w))
		return false;
	memcpy(token, (const char *)body + sizeof(w), w.token_len);
	token[w.token_len] = '\0';
	p = providers_find(a->providers, w.provider);
	if (p == NULL || strlen(token) != w.token_len) {
		a->counters.n[COUNTED_AUTHD_LOGOUTS_REFUSED]++;
		reply_status(a, &to, w.request, AUTH_DENIED, 0, NULL);
		return true;
	}
	if (a->logouts->judging >= LOGOUTS_MAX) {
		a->counters.n[COUNTED_AUTHD_LOGOUTS_REFUSED]++;
		reply_status(a, &to, w.request, AUTH_BUSY, 0, NULL);
		return true;
	}
	j = mem_calloc(1, sizeof(*j));
	*j = (struct judging){ a, to, w.request, w.client, p };
	a->logouts->judging++;
	if (!oidc_ask(a->oidc, OIDC_LOGOUT, p, &q, on_told, j)) {
		a->logouts->judging--;
		refuse(j, AUTH_BUSY, "weir-directory is not there, or has too much to do");
		free(j);
	}
	return true;
}
