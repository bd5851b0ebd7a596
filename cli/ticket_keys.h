/* The keys of TLS session tickets, which all of httpd's workers share: a client may come back to another one.
 * Made here, in locked memory, and changed every hour. */
#ifndef WEIR_CLI_TICKET_KEYS_H
#define WEIR_CLI_TICKET_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/wire.h"

#define TICKET_KEYS_LIFE_MS 3600000

struct ticket_keys {
	struct wire_ticket_keys *keys; /* NULL: none were made */
	int64_t changed_ms;            /* 0: at no look yet */
};

/* Makes the first one. False with errno. */
bool ticket_keys_open(struct ticket_keys *t);
/* Wipes and frees; nothing where there are none. */
void ticket_keys_close(struct ticket_keys *t);

/* To be called now and then: true where an hour was over and there is another key. Tickets of the one before
 * are still taken. */
bool ticket_keys_look(struct ticket_keys *t, int64_t now_ms);
/* Another key, and no ticket that was made before is taken. */
void ticket_keys_renew(struct ticket_keys *t);

#endif
