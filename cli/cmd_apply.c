/* weir apply: makes tenants, users and groups what a YAML file says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "admin_link.h"
#include "apply.h"
#include "base/auto.h"
#include "base/mem.h"
#include "cmd.h"
#include "text.h"

#define ANSWER_TEXT_MAX (32u << 20)
#define APPLY_FILE_MAX  (8u << 20) /* bytes of a file that is read at all */

struct apply {
	struct options options;
	const char *file;
	bool dry_run, prune;
};

/* --- the command line
 * -------------------------------------------------------------------------------------------------- */

static bool
parse(struct apply *a, int argc, char **argv)
{
	char *rest[64];
	int n = 0;

	memset(a, 0, sizeof(*a));
	for (int i = 0; i < argc && n < (int)ARRAY_LEN(rest) - 1; i++) {
		if (i > 0 && strcmp(argv[i], "--dry-run") == 0)
			a->dry_run = true;
		else if (i > 0 && strcmp(argv[i], "--prune") == 0)
			a->prune = true;
		else
			rest[n++] = argv[i];
	}
	rest[n] = NULL;
	if (!options_parse(&a->options, TAKES_CONFIG | TAKES_FILES | TAKES_JSON, n, rest))
		return false;
	if (a->options.files.n != 1) {
		say("apply: name one file");
		return false;
	}
	a->file = a->options.files.name[0];
	return true;
}

static void
report(void *ctx, const char *line)
{
	(void)ctx;
	say("%s", line);
}

/* The file's text; NULL after a line that says what is wrong. */
static char *
read_file(const char *path, size_t *len)
{
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = mem_calloc(1, APPLY_FILE_MAX + 1);
	struct stat st;
	ssize_t n = -1;

	*len = 0;
	if (fd != -1 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		errno = EINVAL;
	else if (fd != -1)
		while ((n = read(fd, text + *len, APPLY_FILE_MAX + 1 - *len)) > 0)
			*len += (size_t)n;
	if (n == 0 && *len <= APPLY_FILE_MAX)
		return text;
	say("%s: %s", path, n == -1 ? strerror(errno) : "is larger than 8 MiB: split it");
	free(text);
	return NULL;
}

/* --- the plan
 * ---------------------------------------------------------------------------------------------------------
 */

/* One line a thing: "add tenant acme", and below it what changes. */
static void
print_plan(const struct apply *a, const struct json_node *plan)
{
	char action[64], kind[64], name[256];

	for (size_t i = 0; i < json_node_count(plan); i++) {
		const struct json_node *step = json_node_at(plan, i);

		printf("%s %s %s\n", show_text(json_node_member(step, "action"), action, sizeof(action)),
		       show_text(json_node_member(step, "kind"), kind, sizeof(kind)),
		       show_text(json_node_member(step, "name"), name, sizeof(name)));
		for (size_t k = 0; k < json_node_count(json_node_member(step, "changes")); k++) {
			const struct json_node *change = json_node_at(json_node_member(step, "changes"), k);

			if (json_node_kind(change) == JSON_KIND_OBJECT)
				admin_show_node(change, 4);
			else
				printf("    %s\n", show_text(change, name, sizeof(name)));
		}
	}
	if (json_node_count(plan) == 0)
		printf("nothing to change\n");
	else if (a->dry_run)
		printf("%zu to change; nothing was\n", json_node_count(plan));
	else
		printf("%zu changed\n", json_node_count(plan));
}

static void
say_refusal(const struct apply *a, const struct document *d, const char *text)
{
	char why[160];
	struct json_doc *answer = json_parse(text, strlen(text), ANSWER_TEXT_MAX, why, sizeof(why));
	const char *field = answer == NULL ? NULL : json_get_string(answer, "field");
	const char *detail = answer == NULL ? NULL : json_get_string(answer, "detail");
	unsigned line = field == NULL ? 0 : document_line(d, field);

	if (field != NULL)
		field = document_field(field);
	if (detail == NULL)
		detail = "authd does not do this";
	if (line != 0)
		say("%s:%u: %s: %s", a->file, line, field, detail);
	else if (field != NULL && field[0] != '\0')
		say("%s: %s: %s", a->file, field, detail);
	else
		say("%s: %s", a->file, detail);
	json_doc_free(&answer);
}

/* 0: done, or nothing to do. 2: a dry run found something to do. */
static int
show_plan(const struct apply *a, const char *text)
{
	char why[160];
	struct json_doc *answer = json_parse(text, strlen(text), ANSWER_TEXT_MAX, why, sizeof(why));
	const struct json_node *plan;
	size_t n;

	if (answer == NULL) {
		say("authd answers with what is no JSON: %s", why);
		return WEIR_FAILED;
	}
	plan = json_node_member(json_root(answer), "plan");
	n = json_node_count(plan);
	if (a->options.json)
		printf("%s\n", text);
	else
		print_plan(a, plan);
	json_doc_free(&answer);
	return a->dry_run && n > 0 ? WEIR_DIFFERS : WEIR_OK;
}

/* --- the command
 * ------------------------------------------------------------------------------------------------------ */

static char *
operation(const struct apply *a, const struct document *d, size_t *len)
{
	struct json_writer *w = json_new(APPLY_BODY_MAX);
	const char *text;
	size_t n = 0;
	char *body = NULL;

	text = document_json(d, &n);
	json_object(w, NULL);
	json_string(w, "op", "apply");
	json_bool(w, "dry_run", a->dry_run);
	json_bool(w, "prune", a->prune);
	json_raw(w, "document", text, n);
	json_object_end(w);
	text = json_text(w, len);
	if (text == NULL)
		say("%s: says more than %u bytes: split it", a->file, APPLY_BODY_MAX);
	else
		body = mem_strdup(text);
	json_free(&w);
	return body;
}

static int
apply(const struct apply *a, const char *run_directory, const struct document *d)
{
	struct admin_outcome outcome = { .status = ADMIN_UNAVAILABLE };
	size_t len = 0;
	AUTO(mem_drop) char *body = operation(a, d, &len);
	AUTO(mem_drop) char *text = NULL;
	char err[512] = "";
	struct admin_link *link;

	if (body == NULL)
		return WEIR_FAILED;
	link = admin_link_open(run_directory, err, sizeof(err));
	if (link != NULL)
		text = admin_link_ask(link, body, len, &outcome, err, sizeof(err));
	admin_link_close(&link);
	if (text == NULL) {
		say("%s", err);
		return WEIR_FAILED;
	}
	if (outcome.unconfirmed)
		say(ADMIN_UNCONFIRMED);
	if (outcome.status == ADMIN_OK)
		return show_plan(a, text);
	say_refusal(a, d, text);
	return WEIR_FAILED;
}

int
cmd_apply(int argc, char **argv)
{
	AUTO(mem_drop) char *text = NULL;
	struct document *d = NULL;
	struct settings s;
	struct apply a;
	size_t len = 0;
	int status = WEIR_FAILED;

	if (!parse(&a, argc, argv))
		return WEIR_USAGE;
	if (!options_settings(&a.options, &s))
		return WEIR_FAILED;
	text = read_file(a.file, &len);
	if (text != NULL)
		d = document_read(a.file, text, len, report, NULL);
	if (d != NULL)
		status = apply(&a, s.run_directory, d);
	document_free(&d);
	return fflush(stdout) == 0 ? status : WEIR_FAILED;
}
