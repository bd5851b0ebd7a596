/* What a masked view hides: addresses of others, and whatever would tell who is there. */
#ifndef WEIR_STORE_MASK_H
#define WEIR_STORE_MASK_H

#include <stdbool.h>

#include "flow_row.h"
#include "view.h"

/* Bits of a remote address that are shown. */
#define MASK_BITS_V4 24
#define MASK_BITS_V6 48

/* Whether the view hides whose address this is: it is neither in the tenant's networks (where it has none:
 * the local ones) nor of many at once. False for views that mask nothing. */
bool mask_hides(const struct view *v, const struct ip_addr *ip);
/* Makes of an end's address what the view shows of it. Returns whether it hides the end. */
bool mask_address(const struct view *v, struct ip_addr *ip);
/* Makes of a flow what the view shows of it, before anything is filtered, sorted or grouped by it: remote
 * ends become networks and lose their MAC, texts that may name them are empty. side[]: the ends that did. */
void mask_flow(const struct view *v, struct rec_flow *f, bool side[static 2]);

#endif
