/* Who each process is and who its peers are: docs/ARCHITECTURE.md as a table. */
#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "capabilities.h"
#include "launcher.h"
#include "place.h"
#include <linux/capability.h>

/* Slots of uids. A run and an analysis on one machine use different halves of the range. */
enum {
	SLOT_STORE = 1,
	SLOT_AUTHD = 2,
	SLOT_DIAL = 4,
	SLOT_DIRECTORY = 5,
	SLOT_KEY = 6,
	SLOT_HTTPD = 8,
	SLOT_ENGINE = 16,
	SLOT_CAPTURE = 64
};
#define HTTPDS_BY_ITSELF 4u

static uint32_t
slot_of(enum proc proc)
{
	static const uint32_t slots[PROC_COUNT] = {
		[PROC_STORE] = SLOT_STORE,         [PROC_AUTHD] = SLOT_AUTHD,
		[PROC_HTTPD] = SLOT_HTTPD,         [PROC_DIAL] = SLOT_DIAL,
		[PROC_DIRECTORY] = SLOT_DIRECTORY, [PROC_ENGINE] = SLOT_ENGINE,
		[PROC_CAPTURE] = SLOT_CAPTURE,     [PROC_KEY] = SLOT_KEY
	};

	return slots[proc];
}

uid_t
plan_uid(uint32_t uid_base, enum proc proc)
{
	return uid_base + slot_of(proc);
}

/* Whose peers come by sockets apart: its unit puts it into a user namespace, where it sees no uid but its own
 * (systemd/weir-dial.needs.conf). */
static bool
sees_nobody(enum proc proc)
{
	return proc == PROC_DIAL;
}

static struct child *
add_child(struct launcher *l, enum proc proc, unsigned instance)
{
	struct child *c = &l->child[l->nchildren++];

	memset(c, 0, sizeof(*c));
	c->l = l;
	c->proc = proc;
	c->instance = instance;
	c->uid = l->uid_base + slot_of(proc) + instance;
	c->gid = c->uid; /* of a unit's user: units_open() */
	c->log = -1;
	(void)snprintf(c->name, sizeof(c->name), "weir-%s@%u", proc_name(proc), instance);
	if (!sees_nobody(proc))
		(void)snprintf(c->path, sizeof(c->path), "%s/%s-%u.sock", l->settings->run_directory,
			       proc_name(proc), instance);
	str_copy(c->lines.name, sizeof(c->lines.name), c->name);
	c->spawn = (struct spawn){ .name = c->name, .uid = c->uid, .directory = -1, .program = -1 };
	for (unsigned n = 0; n < SPAWN_FDS_MAX; n++)
		c->spawn.fd[n] = -1;
	c->component = (struct wire_component){ .proc = (uint32_t)proc,
						.instance = instance,
						.state = COMPONENT_RESTARTING };
	if (proc == PROC_AUTHD && l->settings->master_key[0] == '\0')
		c->component.warning = WARNING_UNSEALED;
	return c;
}

/* Half of the processors are for capture, engines and store. */
unsigned
plan_httpds(const struct settings *s)
{
	cpu_set_t ours;
	unsigned n;

	if (s->http_workers > 0)
		return (unsigned)s->http_workers;
	n = sched_getaffinity(0, sizeof(ours), &ours) == -1 ? 1 : (unsigned)CPU_COUNT(&ours) / 2;
	return n < 1 ? 1 : n > HTTPDS_BY_ITSELF ? HTTPDS_BY_ITSELF : n;
}

/* Who talks to whom; `all` instances of the peer. weir is this launcher, which listens at weir-0.sock. */
static const struct {
	enum proc self, peer;
	bool connect;
} doors[] = {
	{ PROC_CAPTURE, PROC_ENGINE, true },  { PROC_ENGINE, PROC_CAPTURE, true },
	{ PROC_ENGINE, PROC_ENGINE, true }, /* where several share an interface */
	{ PROC_ENGINE, PROC_STORE, true },    { PROC_STORE, PROC_ENGINE, true },
	{ PROC_STORE, PROC_AUTHD, true },     { PROC_STORE, PROC_HTTPD, true },
	{ PROC_AUTHD, PROC_STORE, true },     { PROC_AUTHD, PROC_HTTPD, true },
	{ PROC_HTTPD, PROC_STORE, true },     { PROC_HTTPD, PROC_AUTHD, true },
	{ PROC_STORE, PROC_DIAL, true },      { PROC_DIAL, PROC_STORE, true },
	{ PROC_AUTHD, PROC_DIRECTORY, true }, { PROC_DIRECTORY, PROC_AUTHD, true },
	{ PROC_DIRECTORY, PROC_DIAL, true },  { PROC_DIAL, PROC_DIRECTORY, true },
	{ PROC_WEIR, PROC_STORE, false },     { PROC_WEIR, PROC_AUTHD, false },
	{ PROC_WEIR, PROC_ENGINE, false },    { PROC_WEIR, PROC_HTTPD, false },
	{ PROC_HTTPD, PROC_KEY, true },       { PROC_KEY, PROC_HTTPD, true },
	{ PROC_WEIR, PROC_KEY, false },
};

