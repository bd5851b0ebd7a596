/* weir tenant, user, group, token, session, audit, key: one operation of authd's each. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_link.h"
#include "base/mem.h"
#include "cmd.h"
#include "ipc/wire.h"
#include "master_key.h"
#include "secret.h"
#include "table.h"

#define ANSWER_TEXT_MAX (32u << 20)

/* --- passwords
 * -------------------------------------------------------------------------------------------------------- */

/* Whether the user of `weir user add` is one that no password opens. */
static bool
is_service(const struct admin_line *l)
{
	const char *kind = admin_line_value(l, "--kind");

	return kind != NULL && strcmp(kind, "service") == 0;
}

/* What a command line may leave out and an operation may not. */
static void
put_defaults(const struct admin_line *l, struct json_writer *w)
{
	if (admin_option_find(l->command, "--kind") != NULL && strcmp(l->command->op, "user.add") == 0 &&
	    !admin_line_has(l, "--kind"))
		json_string(w, "kind", "person");
	/* The command line is no user: nothing is its own. */
	if ((strcmp(l->command->op, "session.list") == 0 || strcmp(l->command->op, "token.list") == 0) &&
	    !admin_line_has(l, "--user"))
		json_bool(w, "all", true);
}

/* The password that the command line tells, or "" where authd is to make one up. False after a line that says
 * what is wrong. */
static bool
get_password(const struct admin_line *l, char password[static PASSWORD_MAX])
{
	const char *file = admin_line_value(l, "--password-file");
	bool generate = admin_line_has(l, "--generate-password");
	char prompt[160];

	if (admin_option_find(l->command, "--password-file") == NULL)
		return true;
	if (file != NULL && generate) {
		say("--password-file and --generate-password: give one of them");
		return false;
	}
	if (generate || (file == NULL && (is_service(l) || admin_line_has(l, "--provider"))))
		return true;
	(void)snprintf(prompt, sizeof(prompt), "Password of %.100s", l->argument);
	return file != NULL ? secret_from_file(file, password, PASSWORD_MAX)
			    : secret_from_terminal(prompt, password, PASSWORD_MAX);
}

/* --- answers
 * ----------------------------------------------------------------------------------------------------------
 */

/* What authd calls the field, as the command line has it: "access[0].networks[1]" is --network. */
static void
say_field(const struct admin_command *c, const char *field, const char *detail)
{
	const char *last = strrchr(field, '.'), *name = last != NULL ? last + 1 : field;
	const struct admin_option *o;
	char member[64];
	size_t n = strcspn(name, "[");

	(void)snprintf(member, sizeof(member), "%.*s", (int)(n < sizeof(member) ? n : sizeof(member) - 1),
		       name);
	o = admin_option_of(c, member);
	if (o == NULL && strncmp(field, "selectors", 9) == 0)
		o = admin_option_of(c, "selectors");
	if (o != NULL)
		say("%s: %s", o->name, detail);
	else if (c->named != NULL && strcmp(field, c->named) == 0)
		say("%s: %s", c->argument, detail);
	else if (field[0] != '\0')
		say("%s: %s", field, detail);
	else
		say("%s", detail);
}

static void
say_refusal(const struct admin_command *c, enum admin_status status, const struct json_doc *d)
{
	static const char *const words[] = {
		[ADMIN_OK] = "done",
		[ADMIN_BAD] = "authd does not take this",
		[ADMIN_DENIED] = "this is not allowed",
		[ADMIN_NOT_FOUND] = "there is no such thing",
		[ADMIN_CONFLICT] = "this cannot be, as things stand",
		[ADMIN_UNAVAILABLE] = "authd cannot write (is the disk full?): nothing was changed",
		[ADMIN_BUSY] = "authd is busy: try again",
		[ADMIN_NOT_GRANTED] = "this is not allowed now",
	};
	const char *field = d == NULL ? NULL : json_get_string(d, "field");
	const char *detail = d == NULL ? NULL : json_get_string(d, "detail");

	if (detail != NULL)
		say_field(c, field == NULL ? "" : field, detail);
	else
		say("%s", words[status]);
}

/* What was made just now is shown this once: a secret stands alone on standard output, whatever else there is
 * to say goes to standard error. True where there was one. */
static bool
show_secret(const struct json_doc *d)
{
	static const char *const names[] = { "secret", "password" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *secret = json_get_string(d, names[i]);

		if (secret == NULL)
			continue;
		printf("%s\n", secret);
		if (i == 0)
			say("this is the only time that the token is shown");
		return true;
	}
	return false;
}

/* The answer, or the pages of a list that are one. */
struct pages {
	struct json_writer *json; /* rows so far, as an open list */
	struct table *table;
};

/* The rows of one page, for people or for programs. */
static void
add_page(const struct admin_line *l, struct pages *p, const struct json_doc *d)
{
	const struct json_node *list = json_node_member(json_root(d), l->command->list);

	for (size_t i = 0; i < json_node_count(list); i++) {
		char *row;

		if (!l->options.json) {
			admin_show_row(l->command, p->table, json_node_at(list, i));
			continue;
		}
		row = json_node_dump(json_node_at(list, i));
		if (row != NULL)
			json_raw(p->json, NULL, row, strlen(row));
		free(row);
	}
}

static int
show_single(const struct admin_line *l, const char *text, const struct json_doc *d)
{
	if (l->options.json)
		printf("%s\n", text[0] == '\0' ? "{}" : text);
	else if (d != NULL && !show_secret(d))
		admin_show(l->command, d);
	return WEIR_OK;
}

