#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/mem.h"

/* What takes an option, in bits. */
enum {
	TENANT = 1,
	USER = 2,
	GROUP = 4,
	TOKEN = 8,
	ACCESS = USER | GROUP,
	NARROW = USER | GROUP | TOKEN,
	PASSWORD = 16,
	OWNED = 32, /* lists that can be narrowed to a user's, and what is called so elsewhere */
	OWNER = 256,
	AUDIT = 64,
	NEW_USER = 128,
	LABELS = 512, /* a tenant's */
	LABELLED = 1024,
	LABEL = 2048,
	PROVIDER = 4096
};

/* clang-format off */
static const struct admin_option options[] = {
	/* name                member            form            place            of              takes, help */
	{ "--title",           "title",          VALUE_TEXT,     PLACE_OPERATION, TENANT | USER | GROUP, "TEXT", "what it is called in full" },

	{ "--select",          "selectors",      VALUE_PAIRS,    PLACE_SELECTOR,  TENANT,         "KEY=VALUE,...", "traffic of the tenant: interface, vlan, exporter, exporter_interface, network; all that are given must match; again for more" },
	{ "--no-select",       "selectors",      VALUE_NOTHING_EMPTY, PLACE_OPERATION, TENANT,    NULL, "no traffic at all" },
	{ "--address-space",   "address_spaces", VALUE_COUNTS,   PLACE_OPERATION, TENANT,         "N", "an address space that is the tenant's; again for more" },
	{ "--flows-per-second", "flows_per_s",   VALUE_COUNT,    PLACE_QUOTA,     TENANT,         "N", "quota" },
	{ "--stored-bytes",    "stored_bytes",   VALUE_BYTES,    PLACE_QUOTA,     TENANT,         "SIZE", "quota, as 10GiB" },
	{ "--retention",       "retention",      VALUE_PERIOD,   PLACE_QUOTA,     TENANT,         "TIME", "how long flows are kept, as 30d" },
	{ "--series",          "series",         VALUE_COUNT,    PLACE_QUOTA,     TENANT,         "N", "quota" },
	{ "--keep-minutes",    "keep_minutes",   VALUE_PERIOD,   PLACE_QUOTA,     TENANT,         "TIME", "how long its one-minute series are kept, as 7d" },
	{ "--keep-five-minutes", "keep_five_minutes", VALUE_PERIOD, PLACE_QUOTA,  TENANT,         "TIME", "the same of five minutes" },
	{ "--keep-hours",      "keep_hours",     VALUE_PERIOD,   PLACE_QUOTA,     TENANT,         "TIME", "the same of hours" },
	{ "--keep-days",       "keep_days",      VALUE_PERIOD,   PLACE_QUOTA,     TENANT,         "TIME", "the same of days" },

	{ "--no-quota",        "quotas",         VALUE_NOTHING_UNSET, PLACE_OPERATION, TENANT,    NULL, "no quota at all" },

	{ "--kind",            "kind",           VALUE_TEXT,     PLACE_OPERATION, NEW_USER,       "KIND", "person (the default) or service, which has tokens and no password" },
	{ "--provider",        "provider",       VALUE_TEXT,     PLACE_OPERATION, NEW_USER,       "NAME", "who judges the user: ldap, or a name of oidc[].name; without: Weir itself" },
	{ "--disable",         "disabled",       VALUE_NOTHING,  PLACE_OPERATION, USER,           NULL, "may not log in, and its sessions and tokens end" },
	{ "--enable",          "disabled",       VALUE_NOTHING_NO, PLACE_OPERATION, USER,         NULL, "may log in again" },
	{ "--member",          "members",        VALUE_TEXTS,    PLACE_OPERATION, GROUP,          "USER", "who belongs to it; again for more" },
	{ "--no-member",       "members",        VALUE_NOTHING_EMPTY, PLACE_OPERATION, GROUP,     NULL, "nobody belongs to it" },

	{ "--tenant",          "tenant",         VALUE_TEXT,     PLACE_ACCESS,    ACCESS,         "NAME", "begins an access: the tenant, or \"*\" for the platform" },
	{ "--role",            "role",           VALUE_TEXT,     PLACE_ACCESS,    ACCESS,         "ROLE", "platform-administrator, auditor, tenant-administrator, operator, viewer or limited-viewer (or Administrator, Unprivileged, Limited View)" },
	{ "--interface",       "interfaces",     VALUE_TEXTS,    PLACE_ACCESS,    ACCESS,         "NAME", "narrows the access; again for more" },
	{ "--exporter",        "exporters",      VALUE_TEXTS,    PLACE_ACCESS,    ACCESS,         "ADDRESS[/IFINDEX]", "likewise" },
	{ "--network",         "networks",       VALUE_TEXTS,    PLACE_ACCESS,    ACCESS,         "PREFIX", "likewise" },
	{ "--masked",          "masked",         VALUE_NOTHING,  PLACE_ACCESS,    ACCESS,         NULL, "remote addresses are not shown" },
	{ "--no-access",       "access",         VALUE_NOTHING_EMPTY, PLACE_OPERATION, ACCESS,    NULL, "takes every access away" },

	{ "--user",            "owner",          VALUE_TEXT,     PLACE_OPERATION, TOKEN | OWNER,  "NAME", "whose" },
	{ "--provider",        "provider",       VALUE_TEXT,     PLACE_OPERATION, PROVIDER,       "NAME", "which: a name of oidc[].name, or ldap; without: the user's, or the first that there is" },
	{ "--user",            "user",           VALUE_TEXT,     PLACE_OPERATION, OWNED,          "NAME", "whose; without: everybody's" },
	{ "--label",           "label",          VALUE_TEXT,     PLACE_OPERATION, TOKEN,          "TEXT", "what it is for" },
	{ "--tenant",          "tenant",         VALUE_TEXT,     PLACE_OPERATION, TOKEN,          "NAME", "where it works" },
	{ "--role",            "role",           VALUE_TEXT,     PLACE_OPERATION, TOKEN,          "ROLE", "at most its owner's" },
	{ "--scope",           "scopes",         VALUE_TEXTS,    PLACE_OPERATION, TOKEN,          "SCOPE", "what it may do, as traffic:read; again for more; without: what the role may" },
	{ "--interface",       "interfaces",     VALUE_TEXTS,    PLACE_OPERATION, TOKEN,          "NAME", "what it sees; again for more" },
	{ "--exporter",        "exporters",      VALUE_TEXTS,    PLACE_OPERATION, TOKEN,          "ADDRESS[/IFINDEX]", "likewise" },
	{ "--network",         "networks",       VALUE_TEXTS,    PLACE_OPERATION, TOKEN,          "PREFIX", "likewise" },
	{ "--masked",          "masked",         VALUE_NOTHING,  PLACE_OPERATION, TOKEN,          NULL, "remote addresses are not shown" },
	{ "--expires",         "expires",        VALUE_MOMENT,   PLACE_OPERATION, TOKEN,          "TIME", "from now, as 30d, or a date, as 2027-01-31" },
	{ "--source",          "sources",        VALUE_TEXTS,    PLACE_OPERATION, TOKEN,          "PREFIX", "where it may come from; again for more" },

	{ "--password-file",   NULL,             VALUE_TEXT,     PLACE_HERE,      PASSWORD,       "FILE", "its first line is the password; \"-\": standard input" },
	{ "--generate-password", NULL,           VALUE_NOTHING,  PLACE_HERE,      PASSWORD,       NULL, "one is made up and printed once" },

	{ "--tenant",          "tenant",         VALUE_TEXT,     PLACE_OPERATION, LABELS,         "NAME", "whose; without: the platform's own" },
	{ "--kind",            "kind",           VALUE_TEXT,     PLACE_OPERATION, LABELLED,       "KIND", "host, interface (has a label only) or network" },
	{ "--vlan",            "vlan",           VALUE_COUNT,    PLACE_OPERATION, LABELLED,       "N", "of a host; without: 0" },
	{ "--address-space",   "address_space",  VALUE_COUNT,    PLACE_OPERATION, LABELLED,       "N", "likewise" },
	{ "--label",           "label",          VALUE_TEXT,     PLACE_OPERATION, LABEL,          "TEXT", "what it is called" },

	{ "--from",            "from",           VALUE_MOMENT,   PLACE_OPERATION, AUDIT,          "TIME", "a date, or a time ago, as 2h" },
	{ "--to",              "to",             VALUE_MOMENT,   PLACE_OPERATION, AUDIT,          "TIME", "likewise" },
	{ "--actor",           "actor",          VALUE_TEXT,     PLACE_OPERATION, AUDIT,          "WHO", "who did it" },
	{ "--kind",            "kind",           VALUE_TEXT,     PLACE_OPERATION, AUDIT,          "KIND", "what was done" },
	{ "--limit",           "limit",          VALUE_COUNT,    PLACE_OPERATION, AUDIT,          "N", "entries at most, up to 1000" },
	{ "--cursor",          "cursor",         VALUE_TEXT,     PLACE_OPERATION, AUDIT,          "TEXT", "goes on where a list ended that said so" },
};

