/*
 * The administrative commands: which there are, what they take, and which operation of authd each of them is.
 * One table of commands and one of options; what a value means is authd's to judge.
 */
#ifndef WEIR_CLI_ADMIN_H
#define WEIR_CLI_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "cmd.h"
#include "table.h"

/* Where in the operation an option's value goes. */
enum admin_place {
	PLACE_OPERATION,
	PLACE_ACCESS,   /* into the access at hand; --tenant begins one */
	PLACE_SELECTOR, /* each is a selector */
	PLACE_QUOTA,
	PLACE_HERE /* nowhere: it is about the command line itself */
};

enum admin_form {
	VALUE_TEXT,
	VALUE_TEXTS, /* may be given again: a list */
	VALUE_COUNT,
	VALUE_COUNTS,
	VALUE_BYTES,
	VALUE_PERIOD,        /* a time with its unit, told in seconds */
	VALUE_MOMENT,        /* a time from now, or a date; told in Unix seconds */
	VALUE_PAIRS,         /* KEY=VALUE,... */
	VALUE_NOTHING,       /* true */
	VALUE_NOTHING_NO,    /* false */
	VALUE_NOTHING_EMPTY, /* the list is empty */
	VALUE_NOTHING_UNSET  /* the object is */
};

struct admin_option {
	const char *name;   /* "--interface" */
	const char *member; /* "interfaces" */
	enum admin_form form;
	enum admin_place place;
	unsigned of; /* bits of the commands' takes */
	const char *takes;
	const char *help;
};

/* A column of a list. */
struct admin_column {
	const char *title;
	const char *member;
	const char *(*show)(const struct json_node *value, char *out, size_t size);
};

struct admin_command {
	const char *object, *verb;
	const char *op;
	const char *named;    /* the member that the argument is; NULL: it takes none */
	const char *argument; /* what it is called: "NAME" */
	unsigned takes;       /* bits of the options that it takes */
	const char *list; /* the member of the answer that is a list, or NULL. It comes in pages, which are
			     one for people unless the command takes --cursor */
	const struct admin_column *columns;
	const char *help;
};

/* What stands on a command line. */
#define ADMIN_GIVEN_MAX 256
struct admin_given {
	const struct admin_option *option;
	const char *value;
};

struct admin_line {
	const struct admin_command *command;
	const char *argument;
	unsigned n;
	struct admin_given given[ADMIN_GIVEN_MAX];
	struct options options; /* those of every command: -c, --set, --json */
};

/* --- admin_words.c */
const struct admin_command *admin_command_find(const char *object, const char *verb);
const struct admin_option *admin_option_find(const struct admin_command *c, const char *name);
/* The option of a member ("networks": "--network"), or NULL. */
const struct admin_option *admin_option_of(const struct admin_command *c, const char *member);
bool admin_is_object(const char *word);
/* Command i, and option i of a command; NULL past the last. */
const struct admin_command *admin_command_at(size_t i);
const struct admin_option *admin_option_at(const struct admin_command *c, size_t i);
/* How an object's commands are written; NULL: all of them. */
void admin_usage(const char *object, FILE *f);

/* --- admin_line.c */
/* argv[0] is the object. False after a line that says what is wrong. */
bool admin_line_parse(struct admin_line *l, int argc, char **argv);
/* The value of an option that was given, or NULL. */
const char *admin_line_value(const struct admin_line *l, const char *name);
bool admin_line_has(const struct admin_line *l, const char *name);
/* Writes the members of the operation into the open object; false after a line that says what is wrong. */
bool admin_line_write(const struct admin_line *l, struct json_writer *w);

/* --- admin_show.c: answers for people */
/* A single thing. */
void admin_show(const struct admin_command *c, const struct json_doc *answer);
/* A list: its rows, then all of them under the titles of the columns. */
void admin_show_row(const struct admin_command *c, struct table *t, const struct json_node *row);
void admin_show_table(const struct admin_command *c, const struct table *rows);
/* The members of an object (or elements of a list), line by line: "name: value", nested ones indented more.
 */
void admin_show_node(const struct json_node *n, int indent);

/* Values as columns: text, times, how many, lists. */
const char *show_text(const struct json_node *v, char *out, size_t size);
const char *show_moment(const struct json_node *v, char *out, size_t size);
const char *show_texts(const struct json_node *v, char *out, size_t size);
const char *show_flag(const struct json_node *v, char *out, size_t size);
const char *show_access(const struct json_node *v, char *out, size_t size);
const char *show_selectors(const struct json_node *v, char *out, size_t size);
const char *show_use(const struct json_node *v, char *out, size_t size);

#endif
