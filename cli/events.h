/*
 * A YAML text as events, one after another: nothing is built in memory, and what a configuration does not
 * need (anchors, aliases, tags, further documents) is a mistake. Wraps libyaml.
 */
#ifndef WEIR_CLI_EVENTS_H
#define WEIR_CLI_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "mistakes.h"

#define EVENT_TEXT_MAX  512
#define EVENT_DEPTH_MAX 8

enum event_kind { EVENT_SCALAR, EVENT_LIST, EVENT_LIST_END, EVENT_MAPPING, EVENT_MAPPING_END, EVENT_END };

/* One event, copied out of libyaml's so that it is freed in one place. */
struct event {
	enum event_kind kind;
	unsigned line; /* from 1 */
	bool plain;    /* a scalar without quotes */
	bool cut;      /* longer than any value may be, or with a NUL byte */
	char text[EVENT_TEXT_MAX];
};

struct events;

struct events *events_new(struct mistakes *m, const char *text, size_t len);
void events_free(struct events **e);

/* The next event of the one document, then EVENT_END; false where the text cannot be read any further, which
 * was then reported. An empty text has EVENT_END at once. */
bool events_next(struct events *e, struct event *out);
/* Reads on behind a list or a mapping whose beginning was read, and that is of no use. */
bool events_skip(struct events *e);
/* Of the last event. */
unsigned events_line(const struct events *e);

#endif
