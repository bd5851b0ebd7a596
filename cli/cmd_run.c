/* weir run: monitors in the foreground. */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd.h"
#include "inherited.h"
#include "interface.h"
#include "ipc/unit.h"
#include "launch.h"
#include "nameservers.h"
#include "rtnetlink.h"

/* What is asked for on the command line, else what the settings say, else the interface of the default route.
 */
static bool
add_points(struct launch *l, const struct options *o)
{
	static char route[64];

	for (unsigned i = 0; i < o->files.n; i++)
		if (!launch_add_file(l, o->files.name[i]))
			return false;
	for (unsigned i = 0; i < o->interfaces.n; i++)
		if (!launch_add_interface(l, o->interfaces.name[i]))
			return false;
	if (l->npoints > 0)
		return true;
	for (uint32_t i = 0; i < l->settings.interfaces.n; i++)
		if (!launch_add_interface(l, l->settings.interfaces.item[i]))
			return false;
	if (l->npoints > 0)
		return true;
	if (!interface_of_default_route(route, sizeof(route))) {
		say("no interface is given and there is no default route: name one with -i (`ip link` lists "
		    "them)");
		return false;
	}
	return launch_add_interface(l, route);
}

/* What units cannot have: their programs know one run directory, and systemd would read a file again and
 * again. */
static bool
suits_units(const struct launch *l)
{
	for (unsigned i = 0; i < l->npoints; i++) {
		if (l->point[i].kind == POINT_FILE) {
			say("--units: no --pcap: a file is read once, in the foreground");
			return false;
		}
	}
	if (strcmp(l->settings.run_directory, UNITS_RUN_DIRECTORY) == 0)
		return true;
	say("run_directory: must be " UNITS_RUN_DIRECTORY " where systemd starts the processes, not %s",
	    l->settings.run_directory);
	return false;
}

int
cmd_run(int argc, char **argv)
{
	static struct launch l;
	struct options o;

	if (!options_parse(&o, TAKES_CONFIG | TAKES_MONITOR, argc, argv))
		return WEIR_USAGE;
	if (geteuid() != 0) {
		say("must be run as root (sudo): each process gets a user id of its own");
		return WEIR_FAILED;
	}
	l.units = o.units;
	if (l.units) /* -1: it opens one, of the network that it is in */
		rtnetlink_take(inherited_rtnetlink("route"));
	if (!options_settings(&o, &l.settings) || !add_points(&l, &o) || !nameservers_default(&l.settings))
		return WEIR_FAILED;
	if (l.units && !suits_units(&l))
		return WEIR_FAILED;
	return launch_run(&l);
}
