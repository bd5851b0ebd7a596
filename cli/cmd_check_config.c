/* weir check-config: names every mistake, or says that there is none. */
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "config.h"
#include "protocols.h"

static void
report(void *ctx, const char *line)
{
	(void)ctx;
	say("%s", line);
}

int
cmd_check_config(int argc, char **argv)
{
	struct options o;
	struct settings s;
	const char *path;

	if (!options_parse(&o, TAKES_CONFIG, argc, argv))
		return WEIR_USAGE;
	path = o.config != NULL ? o.config : CONFIG_DEFAULT_FILE;
	settings_default(&s);
	if (!config_load(path, &s, report, NULL))
		return WEIR_FAILED;
	if (s.protocols_file[0] != '\0') {
		int fd = protocols_open(s.protocols_file, report, NULL);

		if (fd == -1)
			return WEIR_FAILED;
		close(fd);
	}
	printf("%s: no mistakes\n", path);
	return WEIR_OK;
}
