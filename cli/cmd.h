/* The subcommands of `weir`, one file each (cmd_*.c), and what they all say and take. */
#ifndef WEIR_CLI_CMD_H
#define WEIR_CLI_CMD_H

#include <stdbool.h>

#include "base/settings.h"

#define CONFIG_DEFAULT_FILE "/etc/weir/weir.yaml"

/* Exit statuses of weir. */
enum {
	WEIR_OK = 0,
	WEIR_FAILED = 1,
	WEIR_TRUNCATED = 2, /* analyze: a file was cut or damaged; what was before it is in the result */
	WEIR_DIFFERS = 2,   /* apply --dry-run: something is to change. audit verify: the log is not whole.
			     * store check, backup: the database is damaged */
	WEIR_USAGE = 64
};

int cmd_run(int argc, char **argv);
int cmd_analyze(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_config_doc(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_setup_link(int argc, char **argv);
int cmd_man_page(int argc, char **argv);
int cmd_units(int argc, char **argv); /* as weir-generator */
int cmd_audit_verify(int argc, char **argv);
int cmd_store_check(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_admin(int argc, char **argv); /* argv[0]: tenant, user, group, token, session, audit or key */
int cmd_apply(int argc, char **argv);
int cmd_key_new(int argc, char **argv);

/* One line on standard error, "weir: ..."; control bytes of what strangers named are escaped. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define OPTION_NAMES_MAX 64

/* What the commands take, in one structure. A list of names points into argv. */
struct options {
	const char *config; /* NULL: the default file, where it exists */
	struct {
		unsigned n;
		const char *name[OPTION_NAMES_MAX];
	} interfaces, files, set, anchors;
	const char *data;
	long workers; /* 0: as the settings say */
	bool json, totals, copy, units;
};

enum option_set {
	TAKES_CONFIG = 1,
	TAKES_MONITOR = 2,
	TAKES_JSON = 4,
	TAKES_FILES = 8,
	TAKES_TOTALS = 16,
	TAKES_ANCHORS = 32,
	TAKES_DATA = 64,
	TAKES_COPY = 128
};

/* Parses argv[1..] of a command that takes what the bits of enum option_set say. False after a line that says
 * what is wrong. */
bool options_parse(struct options *o, unsigned takes, int argc, char **argv);
/* The settings: defaults, then the file, then --set, --data and --workers. False after a line for each
 * mistake. */
bool options_settings(const struct options *o, struct settings *s);

#endif
