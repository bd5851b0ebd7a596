/* Everything that the launcher opens before it gives anything up; each refusal is one line. */
#include "launcher.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "backup.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "capabilities.h"
#include "cmd.h"
#include "config.h"
#include "directories.h"
#include "inherited.h"
#include "interface.h"
#include "listen.h"
#include "programs.h"
#include "protocols.h"
#include "sandbox/sandbox.h"
#include "secret_file.h"
#include "units.h"

#define MASTER_KEY "authd.master_key"

/* --- the programs
 * ----------------------------------------------------------------------------------------------------- */

static bool
open_programs(struct launcher *l)
{
	char path[sizeof(l->programs) + 32];

	if (l->launch->units) /* they are the units' business */
		return true;
	if (!programs_find(l->programs))
		return false;
	for (unsigned i = 0; i < l->nchildren; i++) {
		struct child *c = &l->child[i];

		(void)snprintf(path, sizeof(path), "%s/weir-%s", l->programs, proc_name(c->proc));
		c->spawn.path = mem_strdup(path);
		c->spawn.program = open(path, O_PATH | O_CLOEXEC);
		if (c->spawn.program != -1)
			continue;
		say("%s: %s: build it (ninja), or install it again", path, strerror(errno));
		return false;
	}
	return true;
}

/* --- directories
 * ------------------------------------------------------------------------------------------------------ */

static int
lock(int directory, const char *path, const char *key)
{
	int taken, fd = directory_lock(directory, &taken);

	if (fd != -1)
		return fd;
	if (taken)
		say("%s (%s): another weir runs with it: stop that one, or set %s to another directory", path,
		    key, key);
	else
		say("%s/lock: %s", path, strerror(errno));
	return -1;
}

static bool
open_directories(struct launcher *l)
{
	const char *data = l->settings->data_directory, *run = l->settings->run_directory;
	char err[512];

	l->run_directory = directory_of_root(run, "run_directory", err, sizeof(err));
	if (l->run_directory != -1)
		l->data_directory = directory_of_root(data, "data_directory", err, sizeof(err));
	if (l->run_directory == -1 || l->data_directory == -1) {
		say("%s", err);
		return false;
	}
	l->run_lock = lock(l->run_directory, run, "run_directory");
	if (l->run_lock == -1)
		return false;
	l->data_lock = lock(l->data_directory, data, "data_directory");
	if (l->data_lock == -1)
		return false;
	if (faccessat(l->data_directory, RESTORE_STAGE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		say("%s/%s: a restore was interrupted, so the data are not whole: run weir restore again",
		    data, RESTORE_STAGE);
		return false;
	}
	for (unsigned i = 0; i < l->nchildren; i++) {
		struct child *c = &l->child[i];

		if (c->proc != PROC_STORE && c->proc != PROC_AUTHD)
			continue;
		c->spawn.directory =
		    directory_of(l->data_directory, data, proc_name(c->proc), c->uid, err, sizeof(err));
		c->spawn.fd[BOOT_FD_DIRECTORY] = c->spawn.directory;
		if (c->spawn.directory == -1) {
			say("%s", err);
			return false;
		}
	}
	return true;
}

/* The address space of an observation point, by the names that the setting gives. */
static uint32_t
space_of(const struct settings *s, const char *name)
{
	uint32_t space;

	for (uint32_t i = 0; i < s->address_spaces.n; i++) {
		size_t len = config_address_space(s->address_spaces.item[i], &space);

		if (len > 0 && len == strlen(name) && memcmp(s->address_spaces.item[i], name, len) == 0)
			return space;
	}
	return 0;
}

static bool
open_state(struct launcher *l)
{
	char err[512];

	if (!state_open(&l->state, l->data_directory, err, sizeof(err)) ||
	    !state_next_boot(&l->state, &l->boot_number)) {
		say("%s/%s", l->settings->data_directory, err);
		return false;
	}
	for (unsigned i = 0; i < l->launch->npoints; i++) {
		const struct launch_point *p = &l->launch->point[i];
		struct boot_point *b = &l->points[i];

		*b =
		    (struct boot_point){ .kind = (uint32_t)p->kind, .space = space_of(l->settings, p->name) };
		str_copy(b->name, sizeof(b->name), p->name);
		if (!state_point_id(&l->state, p->kind, p->name, &b->id, err, sizeof(err))) {
			say("%s/%s", l->settings->data_directory, err);
			return false;
		}
	}
	return true;
}

/* --- applications of the user's own
 * -------------------------------------------------------------------------------------------------------------
 */

static void
report(void *ctx, const char *line)
{
	(void)ctx;
	say("%s", line);
}

static bool
open_protocols(struct launcher *l)
{
	if (l->settings->protocols_file[0] == '\0')
		return true;
	l->protocols = protocols_open(l->settings->protocols_file, report, NULL);
	if (l->protocols == -1)
		return false;
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].proc == PROC_ENGINE)
			l->child[i].spawn.fd[BOOT_FD_PROTOCOLS] = l->protocols;
	return true;
}

