#include "attempts.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "child.h"
#include "findings.h"
#include "secrets.h"

#define ENDS(text) (memchr((text), 0, sizeof(text)) != NULL)

#define TIMEOUT_MAX_MS 120000
#define EACH_LEAST_MS  500 /* of a server */
#define WHY_MAX        200
#define HOPS_MAX       3 /* from server to server by referrals, of one question */
#define BEFORE_MAX     (DIRECTORY_SERVERS + HOPS_MAX)

struct attempt {
	struct attempts *all;
	bool used;
	struct wire_directory_ask *ask; /* one of all->asks, wiped when it is over */
	char *provider;
	int64_t deadline_ns; /* clock_boot_ns */
	struct server_url url[DIRECTORY_SERVERS];
	uint32_t next; /* server */
	struct server_url referral[DIRECTORY_REFERRALS];
	uint32_t referred, hops;  /* to which of them, 1 and up (0: to none now); how often */
	char base[LINK_BASE_MAX]; /* there */
	char *before[BEFORE_MAX];
	size_t nbefore;
	uint64_t ticket; /* of dial's; 0: none */
	pid_t pid;       /* of its process; 0: none */
	int told;        /* its pipe; or -1 */
	char *said;      /* what came so far: struct child_said and a text */
	size_t nsaid, room;
	struct event *reading, *late;
};

struct attempts {
	struct event_base *base;
	struct attempts_doors doors;
	const char *authorities;
	size_t authorities_len;
	uint64_t tickets;
	struct wire_directory_ask *asks; /* [DIRECTORY_ASKS], in locked memory */
	struct attempt attempt[DIRECTORY_ASKS];
};

#define SAID_MAX   (sizeof(struct child_said) + DIRECTORY_TOLD_MAX)
#define SAID_FIRST ((size_t)16 << 10)

static void
count(struct attempts *a, enum process_counter place)
{
	a->doors.counters->n[place]++;
}

/* --- ends --- */

static void
stop_child(struct attempt *t)
{
	if (t->reading != NULL)
		event_free(t->reading);
	t->reading = NULL;
	if (t->told != -1)
		close(t->told);
	t->told = -1;
	/* It is reaped with SIGCHLD. */
	if (t->pid > 0)
		(void)kill(t->pid, SIGKILL);
	t->pid = 0;
	free(t->said);
	t->said = NULL;
	t->nsaid = t->room = 0;
}

static void
let_go(struct attempt *t)
{
	stop_child(t);
	if (t->ticket != 0)
		t->all->doors.cancel(t->all->doors.ctx, t->ticket);
	if (t->late != NULL)
		event_free(t->late);
	for (size_t i = 0; i < t->nbefore; i++)
		free(t->before[i]);
	sodium_memzero(t->ask, sizeof(*t->ask));
	free(t->provider);
	*t = (struct attempt){ .all = t->all, .ask = t->ask, .told = -1 };
}

static void
end(struct attempt *t, enum directory_verdict v, const char *text, size_t len)
{
	t->all->doors.tell(t->all->doors.ctx, t->ask->request, v, text, len);
	let_go(t);
}

/* No server could be asked: what is known of each is the answer. */
static void
end_unavailable(struct attempts *a, uint64_t request, char *const *before, size_t nbefore, const char *words)
{
	struct findings *f = findings_new();
	size_t len;
	char *text;

	for (size_t i = 0; i < nbefore; i++)
		findings_step(f, "%s", before[i]);
	findings_end(f, DIRECTORY_UNAVAILABLE, words);
	text = findings_text(f, &len);
	if (text != NULL)
		a->doors.tell(a->doors.ctx, request, f->verdict, text, len);
	free(text);
	findings_free(&f);
}

/* --- server after server --- */

/* Whose turn it is. */
static const struct server_url *
url_of(const struct attempt *t)
{
	return t->referred != 0 ? &t->referral[t->referred - 1] : &t->url[t->next];
}

static const char *
text_of(const struct attempt *t)
{
	return t->referred != 0 ? t->ask->referral[t->referred - 1] : t->ask->server[t->next];
}

static void
keep(struct attempt *t, const char *why)
{
	char text[WHY_MAX + DIRECTORY_URL_MAX];

	(void)snprintf(text, sizeof(text), "%s: %.190s", text_of(t), why);
	if (t->nbefore < BEFORE_MAX)
		t->before[t->nbefore++] = mem_strdup(text);
}

