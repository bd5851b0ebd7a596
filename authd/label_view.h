/* Which labels a caller sees: those of what it is certain to see. */
#ifndef WEIR_AUTHD_LABEL_VIEW_H
#define WEIR_AUTHD_LABEL_VIEW_H

#include "admin.h"
#include "base/local_networks.h"
#include "labels.h"

struct label_view {
	size_t nwithin;
	struct narrowing within[GRANT_NARROWINGS_MAX];
	bool nothing; /* the grant names a narrowing that is no more */
	bool masked;
	size_t nown; /* the networks whose addresses a masked caller sees */
	const struct ip_prefix *own;
	struct ip_prefix local[LOCAL_NETWORKS_MAX];
};

/* Of the caller, for labels of the tenant. What it points to is the call's. */
void label_view_of(struct admin_call *c, uint32_t tenant, struct label_view *v);
/* Hosts and networks of somebody who sees networks are those within; who sees some places (interfaces,
 * exporters) sees labels of no hosts and networks: whether they are seen there, only store knows. */
bool label_view_shows(const struct label_view *v, const struct label *l);

/* Whether the network, as ip.h writes it, is one of those that the tenant has series of: its selectors'
 * networks, where there are any; else the local ones. */
bool label_network_is_own(struct admin_call *c, uint32_t tenant, const char *network);

#endif
