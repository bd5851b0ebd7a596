/* weir analyze: capture files through the real processes, in a throw-away directory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis.h"
#include "base/mem.h"
#include "cmd.h"
#include "directories.h"
#include "launch.h"

/* out = directory/name; false where it does not fit. */
static bool
join(char *out, size_t size, const char *directory, const char *name)
{
	int n = snprintf(out, size, "%s/%s", directory, name);

	return n > 0 && (size_t)n < size;
}

/* DIR/data and DIR/run below the folder for temporary files; others may enter, since the processes' sockets
 * are there. */
static bool
make_directory(char *path, size_t size, struct settings *s)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp == NULL || tmp[0] != '/')
		tmp = "/tmp";
	if (!join(path, size, tmp, "weir-analyze-XXXXXX") ||
	    !join(s->run_directory, sizeof(s->run_directory), path, "run") || mkdtemp(path) == NULL) {
		say("no directory can be made in %s (TMPDIR): %s", tmp,
		    strlen(tmp) > 32 ? "its path is too long" : strerror(errno));
		path[0] = '\0';
		return false;
	}
	/* Again, with the real name. */
	if (join(s->run_directory, sizeof(s->run_directory), path, "run") &&
	    join(s->data_directory, sizeof(s->data_directory), path, "data") && chmod(path, 0711) == 0 &&
	    mkdir(s->run_directory, 0711) == 0 && mkdir(s->data_directory, 0711) == 0)
		return true;
	say("%s: %s", path, strerror(errno));
	return false;
}

int
cmd_analyze(int argc, char **argv)
{
	static struct launch l;
	struct options o;
	char directory[128] = "";
	int status = WEIR_FAILED;
	bool ok;

	if (!options_parse(&o, TAKES_CONFIG | TAKES_FILES | TAKES_JSON | TAKES_TOTALS, argc, argv))
		return WEIR_USAGE;
	if (o.files.n == 0) {
		say("analyze: name at least one capture file");
		return WEIR_USAGE;
	}
	if (geteuid() != 0) {
		say("must be run as root (sudo): each process gets a user id of its own");
		return WEIR_FAILED;
	}
	ok = options_settings(&o, &l.settings);
	for (unsigned i = 0; ok && i < o.files.n; i++)
		ok = launch_add_file(&l, o.files.name[i]);
	if (ok && strcmp(l.settings.log_level, "info") == 0)
		str_copy(l.settings.log_level, sizeof(l.settings.log_level),
			 "warn"); /* the result is what matters */
	l.analyze = true;
	l.asker = analysis_ask;
	l.json = o.json;
	l.totals = o.totals;
	if (ok && make_directory(directory, sizeof(directory), &l.settings))
		status = launch_run(&l);
	if (directory[0] != '\0')
		directory_remove(directory);
	return status;
}