static void
add_apart(struct launcher *l, struct child *c, const struct child *peer)
{
	struct apart *a = &c->apart[c->napart++];

	assert(c->napart <= BOOT_APART_MAX);
	a->peer = peer;
	(void)snprintf(a->directory, sizeof(a->directory), "%s/%s-%u", l->settings->run_directory,
		       proc_name(peer->proc), peer->instance);
	(void)snprintf(a->path, sizeof(a->path), "%s/%s-%u/%s-%u.sock", l->settings->run_directory,
		       proc_name(peer->proc), peer->instance, proc_name(c->proc), c->instance);
}

static void
plan_apart(struct launcher *l, struct child *c)
{
	for (size_t i = 0; i < ARRAY_LEN(doors); i++)
		for (unsigned n = 0; n < l->nchildren && doors[i].self == c->proc; n++)
			if (l->child[n].proc == doors[i].peer)
				add_apart(l, c, &l->child[n]);
}

/* The socket of a process that one peer alone can reach, by number; -1: there is none. */
static int
find_apart(const struct child *c, const struct child *peer)
{
	for (unsigned i = 0; i < c->napart; i++)
		if (c->apart[i].peer == peer)
			return (int)i;
	return -1;
}

void
plan_children(struct launcher *l)
{
	add_child(l, PROC_STORE, 0);
	add_child(l, PROC_AUTHD, 0);
	for (unsigned i = 0; i < (unsigned)l->settings->workers; i++)
		add_child(l, PROC_ENGINE, i);
	for (unsigned i = 0; i < l->launch->npoints; i++) {
		struct child *c = add_child(l, PROC_CAPTURE, i);

		c->point = &l->launch->point[i];
		str_copy(c->component.point, sizeof(c->component.point), c->point->name);
		if (c->point->kind == POINT_INTERFACE)
			c->spawn.capabilities = CAPABILITY(CAP_NET_RAW);
	}
	if (l->launch->analyze)
		return;
	add_child(l, PROC_DIAL, 0);
	add_child(l, PROC_DIRECTORY, 0);
	add_child(l, PROC_KEY, 0);
	for (unsigned i = 0; i < plan_httpds(l->settings); i++)
		add_child(l, PROC_HTTPD, i);
	for (unsigned i = 0; i < l->nchildren; i++)
		if (sees_nobody(l->child[i].proc))
			plan_apart(l, &l->child[i]);
}

static struct boot_peer *
add_peer(struct boot *b, enum proc proc, unsigned instance, uint32_t uid, bool connect, const char *path)
{
	struct boot_peer *p = &b->peers[b->npeers++];

	*p = (struct boot_peer){
		.proc = (uint32_t)proc, .instance = instance, .uid = uid, .connect = connect
	};
	str_copy(p->path, sizeof(p->path), path);
	return p;
}

static void
add_child_peer(struct boot *b, const struct child *self, const struct child *c, bool connect)
{
	int ours = find_apart(self, c), theirs = find_apart(c, self);
	struct boot_peer *p = add_peer(b, c->proc, c->instance, c->uid, connect,
				       theirs == -1 ? c->path : c->apart[theirs].path);

	if (ours != -1)
		p->listener = (uint32_t)(BOOT_FD_APART + ours);
}

/* Whether engines have frames to hand over to each other: files never need it. */
static bool
workers_share(const struct launcher *l)
{
	for (unsigned i = 0; i < l->launch->npoints; i++)
		if (l->launch->point[i].kind != POINT_FILE)
			return l->settings->workers > 1;
	return false;
}