static const struct admin_column tenants[] = {
	{ "NAME", "name", show_text }, { "TITLE", "title", show_text }, { "TRAFFIC", "selectors", show_selectors },
	{ "ADDRESS SPACES", "address_spaces", show_texts }, { NULL, NULL, NULL }
};
static const struct admin_column users[] = {
	{ "NAME", "name", show_text }, { "KIND", "kind", show_text }, { "ACCESS", "access", show_access },
	{ "DISABLED", "disabled", show_flag }, { "SECOND FACTOR", "second_factor", show_flag },
	{ "LAST LOGIN", "last_login", show_use }, { NULL, NULL, NULL }
};
static const struct admin_column groups[] = {
	{ "NAME", "name", show_text }, { "MEMBERS", "members", show_texts }, { "ACCESS", "access", show_access }, { NULL, NULL, NULL }
};
static const struct admin_column tokens[] = {
	{ "ID", "id", show_text }, { "OWNER", "owner", show_text }, { "LABEL", "label", show_text }, { "TENANT", "tenant", show_text },
	{ "ROLE", "role", show_text }, { "SCOPES", "scopes", show_texts }, { "EXPIRES", "expires", show_moment },
	{ "LAST USED", "last_used", show_use }, { NULL, NULL, NULL }
};
static const struct admin_column sessions[] = {
	{ "ID", "id", show_text }, { "USER", "user", show_text }, { "FROM", "address", show_text }, { "SINCE", "created", show_moment },
	{ "LAST SEEN", "last_seen", show_moment }, { "ENDS", "expires", show_moment }, { NULL, NULL, NULL }
};
static const struct admin_column labels[] = {
	{ "KIND", "kind", show_text }, { "KEY", "key", show_text }, { "VLAN", "vlan", show_text },
	{ "ADDRESS SPACE", "address_space", show_text }, { "LABEL", "label", show_text }, { NULL, NULL, NULL }
};
static const struct admin_column watched[] = {
	{ "KIND", "kind", show_text }, { "KEY", "key", show_text }, { "VLAN", "vlan", show_text },
	{ "ADDRESS SPACE", "address_space", show_text }, { NULL, NULL, NULL }
};
static const struct admin_column entries[] = {
	{ "NUMBER", "sequence", show_text }, { "TIME", "time", show_moment }, { "KIND", "kind", show_text }, { "OUTCOME", "outcome", show_text },
	{ "ACTOR", "actor", show_text }, { "FROM", "address", show_text }, { "TENANT", "tenant", show_text }, { "SUBJECT", "subject", show_text },
	{ "DETAIL", "detail", show_text }, { NULL, NULL, NULL }
};