/* --- sockets, and what is served on them
 * -------------------------------------------------------------------------------------- */

static bool
listen_for(struct launcher *l, struct child *c, char *err, size_t errsize)
{
	for (unsigned i = 0; i < c->napart; i++) {
		int *fd = &c->spawn.fd[BOOT_FD_APART + i];

		*fd = apart_listen(&c->apart[i], c->apart[i].peer->gid, !l->launch->units, err, errsize);
		if (*fd == -1)
			return false;
	}
	if (c->napart > 0)
		return true;
	c->spawn.fd[BOOT_FD_LISTEN] = listen_unix(c->path, err, errsize);
	return c->spawn.fd[BOOT_FD_LISTEN] != -1;
}

static bool
open_sockets(struct launcher *l)
{
	char path[BOOT_PATH_MAX], err[512];

	if (l->launch->units && !units_open(l, err, sizeof(err))) {
		say("%s", err);
		return false;
	}
	for (unsigned i = 0; i < l->nchildren; i++) {
		struct child *c = &l->child[i];

		if (!listen_for(l, c, err, sizeof(err))) {
			say("%s", err);
			return false;
		}
		if (c->proc == PROC_CAPTURE && c->point->kind == POINT_FILE)
			c->spawn.fd[BOOT_FD_FILE] = c->point->fd;
	}
	(void)snprintf(path, sizeof(path), "%s/weir-0.sock", l->settings->run_directory);
	l->listener = listen_unix(path, err, sizeof(err));
	if (l->listener == -1)
		say("%s", err);
	return l->listener != -1;
}

static int
tally_memory(void)
{
	AUTO(fd_drop) int fd = memfd_create("tally", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	uint64_t seed;

	randombytes_buf(&seed, sizeof(seed));
	if (fd == -1 || ftruncate(fd, BOOT_TALLY_BYTES) == -1 ||
	    pwrite(fd, &seed, sizeof(seed), 0) != (ssize_t)sizeof(seed) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
		return -1;
	return fd_keep(&fd);
}

/* Where a socket unit listens already, what waits to be accepted outlives the launcher too. */
static int
inherit_port(const struct launcher *l, const char *name, int64_t port, const char *key)
{
	int fd = l->launch->units ? inherited_tcp(name) : -1;

	/* systemd asks weir-generator when it reads its units, and no sooner. */
	if (fd != -1 && inherited_port(fd) != port)
		say("%s is %" PRId64 ", but weir-%s.socket listens on %u: it changes with `systemctl "
		    "daemon-reload` and `systemctl restart weir.target`",
		    key, port, name, inherited_port(fd));
	return fd;
}

static int
listen_port(const struct launcher *l, const char *name, int64_t port, const char *key, char *err,
	    size_t errsize)
{
	int fd = inherit_port(l, name, port, key);

	return fd != -1 ? fd : listen_tcp(l->settings->http_address, (int)port, key, err, errsize);
}

/* Nobody serves what comes to a port that is not to be. */
static void
leave_http(const struct launcher *l)
{
	int fd = inherit_port(l, "http", 0, "httpd.http_port");

	fd_drop(&fd);
}

static bool
open_web(struct launcher *l)
{
	char err[512];

	if (l->launch->analyze)
		return true;
	l->https = listen_port(l, "https", l->settings->https_port, "httpd.https_port", err, sizeof(err));
	if (l->https != -1 && l->settings->http_port != 0) {
		l->http = listen_port(l, "http", l->settings->http_port, "httpd.http_port", err, sizeof(err));
		if (l->http == -1)
			fd_drop(&l->https);
	} else if (l->https != -1) {
		leave_http(l);
	}
	if (l->https == -1) {
		say("%s", err);
		return false;
	}
	if (!certificate_files_open(&l->certificate, l->settings, l->data_directory, err, sizeof(err))) {
		say("%s", err);
		return false;
	}
	l->tally = tally_memory();
	if (l->tally == -1 || !ticket_keys_open(&l->tickets)) {
		say("cannot make what httpd's workers share: %s", strerror(errno));
		return false;
	}
	/* All have the same sockets: what waits to be accepted is nobody's, and is not lost with anyone. */
	for (unsigned i = 0; i < l->nchildren; i++) {
		struct child *c = &l->child[i];

		if (c->proc != PROC_HTTPD)
			continue;
		c->spawn.fd[BOOT_FD_HTTPS] = l->https;
		c->spawn.fd[BOOT_FD_HTTP] = l->http;
		c->spawn.fd[BOOT_FD_TALLY] = l->tally;
	}
	plan_certificate(l);
	return true;
}

/* Where there is none, directories have to name their own. */
static void
open_authorities(struct launcher *l)
{
	const char *path = l->settings->ldap_authorities;

	if (path[0] != '\0')
		l->authorities = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].proc == PROC_DIRECTORY)
			l->child[i].spawn.fd[BOOT_FD_AUTHORITIES] = l->authorities;
}

