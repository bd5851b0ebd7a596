#include "ipc/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

#define BOOT_VERSION 1
#define BOOT_SEALS   (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static const char magic[8] = { 'W', 'E', 'I', 'R', 'B', 'O', 'O', 'T' };

static enum log_level
level_of(const char *name)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum log_level)i;
	return LOG_LEVEL_INFO;
}

/* The settings' texts must end within their fields whatever was in the document. */
static bool
texts_end(const struct boot *b)
{
	bool ok = true;

#define ENDS(a) (memchr((a), 0, sizeof(a)) != NULL)
#define NUMBER(key, unit, field, min, max, def, help)                                                        \
	ok = ok && b->settings.field >= (min) && b->settings.field <= (max);
#define FLAG(key, field, def, help)
#define TEXT(key, field, size, def, help) ok = ok && ENDS(b->settings.field);
#define LIST(key, field, items, size, help)                                                                  \
	ok = ok && b->settings.field.n <= (items);                                                           \
	for (uint32_t i = 0; ok && i < b->settings.field.n; i++)                                             \
		ok = ENDS(b->settings.field.item[i]);
#include "base/settings.def"
#undef NUMBER
#undef FLAG
#undef TEXT
#undef LIST
	for (uint32_t i = 0; ok && i < b->npeers; i++)
		ok = ENDS(b->peers[i].path) && b->peers[i].proc < PROC_COUNT &&
		     (b->peers[i].listener == 0 || (b->peers[i].listener >= BOOT_FD_APART &&
						    b->peers[i].listener < BOOT_FD_APART + BOOT_APART_MAX));
	for (uint32_t i = 0; ok && i < b->npoints; i++)
		ok = ENDS(b->points[i].name);
	return ok;
}

const struct boot *
boot_read(enum proc self)
{
	static struct boot b;
	char name[32];
	struct stat st;
	int seals;

	(void)snprintf(name, sizeof(name), "weir-%s", proc_name(self));
	log_init(name, LOG_LEVEL_INFO);
	umask(077);
	if (prctl(PR_SET_DUMPABLE, 0) == -1)
		fatal("cannot become undumpable");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGINT, SIG_IGN) == SIG_ERR)
		fatal("cannot ignore signals");
	seals = fcntl(BOOT_FD_DOCUMENT, F_GET_SEALS);
	if (seals == -1)
		fatalx("no boot document at descriptor %d: this program is started by `weir run`",
		       BOOT_FD_DOCUMENT);
	if ((seals & BOOT_SEALS) != BOOT_SEALS || fstat(BOOT_FD_DOCUMENT, &st) == -1 ||
	    st.st_size != (off_t)sizeof(b) || pread(BOOT_FD_DOCUMENT, &b, sizeof(b), 0) != (ssize_t)sizeof(b))
		fatalx("the boot document is not one of this build");
	if (memcmp(b.magic, magic, sizeof(magic)) != 0 || b.version != BOOT_VERSION || b.size != sizeof(b))
		fatalx("the boot document is of another version");
	if (b.proc != (uint32_t)self || b.npeers > BOOT_PEERS_MAX || b.npoints > BOOT_POINTS_MAX ||
	    !texts_end(&b))
		fatalx("the boot document is for %s or damaged", proc_name((enum proc)b.proc));
	if (geteuid() != b.uid || getuid() != b.uid)
		fatalx("runs as uid %u where the boot document says %u", (unsigned)geteuid(), b.uid);
	close(BOOT_FD_DOCUMENT);
	(void)snprintf(name, sizeof(name), "weir-%s@%u", proc_name(self), b.instance);
	log_init(name, level_of(b.settings.log_level));
	return &b;
}

int
boot_memfd(const struct boot *boot)
{
	struct boot b = *boot;
	AUTO(fd_drop) int fd = memfd_create("weir-boot", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	memcpy(b.magic, magic, sizeof(magic));
	b.version = BOOT_VERSION;
	b.size = sizeof(b);
	if (fd == -1 || write(fd, &b, sizeof(b)) != (ssize_t)sizeof(b) ||
	    fcntl(fd, F_ADD_SEALS, BOOT_SEALS) == -1)
		return -1;
	return fd_keep(&fd);
}
