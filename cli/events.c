#include "events.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

struct events {
	struct mistakes *mistakes;
	yaml_parser_t yaml;
	unsigned line;
	bool ended, strange;
};

/* libyaml says where, but not in which line: what is wrong is found here first. */
static bool
is_text(struct events *e, const char *text, size_t len)
{
	unsigned line = 1;

	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
		size_t n = control ? 0 : utf8_sequence((const unsigned char *)text + i, len - i);
		size_t begin = i, key;

		if (n > 0) {
			line += text[i] == '\n';
			i += n;
			continue;
		}
		while (begin > 0 && text[begin - 1] != '\n')
			begin--;
		/* Up to the byte: no NUL need follow. */
		while (begin < i && (text[begin] == ' ' || text[begin] == '-'))
			begin++;
		key = begin;
		while (key < i && text[key] != ':')
			key++;
		mistake(e->mistakes, line, "%.*s: has a byte that is no UTF-8 text", (int)(key - begin),
			text + begin);
		return false;
	}
	return true;
}

struct events *
events_new(struct mistakes *m, const char *text, size_t len)
{
	struct events *e = mem_calloc(1, sizeof(*e));

	e->mistakes = m;
	e->strange = !is_text(e, text, len);
	if (!yaml_parser_initialize(&e->yaml))
		fatalx("no memory to read a file");
	yaml_parser_set_input_string(&e->yaml, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&e->yaml, YAML_UTF8_ENCODING);
	return e;
}

void
events_free(struct events **e)
{
	if (*e == NULL)
		return;
	yaml_parser_delete(&(*e)->yaml);
	free(*e);
	*e = NULL;
}

unsigned
events_line(const struct events *e)
{
	return e->line;
}

/* Why an event is refused altogether, or NULL. */
static const char *
refuse(const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return "an alias (*name): write the value out";
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return "an anchor (&name): write the value without it";
	return tag != NULL ? "a tag (!name): write the value without it" : NULL;
}

static void
copy_scalar(const yaml_event_t *e, struct event *out)
{
	size_t n = e->data.scalar.length;

	out->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	out->cut = n >= sizeof(out->text) || memchr(e->data.scalar.value, 0, n) != NULL;
	if (n >= sizeof(out->text))
		n = sizeof(out->text) - 1;
	memcpy(out->text, e->data.scalar.value, n);
}

/* Parses one of libyaml's; *type is its own. */
static bool
parse(struct events *e, struct event *out, yaml_event_type_t *type)
{
	const char *wrong;
	yaml_event_t y;

	memset(out, 0, sizeof(*out));
	if (e->strange)
		return false;
	if (!yaml_parser_parse(&e->yaml, &y)) {
		mistake(e->mistakes, (unsigned)e->yaml.problem_mark.line + 1, "not YAML: %s%s%s",
			e->yaml.problem != NULL ? e->yaml.problem : "it cannot be read",
			e->yaml.context != NULL ? ", " : "", e->yaml.context != NULL ? e->yaml.context : "");
		return false;
	}
	*type = y.type;
	e->line = out->line = (unsigned)y.start_mark.line + 1;
	if (y.type == YAML_SCALAR_EVENT)
		copy_scalar(&y, out);
	wrong = refuse(&y);
	yaml_event_delete(&y);
	if (wrong == NULL)
		return true;
	mistake(e->mistakes, e->line, "%s", wrong);
	return false;
}

bool
events_next(struct events *e, struct event *out)
{
	yaml_event_type_t type = YAML_NO_EVENT;

	for (;;) {
		if (!parse(e, out, &type))
			return false;
		switch (type) {
		case YAML_SCALAR_EVENT:
			out->kind = EVENT_SCALAR;
			return true;
		case YAML_SEQUENCE_START_EVENT:
			out->kind = EVENT_LIST;
			return true;
		case YAML_SEQUENCE_END_EVENT:
			out->kind = EVENT_LIST_END;
			return true;
		case YAML_MAPPING_START_EVENT:
			out->kind = EVENT_MAPPING;
			return true;
		case YAML_MAPPING_END_EVENT:
			out->kind = EVENT_MAPPING_END;
			return true;
		case YAML_DOCUMENT_START_EVENT:
			if (e->ended) {
				mistake(e->mistakes, e->line, "a second document (---) begins: remove it");
				return false;
			}
			e->ended = true;
			break;
		case YAML_STREAM_END_EVENT:
			out->kind = EVENT_END;
			return true;
		default:
			break;
		}
	}
}

bool
events_skip(struct events *e)
{
	struct event item;
	unsigned depth = 1;

	while (depth > 0) {
		if (!events_next(e, &item))
			return false;
		if (item.kind == EVENT_MAPPING || item.kind == EVENT_LIST)
			depth++;
		else if (item.kind == EVENT_MAPPING_END || item.kind == EVENT_LIST_END)
			depth--;
		if (depth > EVENT_DEPTH_MAX) {
			mistake(e->mistakes, e->line, "nested too deeply");
			return false;
		}
	}
	return true;
}
