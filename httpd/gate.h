/*
 * Whether a request may go on: it is within the quotas of its address, of its session or token, and of its
 * tenant, and authd knows who it is. What asks neither authd nor store (the page, the API's description,
 * health in one word) and login, which has a throttle of its own, do not come through here.
 */
#ifndef WEIR_HTTPD_GATE_H
#define WEIR_HTTPD_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "inquiry.h"

struct request;

/* Called once, perhaps at once: INQUIRY_OK, or what r is to be refused with (refuse_inquiry; retry_after_s is
 * set). */
typedef void gate_fn(struct request *r, enum inquiry_end end);

/* r->who is read. Adds the headers that say what is left. */
void gate_pass(struct request *r, gate_fn *fn);
/* For what authd is asked whoever it is: the quota of the address alone. False where it is used up
 * (INQUIRY_RATED; retry_after_s is set). */
bool gate_pass_address(struct request *r);
/* Whose r is, by rate_hash: a session, a token, or a user, whatever address and tenant it is used from and
 * for. */
uint64_t gate_holder(const struct request *r);

#endif
