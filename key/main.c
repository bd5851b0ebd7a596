/* weir-key: holds the private key of the certificate, and signs TLS handshakes of httpd with it. */
#include <event2/event.h>
#include <signal.h>

#include "base/log.h"
#include "key.h"
#include "pair.h"
#include "sandbox/sandbox.h"

static void
on_sigterm(evutil_socket_t signal, short what, void *base)
{
	(void)signal;
	(void)what;
	event_base_loopbreak(base);
}

static void
key_open(struct key *k, const struct boot *boot)
{
	k->boot = boot;
	k->base = event_base_new();
	k->sigterm = k->base == NULL ? NULL : evsignal_new(k->base, SIGTERM, on_sigterm, k->base);
	if (k->sigterm == NULL || evsignal_add(k->sigterm, NULL) == -1)
		fatalx("no event loop");
	pair_memory();
	serve_open(k);
}

static void
key_close(struct key *k)
{
	serve_close(k);
	event_free(k->sigterm);
	event_base_free(k->base);
}

int
main(void)
{
	static struct key k;
	const struct boot *boot = boot_read(PROC_KEY);

	sandbox_warm();
	key_open(&k, boot);
	if (!boot->settings.sandbox_enforce)
		sandbox_only_log();
	sandbox_enter(&sandbox_key);

	log_info("ready");
	if (event_base_dispatch(k.base) == -1)
		fatalx("the event loop failed");
	key_close(&k);
	return EXIT_OK;
}