/* --- the command
 * ------------------------------------------------------------------------------------------------------ */

/* The operation with the place in a list where it goes on; NULL after a line that says what is wrong. */
static char *
write_operation(const struct admin_line *l, const char *password, const char *cursor)
{
	struct json_writer *w = json_new(ADMIN_BODY_MAX);
	char *body = NULL;
	const char *text;

	json_object(w, NULL);
	if (admin_line_write(l, w)) {
		put_defaults(l, w);
		if (password[0] != '\0')
			json_string(w, "password", password);
		if (cursor != NULL)
			json_string(w, "cursor", cursor);
		json_object_end(w);
		text = json_text(w, NULL);
		if (text == NULL)
			say("the command line is longer than %d bytes", ADMIN_BODY_MAX);
		else
			body = mem_strdup(text);
	}
	json_wipe(&w);
	return body;
}

/* Asks and judges one answer: NULL after a line that says why there is none. *d: NULL where it is empty. */
static char *
ask_once(const struct admin_line *l, struct admin_link *link, char *body, struct json_doc **d)
{
	struct admin_outcome a = { .status = ADMIN_UNAVAILABLE };
	char err[512], *text = admin_link_ask(link, body, strlen(body), &a, err, sizeof(err));

	sodium_memzero(body, strlen(body));
	free(body);
	*d = NULL;
	if (text == NULL) {
		say("%s", err);
		return NULL;
	}
	if (text[0] != '\0')
		*d = json_parse(text, strlen(text), ANSWER_TEXT_MAX, err, sizeof(err));
	if (a.unconfirmed)
		say(ADMIN_UNCONFIRMED);
	if (a.status == ADMIN_OK && (*d != NULL || text[0] == '\0'))
		return text;
	if (a.status == ADMIN_OK)
		say("authd answers with what is no JSON: %s", err);
	else
		say_refusal(l->command, a.status, *d);
	json_doc_free(d);
	sodium_memzero(text, strlen(text));
	free(text);
	return NULL;
}

static void
free_answer(char *text, struct json_doc **d)
{
	json_doc_free(d);
	sodium_memzero(text, strlen(text));
	free(text);
}

static int
operate_single(const struct admin_line *l, struct admin_link *link, const char *password)
{
	struct json_doc *d;
	char *body = write_operation(l, password, NULL), *text;
	int status;

	if (body == NULL)
		return WEIR_USAGE;
	text = ask_once(l, link, body, &d);
	if (text == NULL)
		return WEIR_FAILED;
	status = show_single(l, text, d);
	free_answer(text, &d);
	return status;
}

/* Page after page; where the command takes a cursor by itself, only one. */
static int
operate_list(const struct admin_line *l, struct admin_link *link)
{
	bool one_page = admin_option_find(l->command, "--cursor") != NULL;
	struct pages p = { .json = json_new(ANSWER_TEXT_MAX), .table = table_new() };
	char cursor[512] = "", *body = write_operation(l, "", NULL), *text;
	int status = body == NULL ? WEIR_USAGE : WEIR_OK;
	struct json_doc *d;
	const char *next;

	json_object(p.json, NULL);
	json_array(p.json, l->command->list);
	while (body != NULL) {
		text = ask_once(l, link, body, &d);
		body = NULL;
		if (text == NULL) {
			status = WEIR_FAILED;
			break;
		}
		add_page(l, &p, d);
		next = d == NULL ? NULL : json_get_string(d, "cursor");
		cursor[0] = '\0';
		if (next != NULL && str_copy(cursor, sizeof(cursor), next) && !one_page)
			body = write_operation(l, "", cursor);
		free_answer(text, &d);
	}
	json_array_end(p.json);
	if (one_page)
		json_string(p.json, "cursor", cursor[0] != '\0' ? cursor : NULL);
	json_object_end(p.json);
	if (status == WEIR_OK && l->options.json)
		status = json_text(p.json, NULL) != NULL && puts(json_text(p.json, NULL)) >= 0 ? WEIR_OK
											       : WEIR_FAILED;
	else if (status == WEIR_OK)
		admin_show_table(l->command, p.table);
	if (status == WEIR_OK && one_page && cursor[0] != '\0' && !l->options.json)
		say("there is more: --cursor %s", cursor);
	json_free(&p.json);
	table_free(&p.table);
	return status;
}

int
cmd_admin(int argc, char **argv)
{
	char err[512], password[PASSWORD_MAX] = "";
	struct admin_link *link = NULL;
	struct admin_line l;
	struct settings s;
	int status = WEIR_FAILED;

	if (argc == 1 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		admin_usage(argv[0], argc == 1 ? stderr : stdout);
		return argc == 1 ? WEIR_USAGE : WEIR_OK;
	}
	if (!admin_line_parse(&l, argc, argv))
		return WEIR_USAGE;
	if (!options_settings(&l.options, &s))
		return WEIR_FAILED;
	if (strcmp(l.command->op, "key.rotate") == 0 && strcmp(l.argument, "master") == 0)
		return master_rotate(&s);
	if (!get_password(&l, password))
		return WEIR_USAGE;
	link = admin_link_open(s.run_directory, err, sizeof(err));
	if (link == NULL)
		say("%s", err);
	else if (l.command->list != NULL)
		status = operate_list(&l, link);
	else
		status = operate_single(&l, link, password);
	sodium_memzero(password, sizeof(password));
	admin_link_close(&link);
	return fflush(stdout) == 0 ? status : WEIR_FAILED;
}
