#include "oidc_asks.h"

#include <ctype.h>
#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/sealed.h"
#include "oidc_cache.h"
#include "oidc_process.h"
#include "oidc_report.h"
#include "oidc_talk.h"
#include "secrets.h"

#define ENDS(text) (memchr((text), 0, sizeof(text)) != NULL)

#define TIMEOUT_MAX_MS  120000
#define CONNECTIONS_MAX 4u /* of one process */
#define WHY_MAX         160

struct ask;

/* A process, of which a question has two at most. */
struct worker {
	struct ask *of;
	pid_t pid; /* 0: none */
	int sock;  /* -1: none */
	struct event *reading;
	struct talk_reader reader;
	uint64_t ticket; /* of dial's, for this process; 0: none */
	unsigned connections;
	char host[DIAL_HOST_MAX]; /* of the newest; "": none yet */
};

struct ask {
	struct oidc_asks *all;
	bool used;
	struct wire_oidc_ask *w; /* one of all->w, wiped when it is over */
	char *settings;
	uint8_t key[OIDC_CACHE_KEY_BYTES];
	int64_t deadline_ns; /* clock_boot_ns */
	struct http_server server[TALK_SERVERS];
	struct worker fetch, judge;
	bool fetched; /* in the course of this question */
	struct event *late;
};

struct oidc_asks {
	struct event_base *base;
	struct oidc_doors doors;
	const char *authorities;
	size_t authorities_len;
	uint64_t tickets;
	struct oidc_cache *cache;
	struct wire_oidc_ask *w; /* [OIDC_ASKS], in locked memory */
	struct ask ask[OIDC_ASKS];
};

static void
count(struct oidc_asks *a, enum process_counter place)
{
	a->doors.counters->n[place]++;
}

/* --- ends --- */

static void
stop(struct worker *s)
{
	struct oidc_asks *a = s->of->all;

	if (s->reading != NULL)
		event_free(s->reading);
	if (s->sock != -1)
		close(s->sock);
	/* It is reaped with SIGCHLD. */
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL);
	if (s->ticket != 0)
		a->doors.cancel(a->doors.ctx, s->ticket);
	talk_next(&s->reader);
	*s = (struct worker){ .of = s->of, .sock = -1 };
}

static void
let_go(struct ask *t)
{
	struct oidc_asks *all = t->all;
	struct wire_oidc_ask *w = t->w;

	stop(&t->fetch);
	stop(&t->judge);
	if (t->late != NULL)
		event_free(t->late);
	sodium_memzero(w, sizeof(*w));
	free(t->settings);
	*t = (struct ask){
		.all = all, .w = w, .fetch = { .of = t, .sock = -1 }, .judge = { .of = t, .sock = -1 }
	};
}

static void
tell_unavailable(struct oidc_asks *a, uint64_t request, const char *words)
{
	struct oidc_report *r = oidc_report_new();
	size_t len;
	char *text;

	oidc_report_end(r, OIDC_UNAVAILABLE, "%s", words);
	text = oidc_report_text(r, &len);
	if (text != NULL)
		a->doors.tell(a->doors.ctx, request, OIDC_UNAVAILABLE, text, len);
	free(text);
	oidc_report_free(&r);
}

static void
end_unavailable(struct ask *t, const char *words)
{
	tell_unavailable(t->all, t->w->request, words);
	let_go(t);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct ask *t = arg;
	const struct worker *s = t->fetch.pid != 0 ? &t->fetch : &t->judge;
	char words[DIAL_HOST_MAX + 64];

	(void)fd;
	(void)what;
	count(t->all, COUNTED_DIRECTORY_OIDC_KILLED);
	if (s->host[0] == '\0')
		(void)snprintf(words, sizeof(words), "no end in time");
	else
		(void)snprintf(words, sizeof(words), "%s: %s", s->host,
			       s->ticket != 0 ? "no connection in time" : "connected, but no answer in time");
	end_unavailable(t, words);
}

/* --- its processes --- */

static void on_said(evutil_socket_t fd, short what, void *arg);