static void
try_next(struct attempt *t)
{
	struct wire_dial_ask w = { .ticket = 0 };
	int64_t left_ms = (t->deadline_ns - clock_boot_ns()) / 1000000;
	struct timeval most;

	if (t->next == t->ask->nservers || left_ms <= 0) {
		end_unavailable(t->all, t->ask->request, t->before, t->nbefore,
				t->nbefore == 0 ? NULL : t->before[t->nbefore - 1]);
		let_go(t);
		return;
	}
	/* What is left of the time, shared among the servers that are left. */
	left_ms /= t->ask->nservers - t->next;
	left_ms = left_ms < EACH_LEAST_MS ? EACH_LEAST_MS : left_ms;
	most = (struct timeval){ left_ms / 1000, left_ms % 1000 * 1000 };
	t->ticket = w.ticket = ++t->all->tickets;
	w.port = url_of(t)->port;
	/* Dial's own limit is beyond ours: it is only for the case that we are gone. */
	w.timeout_ms = left_ms > 50000 ? 60000 : (uint32_t)left_ms + 10000;
	str_copy(w.host, sizeof(w.host), url_of(t)->host);
	if (evtimer_add(t->late, &most) == -1 || !t->all->doors.dial(t->all->doors.ctx, &w)) {
		t->ticket = 0;
		end_unavailable(t->all, t->ask->request, t->before, t->nbefore, "weir-dial is not there");
		let_go(t);
	}
}

/* This server is of no use; the next one may be. */
static void
give_up_server(struct attempt *t, const char *why)
{
	keep(t, why);
	stop_child(t);
	if (t->ticket != 0)
		t->all->doors.cancel(t->all->doors.ctx, t->ticket);
	t->ticket = 0;
	t->referred = 0;
	t->next++;
	try_next(t);
}

/* False where the process of the attempt lies. */
static bool
go_on_there(struct attempt *t, const struct child_said *said)
{
	if (said->referred > t->ask->nreferrals || t->hops == HOPS_MAX || !ENDS(said->base))
		return false;
	keep(t, "refers to another server");
	stop_child(t);
	t->hops++;
	t->referred = said->referred;
	(void)str_copy(t->base, sizeof(t->base), said->base);
	try_next(t);
	return true;
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *t = arg;

	(void)fd;
	(void)what;
	count(t->all, COUNTED_DIRECTORY_KILLED);
	give_up_server(t, t->pid == 0 ? "no connection in time" : "connected, but no answer in time");
}

/* --- its process --- */

static void
judge(struct attempt *t)
{
	struct child_said said = { .verdict = 0 };
	const char *text = t->said + sizeof(said);
	size_t len;

	if (t->nsaid >= sizeof(said))
		memcpy(&said, t->said, sizeof(said));
	len = t->nsaid < sizeof(said) ? 0 : t->nsaid - sizeof(said);
	if (said.verdict == 0 || said.verdict >= DIRECTORY_VERDICT_COUNT || len == 0 || said.len != len ||
	    !ENDS(said.why)) {
		count(t->all, COUNTED_DIRECTORY_DIED);
		log_warn("the process of an attempt ended without a word");
		give_up_server(t, "the process that asked it died of what it said");
		return;
	}
	if (said.referred != 0) {
		if (!go_on_there(t, &said)) {
			count(t->all, COUNTED_DIRECTORY_DIED);
			give_up_server(t, "the process that asked it says what cannot be");
		}
		return;
	}
	/* Its steps are told where another server is not asked; what came of them always. */
	if (said.verdict == DIRECTORY_UNAVAILABLE && t->next + 1 < t->ask->nservers) {
		give_up_server(t, said.why);
		return;
	}
	end(t, (enum directory_verdict)said.verdict, text, len);
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *t = arg;
	ssize_t n;

	(void)what;
	/* Most say little: room for the most of all attempts at once is more than the process may have. */
	if (t->nsaid == t->room && t->room < SAID_MAX) {
		t->room = t->room == 0 ? SAID_FIRST : t->room < SAID_MAX / 2 ? 2 * t->room : SAID_MAX;
		t->said = mem_reallocarray(t->said, t->room, 1);
	}
	n = read(fd, t->said + t->nsaid, t->room - t->nsaid);
	if (n > 0) {
		t->nsaid += (size_t)n;
		return;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	judge(t);
}

void
attempts_reap(struct attempts *a)
{
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0)
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
			count(a, COUNTED_DIRECTORY_FILTERED);
			log_warn(
			    "the process of an attempt made a system call that it may not: it was killed");
		}
}

/* --- dial's answers --- */

static struct attempt *
of_ticket(struct attempts *a, uint64_t ticket)
{
	for (size_t i = 0; i < DIRECTORY_ASKS; i++)
		if (a->attempt[i].used && a->attempt[i].ticket == ticket)
			return &a->attempt[i];
	return NULL;
}

void
attempts_connected(struct attempts *a, uint64_t ticket, int fd)
{
	struct attempt *t = ticket == 0 ? NULL : of_ticket(a, ticket);
	struct child_task task;

	if (t == NULL) {
		close(fd);
		return;
	}
	t->ticket = 0;
	task = (struct child_task){ .ask = t->ask,
				    .provider = t->provider,
				    .url = url_of(t),
				    .base = t->referred != 0 ? t->base : NULL,
				    .referral = t->referral,
				    .nreferrals = t->hops < HOPS_MAX ? t->ask->nreferrals : 0,
				    .authorities = a->authorities,
				    .authorities_len = a->authorities_len,
				    .before = (const char *const *)t->before,
				    .nbefore = t->nbefore };
	t->pid = child_start(&task, fd, &t->told);
	close(fd);
	if (t->pid > 0 && t->told != -1)
		t->reading = event_new(a->base, t->told, EV_READ | EV_PERSIST, on_said, t);
	if (t->reading == NULL || event_add(t->reading, NULL) == -1) {
		t->pid = t->pid > 0 ? t->pid : 0;
		give_up_server(t, "no process could be made to ask it");
	}
}

