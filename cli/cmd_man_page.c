/* weir man-page: weir(8) and weir.yaml(5) in mdoc(7), from the tables that the programs themselves read. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/settings.h"
#include "cmd.h"
#include "commands.h"

/* The date is that of the tables' last change of shape: a build is the same whenever it is made. */
#define PAGE_DATE "November 27, 2026"

static const char weir_head[] =
    ".Dd " PAGE_DATE "\n"
    ".Dt WEIR 8\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm weir\n"
    ".Nd network traffic monitor for many tenants\n"
    ".Sh SYNOPSIS\n"
    ".Nm\n"
    ".Ar command\n"
    ".Op Ar argument ...\n"
    ".Sh DESCRIPTION\n"
    ".Nm\n"
    "starts the processes of Weir, analyses capture files, and administers a Weir that "
    "runs.\n"
    "A Weir that was installed as a package is started by\n"
    ".Ql systemctl start weir.target ;\n"
    "the page is then at port 3001, and\n"
    ".Ql weir setup-link\n"
    "prints the link that makes its first administrator.\n"
    ".Sh COMMANDS\n"
    ".Bl -tag -width Ds\n";

static const char weir_tail[] =
    ".El\n"
    ".Sh FILES\n"
    ".Bl -tag -width Ds -compact\n"
    ".It Pa /etc/weir/weir.yaml\n"
    "the configuration; see\n"
    ".Xr weir.yaml 5\n"
    ".It Pa /var/lib/weir\n"
    "the traffic database, the accounts with the audit log, the certificate\n"
    ".It Pa /run/weir\n"
    "sockets between the processes\n"
    ".El\n"
    ".Sh EXIT STATUS\n"
    "0 where all went well, 1 where something failed (a line on standard error says what), 2 where a file "
    "was "
    "cut, the audit log or the database is damaged or a dry run would change something, 64 where the command "
    "line is wrong.\n"
    ".Sh SEE ALSO\n"
    ".Xr weir.yaml 5 ,\n"
    ".Xr weir-authd 8 ,\n"
    ".Xr weir-capture 8 ,\n"
    ".Xr weir-dial 8 ,\n"
    ".Xr weir-directory 8 ,\n"
    ".Xr weir-engine 8 ,\n"
    ".Xr weir-httpd 8 ,\n"
    ".Xr weir-key 8 ,\n"
    ".Xr weir-store 8\n";

static const char yaml_head[] =
    ".Dd " PAGE_DATE "\n"
    ".Dt WEIR.YAML 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm weir.yaml\n"
    ".Nd configuration of the traffic monitor Weir\n"
    ".Sh DESCRIPTION\n"
    "One YAML file,\n"
    ".Pa /etc/weir/weir.yaml .\n"
    "What is not in it has its default.\n"
    "A key\n"
    ".Ic engine.workers\n"
    "is written as\n"
    ".Ql workers\n"
    "below\n"
    ".Ql engine: .\n"
    "Numbers of bytes and times take the suffixes KiB, MiB, GiB, TiB, and ms, s, min, h, d.\n"
    ".Pp\n"
    ".Ql weir check-config\n"
    "names file, line and key of each mistake.\n"
    ".Sh KEYS\n";

static const char yaml_tail[] = ".Sh EXAMPLES\n"
				".Bd -literal -offset indent\n"
				"interfaces:\n"
				"  - eth1\n"
				"engine:\n"
				"  workers: 2\n"
				"store:\n"
				"  size: 100GiB\n"
				"  keep_flows: 30d\n"
				".Ed\n"
				".Sh SEE ALSO\n"
				".Xr weir 8\n";

/* A word per argument of the macro: hyphens are minus signs of command lines, and mdoc's own names (Ar, It)
 * are kept from being read as such. */
static void
put_words(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			fputs("\\-", f);
		else if (*text == '"')
			fputs("\\(dq", f);
		else
			fputc(*text, f);
	}
}

static void
print_options(FILE *f, const struct admin_command *a)
{
	const struct admin_option *o;
	bool any = false;

	for (size_t i = 0; (o = admin_option_at(a, i)) != NULL; i++) {
		fputs(any ? "" : ".Bl -tag -width Ds -compact\n", f);
		any = true;
		fputs(".It Fl \"", f);
		put_words(f, o->name + 1); /* the macro puts one of the hyphens */
		fprintf(f, "\"%s%s%s\n%s\n", o->takes != NULL ? " Ar \"" : "",
			o->takes != NULL ? o->takes : "", o->takes != NULL ? "\"" : "", o->help);
	}
	fputs(any ? ".El\n" : "", f);
}

static void
print_weir(FILE *f)
{
	const struct command *c;
	const struct admin_command *a;

	fputs(weir_head, f);
	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		fprintf(f, ".It Nm Cm \"%s\" No \"", c->name);
		put_words(f, c->takes);
		fprintf(f, "\"\n%s\n", c->help);
	}
	fputs(".El\n"
	      ".Sh ADMINISTRATION\n"
	      "For root, and for the Unix group that the setting\n"
	      ".Ic authd.admin_group\n"
	      "names.\n"
	      "Each takes\n"
	      ".Fl -json .\n"
	      ".Bl -tag -width Ds\n",
	      f);
	for (size_t i = 0; (a = admin_command_at(i)) != NULL; i++) {
		fprintf(f, ".It Nm Cm \"%s %s\"", a->object, a->verb);
		if (a->argument != NULL)
			fprintf(f, " Ar \"%s\"", a->argument);
		fprintf(f, "\n%s\n", a->help);
		print_options(f, a);
	}
	fputs(weir_tail, f);
}

int
cmd_man_page(int argc, char **argv)
{
	struct options o;

	if (!options_parse(&o, TAKES_FILES, argc, argv))
		return WEIR_USAGE;
	if (o.files.n == 1 && strcmp(o.files.name[0], "weir") == 0) {
		print_weir(stdout);
	} else if (o.files.n == 1 && strcmp(o.files.name[0], "weir.yaml") == 0) {
		fputs(yaml_head, stdout);
		settings_print_mdoc(stdout);
		fputs(yaml_tail, stdout);
	} else {
		say("man-page: which one: weir or weir.yaml?");
		return WEIR_USAGE;
	}
	return fflush(stdout) == 0 ? WEIR_OK : WEIR_FAILED;
}