/* published: NULL for a process that fetches. False where it has ended the question. */
static bool
start(struct ask *t, struct worker *s, const struct oidc_published *published)
{
	const struct oidc_task task = { t->w, t->settings, t->all->authorities, t->all->authorities_len,
					published };

	s->pid = oidc_process_start(&task, &s->sock);
	if (s->pid > 0 && s->sock != -1)
		s->reading = event_new(t->all->base, s->sock, EV_READ | EV_PERSIST, on_said, s);
	if (s->reading != NULL && event_add(s->reading, NULL) == 0)
		return true;
	s->pid = s->pid > 0 ? s->pid : 0;
	end_unavailable(t, "no process could be made to ask him");
	return false;
}

static void
judge_with(struct ask *t, const struct oidc_published *p)
{
	memcpy(t->server, p->server, sizeof(t->server));
	(void)start(t, &t->judge, p);
}

/* --- connections --- */

/* As dial and a log can bear it. */
static bool
is_server(const struct http_server *s)
{
	if (!ENDS(s->host) || s->host[0] == '\0' || s->port == 0)
		return false;
	for (const char *p = s->host; *p != '\0'; p++)
		if (!isascii((unsigned char)*p) || !isgraph((unsigned char)*p))
			return false;
	return true;
}

/* False where the process lied. */
static bool
connect_for(struct worker *s)
{
	struct ask *t = s->of;
	struct oidc_asks *a = t->all;
	struct wire_dial_ask w = { .ticket = OIDC_TICKET | ++a->tickets };
	int64_t left_ms = (t->deadline_ns - clock_boot_ns()) / 1000000;
	const struct http_server *server;
	struct talk_connect ask;

	memcpy(&ask, s->reader.body, sizeof(ask));
	if (s == &t->fetch)
		server = ask.which == TALK_GIVEN ? &ask.server : NULL;
	else
		server = ask.which < TALK_SERVERS ? &t->server[ask.which] : NULL;
	if (server == NULL || !is_server(server) || s->ticket != 0 || s->connections++ == CONNECTIONS_MAX)
		return false;
	(void)str_copy(s->host, sizeof(s->host), server->host);
	(void)str_copy(w.host, sizeof(w.host), server->host);
	w.port = server->port;
	/* Dial's own limit is beyond ours: it is only for the case that we are gone. */
	w.timeout_ms = left_ms < 0 ? 10000 : left_ms > 50000 ? 60000 : (uint32_t)left_ms + 10000;
	s->ticket = w.ticket;
	if (a->doors.dial(a->doors.ctx, &w))
		return true;
	s->ticket = 0;
	return talk_reply(s->sock, -1, 0, "weir-dial is not there");
}

static struct worker *
of_ticket(struct oidc_asks *a, uint64_t ticket)
{
	for (size_t i = 0; i < OIDC_ASKS && ticket != 0; i++) {
		struct ask *t = &a->ask[i];

		if (t->used && t->fetch.ticket == ticket)
			return &t->fetch;
		if (t->used && t->judge.ticket == ticket)
			return &t->judge;
	}
	return NULL;
}

void
oidc_asks_connected(struct oidc_asks *a, uint64_t ticket, int fd)
{
	struct worker *s = of_ticket(a, ticket);

	if (s != NULL) {
		s->ticket = 0;
		if (!talk_reply(s->sock, fd, 0, NULL))
			end_unavailable(s->of, "the process that asks him does not listen");
	}
	close(fd);
}

void
oidc_asks_not_connected(struct oidc_asks *a, uint64_t ticket, const char *why)
{
	struct worker *s = of_ticket(a, ticket);

	if (s == NULL)
		return;
	s->ticket = 0;
	if (!talk_reply(s->sock, -1, 0, why))
		end_unavailable(s->of, "the process that asks him does not listen");
}

void
oidc_asks_dial_gone(struct oidc_asks *a)
{
	for (size_t i = 0; i < OIDC_ASKS; i++) {
		struct ask *t = &a->ask[i];

		if (t->used && (t->fetch.ticket != 0 || t->judge.ticket != 0)) {
			t->fetch.ticket = t->judge.ticket = 0;
			end_unavailable(t, "weir-dial is gone");
		}
	}
}

