/* weir check-config: names every mistake, or says that there is none. */
#include <stdio.h>

#include "cmd.h"
#include "config.h"

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
	printf("%s: no mistakes\n", path);
	return WEIR_OK;
}