/* Nobody but root may read it: what authd gets is the file, open, at descriptor `at`. */
static bool
open_secret(struct launcher *l, const char *key, const char *setting, int at, int *fd)
{
	char err[1024];

	if (setting[0] == '\0')
		return true;
	*fd = secret_file_open(setting, key, err, sizeof(err));
	if (*fd == -1) {
		say("%s", err);
		return false;
	}
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].proc == PROC_AUTHD)
			l->child[i].spawn.fd[at] = *fd;
	return true;
}

static bool
open_secrets(struct launcher *l)
{
	const struct settings *s = l->settings;
	/* An analysis keeps nothing. */
	bool good = (l->launch->analyze ||
		     open_secret(l, MASTER_KEY, s->master_key, BOOT_FD_MASTER_KEY, &l->master_key)) &&
		    open_secret(l, "ldap.bind_password_file", s->ldap_bind_password_file,
				BOOT_FD_BIND_PASSWORD, &l->bind_password);

	for (int i = 0; i < OIDC_PROVIDERS_MAX && good; i++) {
		char key[64];

		(void)snprintf(key, sizeof(key), "oidc.%d.client_secret_file", i + 1);
		good = open_secret(l, key, s->oidc[i].client_secret_file, BOOT_FD_CLIENT_SECRET + i,
				   &l->client_secret[i]);
	}
	return good;
}

void
prepare_master_key(struct launcher *l)
{
	char err[1024];
	int fd;

	if (l->master_key == -1)
		return;
	fd = secret_file_open(l->settings->master_key, MASTER_KEY, err, sizeof(err));
	if (fd == -1) {
		log_error("%s: the file that was there before goes on", err);
		return;
	}
	fd_drop(&l->master_key);
	l->master_key = fd;
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].proc == PROC_AUTHD)
			l->child[i].spawn.fd[BOOT_FD_MASTER_KEY] = fd;
}

/* --- lists of vendors
 * ---------------------------------------------------------------------------------------------------- */

/* Opened here, read by store: a list that is missing is no mistake. */
static void
open_vendors(struct launcher *l)
{
	static const char *const names[BOOT_VENDOR_FILES] = { "oui.csv", "mam.csv", "oui36.csv" };
	struct child *store = &l->child[0];
	char path[sizeof(l->settings->vendor_directory) + 16];

	for (int i = 0; i < BOOT_VENDOR_FILES; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", l->settings->vendor_directory, names[i]);
		l->vendors[i] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		store->spawn.fd[BOOT_FD_VENDORS + i] = l->vendors[i];
	}
}

/* --- anchors of the audit log
 * -------------------------------------------------------------------------------------------- */

/* It is root's, and authd can but write to it. */
static bool
open_anchors(struct launcher *l)
{
	const char *path = l->settings->audit_anchor_file;
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	struct stat st;

	if (l->launch->analyze)
		return true;
	l->anchors = path[0] == '\0' ? openat(l->data_directory, "audit.anchors", flags, 0640)
				     : open(path, flags, 0640);
	if (l->anchors == -1 || fstat(l->anchors, &st) == -1 || !S_ISREG(st.st_mode)) {
		say("%s%s (authd.audit_anchor_file): %s",
		    path[0] == '\0' ? l->settings->data_directory : path,
		    path[0] == '\0' ? "/audit.anchors" : "",
		    l->anchors == -1 ? strerror(errno) : "is no file");
		return false;
	}
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].proc == PROC_AUTHD)
			l->child[i].spawn.fd[BOOT_FD_ANCHORS] = l->anchors;
	return true;
}

/* --- what is given up
 * ------------------------------------------------------------------------------------------------- */

/*
 * What stays is what restarting a process takes: another uid (SETUID, SETGID), an empty bounding set for it
 * (SETPCAP), raw sockets handed down to capture, offload settings of an interface that comes back
 * (NET_ADMIN), signals to other uids (KILL). An analysis also removes directories of other uids. No new
 * privileges holds for the launcher itself: it keeps executed programs from gaining anything, and ours only
 * ever lose.
 */
