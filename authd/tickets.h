/* Logins that wait for their second factor: who showed the right password, for a few minutes and a few tries.
 * Only in memory, and of a ticket only its hash. */
#ifndef WEIR_AUTHD_TICKETS_H
#define WEIR_AUTHD_TICKETS_H

#include <stdint.h>

#include "ipc/wire.h"
#include "record.h"

#define TICKETS_MAX    1024 /* then the oldest is void */
#define TICKETS_OF_ONE 8    /* of one account: who has many logins begun voids his own only */
#define TICKET_LIFE_S  300
#define TICKET_TRIES   5

struct ticket {
	uint8_t hash[32];
	uint64_t account; /* 0: this place is free */
	int64_t until_ns; /* boot clock */
	uint32_t tries;   /* that are left */
	char name[ACCOUNT_NAME_MAX];
	struct session_origin origin; /* of the session that it stands for, and how long that may last */
	int64_t session_ns;
};

struct tickets {
	struct ticket item[TICKETS_MAX];
};

/* Draws one, and returns its place. now_ns: clock_boot_ns. */
struct ticket *tickets_draw(struct tickets *t, uint64_t account, const char *name, int64_t now_ns,
			    uint8_t ticket[static TICKET_BYTES]);
/* NULL where there is none that is still good. It has one try less. */
struct ticket *tickets_try(struct tickets *t, const uint8_t ticket[static TICKET_BYTES], int64_t now_ns);
void tickets_drop(struct ticket *i);
/* Voids all of an account: its password is another now, or it may not come in any more. */
void tickets_forget(struct tickets *t, uint64_t account);
/* Voids those that stand for this session at a provider. */
void tickets_forget_origin(struct tickets *t, const struct session_origin *origin);

#endif
