/* The messages that msg.def lets key receive. */
#include <event2/event.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "key.h"
#include "pair.h"

/* Workers get the new certificate as soon as its key is here, and handshakes that began before are over
 * within the time that httpd gives them. */
#define FORGET_S 60

/* --- signing
 * -------------------------------------------------------------------------------------------------------- */

static const struct pair *
pair_of(const struct key *k, const uint8_t certificate[CERTIFICATE_ID_BYTES])
{
	if (pair_is(k->now, certificate))
		return k->now;
	return k->before != NULL && pair_is(k->before, certificate) ? k->before : NULL;
}

static void
answer(const struct key *k, const struct wire_sign *ask, struct wire_signed *a)
{
	const struct pair *p = pair_of(k, ask->certificate);
	size_t len = sizeof(a->signature);

	memset(a, 0, sizeof(*a));
	a->ticket = ask->ticket;
	a->status = SIGN_UNKNOWN;
	if (p == NULL)
		return;
	a->status = SIGN_FAILED;
	if (!pair_sign(p, ask->scheme, ask->content, ask->len, a->signature, &len))
		return;
	a->status = SIGN_OK;
	a->len = (uint32_t)len;
}

/* Each worker that waits is answered once, whoever asked first: none can keep the others waiting for more
 * than one. */
static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct key *k = arg;
	struct wire_signed a;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < HTTPDS_MAX; i++) {
		struct request *r = &k->request[i];
		struct channel *ch = r->waits ? peers_find(k->peers, PROC_HTTPD, i) : NULL;

		r->waits = false;
		if (ch == NULL)
			continue;
		answer(k, &r->ask, &a);
		(void)channel_send(ch, MSG_SIGNED, &a, sizeof(a));
	}
}

static bool
serve_sign(struct key *k, const struct channel *ch, const struct msg *m)
{
	struct request *r = &k->request[channel_instance(ch)];

	/* One that asks again before it was answered is not httpd any more. */
	if (r->waits)
		return false;
	memcpy(&r->ask, m->body, sizeof(r->ask));
	if (r->ask.len == 0 || r->ask.len > sizeof(r->ask.content))
		return false;
	r->waits = true;
	event_active(k->work, EV_TIMEOUT, 0);
	return true;
}

/* --- what is counted
 * -------------------------------------------------------------------------------------------------- */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct key *k = arg;

	(void)fd;
	(void)what;
	process_counters_tell(&k->counters, k->peers, k->boot, COUNTED_KEY_CHANNEL_BROKEN, PROC_WEIR,
			      MSG_KEY_COUNTERS);
}

/* --- another pair
 * ------------------------------------------------------------------------------------------------- */

static void
on_forget(evutil_socket_t fd, short what, void *arg)
{
	struct key *k = arg;

	(void)fd;
	(void)what;
	pair_free(&k->before);
}

/* An unusable one is the operator's mistake, not the launcher's lie: it is not taken, and httpd goes on with
 * the one before. */
static bool
serve_pair(struct key *k, struct channel *ch, const struct msg *m)
{
	static const struct timeval later = { FORGET_S, 0 };
	char why[PAIR_WHY_MAX];
	struct pair *p = pair_read(m->fd, m->fd, why);

	if (p == NULL) {
		log_warn("the key stays as it was: %s", why);
		return true;
	}
	pair_free(&k->before);
	k->before = k->now;
	k->now = p;
	if (event_add(k->forget, &later) == -1)
		fatalx("no memory for a timer");
	log_info("the key is another one");
	return channel_send(ch, MSG_KEY_TAKEN, m->body, m->len);
}

/* --- peers
 * ----------------------------------------------------------------------------------------------------------
 */

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	switch (m->id) {
	case MSG_SIGN:
		return serve_sign(ctx, ch, m);
	case MSG_KEY_PAIR:
		return serve_pair(ctx, ch, m);
	default:
		return false;
	}
}

static void
on_up(void *ctx, struct channel *ch)
{
	struct key *k = ctx;

	log_debug("%s is there", channel_name(ch));
	if (channel_proc(ch) == PROC_WEIR)
		process_counters_again(&k->counters);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct key *k = ctx;

	log_debug("%s is gone", channel_name(ch));
	if (channel_proc(ch) == PROC_HTTPD)
		k->request[channel_instance(ch)].waits = false;
}

static void
take_first_pair(struct key *k)
{
	char why[PAIR_WHY_MAX];

	k->now = pair_read(BOOT_FD_CERTIFICATE, BOOT_FD_KEY, why);
	if (k->now == NULL)
		fatalx("%s", why);
	close(BOOT_FD_CERTIFICATE);
	close(BOOT_FD_KEY);
}

void
serve_open(struct key *k)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	static const struct timeval second = { 1, 0 };

	for (uint32_t i = 0; i < k->boot->npeers; i++)
		if (k->boot->peers[i].proc == PROC_HTTPD && k->boot->peers[i].instance >= HTTPDS_MAX)
			fatalx("httpd.workers: there is no room for worker %u", k->boot->peers[i].instance);
	take_first_pair(k);
	k->work = event_new(k->base, -1, 0, on_work, k);
	k->forget = event_new(k->base, -1, 0, on_forget, k);
	k->tick = event_new(k->base, -1, EV_PERSIST, on_tick, k);
	if (k->work == NULL || k->forget == NULL || k->tick == NULL || event_add(k->tick, &second) == -1)
		fatalx("no memory for events");
	k->peers = peers_new(k->base, k->boot, BOOT_FD_LISTEN, &handlers, k);
}

void
serve_close(struct key *k)
{
	peers_free(&k->peers);
	event_free(k->work);
	event_free(k->forget);
	event_free(k->tick);
	pair_free(&k->now);
	pair_free(&k->before);
}
