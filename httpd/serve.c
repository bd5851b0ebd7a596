/* The messages that msg.def lets httpd receive: answers of authd and of store. */
#include <event2/event.h>
#include <string.h>

#include "asks.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "front.h"
#include "httpd.h"
#include "ipc/channel.h"
#include "ipc/wire.h"
#include "present/present.h"
#include "signer.h"
#include "tls.h"

static bool
ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool
serve_auth_answer(struct httpd *h, struct msg *m)
{
	const struct wire_auth_answer *a =
	    m->body; /* its size is the row's in msg.def; aligned by the channel's buffer */
	struct wire_auth_answer copy;
	bool good;

	memcpy(&copy, a, sizeof(copy));
	if (copy.status < AUTH_OK || copy.status > AUTH_AWAY || copy.grant_len > GRANT_MAX ||
	    !ends(copy.name, sizeof(copy.name)) || !ends(copy.tenant, sizeof(copy.tenant)) ||
	    !ends(copy.role, sizeof(copy.role)) || !ends(copy.detail, sizeof(copy.detail)))
		return false;
	good = asks_answer(h->asks, PROC_AUTHD, copy.request, true, &copy, sizeof(copy));
	explicit_bzero(&copy, sizeof(copy));
	return good;
}

static bool
serve_oidc_gone(struct httpd *h, struct msg *m)
{
	struct wire_oidc_gone copy;
	bool good;

	memcpy(&copy, m->body, sizeof(copy));
	good = ends(copy.url, sizeof(copy.url)) && copy.status >= AUTH_OK && copy.status <= AUTH_AWAY;
	for (const char *p = copy.url; good && *p != '\0'; p++)
		good = *p > 0x20 && *p < 0x7f; /* it becomes a header */
	good = good && asks_answer(h->asks, PROC_AUTHD, copy.request, true, &copy, sizeof(copy));
	explicit_bzero(&copy, sizeof(copy));
	return good;
}

/* Every row is looked at here, so that whoever waits for them may rely on their lengths. */
static bool
serve_answer(struct httpd *h, struct msg *m)
{
	struct answer a;
	struct row r;
	int rc;

	if (!answer_open(&a, m->body, m->len) || a.head.status < ANSWER_OK ||
	    a.head.status >= ANSWER_STATUS_COUNT)
		return false;
	while ((rc = answer_next(&a, &r)) == 1)
		;
	return rc == 0 && asks_answer(h->asks, PROC_STORE, a.head.request, a.head.more == 0, m->body, m->len);
}

static bool
serve_admin_answer(struct httpd *h, struct msg *m)
{
	struct wire_admin_answer a;

	memcpy(&a, m->body, sizeof(a));
	return a.status >= ADMIN_OK && a.status < ADMIN_STATUS_COUNT && a.more <= 1 && a.unconfirmed <= 1 &&
	       a.body_len == m->len - sizeof(a) &&
	       asks_answer(h->asks, PROC_AUTHD, a.request, a.more == 0, m->body, m->len);
}

/* An unusable one is the operator's mistake, not the launcher's lie. */
static bool
serve_certificate(struct httpd *h, struct msg *m)
{
	(void)tls_replace(h->tls, fd_keep(&m->fd));
	return true;
}

static bool
serve_signed(struct httpd *h, struct msg *m)
{
	return signer_late(h, m->body);
}

static bool
serve_ticket_keys(struct httpd *h, struct msg *m)
{
	const struct wire_ticket_keys *keys = m->body;

	if (keys->n < 1 || keys->n > 2)
		return false;
	front_ticket_keys(h, keys);
	return true;
}

static const struct {
	enum msg_id id;
	bool (*serve)(struct httpd *h, struct msg *m);
} served[] = {
	{ MSG_AUTH_ANSWER, serve_auth_answer }, { MSG_ADMIN_ANSWER, serve_admin_answer },
	{ MSG_ANSWER, serve_answer },           { MSG_CERTIFICATE, serve_certificate },
	{ MSG_TICKET_KEYS, serve_ticket_keys }, { MSG_OIDC_GONE, serve_oidc_gone },
	{ MSG_SIGNED, serve_signed },
};

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	(void)ch;
	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		if (served[i].id == m->id)
			return served[i].serve(ctx, m);
	return false;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct httpd *h = arg;

	(void)fd;
	(void)what;
	process_counters_tell(&h->counters, h->peers, h->boot, COUNTED_HTTPD_CHANNEL_BROKEN, PROC_STORE,
			      MSG_HTTPD_COUNTERS);
}

static void
on_up(void *ctx, struct channel *ch)
{
	struct httpd *h = ctx;

	log_debug("%s is there", channel_name(ch));
	if (channel_proc(ch) == PROC_STORE)
		process_counters_again(&h->counters);
	h->down_ns[channel_proc(ch)] = 0;
	if (channel_proc(ch) == PROC_KEY)
		signer_changed(h);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct httpd *h = ctx;

	log_info("%s is gone", channel_name(ch));
	h->down_ns[channel_proc(ch)] = clock_utc_ns();
	if (h->asks != NULL)
		asks_lost(h->asks, channel_proc(ch));
	if (channel_proc(ch) == PROC_KEY)
		signer_changed(h);
}

void
serve_open(struct httpd *h)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	static const struct timeval second = { 1, 0 };

	for (unsigned i = 0; i < PROC_COUNT; i++)
		h->down_ns[i] = clock_utc_ns();
	h->peers = peers_new(h->base, h->boot, BOOT_FD_LISTEN, &handlers, h);
	h->tick = event_new(h->base, -1, EV_PERSIST, on_tick, h);
	if (h->tick == NULL || event_add(h->tick, &second) == -1)
		fatalx("no event loop");
}

bool
serve_has(const struct httpd *h, enum proc proc)
{
	return peers_find(h->peers, proc, 0) != NULL;
}
