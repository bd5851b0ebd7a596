/* weir-generator, as systemd starts it (systemd.generator(7)): which instances of the units the configuration
 * asks for. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "cmd.h"
#include "launcher.h"

#define UNITS     "/lib/systemd/system"
#define WANTS     "weir.target.wants"
#define PATH_ROOM 4096

/* "DIRECTORY/NAME" with NAME as printf makes it; false after a line where there is no room. */
__attribute__((format(printf, 3, 4))) static bool
path_in(char path[static PATH_ROOM], const char *directory, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(path, PATH_ROOM, "%s/", directory), m;

	if (n > 0 && n < PATH_ROOM) {
		va_start(ap, fmt);
		m = vsnprintf(path + n, PATH_ROOM - (size_t)n, fmt, ap);
		va_end(ap);
		if (m > 0 && m < PATH_ROOM - n)
			return true;
	}
	say("%s: the path is too long", directory);
	return false;
}

static bool
make_directory(const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return true;
	say("%s: %s", path, strerror(errno));
	return false;
}

/* unit is the name of the file, instance that of the unit. */
static bool
want(const char *directory, const char *unit, const char *instance)
{
	char target[PATH_ROOM], link[PATH_ROOM];

	if (!path_in(target, UNITS, "%s", unit) || !path_in(link, directory, WANTS "/%s", instance))
		return false;
	if (symlink(target, link) == 0 || errno == EEXIST)
		return true;
	say("%s: %s", link, strerror(errno));
	return false;
}

static bool
want_instances(const char *directory, const char *name, unsigned n)
{
	char unit[64], instance[64];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(unit, sizeof(unit), "weir-%s@.service", name);
		(void)snprintf(instance, sizeof(instance), "weir-%s@%u.service", name, i);
		if (!want(directory, unit, instance))
			return false;
	}
	return true;
}

/* The port of a socket unit is the configuration's; 0: nobody listens. weir.service wants it all the same,
 * with Sockets=, and it would listen where the package says: a condition that nothing meets keeps it from
 * starting. */
static bool
want_socket(const char *directory, const char *unit, const char *address, int64_t port)
{
	char folder[PATH_ROOM], path[PATH_ROOM];
	AUTO(file_drop) FILE *f = NULL;
	int n;

	if (!path_in(folder, directory, "%s.d", unit) || !make_directory(folder) ||
	    !path_in(path, folder, "address.conf"))
		return false;
	f = fopen(path, "we");
	if (f == NULL)
		n = -1;
	else if (port == 0)
		n = fputs("[Unit]\nConditionPathExists=!/\n", f);
	else
		n = fprintf(f,
			    strchr(address, ':') != NULL
				? "[Socket]\nListenStream=\nListenStream=[%s]:%" PRId64 "\n"
				: "[Socket]\nListenStream=\nListenStream=%s:%" PRId64 "\n",
			    address, port);
	if (n < 0 || fflush(f) != 0) {
		say("%s: %s", path, strerror(errno));
		return false;
	}
	return port == 0 || want(directory, unit, unit);
}

/* argv[1] is the directory for units of ordinary weight. */
int
cmd_units(int argc, char **argv)
{
	static struct settings s;
	const struct options none = { 0 };
	char wants[PATH_ROOM];
	const char *to = argc > 1 ? argv[1] : "";

	if (argc < 2) {
		say("weir-generator DIRECTORY: started by systemd");
		return WEIR_USAGE;
	}
	if (!options_settings(&none, &s) || !path_in(wants, to, WANTS) || !make_directory(wants))
		return WEIR_FAILED;
	if (!want_instances(to, "engine", (unsigned)s.workers) ||
	    !want_instances(to, "httpd", plan_httpds(&s)) ||
	    !want_instances(to, "capture",
			    s.interfaces.n > 0 ? s.interfaces.n : 1 /* the one of the default route */))
		return WEIR_FAILED;
	return want_socket(to, "weir-https.socket", s.http_address, s.https_port) &&
		       want_socket(to, "weir-http.socket", s.http_address, s.http_port)
		   ? WEIR_OK
		   : WEIR_FAILED;
}
