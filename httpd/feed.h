/* One stream of events as those that fill it see it: live.c has the windows, and asks once a second. */
#ifndef WEIR_HTTPD_FEED_H
#define WEIR_HTTPD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/json_write.h"
#include "inquiry.h"

struct event;
struct feed;
struct live;
struct request;
struct watcher;

/* What a kind of stream says. */
struct feed_kind {
	bool shared; /* all windows of a session are told the same; else each has a feed of its own */
	/* Adds the questions of a second. */
	void (*ask)(const struct feed *f, struct inquiry *q);
	/* They were answered. */
	void (*answer)(struct feed *f, const struct inquiry *q);
	/* They were refused as no questions (INQUIRY_BAD): false ends the stream. NULL: so does it. */
	bool (*refused)(struct feed *f);
	/* Nothing was sent for long: a line that keeps the connection. NULL: a comment. */
	void (*quiet)(struct feed *f);
};

/* What a stream of flows asks for. */
struct feed_flows {
	struct wire_question q; /* ends, application, place, cursor */
	uint8_t *filter;        /* filter_len bytes; NULL: none */
	size_t filter_len;
};

/* One session, or token from one address, that watches. */
struct feed {
	TAILQ_ENTRY(feed) entry;
	const struct feed_kind *kind;
	struct live *set;
	struct httpd *httpd;
	struct credential who;
	struct wire_client from;
	struct event *tick;
	struct inquiry *asked; /* NULL: no answer is awaited */
	int64_t sent_ns;
	bool begun; /* something of its kind was said to all of its windows */
	struct feed_flows flows;
	TAILQ_HEAD(, watcher) watchers;
};

/* Answers r with a stream of the kind; NULL: r was refused, as there is no room. The new window's feed asks
 * at the next tick, or where ask is set, at once. */
struct feed *feed_open(struct request *r, const struct feed_kind *kind, bool ask);
/* "event: NAME", "id: ID" where there is one, "data: JSON" to every window; takes *w. False: it is too long.
 */
bool feed_event(struct feed *f, const char *name, const char *id, struct json_writer **w);
/* Any lines that make one event. */
void feed_line(struct feed *f, const char *line);

#endif
