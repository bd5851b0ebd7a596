/* weir-dial: the one process that reaches out. It asks the operator's name servers what addresses are called,
 * and opens connections for processes that parse what comes in on them. */
#include <event2/event.h>
#include <signal.h>

#include "base/log.h"
#include "connect.h"
#include "dial.h"
#include "ipc/channel.h"
#include "resolver.h"
#include "sandbox/sandbox.h"

static void
on_sigterm(evutil_socket_t signal, short what, void *base)
{
	(void)signal;
	(void)what;
	event_base_loopbreak(base);
}

static void
dial_open(struct dial *d, const struct boot *boot)
{
	d->boot = boot;
	d->base = event_base_new();
	d->sigterm = d->base == NULL ? NULL : evsignal_new(d->base, SIGTERM, on_sigterm, d->base);
	if (d->sigterm == NULL || evsignal_add(d->sigterm, NULL) == -1)
		fatalx("no event loop");
	d->resolver = resolver_new(d->base, &boot->settings);
	d->connector = connector_new(d->base, d->resolver, &boot->settings);
	serve_open(d);
}

static void
dial_close(struct dial *d)
{
	peers_free(&d->peers);
	connector_free(&d->connector);
	resolver_free(&d->resolver);
	event_free(d->tick);
	event_free(d->sigterm);
	event_base_free(d->base);
}

int
main(void)
{
	static struct dial d;
	const struct boot *boot = boot_read(PROC_DIAL);

	sandbox_warm();
	dial_open(&d, boot);
	if (!boot->settings.sandbox_enforce)
		sandbox_only_log();
	sandbox_enter(&sandbox_dial);

	log_info("ready: %u name servers", boot->settings.nameservers.n);
	if (event_base_dispatch(d.base) == -1)
		fatalx("the event loop failed");
	dial_close(&d);
	return EXIT_OK;
}