/* --- what they say --- */

/* The judge needs the keys of now. False where it lied. */
static bool
fetch_again(struct worker *s)
{
	struct ask *t = s->of;

	if (s != &t->judge || t->fetch.pid != 0)
		return false;
	if (t->fetched)
		return talk_reply(s->sock, -1, 0, "they were fetched for this question");
	if (!oidc_cache_again(t->all->cache, t->key, clock_boot_ns()))
		return talk_reply(s->sock, -1, 0, "they were fetched a moment ago");
	t->fetched = true;
	(void)start(t, &t->fetch, NULL);
	return true;
}

/* The keys to a judge that waits for them. False where it does not listen. */
static bool
hand_over(struct worker *judge, const char *keys, size_t len)
{
	int fd = sealed_write("keys", keys, len);
	bool good = talk_reply(judge->sock, fd, len, fd == -1 ? "no memory for them" : NULL);

	if (fd != -1)
		close(fd);
	return good;
}

static bool
take_published(struct worker *s)
{
	struct ask *t = s->of;
	struct talk_published w;
	const char *text = s->reader.body + sizeof(w);
	struct oidc_published p;
	const struct oidc_published *kept;

	memcpy(&w, s->reader.body, sizeof(w));
	if (s != &t->fetch || w.document_len == 0 || w.document_len > DISCOVERY_MAX || w.keys_len == 0 ||
	    w.keys_len > KEYSET_MAX || w.lines_len > TALK_LINES_MAX ||
	    s->reader.head.len != sizeof(w) + w.document_len + w.keys_len + w.lines_len)
		return false;
	for (size_t i = 0; i < TALK_SERVERS; i++)
		if (w.server[i].port != 0 && !is_server(&w.server[i]))
			return false;
	p = (struct oidc_published){ .document = text,
				     .document_len = w.document_len,
				     .keys = text + w.document_len,
				     .keys_len = w.keys_len,
				     .lines = text + w.document_len + w.keys_len,
				     .lines_len = w.lines_len };
	memcpy(p.server, w.server, sizeof(p.server));
	kept = oidc_cache_put(t->all->cache, t->key, &p, clock_boot_ns());
	stop(s);
	t->fetched = true;
	if (t->judge.pid == 0)
		judge_with(t, kept);
	else if (!hand_over(&t->judge, kept->keys, kept->keys_len))
		end_unavailable(t, "the process that asks him does not listen");
	return true;
}

static bool
take_told(struct worker *s)
{
	struct ask *t = s->of;
	struct talk_told w;

	memcpy(&w, s->reader.body, sizeof(w));
	if (w.verdict == 0 || w.verdict >= OIDC_VERDICT_COUNT || (s == &t->fetch && w.verdict == OIDC_RIGHT))
		return false;
	/* That newer keys are not had is no answer to what was asked. */
	if (s == &t->fetch && t->judge.pid != 0) {
		stop(s);
		if (!talk_reply(t->judge.sock, -1, 0, "the provider does not give them"))
			end_unavailable(t, "the process that asks him does not listen");
		return true;
	}
	t->all->doors.tell(t->all->doors.ctx, t->w->request, (enum oidc_verdict)w.verdict,
			   s->reader.body + sizeof(w), s->reader.head.len - sizeof(w));
	let_go(t);
	return true;
}

static bool
take_saying(struct worker *s)
{
	switch ((enum talk_kind)s->reader.head.kind) {
	case TALK_CONNECT:
		return connect_for(s);
	case TALK_NEWER_KEYS:
		return fetch_again(s);
	case TALK_PUBLISHED:
		return take_published(s);
	case TALK_TOLD:
		return take_told(s);
	case TALK_KIND_COUNT:
		break;
	}
	return false;
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
	struct worker *s = arg;
	struct ask *t = s->of;
	uint64_t request = t->w->request;
	pid_t pid = s->pid;
	enum talk_read got;

	(void)fd;
	(void)what;
	/* What is said can end the process, and the question with it. */
	while ((got = talk_read(s->sock, &s->reader)) == TALK_WHOLE) {
		if (!take_saying(s)) {
			got = TALK_OVER;
			break;
		}
		if (!t->used || t->w->request != request || s->pid != pid)
			return;
		talk_next(&s->reader);
	}
	if (got == TALK_WAITS)
		return;
	count(t->all, COUNTED_DIRECTORY_OIDC_DIED);
	log_warn("the process of a question about a provider ended without an answer");
	end_unavailable(t, "the process that asked him died of what he said");
}

