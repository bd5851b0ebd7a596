/* weir: the launcher and the command line. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *takes;
	const char *help;
} commands[] = {
	{ "run", cmd_run, "[-c FILE] [-i IF]... [--pcap FILE]... [--data DIR] [--set KEY=VALUE]...",
	  "monitor in the foreground: starts every process and keeps it running" },
	{ "analyze", cmd_analyze, "FILE... [--json] [--totals] [-c FILE] [--workers N] [--set KEY=VALUE]...",
	  "run capture files through the same processes and print what they hold" },
	{ "status", cmd_status, "[--json] [-c FILE] [--set KEY=VALUE]...", "how a running Weir does" },
	{ "audit verify", cmd_audit_verify, "[-c FILE] [--data DIR] [--anchors FILE]... [--json]",
	  "whether the audit log is what was written; says which entry is not" },
	{ "store check", cmd_store_check, "[DIRECTORY] [-c FILE] [--data DIR] [--json]",
	  "look at every byte of the traffic database (or of a backup) and name what is damaged" },
	{ "backup", cmd_backup, "DIRECTORY [--copy] [-c FILE] [--data DIR] [--json]",
	  "copy everything that a Weir keeps as of one moment, while it runs, and check the copy" },
	{ "restore", cmd_restore, "DIRECTORY [-c FILE] [--data DIR]",
	  "check a backup and make it the data of a Weir that has none" },
	{ "apply", cmd_apply, "FILE [--dry-run] [--prune] [--json] [-c FILE]",
	  "make tenants, users and groups what a YAML file says" },
	{ "check-config", cmd_check_config, "[-c FILE]", "name every mistake of a configuration file" },
	{ "config-doc", cmd_config_doc, "", "print every configuration key as Markdown" },
};

static void
usage(FILE *f)
{
	fputs("usage: weir COMMAND ...\n\n", f);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(f, "  weir %s %s\n        %s\n", commands[i].name, commands[i].takes,
			commands[i].help);
	fputs("\nadministration (root, or the group of authd.admin_group; `weir OBJECT --help` has the "
	      "options):\n\n",
	      f);
	admin_usage(NULL, f);
}

int
main(int argc, char **argv)
{
	log_init("weir", LOG_LEVEL_INFO);
	if (argc < 2) {
		usage(stderr);
		return WEIR_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return WEIR_OK;
	}
	if (argc > 2 && strcmp(argv[1], "audit") == 0 && strcmp(argv[2], "verify") == 0)
		return cmd_audit_verify(argc - 2, argv + 2);
	if (argc > 2 && strcmp(argv[1], "store") == 0 && strcmp(argv[2], "check") == 0)
		return cmd_store_check(argc - 2, argv + 2);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (admin_is_object(argv[1]))
		return cmd_admin(argc - 1, argv + 1);
	say("%s: no such command; `weir --help` lists them", argv[1]);
	return WEIR_USAGE;
}
