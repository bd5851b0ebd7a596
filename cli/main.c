/* weir: the launcher and the command line. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/log.h"
#include "cmd.h"
#include "commands.h"

static void
usage(FILE *f)
{
	const struct command *c;

	fputs("usage: weir COMMAND ...\n\n", f);
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		fprintf(f, "  weir %s %s\n        %s\n", c->name, c->takes, c->help);
	fputs("\nadministration (root, or the group of authd.admin_group; `weir OBJECT --help` has the "
	      "options):\n\n",
	      f);
	admin_usage(NULL, f);
}

int
main(int argc, char **argv)
{
	const struct command *c;
	const char *name = argc > 0 && strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : "";
	int words;

	log_init("weir", LOG_LEVEL_INFO);
	if (strcmp(name, "weir-generator") == 0) /* a link in systemd's folder of generators */
		return cmd_units(argc, argv);
	if (argc < 2) {
		usage(stderr);
		return WEIR_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return WEIR_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("weir %s\n", WEIR_VERSION);
		return WEIR_OK;
	}
	c = command_find(argc, argv, &words);
	if (c != NULL)
		return c->run(argc - words, argv + words);
	if (admin_is_object(argv[1]))
		return cmd_admin(argc - 1, argv + 1);
	say("%s: no such command; `weir --help` lists them", argv[1]);
	return WEIR_USAGE;
}