void
attempts_not_connected(struct attempts *a, uint64_t ticket, const char *why)
{
	struct attempt *t = ticket == 0 ? NULL : of_ticket(a, ticket);

	if (t == NULL)
		return;
	t->ticket = 0;
	give_up_server(t, why);
}

void
attempts_dial_gone(struct attempts *a)
{
	for (size_t i = 0; i < DIRECTORY_ASKS; i++) {
		struct attempt *t = &a->attempt[i];

		if (!t->used || t->ticket == 0)
			continue;
		t->ticket = 0;
		end_unavailable(a, t->ask->request, t->before, t->nbefore, "weir-dial is gone");
		let_go(t);
	}
}

/* --- questions --- */

struct attempts *
attempts_new(struct event_base *base, const struct attempts_doors *doors, const char *authorities,
	     size_t authorities_len)
{
	struct attempts *a = mem_calloc(1, sizeof(*a));

	a->base = base;
	a->doors = *doors;
	a->authorities = authorities;
	a->authorities_len = authorities_len;
	a->asks = secrets_alloc(DIRECTORY_ASKS, sizeof(*a->asks));
	for (size_t i = 0; i < DIRECTORY_ASKS; i++) {
		a->attempt[i].all = a;
		a->attempt[i].ask = &a->asks[i];
		a->attempt[i].told = -1;
	}
	return a;
}

void
attempts_free(struct attempts **a)
{
	if (*a == NULL)
		return;
	attempts_drop_all(*a);
	/* All of it is wiped; to unlock it is no call of ours any more. */
	free(*a);
	*a = NULL;
}

static bool
sane(const struct wire_directory_ask *w)
{
	if (w->what == 0 || w->what >= DIRECTORY_WHAT_COUNT || w->timeout_ms == 0 ||
	    w->timeout_ms > TIMEOUT_MAX_MS || w->len == 0 || w->len > DIRECTORY_ASK_MAX || w->nservers == 0 ||
	    w->nservers > DIRECTORY_SERVERS || w->nreferrals > DIRECTORY_REFERRALS || !ENDS(w->name) ||
	    !ENDS(w->password) || !ENDS(w->secret))
		return false;
	if (w->what == DIRECTORY_LOGIN && (w->name[0] == '\0' || w->password[0] == '\0'))
		return false;
	for (uint32_t i = 0; i < w->nservers; i++)
		if (!ENDS(w->server[i]))
			return false;
	for (uint32_t i = 0; i < w->nreferrals; i++)
		if (!ENDS(w->referral[i]))
			return false;
	return true;
}

/* False where it was told that one is no address: that is the administrator's mistake, and no lie. */
static bool
read_servers(struct attempts *a, const struct wire_directory_ask *w, const char (*text)[DIRECTORY_URL_MAX],
	     uint32_t n, struct server_url *url)
{
	for (uint32_t i = 0; i < n; i++) {
		char words[WHY_MAX];

		if (server_url_ldap(text[i], &url[i]))
			continue;
		(void)snprintf(words, sizeof(words), "%.150s is no address of a server", text[i]);
		end_unavailable(a, w->request, NULL, 0, words);
		return false;
	}
	return true;
}

bool
attempts_add(struct attempts *a, const struct wire_directory_ask *w, const char *provider)
{
	struct server_url url[DIRECTORY_SERVERS] = { 0 }, referral[DIRECTORY_REFERRALS] = { 0 };
	struct attempt *t = NULL;

	if (!sane(w))
		return false;
	if (!read_servers(a, w, w->server, w->nservers, url) ||
	    !read_servers(a, w, w->referral, w->nreferrals, referral))
		return true;
	for (size_t i = 0; i < DIRECTORY_ASKS && t == NULL; i++)
		if (!a->attempt[i].used)
			t = &a->attempt[i];
	if (t != NULL)
		t->late = evtimer_new(a->base, on_late, t);
	if (t == NULL || t->late == NULL) {
		count(a, COUNTED_DIRECTORY_FULL);
		end_unavailable(a, w->request, NULL, 0, "too many are being asked");
		return true;
	}
	t->used = true;
	*t->ask = *w;
	t->provider = mem_calloc(w->len, 1);
	memcpy(t->provider, provider, w->len);
	memcpy(t->url, url, sizeof(t->url));
	memcpy(t->referral, referral, sizeof(t->referral));
	t->deadline_ns = clock_boot_ns() + (int64_t)w->timeout_ms * 1000000;
	try_next(t);
	return true;
}

void
attempts_drop_all(struct attempts *a)
{
	for (size_t i = 0; i < DIRECTORY_ASKS; i++)
		if (a->attempt[i].used)
			let_go(&a->attempt[i]);
}
