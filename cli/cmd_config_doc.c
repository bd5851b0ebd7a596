/* weir config-doc: every key as Markdown; docs/CONFIG.md is this text. */
#include <stdio.h>

#include "cmd.h"

int
cmd_config_doc(int argc, char **argv)
{
	struct options o;

	if (!options_parse(&o, 0, argc, argv))
		return WEIR_USAGE;
	settings_print_markdown(stdout);
	return fflush(stdout) == 0 ? WEIR_OK : WEIR_FAILED;
}