static void
add_peers(const struct launcher *l, const struct child *own, struct boot *b)
{
	enum proc self = own == NULL ? PROC_WEIR : own->proc;
	char path[BOOT_PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(doors); i++) {
		if (doors[i].self != self || (doors[i].peer == self && !workers_share(l)))
			continue;
		for (unsigned n = 0; n < l->nchildren; n++) {
			const struct child *c = &l->child[n];

			if (c->proc != doors[i].peer || c == own)
				continue;
			if (own != NULL)
				add_child_peer(b, own, c, doors[i].connect);
			else
				add_peer(b, c->proc, c->instance, c->uid, doors[i].connect, c->path);
		}
	}
	if (self != PROC_STORE && self != PROC_AUTHD && self != PROC_ENGINE && self != PROC_HTTPD &&
	    self != PROC_KEY)
		return;
	(void)snprintf(path, sizeof(path), "%s/weir-0.sock", l->settings->run_directory);
	add_peer(b, PROC_WEIR, 0, 0, true, path);
	for (unsigned i = 1; i <= COMMAND_LINES && (self == PROC_STORE || self == PROC_AUTHD); i++)
		add_peer(b, PROC_WEIR, i, 0, false, "");
}

void
plan_geo(struct launcher *l)
{
	for (unsigned n = 0; n < l->nchildren; n++)
		for (unsigned i = 0; l->child[n].proc == PROC_ENGINE && i < l->geo.n; i++)
			l->child[n].spawn.fd[BOOT_FD_GEO + i] = l->geo.file[i].memory;
}

void
plan_certificate(struct launcher *l)
{
	for (unsigned n = 0; n < l->nchildren; n++) {
		struct child *c = &l->child[n];

		if (c->proc == PROC_HTTPD || c->proc == PROC_KEY)
			c->spawn.fd[BOOT_FD_CERTIFICATE] = l->certificate.chain.fd;
		if (c->proc == PROC_KEY)
			c->spawn.fd[BOOT_FD_KEY] = l->certificate.key.fd;
	}
}

/* c is NULL for the launcher's own. */
void
plan_boot(const struct launcher *l, const struct child *c, uint32_t boot_number, struct boot *b)
{
	memset(b, 0, sizeof(*b));
	b->proc = c != NULL ? (uint32_t)c->proc : (uint32_t)PROC_WEIR;
	b->instance = c != NULL ? c->instance : 0;
	b->uid = c != NULL ? c->uid : 0;
	b->node = l->state.node;
	b->boot = boot_number;
	b->settings = *l->settings;
	b->settings.http_workers = plan_httpds(l->settings);
	b->admin_gid = l->admin_gid;
	b->npoints = l->launch->npoints;
	memcpy(b->points, l->points, sizeof(b->points));
	if (l->launch->analyze)
		b->flags |= BOOT_ANALYZE;
	if (l->launch->units && c != NULL)
		b->flags |= BOOT_HAS_NOTIFY;
	if (c != NULL && c->proc == PROC_ENGINE && c->spawn.fd[BOOT_FD_PROTOCOLS] != -1)
		b->flags |= BOOT_HAS_PROTOCOLS;
	if (c != NULL && c->proc == PROC_AUTHD && c->spawn.fd[BOOT_FD_ANCHORS] != -1)
		b->flags |= BOOT_HAS_ANCHORS;
	if (b->proc == (uint32_t)PROC_AUTHD && c->spawn.fd[BOOT_FD_MASTER_KEY] != -1)
		b->flags |= BOOT_HAS_MASTER_KEY;
	if (b->proc == (uint32_t)PROC_AUTHD && c->spawn.fd[BOOT_FD_BIND_PASSWORD] != -1)
		b->flags |= BOOT_HAS_BIND_PASSWORD;
	for (int i = 0; b->proc == (uint32_t)PROC_AUTHD && i < OIDC_PROVIDERS_MAX; i++)
		if (c->spawn.fd[BOOT_FD_CLIENT_SECRET + i] != -1)
			b->flags |= BOOT_HAS_CLIENT_SECRET(i);
	if (b->proc == (uint32_t)PROC_HTTPD && l->http != -1)
		b->flags |= BOOT_HAS_HTTP;
	if (b->proc == (uint32_t)PROC_HTTPD && c->spawn.fd[BOOT_FD_TALLY] != -1)
		b->flags |= BOOT_HAS_TALLY;
	if (b->proc == (uint32_t)PROC_DIRECTORY && c->spawn.fd[BOOT_FD_AUTHORITIES] != -1)
		b->flags |= BOOT_HAS_AUTHORITIES;
	for (int i = 0; b->proc == (uint32_t)PROC_STORE && i < BOOT_VENDOR_FILES; i++)
		if (c->spawn.fd[BOOT_FD_VENDORS + i] != -1)
			b->flags |= BOOT_HAS_VENDORS(i);
	for (int i = 0; b->proc == (uint32_t)PROC_ENGINE && i < BOOT_GEO_FILES; i++)
		if (c->spawn.fd[BOOT_FD_GEO + i] != -1)
			b->flags |= BOOT_HAS_GEO(i);
	add_peers(l, c, b);
}
