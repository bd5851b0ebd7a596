/* What store and directory ask of dial. No address may be dialled, and there is no name server: nothing
 * leaves. */
#include <event2/event.h>

#include "base/log.h"
#include "base/mem.h"
#include "connect.h"
#include "dial.h"
#include "receiver.h"
#include "resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
open_dial(void)
{
	static struct dial d;
	struct boot *b = receiver_boot(PROC_DIAL);

	(void)str_copy(b->settings.dial_refuse.item[0], sizeof(b->settings.dial_refuse.item[0]), "0.0.0.0/0");
	(void)str_copy(b->settings.dial_refuse.item[1], sizeof(b->settings.dial_refuse.item[1]), "::/0");
	b->settings.dial_refuse.n = 2;
	d.boot = b;
	d.base = event_base_new();
	if (d.base == NULL)
		fatalx("no event loop");
	d.resolver = resolver_new(d.base, &b->settings);
	d.connector = connector_new(d.base, d.resolver, &b->settings);
	serve_open(&d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks none;
	static bool is_open;

	if (!is_open)
		open_dial();
	is_open = true;
	receiver_run(&none, data, size);
	return 0;
}
