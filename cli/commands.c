#include "commands.h"

#include <string.h>

#include "base/mem.h"
#include "cmd.h"

static const struct command commands[] = {
	{ "run", cmd_run, "[-c FILE] [-i IF]... [--pcap FILE]... [--data DIR] [--set KEY=VALUE]... [--units]",
	  "monitor in the foreground: starts every process and keeps it running (--units: systemd does)" },
	{ "analyze", cmd_analyze, "FILE... [--json] [--totals] [-c FILE] [--workers N] [--set KEY=VALUE]...",
	  "run capture files through the same processes and print what they hold" },
	{ "status", cmd_status, "[--json] [-c FILE] [--set KEY=VALUE]...", "how a running Weir does" },
	{ "setup-link", cmd_setup_link, "[-c FILE]",
	  "print a link that makes the first administrator, once; the ones before are void" },
	{ "audit verify", cmd_audit_verify, "[-c FILE] [--data DIR] [--anchors FILE]... [--json]",
	  "whether the audit log is what was written; says which entry is not" },
	{ "store check", cmd_store_check, "[DIRECTORY] [-c FILE] [--data DIR] [--json]",
	  "look at every byte of the traffic database (or of a backup) and name what is damaged" },
	{ "backup", cmd_backup, "DIRECTORY [--copy] [-c FILE] [--data DIR] [--json]",
	  "copy everything that a Weir keeps as of one moment, while it runs, and check the copy" },
	{ "restore", cmd_restore, "DIRECTORY [-c FILE] [--data DIR]",
	  "check a backup and make it the data of a Weir that has none" },
	{ "key new", cmd_key_new, "FILE",
	  "make a master key (authd.master_key) in a new file that only root can read" },
	{ "apply", cmd_apply, "FILE [--dry-run] [--prune] [--json] [-c FILE]",
	  "make tenants, users and groups what a YAML file says" },
	{ "check-config", cmd_check_config, "[-c FILE]", "name every mistake of a configuration file" },
	{ "config-doc", cmd_config_doc, "", "print every configuration key as Markdown" },
	{ "man-page", cmd_man_page, "weir|weir.yaml", "print the manual's page of either, in mdoc" },
};

const struct command *
command_at(size_t i)
{
	return i < ARRAY_LEN(commands) ? &commands[i] : NULL;
}

/* How many of the words at argv[1] are this name; 0: they are another. */
static int
words_of(const char *name, int argc, char **argv)
{
	const char *space = strchr(name, ' ');
	size_t first = space != NULL ? (size_t)(space - name) : strlen(name);

	if (argc < 2 || strncmp(argv[1], name, first) != 0 || argv[1][first] != '\0')
		return 0;
	if (space == NULL)
		return 1;
	return argc > 2 && strcmp(argv[2], space + 1) == 0 ? 2 : 0;
}

const struct command *
command_find(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		*words = words_of(commands[i].name, argc, argv);
		if (*words > 0)
			return &commands[i];
	}
	return NULL;
}
