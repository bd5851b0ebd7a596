/* The messages that msg.def lets directory receive, and those that it sends. */
#include <event2/event.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempts.h"
#include "base/auto.h"
#include "base/log.h"
#include "directory.h"
#include "ipc/channel.h"
#include "ipc/counting.h"
#include "ipc/sealed.h"
#include "ipc/wire.h"
#include "oidc_asks.h"

/* --- to others --- */

static bool
dial(void *ctx, const struct wire_dial_ask *w)
{
	struct directory *d = ctx;
	struct channel *ch = peers_find(d->peers, PROC_DIAL, 0);

	return ch != NULL && channel_send(ch, MSG_DIAL_ASK, w, sizeof(*w));
}

static void
cancel(void *ctx, uint64_t ticket)
{
	struct directory *d = ctx;
	struct channel *ch = peers_find(d->peers, PROC_DIAL, 0);
	const struct wire_dial_cancel w = { ticket };

	if (ch != NULL)
		(void)channel_send(ch, MSG_DIAL_CANCEL, &w, sizeof(w));
}

static void
lose(struct directory *d, size_t len)
{
	d->counters.n[COUNTED_DIRECTORY_UNTOLD]++;
	log_warn("an answer of %zu bytes finds no memory: who asked waits in vain", len);
}

static void
tell(void *ctx, uint64_t request, enum directory_verdict v, const char *text, size_t len)
{
	struct directory *d = ctx;
	struct channel *ch = peers_find(d->peers, PROC_AUTHD, 0);
	const struct wire_directory_told w = { request, (uint32_t)v, (uint32_t)len };
	int fd = ch == NULL ? -1 : sealed_write("told", text, len);

	if (fd != -1)
		(void)channel_send_fd(ch, MSG_DIRECTORY_TOLD, &w, sizeof(w), fd);
	else if (ch != NULL)
		lose(d, len);
}

static void
tell_oidc(void *ctx, uint64_t request, enum oidc_verdict v, const char *text, size_t len)
{
	struct directory *d = ctx;
	struct channel *ch = peers_find(d->peers, PROC_AUTHD, 0);
	const struct wire_oidc_told w = { request, (uint32_t)v, (uint32_t)len };
	int fd = ch == NULL ? -1 : sealed_write("told", text, len);

	if (fd != -1)
		(void)channel_send_fd(ch, MSG_OIDC_TOLD, &w, sizeof(w), fd);
	else if (ch != NULL)
		lose(d, len);
}

/* --- from others --- */

static bool
serve_ask(struct directory *d, const struct msg *m)
{
	AUTO(mem_drop) char *provider = NULL;
	struct wire_directory_ask w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	if (w.len > 0 && w.len <= DIRECTORY_ASK_MAX)
		provider = sealed_read(m->fd, w.len);
	good = provider != NULL && attempts_add(d->attempts, &w, provider);
	sodium_memzero(&w, sizeof(w));
	/* Processes that parse what strangers say inherit the channel's buffer. */
	sodium_memzero((void *)(uintptr_t)m->body, m->len);
	return good;
}

static bool
serve_oidc_ask(struct directory *d, const struct msg *m)
{
	AUTO(mem_drop) char *settings = NULL;
	struct wire_oidc_ask w;
	bool good;

	memcpy(&w, m->body, sizeof(w));
	if (w.len > 0 && w.len <= OIDC_ASK_MAX)
		settings = sealed_read(m->fd, w.len);
	good = settings != NULL && oidc_asks_add(d->oidc, &w, settings);
	sodium_memzero(&w, sizeof(w));
	sodium_memzero((void *)(uintptr_t)m->body, m->len);
	return good;
}

static bool
serve_dialed(struct directory *d, struct msg *m)
{
	struct wire_dialed w;

	memcpy(&w, m->body, sizeof(w));
	if ((w.ticket & OIDC_TICKET) != 0)
		oidc_asks_connected(d->oidc, w.ticket, fd_keep(&m->fd));
	else
		attempts_connected(d->attempts, w.ticket, fd_keep(&m->fd));
	return true;
}

static bool
serve_failed(struct directory *d, const struct msg *m)
{
	struct wire_dial_failed w;

	memcpy(&w, m->body, sizeof(w));
	if (memchr(w.why, 0, sizeof(w.why)) == NULL)
		return false;
	if ((w.ticket & OIDC_TICKET) != 0)
		oidc_asks_not_connected(d->oidc, w.ticket, w.why);
	else
		attempts_not_connected(d->attempts, w.ticket, w.why);
	return true;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	(void)ch;
	switch (m->id) {
	case MSG_DIRECTORY_ASK:
		return serve_ask(ctx, m);
	case MSG_OIDC_ASK:
		return serve_oidc_ask(ctx, m);
	case MSG_DIALED:
		return serve_dialed(ctx, m);
	case MSG_DIAL_FAILED:
		return serve_failed(ctx, m);
	default:
		return false;
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct directory *d = arg;

	(void)fd;
	(void)what;
	process_counters_tell(&d->counters, d->peers, d->boot, COUNTED_DIRECTORY_CHANNEL_BROKEN, PROC_AUTHD,
			      MSG_DIRECTORY_COUNTERS);
}

static void
on_up(void *ctx, struct channel *ch)
{
	struct directory *d = ctx;

	log_debug("%s is there", channel_name(ch));
	if (channel_proc(ch) == PROC_AUTHD)
		process_counters_again(&d->counters);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct directory *d = ctx;

	log_info("%s is gone", channel_name(ch));
	if (channel_proc(ch) == PROC_AUTHD) {
		attempts_drop_all(d->attempts);
		oidc_asks_drop_all(d->oidc);
	} else if (channel_proc(ch) == PROC_DIAL) {
		attempts_dial_gone(d->attempts);
		oidc_asks_dial_gone(d->oidc);
	}
}

void
serve_open(struct directory *d)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	static const struct timeval second = { 1, 0 };
	const struct attempts_doors doors = { dial, cancel, tell, d, &d->counters };

	const struct oidc_doors oidc_doors = { dial, cancel, tell_oidc, d, &d->counters };
	const char *authorities = d->authorities == NULL ? "" : d->authorities;

	d->attempts = attempts_new(d->base, &doors, authorities, d->authorities_len);
	d->oidc = oidc_asks_new(d->base, &oidc_doors, authorities, d->authorities_len);
	d->peers = peers_new(d->base, d->boot, BOOT_FD_LISTEN, &handlers, d);
	d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	if (d->tick == NULL || event_add(d->tick, &second) == -1)
		fatalx("no event loop");
}
