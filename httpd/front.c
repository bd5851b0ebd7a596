#include "front.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/resource.h>

#include "asks.h"
#include "base/log.h"
#include "clients.h"
#include "httpd.h"
#include "ipc/wire.h"
#include "live.h"
#include "numeric_name.h"
#include "redirect.h"
#include "request.h"
#include "sandbox/sandbox.h"
#include "signer.h"
#include "tls.h"

#define HEAD_MAX 16384
#define SPARE_FILES                                                                                          \
	256 /* beside those of clients: the log, the peers, listening sockets, and connections that are      \
	       going */
/* Session tickets: without keys from the launcher for so long, they get our own. It gives others every hour.
 */
#define ROTATE_S      7200
#define DRAIN_STEP_MS 20
#define IDLE_STEPS    50 /* a client may have sent its next request before it knew */
#define GIVE_UP_STEPS 225
#define DRAIN_STEPS   250

static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct httpd *h = arg;

	(void)base;
	return clients_accept(h->clients, h->tls);
}

static const struct timeval rotate = { ROTATE_S, 0 };

static void
on_rotation(evutil_socket_t fd, short what, void *arg)
{
	struct httpd *h = arg;

	(void)fd;
	(void)what;
	tls_rotate(h->tls);
}

void
front_ticket_keys(struct httpd *h, const struct wire_ticket_keys *keys)
{
	tls_ticket_keys(h->tls, keys);
	if (event_add(h->rotation, &rotate) == -1)
		fatalx("no memory for a timer");
}

static void
listen_on(struct httpd *h, int fd)
{
	struct evconnlistener *listener;

	if (evutil_make_socket_nonblocking(fd) == -1)
		fatal("cannot use the listening socket at descriptor %d", fd);
	listener = evconnlistener_new(h->base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
	if (listener == NULL || evhttp_bind_listener(h->http, listener) == NULL)
		fatalx("no memory for the HTTPS port");
	clients_listen(h->clients, listener);
	h->listener = listener;
}

/* As many as the settings say, and as descriptors can be had for. */
static size_t
connections_max(const struct settings *s)
{
	size_t max = (size_t)s->http_connections, have = sandbox_httpd.files;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < have)
		have = (size_t)files.rlim_max;
	have = have > 2 * SPARE_FILES ? have - SPARE_FILES : SPARE_FILES;
	if (max <= have)
		return max;
	log_warn("httpd.connections: %zu cannot be had, with the limit on open files it is %zu", max, have);
	return have;
}

void
front_open(struct httpd *h)
{
	const struct settings *s = &h->boot->settings;

	numeric_name_check();
	h->tls = tls_new(BOOT_FD_CERTIFICATE, signer_sign, h, clients_gone);
	tls_warm(h->tls);
	h->clients = clients_new(h->base, h->tally,
				 &(struct clients_limits){
				     .connections = (size_t)s->http_connections,
				     .of_address = (size_t)s->http_connections_per_address,
				     .here = connections_max(s),
				     .idle_ms = s->http_idle_ms,
				 });
	h->http = evhttp_new(h->base);
	h->rotation = event_new(h->base, -1, EV_PERSIST, on_rotation, h);
	if (h->http == NULL || h->rotation == NULL || event_add(h->rotation, &rotate) == -1)
		fatalx("no memory for the HTTPS port");
	/* Time is limited by clients.c, absolutely. Every method comes through: its refusal is ours to word.
	 */
	evhttp_set_max_headers_size(h->http, HEAD_MAX);
	evhttp_set_max_body_size(h->http, BODY_MAX);
	evhttp_set_allowed_methods(h->http, UINT16_MAX);
	evhttp_set_default_content_type(h->http, NULL);
	evhttp_set_gencb(h->http, request_serve, h);
	evhttp_set_bevcb(h->http, on_connection, h);
	listen_on(h, BOOT_FD_HTTPS);
	if ((h->boot->flags & BOOT_HAS_HTTP) != 0)
		h->redirect = redirect_new(h->base, BOOT_FD_HTTP, (unsigned)s->https_port);
}

void
front_admit(struct httpd *h)
{
	if (h->serving && !h->draining)
		clients_hold(h->clients, !signer_there(h));
}

void
front_start(struct httpd *h)
{
	h->serving = true;
	front_admit(h);
	log_info("serving https on %s port %lld", h->boot->settings.http_address,
		 (long long)h->boot->settings.https_port);
}

static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	struct httpd *h = arg;

	(void)fd;
	(void)what;
	if (++h->drain_steps == GIVE_UP_STEPS)
		asks_close(h->asks); /* whoever still waits is told, while there is time to send it */
	if (h->drain_steps >= IDLE_STEPS)
		clients_cut_idle(h->clients);
	if ((clients_count(h->clients) == 0 && !redirect_busy(h->redirect)) || h->drain_steps >= DRAIN_STEPS)
		(void)event_base_loopbreak(h->base);
}

void
front_drain(struct httpd *h)
{
	static const struct timeval step = { 0, DRAIN_STEP_MS * 1000 };

	if (h->draining)
		return;
	h->draining = true;
	(void)evconnlistener_disable(h->listener);
	clients_listen(h->clients, NULL);
	redirect_stop(h->redirect);
	live_stop(h->live);
	h->drain = event_new(h->base, -1, EV_PERSIST, on_drain, h);
	if (h->drain == NULL || event_add(h->drain, &step) == -1)
		(void)event_base_loopbreak(h->base);
}

void
front_close(struct httpd *h)
{
	redirect_free(&h->redirect);
	if (h->drain != NULL)
		event_free(h->drain);
	event_free(h->rotation);
	clients_stop(h->clients);
	evhttp_free(h->http);
}