static const struct admin_column keys[] = {
	{ "KEY", "which", show_text }, { "ID", "id", show_text }, { "SINCE", "since", show_moment }, { "CHANGES", "changes", show_text }, { NULL, NULL, NULL }
};

static const struct admin_command commands[] = {
	/* object     verb        operation          argument                takes                   list of the answer */
	{ "tenant",   "list",     "tenant.list",     NULL, NULL,             0,                      "tenants", tenants, "every tenant" },
	{ "tenant",   "show",     "tenant.get",      "name", "NAME",         0,                      NULL, NULL, "one of them in full" },
	{ "tenant",   "add",      "tenant.add",      "name", "NAME",         TENANT,                 NULL, NULL, "makes one" },
	{ "tenant",   "set",      "tenant.set",      "name", "NAME",         TENANT,                 NULL, NULL, "changes what is given: a list that is given replaces the one before" },
	{ "tenant",   "remove",   "tenant.remove",   "name", "NAME",         0,                      NULL, NULL, "removes it; its flows that were kept are deleted for good" },
	{ "user",     "list",     "user.list",       NULL, NULL,             0,                      "users", users, "every user" },
	{ "user",     "show",     "user.get",        "name", "NAME",         0,                      NULL, NULL, "one of them in full" },
	{ "user",     "add",      "user.add",        "name", "NAME",         USER | NEW_USER | PASSWORD, NULL, NULL, "makes one; the password is asked for, where nothing else is said" },
	{ "user",     "set",      "user.set",        "name", "NAME",         USER,                   NULL, NULL, "changes what is given; accesses that are given replace all there were" },
	{ "user",     "password", "user.password",   "name", "NAME",         PASSWORD,               NULL, NULL, "another password; every session of the user ends" },
	{ "user",     "reset-second-factor", "second_factor.remove", "user", "NAME", 0,              NULL, NULL, "for a user who lost it" },
	{ "user",     "remove",   "user.remove",     "name", "NAME",         0,                      NULL, NULL, "removes it with its sessions and tokens" },
	{ "group",    "list",     "group.list",      NULL, NULL,             0,                      "groups", groups, "every group" },
	{ "group",    "show",     "group.get",       "name", "NAME",         0,                      NULL, NULL, "one of them in full" },
	{ "group",    "add",      "group.add",       "name", "NAME",         GROUP,                  NULL, NULL, "makes one: its members have its accesses too" },
	{ "group",    "set",      "group.set",       "name", "NAME",         GROUP,                  NULL, NULL, "changes what is given; lists that are given replace the ones before" },
	{ "group",    "remove",   "group.remove",    "name", "NAME",         0,                      NULL, NULL, "removes it; its members stay" },
	{ "token",    "list",     "token.list",      NULL, NULL,             OWNER,                  "tokens", tokens, "API tokens, without their secrets" },
	{ "token",    "add",      "token.add",       NULL, NULL,             TOKEN,                  NULL, NULL, "makes one and prints it: it is shown this once" },
	{ "token",    "remove",   "token.remove",    "id", "ID",             0,                      NULL, NULL, "ends it at once" },
	{ "session",  "list",     "session.list",    NULL, NULL,             OWNED,                  "sessions", sessions, "who is logged in" },
	{ "session",  "end",      "session.end",     "id", "ID",             0,                      NULL, NULL, "logs it out" },
	{ "session",  "end-all",  "session.end",     "user", "USER",         0,                      NULL, NULL, "logs a user out everywhere" },
	{ "label",    "list",     "label.list",      NULL, NULL,             LABELS,                 "labels", labels, "what hosts, interfaces and networks are called" },
	{ "label",    "set",      "label.set",       "key", "KEY",           LABELS | LABELLED | LABEL, NULL, NULL, "calls a host (an address), an interface (its name) or a network (as 10.0.0.0/8) so" },
	{ "label",    "remove",   "label.remove",    "key", "KEY",           LABELS | LABELLED,      NULL, NULL, "it is called nothing any more" },
	{ "watched",  "list",     "watched.list",    NULL, NULL,             LABELS,                 "watched", watched, "hosts and networks whose series have a point each second" },
	{ "watched",  "add",      "watched.set",     "key", "KEY",           LABELS | LABELLED,      NULL, NULL, "a host (an address) or a network (as 10.0.0.0/8) has them from now on" },
	{ "watched",  "remove",   "watched.remove",  "key", "KEY",           LABELS | LABELLED,      NULL, NULL, "it has points of minutes only" },
	{ "auth",     "explain",  "directory.explain", "name", "NAME",       PROVIDER,               NULL, NULL, "what the directory says of somebody, or a provider said at the last login, step by step, and what that is here" },
	{ "auth",     "test",     "directory.explain", NULL, NULL,           PROVIDER,               NULL, NULL, "whether the directory's servers, or a provider, answer as they should" },
	{ "audit",    "list",     "audit.list",      NULL, NULL,             AUDIT,                  "entries", entries, "what was done, the newest first" },
	{ "audit",    "anchor",   "audit.anchor",    NULL, NULL,             0,                      NULL, NULL, "writes a signed anchor now" },
	{ "key",      "rotate",   "key.rotate",      "which", "KEY",         0,                      NULL, NULL, "another key from now on: grants (what grants are signed with) or master (what secrets at rest are sealed with). Nobody is logged out" },
	{ "key",      "list",     "key.list",        NULL, NULL,             0,                      "keys", keys, "the keys that authd has, and how each changes" },
};
/* clang-format on */

