/* weir-httpd: faces browsers. TLS, /api/v1 and the page; owns no data and no secrets of others. */
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#include "asks.h"
#include "base/clock.h"
#include "base/log.h"
#include "clients.h"
#include "export.h"
#include "front.h"
#include "httpd.h"
#include "inquiry.h"
#include "ipc/channel.h"
#include "live.h"
#include "sandbox/sandbox.h"
#include "sessions.h"
#include "tally.h"
#include "tls.h"
#include "zip.h"

#define STORE_LATE_NS (2 * NS_PER_S) /* store says itself when a question has taken too long */

static void
on_sigterm(evutil_socket_t signal, short what, void *arg)
{
	(void)signal;
	(void)what;
	front_drain(arg);
}

/* evhttp switches reading and writing of a connection on and off at every request: the kernel is told the sum
 * of it once a turn of the loop. (That is unsafe where descriptors are duplicated: none is here.) */
static struct event_base *
loop_new(void)
{
	struct event_config *c = event_config_new();
	struct event_base *base = NULL;

	if (c != NULL && event_config_set_flag(c, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0)
		base = event_base_new_with_config(c);
	if (c != NULL)
		event_config_free(c);
	return base;
}

static void
httpd_open(struct httpd *h, const struct boot *boot)
{
	h->boot = boot;
	h->tally = tally_new((boot->flags & BOOT_HAS_TALLY) != 0 ? BOOT_FD_TALLY : -1, boot->instance,
			     (unsigned)boot->settings.http_workers);
	h->held_max = HELD_MAX / (size_t)boot->settings.http_workers;
	h->started_ns = clock_boot_ns();
	h->base = loop_new();
	h->sigterm = h->base == NULL ? NULL : evsignal_new(h->base, SIGTERM, on_sigterm, h);
	if (h->sigterm == NULL || evsignal_add(h->sigterm, NULL) == -1)
		fatalx("no event loop");
	h->zip = zip_new();
	h->asks = asks_new(h->base, boot->settings.query_time_ms * NS_PER_MS + STORE_LATE_NS);
	h->sessions = sessions_new(h);
	inquiries_open(h);
	h->live = live_new(h);
	h->exports = exports_new(h);
	front_open(h);
	serve_open(h);
}

/* Whoever still waits is answered before what it waits for goes. */
static void
httpd_close(struct httpd *h)
{
	live_stop(h->live);
	asks_free(&h->asks);
	sessions_free(&h->sessions);
	front_close(h);
	exports_free(&h->exports);
	live_free(&h->live);
	inquiries_close(h);
	peers_free(&h->peers);
	event_free(h->tick);
	event_free(h->sigterm);
	event_base_free(h->base);
	clients_free(&h->clients);
	tally_free(&h->tally);
	tls_free(&h->tls);
	zip_free(&h->zip);
}

int
main(void)
{
	static struct httpd h;
	const struct boot *boot = boot_read(PROC_HTTPD);

	/* Each request has a few allocations of a kilobyte and more, at every one of which glibc would go
	 * through all small ones that it holds back. */
	(void)mallopt(M_MXFAST, 0);
	sandbox_warm();
	httpd_open(&h, boot);
	if (!boot->settings.sandbox_enforce)
		sandbox_only_log();
	sandbox_enter(&sandbox_httpd);

	front_start(&h);
	if (event_base_dispatch(h.base) == -1)
		fatalx("the event loop failed");
	httpd_close(&h);
	return EXIT_OK;
}