static bool
give_up_rest(struct launcher *l)
{
	uint64_t keep = CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETPCAP) |
			CAPABILITY(CAP_NET_RAW) | CAPABILITY(CAP_NET_ADMIN) | CAPABILITY(CAP_KILL);

	if (l->launch->analyze)
		keep |= CAPABILITY(CAP_DAC_OVERRIDE);
	if (l->launch->units)
		keep = CAPABILITY(CAP_NET_ADMIN);
	if (capabilities_limit(keep) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return true;
	say("cannot give up capabilities: %s", strerror(errno));
	return false;
}

/* Keys of session tickets are in its memory. The limit alone does not keep a core from a program that
 * core_pattern(5) names. */
static bool
forbid_cores(void)
{
	static const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0)
		return true;
	say("cannot forbid core dumps: %s", strerror(errno));
	return false;
}

/* Whose command lines are listened to beside root's. */
static bool
find_administrators(struct launcher *l)
{
	const struct group *g;

	if (l->settings->admin_group[0] == '\0')
		return true;
	g = getgrnam(l->settings->admin_group);
	if (g == NULL) {
		say("there is no group %s (authd.admin_group): `groupadd --system %s` makes it",
		    l->settings->admin_group, l->settings->admin_group);
		return false;
	}
	l->admin_gid = g->gr_gid;
	return true;
}

bool
prepare(struct launcher *l)
{
	l->run_directory = l->run_lock = l->data_directory = l->data_lock = l->https = l->http = -1;
	l->listener = l->protocols = l->anchors = l->tally = l->authorities = -1;
	l->bind_password = l->master_key = -1;
	for (int i = 0; i < OIDC_PROVIDERS_MAX; i++)
		l->client_secret[i] = -1;
	certificate_files_init(&l->certificate);
	for (int i = 0; i < BOOT_VENDOR_FILES; i++)
		l->vendors[i] = -1;
	if (geteuid() != 0) {
		say("must be run as root (sudo): each process gets a user id of its own");
		return false;
	}
	if (sodium_init() == -1) {
		say("libsodium cannot be used");
		return false;
	}
	if (!forbid_cores() || !find_administrators(l))
		return false;
	if (!l->settings->sandbox_enforce)
		sandbox_only_log(); /* of what is forked here: who looks into a certificate */
	plan_children(l);
	open_vendors(l);
	open_authorities(l);
	geo_files_open(&l->geo, l->settings);
	plan_geo(l);
	l->audit = audit_new();
	l->base = event_base_new();
	return l->base != NULL && open_programs(l) && open_directories(l) && open_web(l) && open_state(l) &&
	       open_protocols(l) && open_anchors(l) && open_secrets(l) && open_sockets(l) && give_up_rest(l);
}

static void
stop_listening(struct child *c)
{
	for (unsigned i = 0; i < c->napart; i++)
		apart_remove(&c->apart[i]);
	if (c->napart == 0)
		(void)unlink(c->path);
}

void
prepare_undo(struct launcher *l)
{
	if (l->run_lock != -1) { /* otherwise they are another launcher's */
		char weir[BOOT_PATH_MAX];

		for (unsigned i = 0; i < l->nchildren; i++)
			stop_listening(&l->child[i]);
		(void)snprintf(weir, sizeof(weir), "%s/weir-0.sock", l->settings->run_directory);
		(void)unlink(weir);
	}
	units_close(l);
	for (unsigned i = 0; i < l->nchildren; i++) {
		struct child *c = &l->child[i];

		free((char *)(uintptr_t)c->spawn.path);
		fd_drop(&c->spawn.program);
		fd_drop(&c->spawn.directory);
		fd_drop(&c->spawn.fd[BOOT_FD_LISTEN]);
		for (unsigned n = 0; n < c->napart; n++)
			fd_drop(&c->spawn.fd[BOOT_FD_APART + n]);
	}
	for (unsigned i = 0; i < l->launch->npoints; i++)
		fd_drop(&l->launch->point[i].fd);
	for (int i = 0; i < BOOT_VENDOR_FILES; i++)
		fd_drop(&l->vendors[i]);
	fd_drop(&l->protocols);
	fd_drop(&l->authorities);
	fd_drop(&l->master_key);
	fd_drop(&l->bind_password);
	for (int i = 0; i < OIDC_PROVIDERS_MAX; i++)
		fd_drop(&l->client_secret[i]);
	fd_drop(&l->anchors);
	geo_files_close(&l->geo);
	fd_drop(&l->https);
	fd_drop(&l->http);
	fd_drop(&l->tally);
	ticket_keys_close(&l->tickets);
	certificate_files_close(&l->certificate);
	fd_drop(&l->listener);
	fd_drop(&l->data_lock);
	fd_drop(&l->data_directory);
	fd_drop(&l->run_lock);
	fd_drop(&l->run_directory);
	audit_free(&l->audit);
	if (l->base != NULL)
		event_base_free(l->base);
}
