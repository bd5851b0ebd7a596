/* What is observed: names of interfaces and files as observation points. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "cmd.h"
#include "interface.h"
#include "launch.h"

static bool
has_name(const struct launch *l, const char *name)
{
	for (unsigned i = 0; i < l->npoints; i++)
		if (strcmp(l->point[i].name, name) == 0)
			return true;
	return false;
}

static bool
has_room(const struct launch *l, const char *name)
{
	if (l->npoints < BOOT_POINTS_MAX)
		return true;
	say("%s: more than %d interfaces and files at a time", name, BOOT_POINTS_MAX);
	return false;
}

bool
launch_add_interface(struct launch *l, const char *name)
{
	struct launch_point *p = &l->point[l->npoints];

	if (!has_room(l, name))
		return false;
	/* A machine that boots has some of its interfaces later: capture waits for them, and the page is
	 * there. */
	if (!l->units && !interface_exists(name)) {
		say("%s: no such interface; `ip link` lists them", name);
		return false;
	}
	if (has_name(l, name)) {
		say("%s: this interface is given twice", name);
		return false;
	}
	*p = (struct launch_point){ .kind = POINT_INTERFACE, .source = name, .fd = -1 };
	str_copy(p->name, sizeof(p->name), name);
	l->npoints++;
	return true;
}

/* The file's name without folders, printable, short enough, and told apart from its namesakes. */
static void
name_of_file(const struct launch *l, const char *path, char name[static 64])
{
	const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	char plain[56];
	size_t n = 0;

	for (; n < sizeof(plain) - 1 && base[n] != '\0'; n++)
		plain[n] = base[n] > 0x20 && base[n] < 0x7f ? base[n] : '?';
	plain[n] = '\0';
	str_copy(name, 64, plain);
	for (unsigned i = 2; has_name(l, name); i++)
		(void)snprintf(name, 64, "%s#%u", plain, i);
}

bool
launch_add_file(struct launch *l, const char *path)
{
	struct launch_point *p = &l->point[l->npoints];
	AUTO(fd_drop) int fd = -1;
	struct stat st;

	if (!has_room(l, path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		say("%s: cannot be read: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		say("%s: is no file", path);
		return false;
	}
	*p = (struct launch_point){ .kind = POINT_FILE, .source = path, .fd = -1 };
	name_of_file(l, path, p->name);
	p->fd = fd_keep(&fd);
	l->npoints++;
	return true;
}
