/* The messages that msg.def lets dial receive. */
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/server_url.h"
#include "connect.h"
#include "dial.h"
#include "ipc/channel.h"
#include "ipc/wire.h"
#include "named.h"
#include "resolver.h"

static_assert(SERVER_HOST_MAX == DIAL_HOST_MAX, "what the settings name can be asked for");
static_assert(RESOLVER_ASKS >= NAME_ASKS, "what store may ask at a time can be asked");

static void
on_resolved(void *ctx, uint64_t ticket, const char *name, size_t len)
{
	struct dial *d = ctx;
	struct channel *ch = peers_find(d->peers, PROC_STORE, 0);
	struct wire_name_told w = { .ticket = ticket, .len = (uint32_t)len };

	memcpy(w.name, name, len);
	if (ch != NULL)
		(void)channel_send(ch, MSG_NAME_TOLD, &w, sizeof(w));
}

/* A store that was started anew has all its asks again, while its predecessor's are still under way: those
 * that find no room are answered as unknown. */
static bool
serve_name_ask(struct dial *d, const struct msg *m)
{
	struct wire_name_ask w;

	memcpy(&w, m->body, sizeof(w));
	if (!resolver_ask(d->resolver, &w.ip, w.ticket, on_resolved, d)) {
		d->counters.n[COUNTED_DIAL_NAMES_FULL]++;
		on_resolved(d, w.ticket, "", 0);
	}
	return true;
}

/* --- connections --- */

static void
tell_failure(struct dial *d, uint64_t ticket, const char *why)
{
	struct channel *ch = peers_find(d->peers, PROC_DIRECTORY, 0);
	struct wire_dial_failed w = { .ticket = ticket };

	str_copy(w.why, sizeof(w.why), why);
	if (ch != NULL)
		(void)channel_send(ch, MSG_DIAL_FAILED, &w, sizeof(w));
}

static void
on_connected(void *ctx, uint64_t ticket, int fd, const struct ip_addr *ip, const char *why, bool refused)
{
	struct dial *d = ctx;
	struct channel *ch = peers_find(d->peers, PROC_DIRECTORY, 0);

	if (fd == -1) {
		d->counters.n[refused ? COUNTED_DIAL_REFUSED : COUNTED_DIAL_FAILED]++;
		tell_failure(d, ticket, why);
		return;
	}

	const struct wire_dialed w = { ticket, *ip };

	if (ch == NULL || !channel_send_fd(ch, MSG_DIALED, &w, sizeof(w), fd))
		log_debug("nobody takes the connection any more");
	if (ch == NULL)
		close(fd);
}

/* Before its name is looked up: who took directory over tells nobody anything by that, either. */
static void
refuse_unnamed(struct dial *d, const struct wire_dial_ask *w)
{
	static struct log_limit unnamed;

	d->counters.n[COUNTED_DIAL_UNNAMED]++;
	log_warn_limited(&unnamed, "no connection to %s port %u: no setting names it", w->host, w->port);
	tell_failure(d, w->ticket,
		     "no setting names this server: if it is the provider's, write it into oidc[].hosts");
}

static bool
serve_dial_ask(struct dial *d, const struct msg *m)
{
	struct wire_dial_ask w;

	memcpy(&w, m->body, sizeof(w));
	if (memchr(w.host, 0, sizeof(w.host)) == NULL || w.host[0] == '\0' || w.port == 0 ||
	    w.port > UINT16_MAX || w.timeout_ms == 0 || w.timeout_ms > CONNECT_TIMEOUT_MAX_MS)
		return false;
	if (!named_has(&d->boot->settings, w.host, (uint16_t)w.port)) {
		refuse_unnamed(d, &w);
		return true;
	}
	if (!connector_open(d->connector, w.host, (uint16_t)w.port, w.timeout_ms, w.ticket, on_connected,
			    d)) {
		d->counters.n[COUNTED_DIAL_FULL]++;
		tell_failure(d, w.ticket, "too many connections are being opened");
	}
	return true;
}

static bool
serve_dial_cancel(struct dial *d, const struct msg *m)
{
	struct wire_dial_cancel w;

	memcpy(&w, m->body, sizeof(w));
	connector_cancel(d->connector, w.ticket);
	return true;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	(void)ch;
	switch (m->id) {
	case MSG_NAME_ASK:
		return serve_name_ask(ctx, m);
	case MSG_DIAL_ASK:
		return serve_dial_ask(ctx, m);
	case MSG_DIAL_CANCEL:
		return serve_dial_cancel(ctx, m);
	default:
		return false;
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;

	(void)fd;
	(void)what;
	process_counters_tell(&d->counters, d->peers, d->boot, COUNTED_DIAL_CHANNEL_BROKEN, PROC_STORE,
			      MSG_DIAL_COUNTERS);
}

static void
on_up(void *ctx, struct channel *ch)
{
	struct dial *d = ctx;

	log_debug("%s is there", channel_name(ch));
	if (channel_proc(ch) == PROC_STORE)
		process_counters_again(&d->counters);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct dial *d = ctx;

	log_info("%s is gone", channel_name(ch));
	/* Its tickets begin anew with it. */
	if (channel_proc(ch) == PROC_DIRECTORY)
		connector_cancel_all(d->connector);
}

void
serve_open(struct dial *d)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	static const struct timeval second = { 1, 0 };

	/* Each peer has a socket of its own to come by. */
	d->peers = peers_new(d->base, d->boot, -1, &handlers, d);
	d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	if (d->tick == NULL || event_add(d->tick, &second) == -1)
		fatalx("no event loop");
}