bool
admin_is_object(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].object, word) == 0)
			return true;
	return false;
}

const struct admin_command *
admin_command_find(const char *object, const char *verb)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].object, object) == 0 && strcmp(commands[i].verb, verb) == 0)
			return &commands[i];
	return NULL;
}

static bool
takes(const struct admin_command *c, const struct admin_option *o)
{
	return (o->of & c->takes) != 0;
}

const struct admin_command *
admin_command_at(size_t i)
{
	return i < ARRAY_LEN(commands) ? &commands[i] : NULL;
}

const struct admin_option *
admin_option_at(const struct admin_command *c, size_t i)
{
	for (size_t n = 0; n < ARRAY_LEN(options); n++)
		if (takes(c, &options[n]) && i-- == 0)
			return &options[n];
	return NULL;
}

const struct admin_option *
admin_option_find(const struct admin_command *c, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (takes(c, &options[i]) && strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

const struct admin_option *
admin_option_of(const struct admin_command *c, const char *member)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (takes(c, &options[i]) && options[i].member != NULL &&
		    strcmp(options[i].member, member) == 0)
			return &options[i];
	return NULL;
}

void
admin_usage(const char *object, FILE *f)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct admin_command *c = &commands[i];

		if (object != NULL && strcmp(object, c->object) != 0)
			continue;
		fprintf(f, "  weir %s %s%s%s%s [--json]\n        %s\n", c->object, c->verb,
			c->argument != NULL ? " " : "", c->argument != NULL ? c->argument : "",
			c->takes != 0 ? " [OPTION]..." : "", c->help);
		for (size_t o = 0; object != NULL && o < ARRAY_LEN(options); o++)
			if (takes(c, &options[o]))
				fprintf(f, "            %s%s%s  %s\n", options[o].name,
					options[o].takes != NULL ? " " : "",
					options[o].takes != NULL ? options[o].takes : "", options[o].help);
	}
}
