/* Roles, the actions they allow, and the one place that says yes. */
#ifndef WEIR_POLICY_ROLE_H
#define WEIR_POLICY_ROLE_H

#include <stdbool.h>

enum role {
	ROLE_NONE,
	ROLE_PLATFORM_ADMINISTRATOR,
	ROLE_AUDITOR,
	ROLE_TENANT_ADMINISTRATOR,
	ROLE_OPERATOR,
	ROLE_VIEWER,
	ROLE_LIMITED_VIEWER, /* remote addresses are masked */
	ROLE_COUNT
};

/* "platform-administrator", ...; "none" for anything else. */
const char *role_name(enum role r);
/* ROLE_NONE where the name is none. */
enum role role_parse(const char *name);

enum action {
	ACTION_READ_TRAFFIC = 1, /* live and kept flows, hosts, series of the grant's tenant */
	ACTION_READ_PLATFORM,    /* drops that belong to no tenant, processes */
	ACTION_READ_HEALTH,      /* whether Weir works, without names of points of others */
	ACTION_MANAGE_TENANT,
	ACTION_MANAGE_PLATFORM,
	ACTION_READ_AUDIT,
	ACTION_COUNT
};

/* "read-traffic", ...; "none" for anything else. */
const char *action_name(enum action a);

#endif