/* --- questions --- */

struct oidc_asks *
oidc_asks_new(struct event_base *base, const struct oidc_doors *doors, const char *authorities,
	      size_t authorities_len)
{
	struct oidc_asks *a = mem_calloc(1, sizeof(*a));

	a->base = base;
	a->doors = *doors;
	a->authorities = authorities;
	a->authorities_len = authorities_len;
	a->cache = oidc_cache_new();
	a->w = secrets_alloc(OIDC_ASKS, sizeof(*a->w));
	for (size_t i = 0; i < OIDC_ASKS; i++) {
		struct ask *t = &a->ask[i];

		t->all = a;
		t->w = &a->w[i];
		t->fetch = t->judge = (struct worker){ .of = t, .sock = -1 };
	}
	return a;
}

void
oidc_asks_free(struct oidc_asks **a)
{
	if (*a == NULL)
		return;
	oidc_asks_drop_all(*a);
	oidc_cache_free(&(*a)->cache);
	free(*a);
	*a = NULL;
}

static bool
sane(const struct wire_oidc_ask *w)
{
	if (w->what == 0 || w->what >= OIDC_WHAT_COUNT || w->timeout_ms == 0 ||
	    w->timeout_ms > TIMEOUT_MAX_MS || w->len == 0 || w->len > OIDC_ASK_MAX || !ENDS(w->issuer) ||
	    !ENDS(w->secret) || !ENDS(w->verifier) || !ENDS(w->nonce) || !ENDS(w->proof) ||
	    w->issuer[0] == '\0')
		return false;
	return (w->what != OIDC_CODE && w->what != OIDC_LOGOUT) || w->proof[0] != '\0';
}

bool
oidc_asks_add(struct oidc_asks *a, const struct wire_oidc_ask *w, const char *settings)
{
	const struct timeval most = { w->timeout_ms / 1000, w->timeout_ms % 1000 * 1000 };
	const struct oidc_published *known;
	struct ask *t = NULL;
	unsigned same = 0;

	if (!sane(w))
		return false;
	for (size_t i = 0; i < OIDC_ASKS; i++) {
		if (a->ask[i].used)
			same += strcmp(a->ask[i].w->issuer, w->issuer) == 0;
		else if (t == NULL)
			t = &a->ask[i];
	}
	if (same >= OIDC_ASKS_EACH) {
		count(a, COUNTED_DIRECTORY_OIDC_FULL);
		tell_unavailable(a, w->request, "too many wait for him already");
		return true;
	}
	if (t != NULL)
		t->late = evtimer_new(a->base, on_late, t);
	if (t == NULL || t->late == NULL || evtimer_add(t->late, &most) == -1) {
		if (t != NULL)
			let_go(t);
		count(a, COUNTED_DIRECTORY_OIDC_FULL);
		tell_unavailable(a, w->request, "too many are being asked");
		return true;
	}
	t->used = true;
	*t->w = *w;
	t->settings = mem_calloc(w->len, 1);
	memcpy(t->settings, settings, w->len);
	t->deadline_ns = clock_boot_ns() + (int64_t)w->timeout_ms * NS_PER_MS;
	oidc_cache_key(w->issuer, settings, w->len, t->key);
	known = w->what == OIDC_TEST ? NULL : oidc_cache_find(a->cache, t->key, clock_boot_ns());
	if (known != NULL)
		judge_with(t, known);
	else
		(void)start(t, &t->fetch, NULL);
	return true;
}

void
oidc_asks_drop_all(struct oidc_asks *a)
{
	for (size_t i = 0; i < OIDC_ASKS; i++)
		if (a->ask[i].used)
			let_go(&a->ask[i]);
}
