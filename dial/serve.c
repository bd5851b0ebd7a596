/* The messages that msg.def lets dial receive. */
#include <string.h>

#include "base/log.h"
#include "dial.h"
#include "ipc/channel.h"
#include "ipc/wire.h"
#include "resolver.h"

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
	if (!resolver_ask(d->resolver, &w.ip, w.ticket, on_resolved, d))
		on_resolved(d, w.ticket, "", 0);
	return true;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	(void)ch;
	return m->id == MSG_NAME_ASK && serve_name_ask(ctx, m);
}

static void
on_up(void *ctx, struct channel *ch)
{
	(void)ctx;
	log_debug("%s is there", channel_name(ch));
}

static void
on_down(void *ctx, struct channel *ch)
{
	(void)ctx;
	log_info("%s is gone", channel_name(ch));
}

void
serve_open(struct dial *d)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };

	d->peers = peers_new(d->base, d->boot, BOOT_FD_LISTEN, &handlers, d);
}
