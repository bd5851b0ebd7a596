#include "ipc/counting.h"

#include <string.h>

#include "base/clock.h"
#include "ipc/channel.h"
#include "ipc/wire.h"

void
process_counters_again(struct process_counters *c)
{
	memset(c->told, 0, sizeof(c->told));
}

void
process_counters_tell(struct process_counters *c, struct peers *p, const struct boot *b,
		      enum process_counter broken, enum proc to, enum msg_id id)
{
	struct channel *ch = peers_find(p, to, 0);
	struct wire_counters w = { .proc = b->proc, .instance = b->instance };

	c->n[broken] = peers_broken(p);
	if (ch == NULL || memcmp(c->n, c->told, sizeof(c->n)) == 0)
		return;
	if (c->start_ns == 0)
		c->start_ns = clock_boot_ns();
	w.start_ns = c->start_ns;
	memcpy(w.n, c->n, sizeof(w.n));
	if (channel_send(ch, id, &w, sizeof(w)))
		memcpy(c->told, c->n, sizeof(c->told));
}
